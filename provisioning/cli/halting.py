"""Commands that halt the whole fleet, and let it go on."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.invocation import Invocation, JsonFlag, out, print_json
from provisioning.halts import Halt
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.store import Store


def halt_command(
    context: typer.Context,
    why: Annotated[str, typer.Option(help="What robots and the audit are told.")],
    *,
    json: JsonFlag = False,
) -> None:
    """Halt the whole fleet: every conversation ends within seconds, and none begins until `resume`."""
    invocation: Invocation = context.obj
    live = run(_halt(invocation.settings(), Halt(time.time(), DEFAULT_OPERATOR, why.strip())))
    if json:
        print_json({"halted": True, "live": live})
        return
    out.print(
        f"the fleet is halted; a running `serve` ends {live} conversation{'' if live == 1 else 's'} now", markup=False
    )


async def _halt(settings: CloudSettings, halt: Halt) -> int:
    if not halt.why:
        raise typer.BadParameter("say why: robots and the audit are told", param_hint="--why")
    async with Store(settings.store_url) as store, store.transaction() as t:
        await t.halts.halt(halt)
        await t.audit.add(halt.since, halt.operator, "halted", "fleet", why=halt.why[:200])
        return len(await t.sessions.live())


def resume_command(context: typer.Context, *, json: JsonFlag = False) -> None:
    """Let a halted fleet go on."""
    invocation: Invocation = context.obj
    resumed = run(_resume(invocation.settings()))
    if json:
        print_json({"halted": False, "was_halted": resumed})
        return
    out.print("the fleet goes on" if resumed else "the fleet was not halted")


async def _resume(settings: CloudSettings) -> bool:
    now = time.time()
    async with Store(settings.store_url) as store, store.transaction() as t:
        resumed = await t.halts.resume(now)
        if resumed:
            await t.audit.add(now, DEFAULT_OPERATOR, "resumed", "fleet")
        return resumed
