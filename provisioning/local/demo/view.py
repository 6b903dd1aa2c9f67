"""PURE. The terminal view: one robot, its conversation, and who hears what; drawn from a snapshot, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.align import Align
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from device.messages.reports import Caption, Levels, Speaker, Spent
from provisioning.local.demo.sound_path import figures
from provisioning.spending.prices import told

QUIET_DBFS: Final = -60.0
"""Left end of the meters."""

METER_CELLS: Final = 24

MOST_CAPTIONS: Final = 3
"""Captions that are shown: with two lines each, all fits a terminal of 24 lines by 80 columns."""

PHASES: Final[dict[str, tuple[str, str]]] = {
    "starting": ("yellow", "starting"),
    "offline": ("red", "no connection to the cloud"),
    "idle": ("cyan", "ready: press space to talk"),
    "announcing": ("yellow", "remote start announced: press space to reject"),
    "preparing": ("yellow", "preparing: speak already, nothing is lost"),
    "listening": ("green", "listening"),
    "thinking": ("magenta", "thinking"),
    "speaking": ("bright_blue", "speaking"),
    "reconnecting": ("yellow", "the line broke: connecting again"),
    "muted": ("yellow", "muted: press space to be heard"),
    "ending": ("yellow", "ending"),
    "fault": ("red", "fault"),
    "stopped": ("white", "stopped"),
}
"""Colour and words of each phase."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the view shows."""

    robot: str = ""
    phase: str = "starting"
    on_air: bool = False
    delay: float = 0.0
    """Seconds by which observers are late on purpose."""
    fault: str = ""
    ends_at: float | None = None
    """Unix seconds at which the conversation ends for its length, once that was announced."""
    spent: Spent | None = None
    levels: Levels = field(default_factory=Levels)
    counters: Mapping[str, float] = field(default_factory=dict)
    captions: tuple[Caption, ...] = ()
    now: float = 0.0
    """Unix seconds, by the clock of the captions."""
    page_url: str = ""
    playlist: str = ""
    viewers: int = 0
    keys: tuple[tuple[str, str], ...] = ()
    stood_in: tuple[str, ...] = ()
    notice: str = ""


def render(shot: Snapshot) -> RenderableType:
    """Return the whole view."""
    return Panel(
        Group(
            _headline(shot),
            Text(),
            _meters(shot),
            Text(),
            _captions(shot.captions, shot.now),
            Text(),
            _hearing(shot),
            _foot(shot),
        ),
        title="[bold]Kaiwa 会話[/]",
        subtitle=Text("  ".join(f"{key} {what}" for key, what in shot.keys)),
        border_style=PHASES.get(shot.phase, ("white", ""))[0],
        padding=(0, 2),
    )


def _headline(shot: Snapshot) -> RenderableType:
    colour, words = PHASES.get(shot.phase, ("white", shot.phase))
    line = Text.assemble(("● ", colour), (shot.robot, "bold"), "  ", (words, colour))
    if shot.fault:
        line.append(f"  {shot.fault}", "bold red")
    if shot.ends_at is not None:
        line.append(f"  ends in {max(0.0, shot.ends_at - shot.now):.0f} s", "yellow")
    if shot.spent is not None:
        line.append(f"  {told(shot.spent.micros)} {shot.spent.currency}", "dim")
    late = f"{shot.delay:g} s late " if shot.delay else ""
    air = Text(f" ON AIR {late}", "bold white on red") if shot.on_air else Text(" off air ", "dim")
    table = Table.grid(expand=True)
    table.add_column(ratio=1)
    table.add_column(justify="right")
    table.add_row(line, air)
    return table


def _meters(shot: Snapshot) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for name, level, colour in (
        ("visitor", shot.levels.user, "green"),
        ("robot", shot.levels.assistant, "bright_blue"),
        ("programme", shot.levels.programme, "red" if shot.on_air else "grey50"),
    ):
        table.add_row(Text(name, "dim"), meter(level, colour), Text(f"{level:6.1f} dBFS", "dim"))
    return table


def meter(level: float, colour: str) -> Text:
    """Return a bar for a level in dBFS, empty at `QUIET_DBFS` and full at 0."""
    filled = round(METER_CELLS * min(1.0, max(0.0, 1 - level / QUIET_DBFS)))
    return Text.assemble(("█" * filled, colour), ("░" * (METER_CELLS - filled), "grey30"))


def _captions(captions: tuple[Caption, ...], now: float) -> RenderableType:
    if not captions:
        return Align.left(Text("Captions appear here.", "dim italic"))
    table = Table.grid(padding=(0, 2))
    for caption in captions[-MOST_CAPTIONS:]:
        user = caption.speaker is Speaker.USER
        who = Text("visitor ≈" if user else "robot", "green" if user else "bright_blue")
        table.add_row(who, _words(caption, now))
    return table


def _words(caption: Caption, now: float) -> Text:
    """Return what was said by `now` (Unix seconds), and dimly what is still to be heard."""
    if caption.final:
        return Text(caption.text)
    share = (now - caption.start) / max(caption.end - caption.start, 0.1)
    reached = round(len(caption.text) * min(1.0, max(0.0, share)))
    return Text.assemble(caption.text[:reached], (caption.text[reached:], "grey42"))


def _hearing(shot: Snapshot) -> RenderableType:
    talking = shot.phase in {"listening", "thinking", "speaking", "reconnecting"}
    table = Table.grid(padding=(0, 2))
    for who, what in (
        ("model hears", "visitor, no echo" if talking else "nothing"),
        ("visitor hears", "the robot" if shot.phase == "speaking" else "the room"),
        ("observers hear", "both voices" if shot.on_air else "nothing"),
    ):
        table.add_row(Text(who, "dim"), Text(what))
    beside = Table.grid(padding=(0, 2))
    for name, how in figures(shot.counters):
        beside.add_row(Text(name, "dim"), Text(how, "dim"))
    both = Table.grid(padding=(0, 2))
    both.add_row(table, beside)
    return both


def _foot(shot: Snapshot) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_row()
    table.add_row(Text("watch", "dim"), Text(shot.page_url, "bold cyan"))
    if shot.playlist:
        table.add_row(Text("stream", "dim"), Text(shot.playlist, "cyan"))
    if shot.stood_in:
        table.add_row(Text("stood in for", "dim"), Text(", ".join(_short(name) for name in shot.stood_in), "dim"))
    if shot.notice:
        table.add_row(Text("note", "dim"), Text(shot.notice, "yellow"))
    return table


def _short(stand_in: str) -> str:
    """Return what is stood in for, less by what."""
    return stand_in.partition(":")[0]
