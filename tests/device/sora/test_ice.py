from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.sora.ice import IceServer, Relay, chosen, relay_of, relays_in

URLS = [
    "stun:s.example:3478",
    "turn:a.example:3478",
    "turn:a.example:3478?transport=udp",
    "turn:a.example:3478?transport=tcp",
    "turns:a.example:443?transport=tcp",
    "turns:a.example",
    "turn:a.example?transport=sctp",
    "turns:a.example?transport=udp",
    "http://nonsense",
    "turn:[2001:db8::1]:3478",
]

servers = st.lists(
    st.builds(
        IceServer,
        st.lists(st.sampled_from(URLS), max_size=5).map(tuple),
        st.just("user"),
        st.just("pass"),
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("turn:h:3478?transport=udp", Relay.UDP),
        ("turn:h", Relay.UDP),
        ("turn:h:443?transport=tcp", Relay.TCP),
        ("turns:h:443?transport=tcp", Relay.TLS),
        ("turns:h", Relay.TLS),
        ("turns:h?transport=udp", None),
        ("turn:h?transport=sctp", None),
        ("stun:h:3478", None),
        ("turn:[2001:db8::1]:3478", None),
        ("", None),
    ],
)
def test_transports_of_addresses(url: str, relay: Relay | None) -> None:
    assert relay_of(url) is relay


def test_one_way_for_each_attempt_in_order_and_around() -> None:
    offered = [IceServer(("turns:h?transport=tcp", "turn:h?transport=tcp", "stun:h", "turn:h"), "u", "p")]
    tried = [chosen(offered, attempt)[0].urls for attempt in range(4)]
    assert tried == [
        ("stun:h", "turn:h"),
        ("turn:h?transport=tcp", "stun:h"),
        ("turns:h?transport=tcp", "stun:h"),
        ("stun:h", "turn:h"),
    ]


@given(servers, st.integers(0, 50))
def test_the_first_relay_that_is_left_is_the_one_of_this_attempt(offered: list[IceServer], attempt: int) -> None:
    left = [relay for server in chosen(offered, attempt) for url in server.urls if (relay := relay_of(url))]
    relays = relays_in(offered)
    assert set(left) == ({relays[attempt % len(relays)]} if relays else set())


def test_what_aiortc_cannot_parse_is_left_out() -> None:
    offered = [IceServer(("stun:[2001:db8::1]:3478", "turn:[2001:db8::1]:3478", "turn:h:99x", "stuns:h"), "u", "p")]
    assert chosen(offered, 0) == []


@given(servers, st.integers(0, 50))
def test_every_stun_address_stays_and_nothing_is_invented(offered: list[IceServer], attempt: int) -> None:
    before = [url for server in offered for url in server.urls]
    after = [url for server in chosen(offered, attempt) for url in server.urls]
    assert sorted(url for url in before if url.startswith("stun:")) == sorted(
        url for url in after if url.startswith("stun:")
    )
    assert set(after) <= set(before)


def test_a_credential_is_not_in_a_repr() -> None:
    assert "hunter2" not in repr(IceServer(("turn:h",), "u", "hunter2"))
