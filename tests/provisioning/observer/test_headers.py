from __future__ import annotations

import pytest

from provisioning.observer.headers import MediaOriginError, checked_origins, page_policy


def directive(policy: str, name: str) -> list[str]:
    return {rule.split(" ")[0]: rule.split(" ")[1:] for rule in policy.split("; ")}[name]


def test_only_this_host_and_the_media_origins_may_be_reached() -> None:
    policy = page_policy(["https://*.imageflux.jp"], framed=False)
    assert directive(policy, "default-src") == ["'none'"]
    assert directive(policy, "script-src") == ["'self'"]
    assert directive(policy, "connect-src") == ["'self'", "https://*.imageflux.jp", "wss://*.imageflux.jp"]
    assert directive(policy, "media-src") == ["'self'", "blob:", "https://*.imageflux.jp"]


def test_other_sites_may_frame_only_the_embedded_page() -> None:
    assert directive(page_policy([], framed=False), "frame-ancestors") == ["'none'"]
    assert directive(page_policy([], framed=True), "frame-ancestors") == ["*"]


@pytest.mark.parametrize(
    "origin",
    ["http://127.0.0.1:8080", "https://media.example", "https://*.imageflux.jp", "http://[::1]:80", "https://a.b/"],
)
def test_origins_are_taken(origin: str) -> None:
    assert checked_origins([origin]) == (origin.rstrip("/"),)


@pytest.mark.parametrize(
    "origin",
    [
        *("", "*", "media.example", "https://a.b/path", "https://a.b; script-src *", "data:", "https://a.b\n"),
        *("https://a.b:123456", "ftp://a.b", "https://*", "https://a.*.b", "https://[::1", "https://a b"),
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(MediaOriginError, match="not an origin"):
        checked_origins([origin])
