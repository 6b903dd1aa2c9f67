"""What each part of a session costs, on each class of board: `make budget ARGS="--parts"`.

There is no quota: the session runs with one thing after the other otherwise than the board's profile has it, each just after
a run as the profile has it, so that what else the computer does falls on both alike. What a part costs is the median of the
differences.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from device.boards import Board
from device.messages.settings import Table
from tests.bench import live
from tests.bench.rows import Row
from tests.bench.trial import SHARES, settings, started
from tests.pulse import pulse_server

Pair = tuple[float, float]
"""Seconds of processor time in a second, as the profile has it and otherwise; not a number where nobody talked."""

PARTS: Final[Mapping[str, Table]] = {
    "with the canceller": {"echo": {"mode": "aec3"}},
    "with half duplex": {"echo": {"mode": "half-duplex"}},
    "without echo control": {"echo": {"mode": "none"}},
    "without the broadcast": {"broadcast": {"enabled": False}},
    "packets of 20 ms": {"realtime": {"opus": {"packet_ms": 20}}, "broadcast": {"packet_ms": 20}},
    "packets of 40 and 60 ms": {"realtime": {"opus": {"packet_ms": 40}}, "broadcast": {"packet_ms": 60}},
    "calls of the speaker every 10 ms": {"sound": {"frames": 480}},
    "calls of the speaker every 20 ms": {"sound": {"frames": 960}},
    "both encoders at complexity 5": {"realtime": {"opus": {"complexity": 5}}, "broadcast": {"complexity": 5}},
    "a picture with captions": {"broadcast": {"picture": "captions"}},
}
"""What may be otherwise than the profile has it."""


async def taken_apart(folder: Path, boards: list[Board], seconds: float, rounds: int) -> list[Row]:
    """Return what each part takes on every board."""
    (folder / "pulse").mkdir()
    with pulse_server(folder / "pulse", shared_memory=True) as pulse, pulse.echo_path(live.ECHO_MS):
        async with live.cloud(folder / "stage", pulse) as (stage, config):
            plain = config.read_text()
            rows: list[Row] = []
            for board in boards:
                pairs: dict[str, list[Pair]] = {name: [] for name in PARTS}
                for name, otherwise in rounds * list(PARTS.items()):
                    pair = []
                    for over in ({}, otherwise):
                        config.write_text(settings(plain, board, over))
                        run = await started(stage, config, folder, pulse, seconds, None)
                        pair.append(run.cores if run is not None and run.talked else math.nan)
                    pairs[name].append((pair[0], pair[1]))
                    print(
                        f"{board}, {name}: {100 * pair[0]:.1f}, {100 * pair[1]:.1f} % of one core here", file=sys.stderr
                    )
                rows += parts(board, pairs)
    return rows


def parts(board: Board, pairs: Mapping[str, list[Pair]]) -> Iterator[Row]:
    """Yield what a session takes as the profile has it, and what each part takes more, of one core here and there."""
    usual = [before for runs in pairs.values() for before, _ in runs]
    yield _part(f"{board}, all of it", usual, SHARES[board])
    for name, runs in pairs.items():
        yield _part(f"{board}, {name}, more", [after - before for before, after in runs], SHARES[board])


def _part(name: str, costs: list[float], share: float) -> Row:
    taken = statistics.median([cost for cost in costs if not math.isnan(cost)] or [math.nan])
    return Row(name, 100 * taken, "% here", peers={"% there": 100 * taken / share})
