"""The cloud's settings: one strict TOML file, with secrets in it, in files beside it, or in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from device.errors import SettingsError
from device.messages.secret import Secret
from device.messages.settings import Settings, mistaken, read_settings
from device.messages.wire import encode
from provisioning.breaker import FAILURES
from provisioning.channels import ChannelOptions
from provisioning.profiles.mcp import McpSecret, unusable
from provisioning.profiles.persona import Persona
from provisioning.profiles.reading import mistakes
from provisioning.roles import BRIDGE, HOME_ASSISTANT, SERVICES
from provisioning.spending.prices import PriceSettings, tariff, told
from provisioning.spending.rules import Rules
from provisioning.spending.settings import BudgetSettings, GroupSettings, HoursSettings, caps, group_hours

Port = Annotated[int, Meta(ge=0, le=65535)]
"""A TCP port; 0 takes a free one."""
Seconds = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]

MOST_HIDDEN: Final = 4_500
"""Bytes of all hidden words together: what a grant has room for beside 20,000 bytes of texts of a place and a profile's own."""

OPENAI_KEY_VARIABLE: Final = "KAIWA_OPENAI_API_KEY"
IMAGEFLUX_TOKEN_VARIABLE: Final = "KAIWA_IMAGEFLUX_TOKEN"  # noqa: S105 - the name of a variable, not a token


class EnrolSettings(Settings, frozen=True):
    """Where boards claim their identity, over HTTPS."""

    host: str = "127.0.0.1"
    port: Port = 8443
    public_host: str = ""
    """The name or address boards use; `host` when empty. It goes into claims and into the server certificate."""
    public_port: Port = 0
    """The port boards use; the listening port when 0."""
    certificate_days: Annotated[int, Meta(ge=1, le=90)] = 60
    """Life of a device certificate."""


class WebSettings(Settings, frozen=True):
    """The observers' page."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str = ""
    """What observers type, without a slash at the end; `http://host:port` when empty."""
    hidden_words: tuple[str, ...] = ()
    """Masked in captions before anybody sees them; 4,500 bytes together, for each grant carries them to a robot."""
    media_origins: tuple[str, ...] = ("https://*.imageflux.jp",)
    """Where playlists and segments may come from, besides this host."""

    def __post_init__(self) -> None:
        size = len(encode(self.hidden_words))
        if size > MOST_HIDDEN:
            raise ValueError(f"hidden_words have {size} bytes, over {MOST_HIDDEN}")


class BrokerSettings(Settings, frozen=True):
    """The MQTT broker, with mutual TLS."""

    host: str = "127.0.0.1"
    port: Port = 8883
    public_host: str = ""
    """The name or address boards use; `host` when empty. It goes into enrolments and the server certificate."""
    public_port: Port = 0
    """The port boards use; `port` when 0."""
    spawn: bool = False
    """Start Mosquitto as a child of `kaiwa-cloud serve`, instead of using one that is already running."""
    user: str = ""
    """The account Mosquitto changes to when started as root; the one it was started by when empty."""


class OpenAISettings(Persona, frozen=True):
    """The Realtime service, and the profile of every robot that has no other."""

    base_url: str = "https://api.openai.com/v1"
    api_key: Secret = Secret("")
    api_key_file: str = ""
    secret_seconds: Annotated[int, Meta(ge=10, le=7200)] = 60
    """How long a secret can start a session; the service allows 10 to 7200."""
    timeout_seconds: Seconds = 8.0


class ImageFluxSettings(Settings, frozen=True):
    """The broadcast service; without a token there is no broadcast."""

    url: str = "https://live-api.imageflux.jp/"
    token: Secret = Secret("")
    token_file: str = ""
    video: bool = False
    """Let devices send a picture."""
    sole_user: bool = False
    """Nobody else uses this account: channels of no session of ours are left over, and are deleted at the start."""
    channel: ChannelOptions = ChannelOptions()
    """What every channel is made with."""


class LimitSettings(Settings, frozen=True):
    """What one device may spend."""

    session_seconds: Annotated[float, Meta(gt=0, le=14_400)] = 1800.0
    """Longest session; one that is longer than a call goes on with another."""
    call_seconds: Annotated[float, Meta(gt=0, le=3600)] = 3600.0
    """Longest call; the Realtime service ends every one at 3600."""
    idle_seconds: Seconds = 60.0
    sessions_per_day: Count = 100
    """Counted from midnight, UTC."""
    requests_per_minute: Count = 12
    grace_seconds: Seconds = 15.0
    """How long after its deadline a session is ended by the cloud, when the device has not done so."""
    silent_seconds: Annotated[float, Meta(ge=30)] = 60.0
    """How long a robot with a session may say nothing; robots say every 10 seconds that they are there."""
    failures_in_a_row: Count = FAILURES
    """Of one service, after which it is left alone for half a minute."""


class MonitorSettings(Settings, frozen=True):
    """Where `/metrics` and `/healthz` are served, in plain HTTP; nowhere unless a port is given."""

    host: str = "127.0.0.1"
    port: Port = 0
    """Off when 0."""


class HomeAssistantSettings(Settings, frozen=True):
    """The bridge to Home Assistant; only over a broker on this computer or with a private address."""

    enabled: bool = False
    operator: str = "home-assistant"
    """In whose name it orders: `kaiwa-cloud operator list`."""
    host: str = ""
    """Home Assistant's broker; the fleet's own when empty."""
    port: Port = 1883
    user: str = ""
    password: Secret = Secret("")
    password_file: str = ""
    ca_file: str = ""
    """The authority that its certificate must be of; without TLS when empty."""


class CloudSettings(Settings, frozen=True):
    """Everything in the cloud's settings file."""

    state_dir: str
    """Where keys, certificates and the store are kept; made at first start, readable by its owner only."""
    store: str = ""
    """URL of the store: `sqlite:///…` or `postgresql+psycopg://…`; SQLite in `state_dir` when empty."""
    enrol: EnrolSettings = EnrolSettings()
    web: WebSettings = WebSettings()
    broker: BrokerSettings = BrokerSettings()
    openai: OpenAISettings = OpenAISettings()
    imageflux: ImageFluxSettings = ImageFluxSettings()
    limits: LimitSettings = LimitSettings()
    monitor: MonitorSettings = MonitorSettings()
    home_assistant: HomeAssistantSettings = HomeAssistantSettings()
    prices: PriceSettings = PriceSettings()
    budget: BudgetSettings = BudgetSettings()
    hours: HoursSettings = HoursSettings()
    groups: tuple[GroupSettings, ...] = ()
    mcp_secrets: tuple[McpSecret, ...] = ()
    """What opens the MCP servers that profiles name."""

    @property
    def rules(self) -> Rules:
        """What sessions cost, what may be spent, and when."""
        return Rules(
            tariff=tariff(self.openai.billed, self.prices),
            caps=caps(self.budget, self.groups),
            fleet_hours=self.hours.as_hours(),
            group_hours=group_hours(self.groups),
            trusted=self.budget.trust_reports,
            prices=self.prices,
        )

    @property
    def reservation(self) -> int:
        """What is put aside for one session, in micros: it may last until the cloud ends it."""
        return self.rules.reservation(self.limits.session_seconds + self.limits.grace_seconds)

    @property
    def store_url(self) -> str:
        """The SQLAlchemy URL of the store."""
        return self.store or f"sqlite:///{Path(self.state_dir).absolute() / 'store.sqlite3'}"

    @property
    def clients(self) -> tuple[str, ...]:
        """Names by which the fleet's own broker knows the parts of the cloud, and what else comes to it."""
        home = self.home_assistant
        return (*SERVICES, *((BRIDGE, HOME_ASSISTANT) if home.enabled and not home.host else ()))

    @property
    def names(self) -> tuple[str, ...]:
        """Every name and address under which the cloud's own certificate must be good."""
        found = (self.enrol.host, self.enrol.public_host, self.broker.host, self.broker.public_host, "localhost")
        return tuple(sorted({name for name in found if name and name not in WILDCARDS}))


WILDCARDS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - where one listens everywhere, and can be reached nowhere


def reachable(host: str) -> str:
    """Return by what name something on this computer that listens on `host` is reached from here."""
    return "localhost" if host in WILDCARDS else host


def load_settings(path: Path) -> CloudSettings:
    """Return the settings in the file at `path`; secrets in other places are left there (`with_secrets`).

    Raises:
        SettingsError: no such file, or something in it that cannot be used.
    """
    text = _read(path, str(path))
    settings = read_settings(text, str(path), CloudSettings)
    for key, reason in mistakes(settings.openai):
        raise mistaken(text, str(path), reason, "openai", key)
    _check_mcp(settings, text, str(path))
    channel = settings.imageflux.channel
    if channel.low_delay and not channel.auth_webhook_url:
        raise SettingsError(
            str(path), "low_delay needs an auth_webhook_url that lets only robots speak", key="low_delay"
        )
    for table, where in (("enrol", settings.enrol), ("broker", settings.broker)):
        if where.host in WILDCARDS and not where.public_host:
            raise SettingsError(
                str(path), f"boards cannot reach {where.host}; say by what name they do", key=f"{table}.public_host"
            )
    _check_caps(settings, str(path))
    return settings


def _check_mcp(settings: CloudSettings, text: str, path: str) -> None:
    secrets = {secret.name: secret for secret in settings.mcp_secrets}
    for number, secret in enumerate(settings.mcp_secrets):
        if not secret.token and not secret.token_file:
            raise mistaken(text, path, "needs a token or a token_file", "mcp_secrets", number=number)
    for number, server in enumerate(settings.openai.mcp):
        if reason := unusable(server, secrets):
            raise mistaken(text, path, reason, "openai", "mcp", "authorization", number=number)


def _check_caps(settings: CloudSettings, path: str) -> None:
    limits, needed = settings.rules.caps, settings.reservation
    named = {"budget.device": limits.device, "budget.group": limits.group, "budget.fleet": limits.fleet}
    for where, cap in [*named.items(), *((f"groups.{name}", cap) for name, cap in (limits.groups or {}).items())]:
        if any(amount is not None and amount < needed for amount in (cap.day, cap.month)):
            text = f"no session could ever start: one may cost {told(needed)}; raise it, or shorten session_seconds"
            raise SettingsError(path, text, key=f"{where}_per_…")


def with_secrets(settings: CloudSettings, path: Path, environment: Mapping[str, str]) -> CloudSettings:
    """Return `settings`, read from `path`, with the secrets that files and the environment hold.

    A file is looked for in systemd's `$CREDENTIALS_DIRECTORY` (systemd.exec(5)) when there is one, else beside the
    settings file. Only the service needs them, and only its account needs to be able to read them.

    Raises:
        SettingsError: a file that is named cannot be read.
    """
    openai, imageflux = settings.openai, settings.imageflux
    folder = Path(environment.get("CREDENTIALS_DIRECTORY", str(path.parent)))
    key = openai.api_key or _secret(folder, openai.api_key_file, path) or _variable(environment, OPENAI_KEY_VARIABLE)
    token = (
        imageflux.token
        or _secret(folder, imageflux.token_file, path)
        or _variable(environment, IMAGEFLUX_TOKEN_VARIABLE)
    )
    home = settings.home_assistant
    password = home.password or _secret(folder, home.password_file, path)
    return replaced(
        settings,
        openai=replaced(openai, api_key=key),
        imageflux=replaced(imageflux, token=token),
        home_assistant=replaced(home, password=password),
        mcp_secrets=tuple(_opened(secret, folder, path) for secret in settings.mcp_secrets),
    )


def _opened(secret: McpSecret, folder: Path, path: Path) -> McpSecret:
    return replaced(secret, token=secret.token or _secret(folder, secret.token_file, path))


def _read(path: Path, settings_path: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError(settings_path, f"cannot read {path}: {reason}") from None


def _secret(folder: Path, file: str, path: Path) -> Secret:
    return Secret(_read(folder / file, str(path)).strip() if file else "")


def _variable(environment: Mapping[str, str], name: str) -> Secret:
    return Secret(environment.get(name, ""))


S = TypeVar("S", bound=Settings)


def replaced(settings: S, **changes: object) -> S:
    """Return a copy of `settings` with `changes`, for those who compose them in code."""
    return msgspec.structs.replace(settings, **changes)
