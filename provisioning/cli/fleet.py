"""Commands about robots: claims, the list, revocation."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import segno
import typer
from rich.table import Table
from rich.text import Text

from device.errors import EnrolmentError, SettingsError
from device.messages.enrolment import Claim
from provisioning.app import DEFAULT_OPERATOR, broker_address, claim_address, open_authority
from provisioning.cli.invocation import Invocation, JsonFlag, Why, err, out, plain, print_json, tell
from provisioning.enrolment import Enrolments
from provisioning.policy import Status
from provisioning.registry import Device
from provisioning.revocation import revoke
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.spending.caps import Spent, day_of
from provisioning.spending.prices import told
from provisioning.spending.settings import GROUP
from provisioning.store import Store

claim = typer.Typer(help="One-time claims, by which boards become robots of this fleet.", no_args_is_help=True)

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
LONGEST_TTL: Final = 7 * 86_400.0


def duration(text: str) -> float:
    """Return the seconds in a text such as 90s, 30m, 1h or 2d; a week at most."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= LONGEST_TTL:
        raise typer.BadParameter(f"{text!r} is no duration such as 90s, 30m, 1h or 2d, of a week at most")
    return seconds


def group_name(text: str) -> str:
    """Return the name of a group, which may be empty for none."""
    if text and not re.fullmatch(GROUP, text):
        raise typer.BadParameter(f"{text!r} cannot name a group; take 1 to 40 of a-z, 0-9 and -")
    return text


@claim.command("new")
def new_claim(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help="Name of the robot; one that exists is replaced.")] = None,
    ttl: Annotated[str, typer.Option(help="How long the claim is good: 90s, 30m, 1h, 2d.")] = "1h",
    group: Annotated[str, typer.Option(help="The group the robot comes into.", parser=group_name)] = "",
    *,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Make a claim and print it, also as a QR code: type it on the board as `kaiwa-device enrol CLAIM`."""
    invocation: Invocation = context.obj
    made = run(make_claim(invocation.settings(), device, duration(ttl), group, why))
    if json:
        print_json({"claim": str(made), "address": made.address, "fingerprint": made.fingerprint, "ttl": ttl})
        return
    if sys.stdout.isatty():
        segno.make(str(made), error="l").terminal(compact=True)
    typer.echo(str(made))
    err.print(f"good once, within {ttl}, on the board:  kaiwa-device enrol CLAIM")


async def make_claim(settings: CloudSettings, device: str | None, ttl: float, group: str, why: str) -> Claim:
    """Return a new claim, good once within `ttl` seconds.

    Raises:
        SettingsError: the settings do not tell where it can be used.
        EnrolmentError: not a name that a device can have.
    """
    if not (settings.enrol.port or settings.enrol.public_port):
        raise SettingsError("[enrol]", "a claim needs to know the port; give it a fixed one", key="port")
    authority = open_authority(settings, time.time())
    async with Store(settings.store_url) as store:
        broker = broker_address(settings, settings.broker.port)
        enrolments = Enrolments(store, authority, broker, settings.enrol.certificate_days)
        address = claim_address(settings, settings.enrol.port)
        return await enrolments.new_claim(
            address, time.time(), ttl, device=device, group=group, operator=DEFAULT_OPERATOR, why=why
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A robot, the group it is in, and what it spent today, in micros."""

    device: Device
    group: str
    today: int


def devices_command(
    context: typer.Context,
    group: Annotated[str | None, typer.Option(help="Only the robots of this group.", parser=group_name)] = None,
    *,
    json: JsonFlag = False,
) -> None:
    """List the robots: PENDING until first seen on the broker, ACTIVE, or REVOKED; with what they spent today (UTC).

    Alarms come below. An alarm says that somebody else seems to use a robot's identity, too: `revoke` it and enrol it
    anew, or `acknowledge` that you know why.
    """
    invocation: Invocation = context.obj
    listed = run(_devices(invocation.settings()))
    found = [member for member in listed if group is None or member.group == group]
    if json:
        print_json([{**asdict(member.device), "group": member.group, "micros_today": member.today} for member in found])
        return
    _print(found)


def _print(found: Sequence[Member]) -> None:
    columns = ("robot", "status", "group", "today", "certified until", "hardware")
    table = Table(*columns, box=None, pad_edge=False)
    for member in found:
        device, today = member.device, told(member.today)
        until = "" if device.certified_until is None else _day(device.certified_until).partition(" ")[0]
        table.add_row(device.id, device.status, member.group, today, until, plain(device.hardware))
    out.print(table)
    for device in (member.device for member in found):
        if device.alarm is not None:
            when = _day(device.alarmed_at or 0.0)
            out.print(Text(f"ALARM {device.id}: {device.alarm} ({when})", "bold red"), soft_wrap=True)


async def _devices(settings: CloudSettings) -> list[Member]:
    day = day_of(time.time())
    async with Store(settings.store_url) as store, store.transaction() as t:
        members, spent = await t.groups.members(), await t.ledger.totals([day])
        return [
            Member(device, members[device.id], spent.get((f"device:{device.id}", day), Spent()).total)
            for device in await t.devices.all()
        ]


def move_command(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="Name of the robot.")],
    group: Annotated[str, typer.Argument(help='Name of the group, or "" for none.', parser=group_name)],
    *,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Move a robot into a group. What it has spent stays on the account of the group it was in."""
    invocation: Invocation = context.obj
    run(_move(invocation.settings(), device, group, why))
    tell(f"{device} is in {group or 'no group'}", json=json, robot=device, group=group)


async def _move(settings: CloudSettings, device: str, group: str, why: str) -> None:
    async with Store(settings.store_url) as store, store.transaction() as t:
        if not await t.groups.move(device, group):
            raise EnrolmentError(f"there is no robot {device!r}")
        await t.audit.add(time.time(), DEFAULT_OPERATOR, "moved", device, group=group, why=why)


def revoke_command(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="Name of the robot.")],
    *,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Take a robot's identity away, for good and at once.

    No session is granted from now on. A running `serve` that owns the broker cuts the connection off within seconds;
    another broker must be told (`broker-config mosquitto --out`, reload).
    """
    invocation: Invocation = context.obj
    run(_revoke(invocation.settings(), device, why))
    tell(f"{device} is revoked", json=json, robot=device, status=Status.REVOKED)


async def _revoke(settings: CloudSettings, device: str, why: str) -> None:
    authority = open_authority(settings, time.time())
    async with Store(settings.store_url) as store:
        if not await revoke(store, authority, device, time.time(), DEFAULT_OPERATOR, why):
            raise EnrolmentError(f"there is no robot {device!r} that could be revoked")


def acknowledge_command(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="Name of the robot.")],
    *,
    why: Why = "",
    json: JsonFlag = False,
) -> None:
    """Take note of a robot's alarm: `devices` shows it no longer, the audit keeps it. A new one is shown again."""
    invocation: Invocation = context.obj
    run(_acknowledge(invocation.settings(), device, why))
    tell(f"the alarm of {device} is acknowledged", json=json, robot=device, alarm=None)


async def _acknowledge(settings: CloudSettings, device: str, why: str) -> None:
    async with Store(settings.store_url) as store, store.transaction() as t:
        if not await t.devices.acknowledge(device):
            raise EnrolmentError(f"there is no alarm of a robot {device!r}")
        await t.audit.add(time.time(), DEFAULT_OPERATOR, "acknowledged", device, why=why)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
