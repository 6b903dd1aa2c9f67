"""The command line `kaiwa-cloud`.

Exit codes: 0 done; 1 an error, named in one line; 2 wrong usage or settings; 3 the robot did not do it; 4 the robot did not answer;
5 the audit is not what was written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from device.errors import KaiwaError, SettingsError
from provisioning.cli.audit import audit
from provisioning.cli.broker_config import broker_config
from provisioning.cli.card import card_command
from provisioning.cli.console import console_command
from provisioning.cli.fleet import acknowledge_command, claim, devices_command, move_command, revoke_command
from provisioning.cli.halting import halt_command, resume_command
from provisioning.cli.here import demo, local
from provisioning.cli.invocation import ExitCode, Invocation, err
from provisioning.cli.money import budget_command
from provisioning.cli.operators import operator
from provisioning.cli.orders import notes_command, start_command, stop_command, use_command
from provisioning.cli.profile import profile
from provisioning.cli.release import release
from provisioning.cli.replay import replay_command
from provisioning.cli.service import init_command, serve_command
from provisioning.cli.sessions import sessions_command
from provisioning.cli.updating import update_command
from provisioning.cli.uses import (
    ask_command,
    cut_command,
    hush_command,
    identify_command,
    mute_command,
    say_command,
    unmute_command,
    volume_command,
)
from provisioning.cli.watch import watch_command

DEFAULT_CONFIG: Final = Path("/etc/kaiwa/cloud.toml")

app = typer.Typer(
    name="kaiwa-cloud",
    help="The cloud side of Kaiwa: enrols robots, grants them conversations, keeps them on a leash.",
    epilog="Exit codes: 0 done, 1 error, 2 wrong usage or settings, 3 the robot did not do it, 4 the robot did not answer, "
    "5 the audit is not what was written.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve_command)
app.command("init")(init_command)
app.add_typer(claim, name="claim")
app.command("card")(card_command)
app.command("devices")(devices_command)
app.command("move")(move_command)
app.command("budget")(budget_command)
app.command("sessions")(sessions_command)
app.command("replay")(replay_command)
app.command("halt")(halt_command)
app.command("resume")(resume_command)
app.add_typer(profile, name="profile")
app.command("revoke")(revoke_command)
app.command("acknowledge")(acknowledge_command)
app.add_typer(operator, name="operator")
app.add_typer(audit, name="audit")
app.command("start")(start_command)
app.command("stop")(stop_command)
app.command("use")(use_command)
app.command("console")(console_command)
app.command("say")(say_command)
app.command("ask")(ask_command)
app.command("hush")(hush_command)
app.command("mute")(mute_command)
app.command("unmute")(unmute_command)
app.command("cut")(cut_command)
app.command("volume")(volume_command)
app.command("identify")(identify_command)
app.command("update")(update_command)
app.add_typer(release, name="release")
app.command("notes")(notes_command)
app.command("watch")(watch_command)
app.add_typer(broker_config, name="broker-config")
app.command("local")(local)
app.command("demo")(demo)


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", "-c", envvar="KAIWA_CLOUD_CONFIG", help="Settings file.")
    ] = DEFAULT_CONFIG,
) -> None:
    """Take what all commands have in common."""
    context.obj = Invocation(config)


def main() -> None:
    """Run the command line; an error of ours is one line, without a traceback."""
    try:
        app()
    except KaiwaError as error:
        err.print(f"kaiwa-cloud: {error}", markup=False, soft_wrap=True)
        sys.exit(ExitCode.USAGE if isinstance(error, SettingsError) else ExitCode.ERROR)


if __name__ == "__main__":
    main()
