"""PURE. A record as the page is told of it: captions, phases, calls of tools, answers, and what it cost."""

from __future__ import annotations

import msgspec

from device.messages.record import Answered, Failed, Happened, Manifest, State, Stood, Track, Used, captions_of
from provisioning.observer.views import CaptionView
from provisioning.replay.reading import Record
from provisioning.spending.prices import PriceSettings, tariff, told


class ReplayView(msgspec.Struct, frozen=True, kw_only=True):
    """All that `static/replay_page.js` shows; times in seconds from the beginning of the sounds."""

    device: str
    began_at: float
    """Unix seconds."""
    seconds: float
    reason: str
    end_reason: str
    whole: bool
    """Whether the robot could close it."""
    consent: str
    model: str
    cost: str
    """With its currency; empty where it is not known."""
    lost_seconds: float
    captions: list[CaptionView]
    phases: list[Stood]
    tools: list[Used]
    answers: list[Answered]
    faults: list[Failed]
    tracks: list[Track]


def replay_view(record: Record, prices: PriceSettings) -> ReplayView:
    """Return what the page is told of a record, priced by today's table."""
    manifest, events = record.manifest, record.events
    return ReplayView(
        device=manifest.device,
        began_at=manifest.began_at,
        seconds=manifest.seconds or max((event.at for event in events), default=0.0),
        reason=manifest.reason,
        end_reason=manifest.end_reason,
        whole=manifest.state is State.CLOSED,
        consent=manifest.consent,
        model=manifest.model,
        cost=_cost(manifest, prices),
        lost_seconds=round(manifest.lost_blocks * 0.02, 2),
        captions=_captions(events),
        phases=[event for event in events if isinstance(event, Stood)],
        tools=[event for event in events if isinstance(event, Used)],
        answers=[event for event in events if isinstance(event, Answered)],
        faults=[event for event in events if isinstance(event, Failed)],
        tracks=list(record.tracks),
    )


def _captions(events: list[Happened]) -> list[CaptionView]:
    return [
        CaptionView(
            id=said.id,
            speaker=said.speaker,
            text=said.text,
            start=said.start,
            end=said.end,
            final=True,
            approximate=said.approximate,
        )
        for said in captions_of(events)
    ]


def _cost(manifest: Manifest, prices: PriceSettings) -> str:
    billed = tariff(manifest.model, prices)
    tokens = billed.cost(manifest.usage)
    return "" if tokens is None else f"{told(tokens + billed.flat(manifest.seconds))} {prices.currency}"
