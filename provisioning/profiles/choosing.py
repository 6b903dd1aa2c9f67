"""Which profile a session is granted with: the robot's own, its group's, or that of the settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from device.errors import KaiwaError, SettingsError
from device.messages.minting import Limits, Prompts
from device.messages.prices import TokenPrices
from device.messages.tools import LOOK_UP, ToolDeclaration, allowed
from provisioning.profiles.knowledge import Plan, plan
from provisioning.profiles.live import live_session
from provisioning.profiles.mcp import McpSecret, unusable
from provisioning.profiles.persona import Persona, Profile
from provisioning.profiles.reading import read_profile
from provisioning.profiles.registry import Profiles, Version
from provisioning.profiles.session import prompts, session
from provisioning.spending.prices import PriceSettings, tariff, token_prices

_log = logging.getLogger(__name__)

MOST_KEPT: Final = 200
"""Versions that are kept decoded; they never change."""


class ProfileError(KaiwaError):
    """A profile that cannot be used, or is not there."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One version of a profile, ready to be bound; `name` is empty for the profile of the settings."""

    persona: Persona
    limits: Limits
    name: str = ""
    version: int = 0
    knowledge: Plan = field(default_factory=Plan)
    secrets: Mapping[str, McpSecret] = field(default_factory=dict, repr=False)
    prices: TokenPrices | None = None
    library: bytes = field(default=b"", repr=False)
    """The texts that are looked up, as a grant carries them."""

    @property
    def title(self) -> str:
        """What it is called in the audit; empty for the profile of the settings."""
        return f"{self.name}@{self.version}" if self.name else ""

    @property
    def prompts(self) -> Prompts:
        """What the model is to be asked to say at certain moments."""
        return prompts(self.persona)

    def tools(self, declared: Sequence[ToolDeclaration]) -> list[ToolDeclaration]:
        """Return those of a robot's tools that the model may call."""
        searched = [LOOK_UP] if self.knowledge.searched else []
        return allowed(declared, [*self.persona.tools, *searched])

    def session(self, tools: Sequence[ToolDeclaration]) -> dict[str, Any]:
        """Return the `session` of a client secret, or of a Live session, with these tools; for the service alone."""
        if self.persona.opening == "live":
            return live_session(self.persona, tools, self.knowledge)
        return session(self.persona, tools, self.knowledge, self.secrets)

    def hidden_words(self, everywhere: Sequence[str]) -> list[str]:
        """Return what its robot masks: the words of the settings, and the profile's own."""
        return list(dict.fromkeys((*everywhere, *self.persona.hidden_words)))

    def told_prices(self, declared: Sequence[ToolDeclaration]) -> TokenPrices | None:
        """Return the prices for a robot that declares these tools; an earlier one, without `LOOK_UP`, takes no such grant."""
        return self.prices if any(tool.name == LOOK_UP for tool in declared) else None

    def packed(self, tools: Sequence[ToolDeclaration]) -> bytes:
        """Return the texts that a robot with these tools can look things up in."""
        return self.library if any(tool.name == LOOK_UP for tool in tools) else b""


class Chooser:
    """Chooses for each session.

    Args:
        fallback: the profile of the settings.
        limits: the longest that any session may last.
        secrets: what opens MCP servers, by name.
        prices: what models cost.
    """

    def __init__(
        self, fallback: Persona, limits: Limits, secrets: Sequence[McpSecret] = (), prices: PriceSettings | None = None
    ) -> None:
        self._limits, self._prices = limits, prices or PriceSettings()
        self._secrets = {secret.name: secret for secret in secrets}
        self._kept: dict[tuple[str, int], Chosen] = {}
        self._fallback = self._made(fallback, limits)

    async def choose(self, profiles: Profiles, device: str, group: str) -> Chosen:
        """Return what a session of a device is granted with now.

        Raises:
            ProfileError: it has a profile that cannot be used.
        """
        return await self._version(profiles, await profiles.of(device, group))

    async def again(self, profiles: Profiles, name: str, version: int) -> Chosen:
        """Return what a session was granted with before, by the name and the version that are kept with it.

        Raises:
            ProfileError: it cannot be used any more.
        """
        return await self._version(profiles, (name, version) if name else None)

    async def _version(self, profiles: Profiles, found: tuple[str, int] | None) -> Chosen:
        if found is None:
            return self._fallback
        if found not in self._kept:
            version = await profiles.find(*found)
            if version is None:
                raise ProfileError(f"there is no version {found[1]} of the profile {found[0]!r}")
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[found] = self.prepared(version)
        return self._kept[found]

    @property
    def fallback(self) -> Chosen:
        """The profile of the settings."""
        return self._fallback

    def prepared(self, version: Version) -> Chosen:
        """Return a version of a profile as it would be granted.

        Raises:
            ProfileError: it cannot be used.
        """
        title = f"{version.name}@{version.version}"
        try:
            profile = read_profile(version.text, title)
        except SettingsError as error:
            raise ProfileError(f"the profile {error}") from error
        return self._made(profile, _limits(profile, self._limits), version)

    def _made(self, persona: Persona, limits: Limits, version: Version | None = None) -> Chosen:
        billed = tariff(persona.billed, self._prices)
        found = plan(version.texts, persona.knowledge_tokens) if version else Plan()
        for reason in filter(None, (unusable(server, self._secrets) for server in persona.mcp)):
            _log.warning("an MCP server of profile %s is left out: %s", version.name if version else "[openai]", reason)
        return Chosen(
            persona,
            Limits(
                longest=limits.longest,
                idle=limits.idle,
                single_turn=persona.single_turn,
                push_to_talk=persona.vad == "push_to_talk",
                call=limits.call,
                notice=persona.limit_warning_seconds,
            ),
            version.name if version else "",
            version.version if version else 0,
            found,
            self._secrets,
            token_prices(billed.price, self._prices.currency, billed.per_minute),
            found.packed,
        )


def _limits(profile: Profile, most: Limits) -> Limits:
    longest = min(profile.session_seconds or most.longest, most.longest)
    return Limits(longest=longest, idle=profile.idle_seconds or most.idle, call=most.call)
