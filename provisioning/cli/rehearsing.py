"""`kaiwa-cloud profile test`: speak to a profile in writing, and see what it costs."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import ModuleType
from typing import Annotated, Any

import aiohttp
import typer

from device.errors import SettingsError
from device.messages.prices import cost
from device.messages.word_filter import WordFilter
from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.invocation import Invocation, JsonFlag, err, out, plain, print_json
from provisioning.cli.profile_names import NameAndVersion, named
from provisioning.openai import OpenAI
from provisioning.parts import chooser
from provisioning.profile_versions import find
from provisioning.profiles.choosing import Chosen, ProfileError
from provisioning.rehearsal import LOOK_UP_TOOL, Answer, Rehearsal
from provisioning.running import run
from provisioning.settings import CloudSettings, replaced
from provisioning.spending.prices import told
from provisioning.store import Store

Said = Annotated[
    list[str] | None,
    typer.Option("--say", help="Say this and end; may be given several times. Otherwise, line by line."),
]


def rehearse_command(
    context: typer.Context,
    name: NameAndVersion,
    say: Said = None,
    *,
    stand_in: Annotated[
        bool, typer.Option("--stand-in", help="Speak to a stand-in here, which costs nothing.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Speak to a profile in writing, with the session that a robot would get, and see what each answer costs.

    The service is that of the settings, and bills you for it. Of a robot's tools, `look_up` alone is there. An empty line,
    or Ctrl-D, ends it.
    """
    invocation: Invocation = context.obj
    settings = invocation.settings() if stand_in else invocation.settings_with_secrets()
    turns = run(rehearsed(settings, name, say, stand_in=stand_in, quiet=json))
    if json:
        print_json(turns)


async def rehearsed(
    settings: CloudSettings, name: str, say: list[str] | None, *, stand_in: bool, quiet: bool
) -> dict[str, Any]:
    """Hold the conversation, and return what was said, answered and spent; with `quiet`, nothing is printed meanwhile.

    Raises:
        ProfileError: there is no such profile.
        UpstreamError: the service refuses, or has gone.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(settings.store_url))
        chosen = chooser(settings).prepared(await find(store, *named(name)))
        if chosen.persona.opening == "live":
            raise ProfileError("a Live session is spoken, and cannot be tried in writing; try it with a robot")
        if stand_in:
            settings = await _stood_in(settings, stack)
        rehearsal = await stack.enter_async_context(_rehearsal(settings, chosen))
        turns = [turn async for turn in _turns(rehearsal, chosen, iter(say) if say else _lines(), quiet=quiet)]
        micros = _micros(chosen, rehearsal.usage)
        async with store.transaction() as t:
            await t.audit.add(time.time(), DEFAULT_OPERATOR, "profile_tested", chosen.title, micros=micros)
    return {"profile": chosen.title, "turns": turns, "micros": micros, "currency": settings.prices.currency}


@asynccontextmanager
async def _rehearsal(settings: CloudSettings, chosen: Chosen) -> AsyncIterator[Rehearsal]:
    tools = chosen.tools([LOOK_UP_TOOL])
    async with OpenAI(settings.openai) as openai, aiohttp.ClientSession() as http:
        grant = await openai.grant(chosen.session(tools))
        async with Rehearsal(http, grant, chosen) as rehearsal:
            yield rehearsal


async def _turns(
    rehearsal: Rehearsal, chosen: Chosen, lines: Iterator[str], *, quiet: bool
) -> AsyncIterator[dict[str, Any]]:
    if chosen.persona.greeting:
        yield _turn("", await rehearsal.prompt(chosen.persona.greeting), chosen, rehearsal, quiet=quiet)
    for line in lines:
        yield _turn(line, await rehearsal.ask(line), chosen, rehearsal, quiet=quiet)


def _turn(said: str, answer: Answer, chosen: Chosen, rehearsal: Rehearsal, *, quiet: bool) -> dict[str, Any]:
    shown = WordFilter(chosen.persona.hidden_words)(answer.text)
    micros, total = _micros(chosen, answer.usage), _micros(chosen, rehearsal.usage)
    if not quiet:
        for query in answer.looked_up:
            err.print(plain(f"looked up: {query}"), style="dim")
        out.print(plain(shown), soft_wrap=True)
        if shown != answer.text:
            err.print("it said what observers would not see; see hidden_words", style="yellow")
        currency = "" if chosen.prices is None else chosen.prices.currency
        err.print(f"{told(micros)} {currency}, {told(total)} so far", style="dim", markup=False)
    return {
        "said": said,
        "answer": shown,
        "hidden": shown != answer.text,
        "looked_up": answer.looked_up,
        "micros": micros,
    }


def _micros(chosen: Chosen, usage: dict[str, int]) -> int:
    return round(cost(chosen.prices, usage) or 0) if chosen.prices is not None else 0


def _lines() -> Iterator[str]:
    """Yield what is typed, line by line, until an empty one."""
    prompt = "> " if sys.stdin.isatty() else ""
    while True:
        try:
            line = input(prompt).strip()
        except EOFError:
            return
        if not line:
            return
        yield line


async def _stood_in(settings: CloudSettings, stack: AsyncExitStack) -> CloudSettings:
    service = _extra()
    openai = await stack.enter_async_context(service.RealtimeStandIn())
    return replaced(
        settings,
        openai=replaced(settings.openai, base_url=openai.base_url, api_key=openai.settings.api_key),
    )


def _extra() -> ModuleType:
    try:
        from provisioning.local import realtime  # noqa: PLC0415 - the optional extra `local`, and slow to import
    except ModuleNotFoundError as error:
        raise SettingsError("kaiwa", f"the stand-in needs the extra: pip install 'kaiwa[local]' ({error})") from None
    return realtime
