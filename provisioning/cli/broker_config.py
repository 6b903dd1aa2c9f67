"""Commands that write the configuration of the MQTT broker."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from device.errors import SettingsError
from provisioning.app import open_authority
from provisioning.authority import Authority
from provisioning.broker import BrokerFiles, mosquitto_acl, mosquitto_config
from provisioning.cli.invocation import Invocation, JsonFlag, print_json, tell
from provisioning.emqx import emqx_acl, emqx_config
from provisioning.keyfiles import write_durably
from provisioning.operators import robots_of
from provisioning.roles import HOME_ASSISTANT, SERVICES
from provisioning.settings import CloudSettings

broker_config = typer.Typer(help="Write the configuration of the MQTT broker.", no_args_is_help=True)

Folder = Annotated[
    Path | None,
    typer.Option("--out", help="Write it here with copies of all files it needs; readable by --user only."),
]

AccessList = Callable[[Mapping[str, Sequence[str]]], str]
"""Makes the access list of a broker from the robots of each operator."""


@broker_config.command("mosquitto")
def mosquitto_command(
    context: typer.Context,
    folder: Folder = None,
    user: Annotated[str, typer.Option(help="The account Mosquitto runs as when started as root.")] = "mosquitto",
    *,
    json: JsonFlag = False,
) -> None:
    """Print mosquitto.conf, or write it with its access list and certificates.

    Copies do not follow: run it again after `revoke` and after a new operator, then `systemctl reload mosquitto`.
    """
    settings, authority = _opened(context)
    files = _files(settings, authority, folder, user, partial(mosquitto_acl, settings.clients))
    text = mosquitto_config(settings.broker.host, settings.broker.port, files, user=user)
    _tell(text, folder, "mosquitto.conf", f"mosquitto -c {folder}/mosquitto.conf", json=json)


@broker_config.command("emqx")
def emqx_command(
    context: typer.Context,
    folder: Folder = None,
    user: Annotated[str, typer.Option(help="The account EMQX runs as.")] = "emqx",
    *,
    json: JsonFlag = False,
) -> None:
    """Print the settings of EMQX 5 for a cluster, or write them with their access list and certificates.

    They were never run. Every node needs the folder at the same place, and the settings at the end of its
    etc/base.hocon. EMQX does not read our list of revocations: after `revoke`, ban the name there as well.
    """
    settings, authority = _opened(context)
    files = _files(settings, authority, folder, user, partial(emqx_acl, SERVICES))
    text = emqx_config(settings.broker.host, settings.broker.port, files)
    _tell(text, folder, "emqx.hocon", f"append {folder}/emqx.hocon to etc/base.hocon of every node", json=json)


@broker_config.command("home-assistant")
def home_assistant_command(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--out", help="Write the files here, readable by you only.")],
    *,
    json: JsonFlag = False,
) -> None:
    """Write what Home Assistant connects to the fleet's own broker with: authority, certificate and key.

    For `[home_assistant]` without a `host`. They are good for 13 months, and for nothing but topics below
    `homeassistant/`. Whoever has another broker for Home Assistant needs none of them.
    """
    settings, authority = _opened(context)
    if HOME_ASSISTANT not in settings.clients:
        raise SettingsError(
            "[home_assistant]", "the fleet's own broker is used when enabled = true and there is no host"
        )
    files = authority.service(HOME_ASSISTANT, time.time())
    copies = [str(_copy(path, folder)) for path in (authority.root_path, files.certificate, files.key)]
    tell("\n".join(copies), json=json, files=copies)


def _opened(context: typer.Context) -> tuple[CloudSettings, Authority]:
    invocation: Invocation = context.obj
    settings = invocation.settings()
    return settings, open_authority(settings, time.time())


def _files(
    settings: CloudSettings, authority: Authority, folder: Path | None, user: str, access_list: AccessList
) -> BrokerFiles:
    if folder is None:
        return _in_place(authority, Path(settings.state_dir) / "broker", access_list)
    return _copied(authority, folder.absolute(), user, access_list)


def _tell(text: str, folder: Path | None, name: str, then: str, *, json: bool) -> None:
    """Write the configuration into the folder and say what is next, or print it."""
    if folder is not None:
        (folder / name).write_text(text)
        files = sorted(str(path) for path in folder.iterdir())
        tell(then, json=json, config=str(folder / name), files=files)
    elif json:
        print_json({"config": text})
    else:
        typer.echo(text, nl=False)


def _in_place(authority: Authority, folder: Path, access_list: AccessList) -> BrokerFiles:
    acl = folder / "acl"
    write_durably(acl, access_list(robots_of(authority)).encode())
    server = authority.server
    return BrokerFiles(authority.root_path, server.certificate, server.key, authority.revocations, acl)


def _copied(authority: Authority, folder: Path, user: str, access_list: AccessList) -> BrokerFiles:
    files = _in_place(authority, folder, access_list)
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
