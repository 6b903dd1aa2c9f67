"""Commands that set up and run the service."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from provisioning.app import DEFAULT_OPERATOR, Cloud, open_authority, serve
from provisioning.cli.invocation import Invocation, JsonFlag, err, out, print_json
from provisioning.profiles.shutdowns import warnings
from provisioning.roles import MOST_MINTERS, Place, Role
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.store import Store

_log = logging.getLogger(__name__)


def serve_command(
    context: typer.Context,
    role: Annotated[Role, typer.Option(help="The part of the cloud that this process is.")] = Role.ALL,
    number: Annotated[
        int,
        typer.Option(min=1, max=MOST_MINTERS, help="Which of several minters; two of one number push each other out."),
    ] = 1,
    *,
    json: Annotated[
        bool, typer.Option("--json", help="When it has started, print where it is as one line of JSON.")
    ] = False,
) -> None:
    """Run the cloud: enrolment, minting, the leash and the observers' page. SIGTERM or Ctrl-C ends it.

    A large fleet runs its parts as processes of their own, over one PostgreSQL, one broker and one state directory:
    any number of `--role mint`, each with another `--number`; `--role web`; and `--role leash`, of which a second one
    waits until the first is gone.
    """
    invocation: Invocation = context.obj
    settings = invocation.settings_with_secrets()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for warning in warnings(settings.openai, datetime.now(UTC).date()):
        _log.warning("%s", warning)
    for talkative in ("alembic", "httpx2"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    run(serve(settings, Place(role, number), _announce_json if json else _announce))


def _announce(cloud: Cloud | Place) -> None:
    if isinstance(cloud, Place):
        err.print(f"running    {cloud.identity}")
        return
    err.print(f"enrolment  https://{cloud.enrol_address}")
    err.print(f"broker     {cloud.broker.host}:{cloud.broker.port}, mutual TLS")
    err.print(f"page       {cloud.web_url}")


def _announce_json(cloud: Cloud | Place) -> None:
    if isinstance(cloud, Place):
        print_json({"running": cloud.identity})
        return
    where = {
        "enrolment": cloud.enrol_address,
        "broker": f"{cloud.broker.host}:{cloud.broker.port}",
        "page": cloud.web_url,
    }
    print_json({"running": Place().identity, **where})


def init_command(context: typer.Context, *, json: JsonFlag = False) -> None:
    """Make the state directory: the authority, its keys, the store and the first operator. Changes nothing that is there."""
    invocation: Invocation = context.obj
    settings = invocation.settings()
    authority = open_authority(settings, time.time())
    run(_make_store(settings))
    if json:
        made = {"state_dir": settings.state_dir, "fingerprint": authority.fingerprint, "operator": DEFAULT_OPERATOR}
        print_json({**made, "root_key": str(authority.root_key) if authority.root_key else None})
        return
    out.print(f"state      {settings.state_dir}")
    out.print(f"authority  {authority.fingerprint}")
    out.print(f"operators  {', '.join(authority.operators)}")
    if authority.root_key is not None:
        err.print(f"keep {authority.root_key} elsewhere: it is needed again when the log asks for it", soft_wrap=True)


async def _make_store(settings: CloudSettings) -> None:
    async with Store(settings.store_url):
        pass
