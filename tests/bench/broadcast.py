"""`make bench-broadcast`: how late observers hear and read, what they cost, and what publishing costs beside sora_sdk."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import aiohttp

from provisioning.imageflux import ImageFlux
from provisioning.local.imageflux import ImageFluxStandIn
from tests.bench import lips, listening, playing, viewers
from tests.bench.rows import Row, at_most, table, write


async def publish(who: str, seconds: float) -> dict[str, float]:
    """Run one publisher in a process of its own against a stand-in in this one."""
    async with ImageFluxStandIn() as stand_in, aiohttp.ClientSession() as http:
        channel = await ImageFlux(http, stand_in.api_url, stand_in.settings.token).create_channel()
        arguments = ("-m", "tests.bench.publishing", who, channel.signalling_url, channel.channel_id, str(seconds))
        process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
        told, _ = await process.communicate()
    return {name: float(value) for name, value in json.loads(told.splitlines()[0]).items()}


async def publishing(runs: int, seconds: float) -> list[Row]:
    """Return the figures of both publishers, run in turn."""
    peers = ["kaiwa", "picture", *(["sora_sdk"] if find_spec("sora_sdk") else [])]
    found: dict[str, list[dict[str, float]]] = {who: [] for who in peers}
    for _ in range(runs):
        for who in peers:
            found[who].append(await publish(who, seconds))
    picture = median(
        with_it["cpu"] - alone["cpu"] for with_it, alone in zip(found["picture"], found["kaiwa"], strict=True)
    )
    starts = {who: 1000 * median(each["created"] for each in runs) for who, runs in found.items()}
    costs = {who: 100 * median(each["cpu"] for each in runs) / seconds for who, runs in found.items()}
    return [
        beside("publish start to connection.created, median", starts, "ms"),
        beside("CPU of publishing, of one core", costs, "%"),
        at_most("CPU of the picture, 640x360 at 10 a second, of one core", 100 * picture / seconds, "%", 12),
    ]


def beside(name: str, values: dict[str, float], unit: str) -> Row:
    """Return a row that is good when ours is at most 1.5 times sora_sdk's."""
    ours, theirs = values["kaiwa"], values.get("sora_sdk")
    if theirs is None:
        return Row(name, ours, unit)
    return Row(name, ours, unit, "<= 1.5 x sora_sdk", peers={"sora_sdk": theirs}, ok=ours <= 1.5 * theirs)


async def measured(args: argparse.Namespace) -> list[Row]:
    """Return all rows, and print each part's as they come."""
    parts: dict[str, Callable[[], Awaitable[list[Row]]]] = {
        "viewers": lambda: viewers.rows(args.viewers),
        "listening": lambda: listening.rows(args.sounds),
        "playing": lambda: playing.rows(args.playing),
        "lips": lambda: lips.rows(args.speaking),
        "publishing": lambda: publishing(args.runs, args.seconds),
    }
    found: list[Row] = []
    for name, part in parts.items():
        if args.only in name:
            found += (rows := await part())
            print(table(rows), flush=True)
    return found


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="make bench-broadcast ARGS=", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    parser.add_argument("--only", default="", help="viewers, listening, playing, lips or publishing")
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--sounds", type=int, default=9, help="sounds for each delay (default: %(default)s)")
    parser.add_argument("--playing", type=float, default=60.0, help="seconds that hls.js plays (default: %(default)s)")
    parser.add_argument("--speaking", type=float, default=8.0, help="seconds of moving lips (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each publisher (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    args = arguments()
    rows = asyncio.run(measured(args))
    print()
    print(table(rows))
    if args.json:
        write(rows, args.json)


if __name__ == "__main__":
    main()
