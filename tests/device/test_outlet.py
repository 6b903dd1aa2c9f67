"""How what a robot tells is sent: what the next words replace anyway is not kept for a broker that is away."""

from __future__ import annotations

import ssl

import msgspec
import pytest

from device.clock import WallClock
from device.messages.enrolment import BrokerAddress
from device.messages.reports import CallLeft, Caption, Event, Speaker
from device.messages.wire import encode
from device.mqtt import Broker, Presence
from device.outlet import Outlet

WORDS = Caption(session="a", id="1", speaker=Speaker.USER, text="Hel", start=1.0, end=2.0)


@pytest.fixture
def away() -> Broker:
    return Broker(Presence(BrokerAddress(host="127.0.0.1", port=1), "robot", ssl.create_default_context(), "will", b""))


def test_words_that_will_be_replaced_are_not_kept_while_the_broker_is_away(away: Broker) -> None:
    Outlet("robot", away, WallClock()).event(WORDS)
    assert (away.dropped, list(away._outbox)) == (1, [])


@pytest.mark.parametrize(
    "event", [msgspec.structs.replace(WORDS, final=True), CallLeft(session="a", at=1.0, call_id="c")]
)
def test_final_words_and_all_else_are_kept_and_acknowledged(away: Broker, event: Event) -> None:
    Outlet("robot", away, WallClock()).event(event)
    [kept] = away._outbox
    assert (kept.qos, kept.payload, away.dropped) == (1, encode(event), 0)
