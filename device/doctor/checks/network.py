"""PURE. The network: names, TLS to the voice service, and UDP, without which no voice goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase

SLOW: Final = 0.3
"""Seconds of one round trip beyond which a talk drags."""

UDP: Final = Phrase(
    "network.udp",
    Outcome.OK,
    "UDP goes out and comes back: {host}:{port} answered in {milliseconds:.0f} ms",
    "UDP が通ります: {host}:{port} が {milliseconds:.0f} ms で応答しました",
)
UDP_SLOW: Final = Phrase(
    "network.udp_slow",
    Outcome.WARNING,
    "UDP to {host}:{port} takes {milliseconds:.0f} ms there and back; a talk will drag",
    "UDP で {host}:{port} との往復に {milliseconds:.0f} ms かかります。会話が間延びします",
    "Come closer to the access point, use the 5 GHz band or a cable, and switch Wi-Fi power saving off"
    " (`sudo iw wlan0 set power_save off`).",
    "アクセスポイントに近づけるか、5 GHz 帯または有線を使い、Wi-Fi の省電力を切ってください"
    " (`sudo iw wlan0 set power_save off`)。",
)
UDP_CLOSED: Final = Phrase(
    "network.udp_closed",
    Outcome.FAILURE,
    "UDP to {host}:{port} gets no answer: {error}",
    "UDP で {host}:{port} から応答がありません: {error}",
    "Have the firewall let UDP 3478 and 49152-65535 out; voice and broadcast go there. `--stun HOST:PORT` asks another"
    " server.",
    "ファイアウォールで UDP 3478 と 49152-65535 の外向きを許してください。音声と配信に使います。別のサーバーは"
    " `--stun HOST:PORT` で指定できます。",
)
TLS: Final = Phrase(
    "network.tls",
    Outcome.OK,
    "{host}:{port} answers with TLS in {milliseconds:.0f} ms",
    "{host}:{port} が TLS で {milliseconds:.0f} ms で応答しました",
)
NO_NAME: Final = Phrase(
    "network.no_name",
    Outcome.FAILURE,
    "the name {host} is not known: {error}",
    "名前 {host} を解決できません: {error}",
    "Is there a network at all (`ip route`)? Then look at the DNS server (`resolvectl status`).",
    "まずネットワークにつながっているか (`ip route`)、次に DNS サーバー (`resolvectl status`) を確かめてください。",
)
NO_TRUST: Final = Phrase(
    "network.no_trust",
    Outcome.FAILURE,
    "{host}:{port} shows a certificate that is not trusted: {error}",
    "{host}:{port} の証明書を信頼できません: {error}",
    "Look at the clock first; then for a proxy that opens TLS, and at `sudo apt install --reinstall ca-certificates`.",
    "まず時計を、次に TLS を開くプロキシーの有無と `sudo apt install --reinstall ca-certificates` を確かめてください。",
)
CLOSED: Final = Phrase(
    "network.closed",
    Outcome.FAILURE,
    "{host}:{port} cannot be reached: {error}",
    "{host}:{port} に届きません: {error}",
    "Have the firewall let TCP {port} out; with a local cloud, name its address by `--service HOST:PORT`.",
    "ファイアウォールで TCP {port} の外向きを許してください。手元のクラウドなら `--service HOST:PORT` で指定してください。",
)


@dataclass(frozen=True, slots=True)
class Probe:
    """One attempt to reach somebody."""

    host: str
    port: int
    seconds: float
    """How long the answer took."""
    error: str = ""
    """Why there was none; empty when there was."""
    stage: str = ""
    """Where it failed: `name`, `trust`, or anything else for the way there."""


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What was seen of the network."""

    udp: Probe
    tls: Probe


def check(facts: NetworkFacts) -> list[Finding]:
    """Return what is to be said about the network."""
    return [_udp(facts.udp), _tls(facts.tls)]


def _udp(probe: Probe) -> Finding:
    if probe.stage == "name":
        return NO_NAME(host=probe.host, error=probe.error)
    if probe.error:
        return UDP_CLOSED(host=probe.host, port=probe.port, error=probe.error)
    phrase = UDP if probe.seconds <= SLOW else UDP_SLOW
    return phrase(host=probe.host, port=probe.port, milliseconds=probe.seconds * 1000.0)


def _tls(probe: Probe) -> Finding:
    if not probe.error:
        return TLS(host=probe.host, port=probe.port, milliseconds=probe.seconds * 1000.0)
    if probe.stage == "name":
        return NO_NAME(host=probe.host, error=probe.error)
    phrase = NO_TRUST if probe.stage == "trust" else CLOSED
    return phrase(host=probe.host, port=probe.port, error=probe.error)
