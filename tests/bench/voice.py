"""`make bench-voice`: how the voice path sounds, lags and costs, beside its peers, in one run."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from tests.bench import edges, live, receive, rooms
from tests.bench.impairments import ALL, QUICK
from tests.bench.rows import Row, table, write
from tests.bench.urgency import urgent
from tests.bench.utterances import speech


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="make bench-voice ARGS=", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--quick", action="store_true", help="fewer impairments, three utterances instead of eight")
    parser.add_argument("--utterances", type=int, default=0, help="how many, 1 to 8 (default: 8, or 3 with --quick)")
    parser.add_argument("--peers", default="ours,chromium,naive", help="which receivers (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another network")
    parser.add_argument("--alone", action="store_true", help="let no other work on this computer disturb any receiver")
    parser.add_argument("--verbose", action="store_true", help="tell what each receiver counted")
    return parser.parse_args()


def spoken(args: argparse.Namespace) -> int:
    """Return how many utterances are played."""
    return int(args.utterances or (3 if args.quick else 8))


def wanted(args: argparse.Namespace, *beginnings: str) -> bool:
    """Tell whether any row whose name begins so is asked for."""
    return any(args.only in beginning or beginning in args.only for beginning in beginnings)


def receiving(args: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Yield the rows of the receive bench, and print each impairment's as they come."""
    chosen = [
        impairment
        for impairment in ALL
        if args.only in f"receive, {impairment.name}" and (not args.quick or impairment.name in QUICK)
    ]
    if chosen:
        for rows in receive.rows(chosen, args.peers.split(","), folder, spoken(args), args.seed):
            yield from told(rows)


def simulating(args: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows that need no network and no sound card."""
    if not args.only.startswith(("receive", "live", "run", "microphone", "cleared")):
        yield from told([row for row in rooms.rows(spoken(args)) if args.only in row.name])


def at_the_edges(args: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Yield the rows of the sound card's two edges."""
    if wanted(args, "microphone", "cleared"):
        yield from told(list(edges.rows(speech(3), folder)))


def living(args: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Yield the rows of a minute of conversation."""
    if wanted(args, "live", "run to ready"):
        yield from told(live.rows(folder, quick=args.quick, with_browser="chromium" in args.peers))


def told(rows: list[Row]) -> list[Row]:
    """Print the rows, and return them."""
    print(table(rows), flush=True)
    return rows


def all_rows(args: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Yield every row that is asked for, each part of the bench with a folder of its own."""
    for name, part in (("live", living), ("edges", at_the_edges), ("receive", receiving)):
        (folder / name).mkdir()
        yield from part(args, folder / name)
    yield from simulating(args)


def main() -> None:
    """Measure, print, write."""
    args = arguments()
    logging.basicConfig(level=logging.INFO if args.verbose else logging.WARNING)
    with urgent(1) if args.alone else nullcontext(), tempfile.TemporaryDirectory() as folder:
        rows = list(all_rows(args, Path(folder)))
    print()
    print(table(rows))
    if args.json:
        write(rows, args.json)


if __name__ == "__main__":
    main()
