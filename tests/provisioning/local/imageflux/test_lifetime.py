from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from provisioning.local.imageflux.lifetime import lifetime_in


def token(claims: Any) -> dict[str, str]:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return {"access_token": f"e30.{payload}.c2lnbmF0dXJl"}


def test_a_token_may_say_how_long() -> None:
    assert lifetime_in(token({"channel_id": "room", "connection_lifetime": 3})) == 3.0


@pytest.mark.parametrize(
    "metadata",
    [None, {}, "x", {"access_token": ""}, {"access_token": "a.b"}, {"access_token": "a.%%%.c"}, token([]), token({})],
)
def test_whoever_says_nothing_of_it_lives_for_ever(metadata: Any) -> None:
    assert lifetime_in(metadata) == 0.0
