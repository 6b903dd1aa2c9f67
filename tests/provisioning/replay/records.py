"""A record as a robot writes it, with sounds that can be told apart and words to go with them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from device.audio.block import BLOCK_SECONDS
from device.messages.record import (
    FORMAT,
    Answered,
    Failed,
    Happened,
    Manifest,
    Said,
    State,
    Stood,
    Track,
    Used,
)
from device.messages.reports import SessionFigures, Speaker, TurnFigures
from device.record.folder import RecordFolder
from tests.device.record.shelves import tone

SESSION = "ab" * 16
SECONDS = 12.0
USAGE = {"responses": 2, "input_text_tokens": 1000, "output_audio_tokens": 1000}

TALK = [
    (Speaker.USER, "What is in the blue bowl?", 0.8, 2.2),
    (Speaker.ASSISTANT, "Rice, and a little salt on top of it.", 3.0, 6.0),
    (Speaker.USER, "<b>Thank you</b>", 6.6, 7.6),
    (Speaker.ASSISTANT, "You are welcome.", 8.2, 10.0),
]


def happened(talk: list[tuple[Speaker, str, float, float]]) -> list[Happened]:
    """Return what happened in the record, with these words."""
    said: list[Happened] = [
        Said(at=end, id=f"c{n}", speaker=who, text=text, start=start, end=end, approximate=who is Speaker.USER)
        for n, (who, text, start, end) in enumerate(talk)
    ]
    return [
        Stood(at=0.0, phase="listening"),
        Stood(at=2.4, phase="thinking"),
        Stood(at=3.0, phase="speaking"),
        Answered(at=3.0, total=820, network=40, model=700, device=80),
        Stood(at=6.2, phase="listening"),
        Used(at=7.9, tool="lamp", arguments='{"on":true}', ok=True, outcome='{"ok":true}', seconds=0.1),
        Answered(at=8.2, total=640),
        Stood(at=8.2, phase="speaking"),
        Failed(at=10.5, code="media", text="silent for 5 s"),
        Stood(at=10.6, phase="listening"),
        *said,
    ]


def written(
    shelf: Path,
    session: str = SESSION,
    talk: list[tuple[Speaker, str, float, float]] | None = None,
    device: str = "hana",
) -> Path:
    """Write a record below `shelf` and return its folder."""
    manifest = Manifest(
        format=FORMAT,
        state=State.OPEN,
        session=session,
        device=device,
        began_at=1_790_000_000.0,
        consent="posted",
        reason="button",
        model="gpt-realtime-2.1",
        language="en",
    )
    record = RecordFolder(shelf, manifest, 24_000)
    for number in range(round(SECONDS / BLOCK_SECONDS)):
        at = number * BLOCK_SECONDS
        sounds = {Track.NEAR: tone(300, number), Track.PLAYED: tone(600, number), Track.MIXED: tone(1200, number)}
        speaks = any(start <= at < end for _, _, start, end in talk or TALK)
        record.sound({track: sound if speaks else sound * 0 for track, sound in sounds.items()}, 0)
    for event in happened(talk or TALK):
        record.happened(event)
    figures = SessionFigures(session=session, at=1_790_000_012.0, turns=[TurnFigures(total=820)], recorded=True)
    closed = msgspec.structs.replace(
        manifest, state=State.CLOSED, seconds=SECONDS, end_reason="button", usage=USAGE, figures=figures
    )
    record.close(closed)
    return record.path
