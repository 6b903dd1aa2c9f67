"""`make bench-voice`: how the voice path sounds, lags and costs, beside its peers, in one run."""

from __future__ import annotations

import argparse
import logging
import tempfile
from contextlib import nullcontext
from pathlib import Path

from tests.bench import receive, rooms
from tests.bench.impairments import ALL, QUICK
from tests.bench.rows import Row, table, write
from tests.bench.urgency import urgent


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="make bench-voice ARGS=", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--quick", action="store_true", help="fewer impairments, three utterances instead of eight")
    parser.add_argument("--peers", default="ours,chromium,naive", help="which receivers (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another network")
    parser.add_argument("--alone", action="store_true", help="let no other work on this computer disturb any receiver")
    parser.add_argument("--verbose", action="store_true", help="tell what each receiver counted")
    return parser.parse_args()


def receiving(args: argparse.Namespace, folder: Path) -> list[Row]:
    """Return the rows of the receive bench, and print each impairment's as they come."""
    chosen = [
        impairment
        for impairment in ALL
        if args.only in f"receive, {impairment.name}" and (not args.quick or impairment.name in QUICK)
    ]
    found: list[Row] = []
    if chosen:
        for rows in receive.rows(chosen, args.peers.split(","), folder, 3 if args.quick else 8, args.seed):
            print(table(rows), flush=True)
            found += rows
    return found


def simulating(args: argparse.Namespace) -> list[Row]:
    """Return the rows that need no network and no sound card."""
    if args.only.startswith("receive"):
        return []
    found = [row for row in rooms.rows(3 if args.quick else 8) if args.only in row.name]
    print(table(found), flush=True)
    return found


def main() -> None:
    """Measure, print, write."""
    args = arguments()
    logging.basicConfig(level=logging.INFO if args.verbose else logging.WARNING)
    with urgent(1) if args.alone else nullcontext(), tempfile.TemporaryDirectory() as folder:
        rows = simulating(args) + receiving(args, Path(folder))
    print()
    print(table(rows))
    if args.json:
        write(rows, args.json)


if __name__ == "__main__":
    main()
