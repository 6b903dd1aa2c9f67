"""Releases on the command line: a key of their own, and packages that robots may become."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins

from device.messages.releases import Release
from provisioning.cli.invocation import JsonFlag, err, out, print_json
from provisioning.releases import as_version, beside, make_key, read, sign, signed_by, signer

release = typer.Typer(help="Packages that robots may become, signed with a key of their own.", no_args_is_help=True)

Package = Annotated[Path, typer.Argument(help="kaiwa-device_….deb, as `make deb` has built it.")]


@release.command("new-key")
def new_key_command(
    out_path: Annotated[Path, typer.Option("--out", help="Where: NAME.key and NAME.pem.")] = Path("kaiwa-release"),
    *,
    json: JsonFlag = False,
) -> None:
    """Make the key that signs releases. Keep NAME.key off every board and off the cloud; NAME.pem is pinned in robots."""
    kid = make_key(out_path)
    if json:
        print_json({"kid": kid, "key": str(out_path.with_suffix(".key")), "pem": str(out_path.with_suffix(".pem"))})
        return
    out.print(f"{out_path.with_suffix('.key')}: {kid}", soft_wrap=True)
    err.print(f"in every robot, once:  sudo kaiwa-device update --trust {out_path.with_suffix('.pem').name}")


@release.command("sign")
def sign_command(
    package: Package,
    key: Annotated[Path, typer.Option(help="The key that signs releases.")] = Path("kaiwa-release.key"),
    back_from: Annotated[
        str, typer.Option(help="Newest version whose place it may take although that is newer; else it only follows.")
    ] = "",
    *,
    json: JsonFlag = False,
) -> None:
    """Sign a package, after you have tried it: PACKAGE.release lies beside it then."""
    made = sign(package, signer(key), time.time(), as_version(back_from) if back_from else None)
    _show(made, "", json=json)
    err.print(f"{beside(package)} goes where the package goes", soft_wrap=True)


@release.command("show")
def show_command(
    path: Annotated[Path, typer.Argument(help="….deb.release")],
    *,
    json: JsonFlag = False,
) -> None:
    """Show what a release says, and by which key it says to be signed."""
    sealed, said = read(path)
    _show(said, signed_by(sealed), json=json)


def _show(made: Release, kid: str, *, json: bool) -> None:
    told = to_builtins(made) | ({"kid": kid} if kid else {})
    if json:
        print_json(told)
        return
    when = datetime.fromtimestamp(made.released_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    for name, value in (told | {"released_at": when}).items():
        out.print(f"{name:13} {value}", soft_wrap=True)
