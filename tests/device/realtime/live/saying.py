"""Events of a Live session as the service sends them, judged by the vendor's types before they are used."""

from __future__ import annotations

from typing import Any

import msgspec

from device.messages.reports import Speaker
from device.realtime.captions import Captioned
from device.realtime.floor import Send
from device.realtime.live.talk import LiveTalk
from device.realtime.talk import Deed
from provisioning.local.realtime.calling import Call
from provisioning.local.realtime.live import messages
from provisioning.local.realtime.live.backend import BackendAnswer
from provisioning.local.realtime.live.session import LiveSession
from tests.provisioning.local.realtime.live.reference import judge, judge_asked

VIEW = LiveSession("live_1", 0, {"model": "gpt-live-1"}).view

DELEGATION = "del_1"


class Said:
    """A session and a clock: what is said to it, and what follows."""

    def __init__(self, *, started: bool = True) -> None:
        self.talk, self.now = LiveTalk(), 100.0
        if started:
            self.take(messages.started(VIEW))

    def take(self, event: dict[str, Any], at: float | None = None) -> list[Deed]:
        self.now = self.now if at is None else 100.0 + at
        judge(event)
        return self.talk.receive(msgspec.json.encode(event), self.now, 0.0)

    def tick(self, at: float) -> list[Deed]:
        self.now = 100.0 + at
        return self.talk.tick(self.now, 0.0)

    def words(self, whose: str, text: str, start: float, end: float, at: float | None = None) -> list[Deed]:
        return self.take(messages.words(whose, text, round(1000 * start), round(1000 * end)), end if at is None else at)

    def backend(self, event: dict[str, Any], delegation: str | None = DELEGATION) -> list[Deed]:
        return self.take(messages.of_backend(event, delegation))


def answer() -> BackendAnswer:
    return BackendAnswer("gpt-5.6-luna", 70, 0.0)


TIME = Call("current_time")


def sent(deeds: list[Deed]) -> list[dict[str, Any]]:
    """Return the client events among deeds, judged."""
    events = [msgspec.json.decode(deed.event) for deed in deeds if isinstance(deed, Send)]
    for event in events:
        judge_asked(event)
    return events


def told(deeds: list[Deed]) -> list[Deed]:
    """Return what is no client event and no caption."""
    return [deed for deed in deeds if not isinstance(deed, Send | Captioned)]


def captions(deeds: list[Deed], speaker: Speaker) -> list[tuple[str, float, float, bool]]:
    return [
        (deed.text, round(deed.start - 100, 3), round(deed.end - 100, 3), deed.final)
        for deed in deeds
        if isinstance(deed, Captioned) and deed.speaker is speaker
    ]
