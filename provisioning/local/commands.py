"""What `kaiwa-cloud local` and `kaiwa-cloud demo` do: the whole cloud on this computer, with or without a robot."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs
from msgspec.json import encode
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from device.errors import KaiwaError, SettingsError, first_of
from provisioning.app import Cloud
from provisioning.local.cloud import Choices, local_cloud
from provisioning.local.demo.interactive import converse
from provisioning.local.demo.perform import perform_once, staged
from provisioning.local.demo.summary import Summary, as_json
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.local.imageflux.settings import StandInSettings as ImageFluxStandInSettings
from provisioning.local.realtime import RealtimeStandIn
from provisioning.local.realtime import StandInSettings as RealtimeStandInSettings
from provisioning.local.realtime.scenario import Scenario
from provisioning.local.realtime.scenarios import load_scenario
from provisioning.running import run


class Told:
    """Tells where something runs: in words, or with `json` as one line of it on standard output."""

    def __init__(self, *, json: bool) -> None:
        self._json = json

    def __call__(self, words: list[str], **where: str) -> None:
        """Tell."""
        if self._json:
            sys.stdout.write(encode(where).decode() + "\n")
            sys.stdout.flush()
            return
        console = Console()
        for line in words:
            console.print(line, soft_wrap=True, markup=False)


def run_local(choices: Choices, state: Path | None, told: Told) -> int:
    """Run the local cloud until Ctrl-C, with its state in `state`, or in a temporary folder; return the exit code."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    with _folder(state) as folder:
        return _until_interrupted(_local(folder, choices, told))


def chosen(
    openai_url: str,
    imageflux_url: str,
    web_port: int,
    language: str,
    scenario: str,
    call_seconds: float,
    exchange: bool = False,
    live: bool = False,
) -> Choices:
    """Return what is chosen on a command line; a scenario is spoken in its own language.

    Raises:
        SettingsError: the scenario cannot be played; with its line.
    """
    if not scenario:
        return Choices(openai_url, imageflux_url, web_port, language, call_seconds, exchange=exchange, live=live)
    if openai_url:
        raise SettingsError("--scenario", "it is the stand-in that plays it; leave out --openai-url")
    played = load_scenario(scenario)
    spoken = played.language
    return Choices("", imageflux_url, web_port, spoken, call_seconds, exchange=exchange, live=live, scenario=played)


def run_stand_in(service: str, port: int, scenario: str, call_seconds: float, told: Told) -> int:
    """Run one stand-in, `openai` (whose calls last `call_seconds`) or `imageflux`, until Ctrl-C; return the exit code."""
    played = load_scenario(scenario) if scenario else None
    return _until_interrupted(_stand_in(service, port, played, call_seconds, told))


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a demonstration is kept, and where; None: nothing."""

    folder: Path | None = None
    """State, logs and what microphone and loudspeaker had."""
    json: Path | None = None
    """The summary."""
    records: Path | None = None
    """The records of conversations."""

    def settings(self) -> str:
        """Return what the robot's settings say of records; nobody is there to whom they would be announced."""
        if self.records is None:
            return ""
        folder = str(self.records.absolute())
        return f'[record]\nkeep = true\nconsent = "posted"\nannouncement = ""\nfolder = "{folder}"\n'


def playable(scenario: Scenario) -> Scenario:
    """Return a scenario as it is played to its end: its turns, and nothing of what goes wrong on its day.

    Raises:
        SettingsError: it has no turns.
    """
    if not scenario.turns:
        raise SettingsError("--scenario", f"{scenario.name!r} has no turns to play")
    return structs.replace(scenario, day=[])


def run_demo(choices: Choices, card: str, kept: Kept, *, once: bool, delay: float = 0.0) -> int:
    """Run the demonstration and return the exit code; scripted with `once` or a summary, or where there is no terminal.

    `delay` is the broadcast's, in seconds, 0 to 10; the script goes without.
    """
    scripted = once or kept.json is not None or not (sys.stdin.isatty() and sys.stdout.isatty())
    if scripted and choices.live:
        raise SettingsError("--live", "needs a terminal: the script judges turns, and a Live session has none")
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    if scripted and choices.scenario is not None:
        choices = replace(choices, scenario=playable(choices.scenario))
    with _folder(kept.folder) as folder:
        if scripted:
            return _until_interrupted(_scripted(folder, choices, kept))
        more = f"{kept.settings()}[broadcast]\ndelay_s = {delay}\n"
        return _until_interrupted(_interactive(folder, choices, card, more))


def _until_interrupted(work: Coroutine[None, None, int]) -> int:
    """Run `work` until it is done, or told to end (Ctrl-C, SIGTERM, a terminal that closes) and has taken all down."""
    try:
        return run(_heeding_signals(work))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM


async def _heeding_signals(work: Coroutine[None, None, int]) -> int:
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await work


async def _interactive(folder: Path, choices: Choices, card: str, more: str) -> int:
    console = Console()
    async with staged(folder, choices, card, _narrator(console), more) as stage:
        code = await converse(stage, console)
        if code:
            _tell_log(stage.folder)
        return code


async def _scripted(folder: Path, choices: Choices, kept: Kept) -> int:
    say = _narrator(Console(stderr=True))
    try:
        async with staged(folder, choices, "room", say, kept.settings()) as stage:
            say(f"observers watch at {stage.page_url}")
            summary = await perform_once(stage, say)
    except* KaiwaError as errors:
        _keep(Summary(failed=[str(first_of(errors))]), kept.json)
        raise
    if kept.records is not None:
        say(f"play it back with: kaiwa-cloud replay {kept.records}")
    return _conclude(summary, folder, kept.json)


def _narrator(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(text, style="dim", highlight=False, soft_wrap=True)


def _conclude(summary: Summary, folder: Path, json: Path | None) -> int:
    _keep(summary, json)
    Console().print(summary_table(summary))
    if not summary.ok:
        _tell_log(folder)
    return 0 if summary.ok else 1


def _keep(summary: Summary, json: Path | None) -> None:
    if json is not None:
        json.write_text(as_json(summary) + "\n", encoding="utf-8")


def _tell_log(folder: Path) -> None:
    console = Console(stderr=True)
    console.print("[dim]The end of the robot's log:[/]")
    console.print((folder / "robot.log").read_text("utf-8")[-4000:], markup=False, highlight=False, soft_wrap=True)


def summary_table(summary: Summary) -> Table:
    """Return the summary as a table for people."""
    table = Table(title="One conversation", show_header=False, title_style="bold", min_width=60)
    table.add_column(style="dim")
    table.add_column()
    table.add_row("result", "[bold green]every link carried sound[/]" if summary.ok else "[bold red]failed[/]")
    for sentence in summary.failed:
        table.add_row("not so", f"[red]{sentence}[/]")
    for label, value, unit in _figures(summary):
        if summary.turns and value is None:  # nobody interrupts anybody in a scenario
            continue
        table.add_row(label, "[red]not reached[/]" if value is None else f"{value:.0f} {unit}")
    for turn in summary.turns:
        called = f" ({', '.join(turn.called)})" if turn.called else ""
        table.add_row(turn.asked, escape(f"{' '.join(turn.said)}{called}" or "nothing was said"))
    for line in () if summary.turns else summary.captions:
        table.add_row(f"{line.start:5.1f}-{line.end:.1f} s  {line.speaker}", line.text)
    table.add_row("stream", summary.hls_url)
    for name in summary.stood_in:
        table.add_row("stood in", name)
    return table


def _figures(summary: Summary) -> Iterator[tuple[str, float | None, str]]:
    yield "press to light", summary.press_to_light_ms, "ms"
    yield "press to earcon", summary.press_to_earcon_ms, "ms"
    yield "press to listening", summary.press_to_listening_ms, "ms"
    yield "end of question to answer", summary.question_end_to_answer_ms, "ms"
    yield "interruption to silence", summary.barge_in_to_silence_ms, "ms"
    yield "microphone to HLS", summary.mic_to_hls_ms, "ms"
    yield "visitor in the stream", summary.hls_user_dbfs, "dBFS"
    yield "robot in the stream", summary.hls_assistant_dbfs, "dBFS"


async def _local(folder: Path, choices: Choices, told: Told) -> int:
    async with local_cloud(folder, choices, os.environ) as running:
        cloud, config = running.cloud, folder / "cloud.toml"
        config.write_text(_reaching(cloud, folder), encoding="utf-8")
        broker, claim = f"{cloud.broker.host}:{cloud.broker.port}", await cloud.claim()
        words = [
            f"observer page  {cloud.web_url}",
            f"broker         {broker} (mutual TLS)",
            f"claim          {claim}",
            "enrol a robot    kaiwa-device enrol CLAIM",
            f"start it         kaiwa-cloud -c {config} start ROBOT",
            f"another claim    kaiwa-cloud -c {config} claim new",
            "Ctrl-C ends",
        ]
        told(words, page=cloud.web_url, broker=broker, claim=claim, config=str(config))
        await asyncio.Event().wait()
    return 0


def _reaching(cloud: Cloud, folder: Path) -> str:
    """Return the settings with which other commands reach a local cloud."""
    enrol_port = cloud.enrol_address.rpartition(":")[2]
    return f'state_dir = "{folder}"\n[broker]\nport = {cloud.broker.port}\n[enrol]\nport = {enrol_port}\n'


async def _stand_in(service: str, port: int, scenario: Scenario | None, call_seconds: float, told: Told) -> int:
    async with AsyncExitStack() as owned:
        if service == "openai":
            settings = RealtimeStandInSettings(port=port, session_seconds=call_seconds)
            openai = await owned.enter_async_context(RealtimeStandIn(settings, scenario=scenario))
            key = openai.settings.api_key.reveal()
            told([f"{openai.base_url}  key {key}"], url=openai.base_url, key=key)
        else:
            imageflux = await owned.enter_async_context(ImageFluxStandIn(ImageFluxStandInSettings(port=port)))
            token = imageflux.settings.token.reveal()
            told([f"{imageflux.api_url}  token {token}"], url=imageflux.api_url, token=token)
        await asyncio.Event().wait()
    return 0


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="kaiwa-") as folder:
        yield Path(folder)
