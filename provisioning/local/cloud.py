"""The whole cloud on this computer: the product's own services, with a stand-in for each service that is not given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from device.errors import SettingsError
from device.messages.secret import Secret
from device.messages.tools import ANY
from provisioning.app import Cloud, running
from provisioning.channels import ChannelOptions
from provisioning.listener import Listener
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.local.realtime import RealtimeStandIn, StandInSettings
from provisioning.local.realtime.scenario import Scenario
from provisioning.settings import (
    IMAGEFLUX_TOKEN_VARIABLE,
    OPENAI_KEY_VARIABLE,
    BrokerSettings,
    CloudSettings,
    EnrolSettings,
    ImageFluxSettings,
    LimitSettings,
    OpenAISettings,
    WebSettings,
)

REQUESTS_PER_MINUTE: Final = 600
REQUESTS_PER_DAY: Final = 100_000
"""Whoever tries things out presses more often than a visitor."""

GRACE_SECONDS: Final = 3.0
"""How long a robot that vanished may take to come back; on one computer nothing is slow."""

LIMITS: Final = LimitSettings(
    requests_per_minute=REQUESTS_PER_MINUTE,
    sessions_per_day=REQUESTS_PER_DAY,
    grace_seconds=GRACE_SECONDS,
    failures_in_a_row=REQUESTS_PER_MINUTE,  # faults are switched on here to be seen
)

INSTRUCTIONS: Final = "You are Kaiwa, a friendly little robot. Answer in one or two short sentences."


@dataclass(frozen=True, slots=True)
class Choices:
    """What is chosen for a local cloud; an empty URL means the stand-in."""

    openai_url: str = ""
    imageflux_url: str = ""
    web_port: int = 0
    language: str = "en"
    call_seconds: float = 3600.0
    """How long a call may last: what the stand-in ends it after, and what robots are told."""
    push_to_talk: bool = False
    exchange: bool = False
    """Whether the cloud opens calls for robots (experimental), in the place of handing out secrets."""
    live: bool = False
    """Whether they are Live sessions (experimental), which the cloud opens, too."""
    scenario: Scenario | None = None
    """What the stand-in for OpenAI plays; what is built in when None."""
    limits: LimitSettings = LIMITS

    @property
    def opening(self) -> Literal["secret", "exchanged", "live"]:
        """How robots are given calls."""
        if self.live:
            return "live"
        return "exchanged" if self.exchange else "secret"


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A running cloud, and the stand-ins behind it; None where the service was given."""

    cloud: Cloud
    openai: RealtimeStandIn | None
    imageflux: ImageFluxStandIn | None

    @property
    def stood_in(self) -> list[str]:
        """What took the place of real services."""
        names = {"OpenAI Realtime": self.openai, "ImageFlux Live Streaming": self.imageflux}
        return [f"{name}: stand-in" for name, stand_in in names.items() if stand_in is not None]


@asynccontextmanager
async def local_cloud(
    folder: Path, choices: Choices, environment: Mapping[str, str], watchers: Sequence[Listener] = ()
) -> AsyncIterator[LocalCloud]:
    """Run the cloud with its state in `folder`; keys of given services come from the `environment`.

    Raises:
        SettingsError: a service was given without its key.
        KaiwaError: something cannot be started.
    """
    async with AsyncExitStack() as owned:
        stand_in = RealtimeStandIn(StandInSettings(session_seconds=choices.call_seconds), scenario=choices.scenario)
        openai = None if choices.openai_url else await owned.enter_async_context(stand_in)
        imageflux = None if choices.imageflux_url else await owned.enter_async_context(ImageFluxStandIn())
        settings = CloudSettings(
            state_dir=str(folder),
            enrol=EnrolSettings(port=0),
            web=WebSettings(port=choices.web_port, media_origins=_origins(imageflux)),
            broker=BrokerSettings(port=0, spawn=True),
            openai=_openai(choices, openai, environment),
            imageflux=_imageflux(choices, imageflux, environment),
            limits=replace(choices.limits, call_seconds=choices.call_seconds),
        )
        cloud = await owned.enter_async_context(running(settings, watchers))
        yield LocalCloud(cloud, openai, imageflux)


def _origins(imageflux: ImageFluxStandIn | None) -> tuple[str, ...]:
    return WebSettings().media_origins if imageflux is None else (imageflux.api_url.rstrip("/"),)


def _openai(choices: Choices, stand_in: RealtimeStandIn | None, environment: Mapping[str, str]) -> OpenAISettings:
    url, key = choices.openai_url, _key(environment, OPENAI_KEY_VARIABLE, "OPENAI_API_KEY", choices.openai_url)
    if stand_in is not None:
        url, key = stand_in.base_url, stand_in.settings.api_key
    return OpenAISettings(
        base_url=url,
        api_key=key,
        language=choices.language,
        instructions=INSTRUCTIONS,
        tools=(ANY,),
        vad="push_to_talk" if choices.push_to_talk else OpenAISettings().vad,
        opening=choices.opening,
        model="gpt-live-1" if choices.live else OpenAISettings().model,
    )


def _imageflux(
    choices: Choices, stand_in: ImageFluxStandIn | None, environment: Mapping[str, str]
) -> ImageFluxSettings:
    url = choices.imageflux_url
    token = _key(environment, IMAGEFLUX_TOKEN_VARIABLE, "IMAGEFLUX_TOKEN", url)
    if stand_in is not None:
        url, token = stand_in.api_url, stand_in.settings.token
    return ImageFluxSettings(
        url=url, token=token, channel=ChannelOptions(low_delay=stand_in is not None, push_captions=stand_in is not None)
    )


def _key(environment: Mapping[str, str], variable: str, usual: str, url: str) -> Secret:
    key = environment.get(variable) or environment.get(usual, "")
    if url and not key:
        raise SettingsError("environment", f"{url} needs a key: set {variable}", key=variable)
    return Secret(key)
