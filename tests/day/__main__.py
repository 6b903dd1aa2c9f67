"""A simulated day with random faults, and its report: `make day`.

The robot's program, the cloud, Mosquitto and WebRTC are real, the services their stand-ins; a talk of half an hour lasts
fifteen seconds at most. After each session the tasks and threads of both processes, the calls and channels at the
services and the sessions in the store must be as before; at the end descriptors and memory, too. Exit code 0 if so. `make`
gives both processes two heaps of glibc, as the cloud's unit does.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from provisioning.local.demo.perform import staged
from tests.bench.rows import table, write
from tests.day.day import Day, played, verdict
from tests.day.scene import HURRY, TIME_LAPSE


def say(text: str) -> None:
    """Tell how it goes on."""
    print(text, flush=True)


async def lived(folder: Path, seed: int, sessions: int) -> Day:
    """Play the day on a stage of its own."""
    async with staged(folder, TIME_LAPSE, "room", say, HURRY) as stage:
        await stage.watch.phase("idle", seconds=60)
        return await played(stage, seed, sessions, say)


def main() -> int:
    """Play, print the report, and return 1 if something was not as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=int, default=300, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="to play a day again")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    parser.add_argument("--keep", type=Path, help="keep state and logs in this folder")
    arguments = parser.parse_args()
    say(f"seed {arguments.seed}: play this day again with ARGS='--seed {arguments.seed}'")
    with ExitStack() as owned:
        folder = arguments.keep or Path(owned.enter_context(tempfile.TemporaryDirectory(prefix="kaiwa-day-")))
        folder.mkdir(exist_ok=True, parents=True)
        day = asyncio.run(lived(folder, arguments.seed, arguments.sessions))
    rows = verdict(day)
    say("\n".join([table(rows), *day.stuck, *day.left]))
    if arguments.json:
        write(rows, arguments.json)
    return 0 if all(row.ok is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
