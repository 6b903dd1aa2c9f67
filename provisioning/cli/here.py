"""`kaiwa-cloud local` and `kaiwa-cloud demo`: the command lines of what needs the extra `local`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from device.errors import SettingsError


class Service(StrEnum):
    """What can be started alone."""

    OPENAI = "openai"
    IMAGEFLUX = "imageflux"


class Card(StrEnum):
    """Where the demonstration's robot hears and speaks."""

    AUTO = "auto"
    ROOM = "room"
    PYAUDIO = "pyaudio"


OpenAIUrl = Annotated[
    str, typer.Option(help="Base URL of the real service, https://api.openai.com/v1; its key is in $OPENAI_API_KEY.")
]
ImageFluxUrl = Annotated[
    str, typer.Option(help="URL of the real service, https://live-api.imageflux.jp/; its token is in $IMAGEFLUX_TOKEN.")
]
WebPort = Annotated[int, typer.Option(min=0, max=65535, help="Port of the observer page; 0 takes a free one.")]


class Language(StrEnum):
    """What can be spoken."""

    ENGLISH = "en"
    JAPANESE = "ja"


ScenarioFile = Annotated[
    str,
    typer.Option("--scenario", help="What the stand-in for OpenAI plays: a YAML file, or the name of one that ships."),
]
Spoken = Annotated[Language, typer.Option(help="Language of the conversation.")]

CallSeconds = Annotated[
    float,
    typer.Option(min=10, max=3600, help="How long a call may last, so that calls follow each other in time-lapse."),
]


def local(
    openai_url: OpenAIUrl = "",
    imageflux_url: ImageFluxUrl = "",
    web_port: WebPort = 8080,
    only: Annotated[Service | None, typer.Option(help="Start one stand-in alone.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of that stand-in; 0 takes a free one.")] = 0,
    state: Annotated[Path | None, typer.Option(help="Keep the state here; a temporary folder otherwise.")] = None,
    language: Spoken = Language.ENGLISH,
    call_seconds: CallSeconds = 3600.0,
    scenario: ScenarioFile = "",
    json: Annotated[bool, typer.Option("--json", help="Print where it is as one line of JSON.")] = False,
) -> None:
    """Run the product's own cloud here until Ctrl-C: broker, minting, observer page, and the stand-ins."""
    here = _extra()
    if only is not None:
        raise typer.Exit(here.run_stand_in(only, port, scenario, call_seconds, here.Told(json=json)))
    choices = here.chosen(openai_url, imageflux_url, web_port, language, scenario, call_seconds)
    raise typer.Exit(here.run_local(choices, state, here.Told(json=json)))


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play one scripted conversation, judge it, and end.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the summary here; means --once.")] = None,
    sound: Annotated[Card, typer.Option(help="The robot's sound card; auto prefers a real one.")] = Card.AUTO,
    openai_url: OpenAIUrl = "",
    imageflux_url: ImageFluxUrl = "",
    web_port: WebPort = 0,
    keep: Annotated[Path | None, typer.Option(help="Keep state, logs and recordings in this folder.")] = None,
    language: Spoken = Language.ENGLISH,
    call_seconds: CallSeconds = 3600.0,
    delay: Annotated[
        float, typer.Option(min=0, max=10, help="Seconds by which observers are late; c cuts what is held back.")
    ] = 0.0,
    scenario: ScenarioFile = "",
    record: Annotated[
        Path | None, typer.Option(help="Keep the records of conversations in this folder, for kaiwa-cloud replay.")
    ] = None,
    exchange: Annotated[
        bool, typer.Option("--exchange", help="Experimental: the cloud opens the calls, and the robot gets no secret.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Experimental: the calls are Live sessions, which the cloud opens, too.")
    ] = False,
) -> None:
    """Run the cloud and one robot here. Space is the robot's button.

    Without a terminal, or with --once, a visitor in a simulated room asks, is answered, interrupts, and hangs up;
    exit code 0 only if every link really carried sound. With --scenario the visitor asks each of its turns instead, once.
    The script knows no --delay.
    """
    here = _extra()
    choices = here.chosen(openai_url, imageflux_url, web_port, language, scenario, call_seconds, exchange, live)
    raise typer.Exit(here.run_demo(choices, sound, here.Kept(keep, json, record), once=once, delay=delay))


def _extra() -> ModuleType:
    try:
        from provisioning.local import commands  # noqa: PLC0415 - the optional extra `local`, and slow to import
    except ModuleNotFoundError as error:
        raise SettingsError("kaiwa", f"the local cloud needs the extra: pip install 'kaiwa[local]' ({error})") from None
    return commands
