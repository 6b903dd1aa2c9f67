"""Commands that set up and run the service."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from device.errors import SettingsError
from provisioning.app import DEFAULT_OPERATOR, Cloud, open_authority, serve
from provisioning.authority import Authority
from provisioning.broker import BrokerFiles, mosquitto_acl, mosquitto_config
from provisioning.cli.invocation import Invocation, JsonFlag, err, out, print_json
from provisioning.keyfiles import write_durably
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.store import Store

broker_config = typer.Typer(help="Write the configuration of the MQTT broker.", no_args_is_help=True)


def serve_command(context: typer.Context) -> None:
    """Run the cloud: enrolment, minting, the leash and the observers' page. SIGTERM or Ctrl-C ends it."""
    invocation: Invocation = context.obj
    settings = invocation.settings_with_secrets()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for talkative in ("alembic", "httpx2"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    run(serve(settings, _announce))


def _announce(cloud: Cloud) -> None:
    err.print(f"enrolment  https://{cloud.enrol_address}")
    err.print(f"broker     {cloud.broker.host}:{cloud.broker.port}, mutual TLS")
    err.print(f"page       {cloud.web_url}")


def init_command(context: typer.Context, *, json: JsonFlag = False) -> None:
    """Make the state directory: the authority, its keys, the store and the first operator. Changes nothing that is there."""
    invocation: Invocation = context.obj
    settings = invocation.settings()
    authority = open_authority(settings, time.time())
    run(_make_store(settings))
    if json:
        print_json(
            {"state_dir": settings.state_dir, "fingerprint": authority.fingerprint, "operator": DEFAULT_OPERATOR}
        )
        return
    out.print(f"state      {settings.state_dir}")
    out.print(f"authority  {authority.fingerprint}")
    out.print(f"operators  {', '.join(authority.operators)}")


async def _make_store(settings: CloudSettings) -> None:
    async with Store(settings.store_url):
        pass


@broker_config.command("mosquitto")
def mosquitto_command(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="Write it here with copies of all files it needs; readable by --user only."),
    ] = None,
    user: Annotated[str, typer.Option(help="The account Mosquitto runs as when started as root.")] = "mosquitto",
) -> None:
    """Print mosquitto.conf, or write it with its access list and certificates.

    Copies do not follow: run it again after `revoke` and after a new operator, then `systemctl reload mosquitto`.
    """
    invocation: Invocation = context.obj
    settings = invocation.settings()
    authority = open_authority(settings, time.time())
    if folder is None:
        files = _in_place(authority, Path(settings.state_dir) / "broker")
        typer.echo(mosquitto_config(settings.broker.host, settings.broker.port, files, user=user), nl=False)
        return
    files = _copied(authority, folder.absolute(), user)
    config = folder / "mosquitto.conf"
    config.write_text(mosquitto_config(settings.broker.host, settings.broker.port, files, user=user))
    out.print(f"mosquitto -c {config}")


def _in_place(authority: Authority, folder: Path) -> BrokerFiles:
    acl = folder / "acl"
    write_durably(acl, mosquitto_acl(authority.services, authority.operators).encode())
    server = authority.server
    return BrokerFiles(authority.root_path, server.certificate, server.key, authority.revocations, acl)


def _copied(authority: Authority, folder: Path, user: str) -> BrokerFiles:
    files = _in_place(authority, folder)
    copies = BrokerFiles(
        authority=_copy(files.authority, folder),
        certificate=_copy(files.certificate, folder),
        key=_copy(files.key, folder),
        revocations=_copy(files.revocations, folder),
        acl=files.acl,
    )
    try:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    except (LookupError, PermissionError) as error:
        raise SettingsError(str(folder), f"cannot be given to {user}: {error}") from None
    return copies


def _copy(path: Path, folder: Path) -> Path:
    write_durably(folder / path.name, path.read_bytes())
    return folder / path.name
