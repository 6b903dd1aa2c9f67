"""`kaiwa-cloud sessions`: the conversations of a day as the cloud knows them, and one of them in full."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from device.errors import EnrolmentError
from provisioning.cli.invocation import Invocation, JsonFlag, out, plain, print_json
from provisioning.one_time import serve_once
from provisioning.past import Past, Report, Spread, report
from provisioning.running import run
from provisioning.session_pages import Book, session_pages
from provisioning.settings import CloudSettings
from provisioning.spending.prices import told
from provisioning.store import Store

DAY: Final = timedelta(days=1)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write YYYY-MM-DD") from None


def sessions_command(
    context: typer.Context,
    session: Annotated[
        str, typer.Argument(help="One session: its id, or how that begins; all of a day if left out.")
    ] = "",
    day: Annotated[
        datetime | None, typer.Option(parser=_day, metavar="YYYY-MM-DD", help="Day, UTC; today if not given.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Only those of this robot.")] = None,
    *,
    page: Annotated[
        bool, typer.Option("--page", help="Show them in the browser, at an address that opens once.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Show the conversations of a day: who, when, how long, how it ended, what it cost, and how quick the robots were.

    "start" is from the press to the open ear, "answer" from the end of speech to the first sample at the speaker: p50 is
    the middle one, p95 the slowest of twenty. Robots report them when a conversation is over; no words are among them.
    """
    invocation: Invocation = context.obj
    settings, chosen = invocation.settings(), day or datetime.fromtimestamp(time.time(), UTC)
    begin = chosen.replace(hour=0, minute=0, second=0, microsecond=0)
    if page:
        with suppress(KeyboardInterrupt):
            run(_pages(settings, session, begin))
        return
    found = run(_found(settings, session, begin, device))
    (_print_json if json else _print)(found, settings.prices.currency, session)


async def _found(settings: CloudSettings, session: str, begin: datetime, device: str | None) -> list[Past]:
    async with Store(settings.store_url) as store, store.transaction() as t:
        if not session:
            return await t.history.between(begin.timestamp(), (begin + DAY).timestamp(), device)
        found = await t.history.find(session)
    if len(found) != 1:
        what = "no session begins" if not found else "more than one session begins"
        raise EnrolmentError(f"{what} with {session!r}")
    return found


async def _pages(settings: CloudSettings, session: str, begin: datetime) -> None:
    async with Store(settings.store_url) as store:
        app = session_pages(Book(store, settings.prices.currency))
        at = f"/session/{session}" if session else f"/day/{begin:%Y-%m-%d}"
        await serve_once(
            app, at, lambda url: out.print(f"{url}\nopens once, in one browser; Ctrl-C ends", soft_wrap=True)
        )


def _print_json(found: list[Past], currency: str, _session: str) -> None:
    sessions = [as_told(past) for past in found]
    print_json({"currency": currency, "report": asdict(report(found)), "sessions": sessions})


def as_told(past: Past) -> dict[str, Any]:
    """Return a session as JSON tells it: `_ms` are milliseconds, `_micros` millionths of the currency."""
    return {
        "id": past.id,
        "device": past.device,
        "group": past.group,
        "reason": past.reason,
        "began_at": past.began_at,
        "ended_at": past.ended_at,
        "end_reason": past.end_reason,
        "broadcast": past.broadcast,
        "recorded": past.recorded,
        "reserved_micros": past.reserved,
        "cost_micros": past.cost,
        "talked_seconds": past.talked,
        "listening_ms": past.listening,
        "on_air_ms": past.on_air,
        "tools": past.tools,
        "turns_ms": [
            {"total": turn.total, "network": turn.network, "model": turn.model, "device": turn.device}
            for turn in past.turns
        ],
    }


def _print(found: list[Past], currency: str, session: str) -> None:
    if session:
        out.print(_facts(found[0], currency))
        return
    table = Table("began UTC", "robot", "lasted", "turns", "answer", "ended", box=None, pad_edge=False)
    table.add_column(f"cost {currency}", justify="right")
    table.add_column("session")
    for past in found:
        answer = report([past]).turn
        table.add_row(
            *(_clock(past.began_at), past.device, lasted(past.lasted), str(len(past.turns))),
            *("-" if answer is None else f"{answer.p50} ms", plain(past.end_reason or "goes on")),
            *("-" if past.cost is None else told(past.cost), past.id[:8]),
        )
    out.print(table)
    for line in in_words(report(found), currency):
        out.print(line, soft_wrap=True)


def _facts(past: Past, currency: str) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    began = datetime.fromtimestamp(past.began_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    for label, value in (
        ("session", past.id),
        ("robot", past.device),
        ("group", past.group or "-"),
        ("began", f"{began}, by {past.reason}"),
        ("lasted", lasted(past.lasted)),
        ("talked", lasted(past.talked)),
        ("ended", past.end_reason or "goes on"),
        ("cost", "-" if past.cost is None else f"{told(past.cost)} {currency}"),
        ("put aside", f"{told(past.reserved)} {currency}"),
        ("broadcast", "yes" if past.broadcast else "no"),
        ("recorded", {True: "yes, on the robot", False: "no", None: "-"}[past.recorded]),
        ("tools called", "-" if past.tools is None else str(past.tools)),
        ("press to listening", "-" if past.listening is None else f"{past.listening} ms"),
        ("press to on air", "-" if past.on_air is None else f"{past.on_air} ms"),
        *((f"answer {number}", _turn(turn)) for number, turn in enumerate(past.turns, 1)),
    ):
        table.add_row(Text(label, "dim"), plain(value))
    return table


def _turn(turn: Any) -> str:
    parts = ((turn.network, "network"), (turn.model, "model"), (turn.device, "device"))
    known = [f"{name} {value}" for value, name in parts if value is not None]
    return f"{turn.total} ms" + (f" ({', '.join(known)})" if known else "")


def in_words(figures: Report, currency: str) -> list[str]:
    """Return the figures of a day as sentences."""
    lines = [f"{figures.sessions} sessions, {figures.ended} ended, {told(figures.cost)} {currency}"]
    named = (("start", figures.start), ("on air", figures.on_air), ("answer", figures.turn))
    parts = (("  network", figures.network), ("  model", figures.model), ("  device", figures.device))
    return [*lines, *(_spread(name, each) for name, each in (*named, *parts) if each is not None)]


def _spread(name: str, each: Spread) -> str:
    return f"{name:10} p50 {each.p50} ms, p95 {each.p95} ms ({each.count} measured)"


def lasted(seconds: float | None) -> str:
    """Return a length as minutes and seconds."""
    return "-" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")
