import re

import pytest

from provisioning.local.realtime.keys import KeyRing
from provisioning.local.realtime.refusals import RefusedError
from tests.provisioning.local.realtime.reference import judge_secret

NOW = 1_800_000_000.5


def test_a_key_carries_its_session_until_it_expires() -> None:
    ring = KeyRing()
    answer = ring.mint(b'{"session": {"type": "realtime", "instructions": "Be brief."}}', NOW)
    judge_secret(answer)
    assert re.fullmatch("ek_[0-9a-f]{32}", answer["value"])
    assert answer["expires_at"] == 1_800_000_600
    assert answer["session"]["instructions"] == "Be brief."
    for _ in range(2):
        assert ring.session(answer["value"], NOW + 599)["instructions"] == "Be brief."
    with pytest.raises(RefusedError, match="401"):
        ring.session(answer["value"], NOW + 600)


def test_no_body_means_all_defaults() -> None:
    assert KeyRing().mint(b"", NOW)["session"]["model"] == "gpt-realtime-2.1"


@pytest.mark.parametrize("seconds", [9, 7201, -1])
def test_a_life_out_of_bounds_is_refused(seconds: int) -> None:
    body = b'{"expires_after": {"anchor": "created_at", "seconds": %d}}' % seconds
    with pytest.raises(RefusedError) as refused:
        KeyRing().mint(body, NOW)
    assert (refused.value.status, refused.value.param) == (400, "expires_after.seconds")


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"session": 3}', b'{"session": {"type": "realtime", "voice": "x"}}'])
def test_nonsense_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError, match="400"):
        KeyRing().mint(body, NOW)


def test_a_key_that_was_never_minted_opens_nothing() -> None:
    with pytest.raises(RefusedError, match="invalid_api_key"):
        KeyRing().session("ek_0", NOW)
