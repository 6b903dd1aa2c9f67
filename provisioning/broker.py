"""PURE. What Mosquitto must be told: mutual TLS only, the certificate is the identity, each device its own topics.

Names after mosquitto.conf(5) of version 2.0. Without `use_username_as_clientid` a device could take another's client
id and knock it off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.messages.wire import MAX_BYTES
from provisioning.access import Action, Right, rights_of_device, rights_of_operator, rights_of_service

MAX_INFLIGHT: Final = 1000
"""Messages of QoS 1 on their way to one client; a minter serves many devices over one connection."""

MAX_QUEUED: Final = 2000
"""Messages that wait for one client; more are dropped, so that a client that hangs cannot fill the memory."""

MAX_KEEPALIVE: Final = 120
"""Seconds; a device that is gone is declared lost within one and a half times its own keep-alive."""


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """The files that the configuration names."""

    authority: Path
    certificate: Path
    key: Path
    revocations: Path
    acl: Path


def mosquitto_config(host: str, port: int, files: BrokerFiles, *, user: str = "") -> str:
    """Return mosquitto.conf for one TLS listener; `user` is whom Mosquitto becomes when started as root."""
    lines = [
        *([f"user {user}"] if user else []),
        f"listener {port} {host}",
        f"cafile {files.authority}",
        f"certfile {files.certificate}",
        f"keyfile {files.key}",
        f"crlfile {files.revocations}",
        "tls_version tlsv1.2",
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
        "allow_anonymous false",
        f"acl_file {files.acl}",
        "set_tcp_nodelay true",
        "persistence false",
        f"max_packet_size {MAX_BYTES}",
        f"max_inflight_messages {MAX_INFLIGHT}",
        f"max_queued_messages {MAX_QUEUED}",
        f"max_keepalive {MAX_KEEPALIVE}",
        "sys_interval 0",
        "log_dest stderr",
        "log_timestamp false",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_type information",
    ]
    return "\n".join(lines) + "\n"


def mosquitto_acl(services: Iterable[str], operators: Mapping[str, Sequence[str]]) -> str:
    """Return the access list: what a device may do in its own subtree, and what the cloud and operators may.

    `operators` holds the robots of each.
    """
    device = [f"pattern {_line(right)}" for right in rights_of_device("%u")]
    serving = [line for name in services for line in _user(name, rights_of_service(name))]
    operating = [line for name, robots in operators.items() for line in _operator(name, robots)]
    return "\n".join([*device, *serving, *operating, ""])


_WORDS: Final = {Action.PUBLISH: "write", Action.SUBSCRIBE: "read"}


def _line(right: Right) -> str:
    return f"{_WORDS[right.action]} {right.topic}"


def _operator(name: str, robots: Sequence[str]) -> list[str]:
    return _user(f"operator-{name}", rights_of_operator(robots))


def _user(name: str, rights: Iterable[Right]) -> list[str]:
    return ["", f"user {name}", *(f"topic {_line(right)}" for right in rights)]
