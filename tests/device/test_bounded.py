"""Memory and state folder stay as they are, however long the robot runs: what could grow is known, and is tried."""

from __future__ import annotations

import ssl
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device.audio.block import SILENCE
from device.audio.prebuffer import Prebuffer
from device.broadcast.words import HeldCaptions
from device.claiming import USED, Claims
from device.heartbeat import Heartbeat
from device.identity import keep_key, sweep
from device.messages.enrolment import BrokerAddress
from device.messages.mandates import Mandate
from device.messages.reports import Speaker
from device.mqtt import Broker, Presence
from device.orders import Journal, Pace
from device.picture.subtitles import Subtitles
from device.realtime.captions import Captioned
from device.realtime.history import History
from device.rtc.sending import LONGEST_QUEUE, OpusSender
from device.soundcard.lag import LoopLag
from tests.device.growing import KEPT, found

ROUNDS = 3_100
"""More than the longest of what is kept has places."""
SELDOM = 400
"""Rounds between two that write to the disk."""


def test_all_that_could_grow_is_known_and_bounded_by_something() -> None:
    assert sorted(found() - set(KEPT)) == [], "say in tests/device/growing.py what keeps it from growing"
    assert sorted(set(KEPT) - found()) == [], "it is gone: take it out of tests/device/growing.py"


def size(thing: Any, seen: set[int]) -> int:
    """Return the bytes of a thing of ours and of all that it holds."""
    if id(thing) in seen or isinstance(thing, type | Callable):
        return 0
    seen.add(id(thing))
    held: Sequence[Any] = ()
    if isinstance(thing, Mapping):
        held = [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | deque | AbstractSet):
        held = [*thing]
    elif type(thing).__module__.startswith(("device", "tests")):
        names = [*getattr(thing, "__dict__", {}), *getattr(type(thing), "__slots__", ())]
        held = [getattr(thing, name, None) for name in names]
    return sys.getsizeof(thing) + sum(size(part, seen) for part in held)


@dataclass(frozen=True)
class Life:
    """Something that lives as long as the process, and one round of what happens to it."""

    thing: object
    round: Callable[[int], object]


def caption(number: int) -> Captioned:
    return Captioned(f"{number:08}", Speaker.USER, "what is the time", float(number), number + 0.5, final=True)


def broker(_: Path) -> Life:
    address = BrokerAddress(host="127.0.0.1", port=1)
    away = Broker(Presence(address, "robot", ssl.create_default_context(), "will", b""))

    def publish(number: int) -> None:
        away.publish(f"status/{number:08}", b"x" * 100)
        away.publish("state", b"y" * (100 + number % 2), retain=True)
        away.publish("metrics", b"z", qos=0)

    return Life(away, publish)


def journal(folder: Path) -> Life:
    (folder / "orders").write_text("\n".join(f"{number:032x}" for number in range(10**6, 10**6 + 3_000)))
    kept = Journal(folder / "orders")
    return Life(kept, lambda number: kept.record(f"{number:032x}") if number % SELDOM == 0 else None)


def claims(folder: Path) -> Life:
    (folder / USED).write_text("".join(f"{number:064x}\n" for number in range(300)))
    kept = Claims((), folder)
    return Life(kept, lambda number: kept.use_up(f"kaiwa:{number}") if number % SELDOM == 0 else None)


def pace(_: Path) -> Life:
    kept = Pace()

    def order(number: int) -> None:
        mandate = Mandate(f"operator {number}", "", [], per_minute=5, issued_at=0.0, expires_at=0.0)
        if kept.allows(mandate, number * 3.0):
            kept.count(mandate, number * 3.0)

    return Life(kept, order)


def held_captions(_: Path) -> Life:
    kept = HeldCaptions(10.0)

    def pass_on(number: int) -> None:
        kept.put(caption(number), float(number))
        kept.due(float(number))

    return Life(kept, pass_on)


def subtitles(_: Path) -> Life:
    kept = Subtitles(str.split, 2)
    return Life(kept, lambda number: kept.take(caption(number), float(number)))


def history(_: Path) -> Life:
    kept = History(2_000)
    return Life(kept, lambda number: kept.add(caption(number)))


def prebuffer(_: Path) -> Life:
    kept = Prebuffer()
    kept.keep()
    return Life(kept, lambda _number: kept.push(SILENCE.copy()))


def lag(_: Path) -> Life:
    kept = LoopLag()
    return Life(kept, lambda number: kept.add(number / 1e6))


def heartbeat(_: Path) -> Life:
    kept = Heartbeat()
    return Life(
        kept, lambda number: kept.stalled({"captured": number, "sent": None if number % 3 else number}, float(number))
    )


@pytest.mark.parametrize(
    "made",
    [broker, journal, claims, pace, held_captions, subtitles, history, prebuffer, lag, heartbeat],
    ids=lambda made: made.__name__,
)
def test_four_times_as_long_is_as_much(made: Callable[[Path], Life], tmp_path: Path) -> None:
    life = made(tmp_path)
    for number in range(1, ROUNDS):
        life.round(number)
    before, files = size(life.thing, set()), on_disk(tmp_path)
    for number in range(ROUNDS, 4 * ROUNDS):
        life.round(number)
    assert size(life.thing, set()) <= 1.05 * before
    assert on_disk(tmp_path) <= max(files, 40_000)
    assert len(list(tmp_path.iterdir())) <= 1


def on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


async def test_a_voice_that_nobody_takes_waits_no_longer_than_its_queue() -> None:
    sender = OpusSender()
    for _ in range(10 * LONGEST_QUEUE):
        sender.push(np.zeros_like(SILENCE))
    assert len(sender._unsent) == LONGEST_QUEUE
    assert sender.counters()["dropped"] == 9 * LONGEST_QUEUE


def test_power_cuts_leave_no_heap_of_half_written_keys(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f".{number:016x}.key.new").write_bytes(b"half of a key")
        (tmp_path / f".{number:016x}.pem.new").write_bytes(b"half of a certificate")
    files = keep_key(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    sweep(tmp_path, files)
    assert list(tmp_path.iterdir()) == [files.key]
