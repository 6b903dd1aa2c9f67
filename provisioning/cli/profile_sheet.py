"""One version of a profile as it is shown: where its texts go, what it costs, and what to think of."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec import to_builtins
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from device.messages.minting import SHORTEST
from device.messages.secret import encode_secret
from provisioning.cli.invocation import err, out
from provisioning.profiles.drafts import Checked, Draft, checked
from provisioning.profiles.estimate import Estimate, estimate
from provisioning.profiles.knowledge import weight
from provisioning.profiles.mcp import unusable
from provisioning.profiles.registry import Version
from provisioning.profiles.shutdowns import warnings
from provisioning.settings import CloudSettings
from provisioning.spending.caps import Caps
from provisioning.spending.prices import INSTRUCTION_TOKENS, told, unpriced


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is shown of a version."""

    version: Version
    found: Checked
    cost: Estimate
    currency: str
    warnings: tuple[str, ...]


def sheet(version: Version, settings: CloudSettings, minutes: float = 3.0) -> Sheet:
    """Return what is shown of a version.

    Raises:
        SettingsError: it cannot be used with the present settings, or by this version of Kaiwa; with line and key.
    """
    secrets = {secret.name: secret for secret in settings.mcp_secrets}
    found = checked(Draft(version.text, version.texts), f"{version.name}@{version.version}", secrets, strict=False)
    profile = found.profile
    longest = min(profile.session_seconds or settings.limits.session_seconds, settings.limits.session_seconds)
    tariff = settings.rules.tariff_of(profile.billed)
    cost = estimate(profile, found.tokens, tariff, longest, minutes, settings.limits.grace_seconds)
    wanting = (*_warnings(found, settings), *_unaffordable(cost, settings.rules.caps))
    return Sheet(version, found, cost, settings.prices.currency, wanting)


def _unaffordable(cost: Estimate, caps: Caps) -> Iterator[str]:
    if cost.longest > cost.put_aside:
        yield "the longest conversation costs more than is put aside, and is ended before: lower history_kept"
    groups = (caps.groups or {}).items()
    named = {"a robot": caps.device, "a group": caps.group, "the fleet": caps.fleet}
    for whose, cap in (*named.items(), *((f"the group {name}", cap) for name, cap in groups)):
        if any(amount is not None and amount < cost.put_aside for amount in (cap.day, cap.month)):
            yield f"the budget of {whose} is less than the {told(cost.put_aside)} put aside: no session can start"


def _warnings(found: Checked, settings: CloudSettings) -> Iterator[str]:
    today = datetime.fromtimestamp(time.time(), UTC).date()
    yield from warnings(found.profile, today)
    secrets = {secret.name: secret for secret in settings.mcp_secrets}
    for server in found.profile.mcp:
        if reason := unusable(server, secrets):
            yield f"the MCP server {server.label} is left out: {reason}"
    for model in unpriced(found.profile.billed, settings.prices):
        yield f"no price of {model} is known, so it counts as the dearest model (see [[prices.models]])"
    if found.profile.opening == "live":
        yield "Live sessions are experimental: they were tried against a stand-in only"
    if (found.profile.session_seconds or 0) > settings.limits.session_seconds:
        yield f"session_seconds is more than the settings allow, which is {settings.limits.session_seconds:g}"
    longest = min(found.profile.session_seconds or settings.limits.session_seconds, settings.limits.session_seconds)
    notice = found.profile.limit_warning_seconds if found.profile.limit_warning else 0.0
    if longest < SHORTEST * notice:
        yield f"limit_warning is never said: {longest:g} s are less than {SHORTEST:g} times limit_warning_seconds"


def as_json(shown: Sheet) -> dict[str, Any]:
    """Return it for programs."""
    version, plan = shown.version, shown.found.plan
    places = [("instructions", plan.written), ("look_up", plan.searched)]
    return {
        "name": version.name,
        "version": version.version,
        "created_at": version.created_at,
        "operator": version.operator,
        "why": version.why,
        "toml": version.text,
        "profile": to_builtins(shown.found.profile, enc_hook=encode_secret),
        "instruction_tokens": shown.found.tokens,
        "most_instruction_tokens": INSTRUCTION_TOKENS,
        "texts": [
            {"title": text.title, "tokens": weight(text), "place": place} for place, texts in places for text in texts
        ],
        "currency": shown.currency,
        "estimate_micros": asdict(shown.cost),
        "warnings": list(shown.warnings),
    }


def print_sheet(shown: Sheet) -> None:
    """Print it for people."""
    version, plan, cost = shown.version, shown.found.plan, shown.cost
    made = datetime.fromtimestamp(version.created_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    out.print(f"# {version.name}, version {version.version}, made by {version.operator} on {made}", markup=False)
    if out.is_terminal:
        out.print(Syntax(version.text.rstrip(), "toml", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        out.print(Text(version.text.rstrip()), soft_wrap=True)
    table = Table("", "tokens", "", box=None, pad_edge=False)
    for text in plan.written:
        table.add_row(text.title, str(weight(text)), "in the instructions")
    for text in plan.searched:
        table.add_row(text.title, str(weight(text)), "looked up")
    table.add_row("all instructions", str(shown.found.tokens), f"of {INSTRUCTION_TOKENS} at most (an estimate)")
    out.print(table)
    out.print(_costs(cost, shown.currency), markup=False)
    for warning in shown.warnings:
        err.print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)


def _costs(cost: Estimate, currency: str) -> str:
    return (
        f"about {told(cost.conversation)} {currency} for {cost.minutes:g} min, {told(cost.per_minute)} a minute; "
        f"{told(cost.longest)} for the longest; {told(cost.put_aside)} put aside for each (docs/profiles.md says how)"
    )
