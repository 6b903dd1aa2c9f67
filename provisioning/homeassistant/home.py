"""Home Assistant's broker: the fleet's own, or another one nearby."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Collection, Mapping

import aiomqtt

from device.errors import SettingsError
from provisioning.authority import Authority
from provisioning.homeassistant.discovery import BRIDGE, OFFLINE
from provisioning.link import BrokerEndpoint, Handler, Link, Login
from provisioning.roles import BRIDGE as IDENTITY
from provisioning.settings import HomeAssistantSettings
from provisioning.upkeep import InUse


class Home:
    """Where it is, and how it is connected to: with our certificate at the fleet's own broker, else with a password.

    Raises:
        SettingsError: `ca_file` holds no certificate.
    """

    def __init__(self, settings: HomeAssistantSettings, authority: Authority, fleet: BrokerEndpoint) -> None:
        self.in_use: list[InUse] = []
        self._tls: ssl.SSLContext | None = None
        self._login: Login | None = None
        if not settings.host:
            files = authority.service(IDENTITY, time.time())
            self.where, self._identity, self._tls = fleet, IDENTITY, authority.client_context(files)
            self.in_use.append((self._tls, files))
            return
        self.where = BrokerEndpoint(settings.host, settings.port)
        self._identity = f"kaiwa-{authority.fingerprint[:8]}"
        if settings.ca_file:
            self._tls = _trusting(settings.ca_file)
        if settings.user:
            self._login = Login(settings.user, settings.password)

    def link(self, handlers: Mapping[str, Handler], fresh_only: Collection[str], greet: Callable[[], None]) -> Link:
        """Return the connection, whose Last Will says that the bridge is away."""
        will = aiomqtt.Will(BRIDGE, OFFLINE, qos=1, retain=True)
        return Link(
            self.where,
            self._identity,
            self._tls,
            handlers,
            fresh_only=fresh_only,
            will=will,
            login=self._login,
            greet=greet,
        )


def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError("[home_assistant]", f"{ca_file} cannot be used: {error}", key="ca_file") from None
