from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import MalformedMessageError
from device.sora.messages import Notify, Offer, Ping, Redirect, decode

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 1) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["audio", "urls"]), inner, max_size=3),
    max_leaves=5,
)
types = st.sampled_from(["offer", "re-offer", "redirect", "ping", "notify", "push", "switched", "close", "future"])


def test_an_offer_with_everything_newer_servers_add() -> None:
    offer = decode(
        json.dumps(
            {
                "type": "offer",
                "sdp": "v=0",
                "connection_id": "C",
                "config": {
                    "iceServers": [{"urls": ["turn:h"], "username": "u", "credential": "hunter2"}],
                    "iceTransportPolicy": "relay",
                    "new": 1,
                },
                "mid": {"audio": "0"},
                "data_channels": [{"label": "signaling", "direction": "sendrecv", "compress": True}],
                "rpc_methods": ["x"],
            }
        )
    )
    assert isinstance(offer, Offer)
    assert offer.config.ice_transport_policy == "relay"
    assert offer.config.ice_servers[0].credential == "hunter2"
    assert "hunter2" not in repr(offer)
    assert offer.data_channels[0].compress


def test_what_may_be_left_out() -> None:
    assert decode('{"type":"ping"}') == Ping(stats=False)
    assert decode('{"type":"notify","event_type":"network.status","unstable_level":1}') == Notify("network.status")
    assert decode('{"type":"redirect","location":"wss://h/signaling"}') == Redirect("wss://h/signaling")


def test_an_unknown_type_is_nothing() -> None:
    assert decode('{"type":"hologram","x":{}}') is None


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "{}", '{"type":1}', '{"type":"offer"}', '{"type":"offer","sdp":1}', b"\xff", "[" * 9999],
)
def test_nonsense_is_told_as_one_error(text: str | bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode(text)


@given(types, st.dictionaries(st.sampled_from(["sdp", "connection_id", "config", "mid", "stats"]), json_values))
def test_no_json_object_makes_another_error(kind: str, fields: dict[str, Any]) -> None:
    with suppress(MalformedMessageError):
        decode(json.dumps(fields | {"type": kind}))
