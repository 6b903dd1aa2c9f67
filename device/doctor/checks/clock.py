"""PURE. The clock: a Pi has none that runs without power, and certificates and orders depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase

CLOSE: Final = 2.0
"""Seconds off that nobody notices: captions are cut to what was heard by the cloud's clock, not by this one."""
TOLERATED: Final = 60.0
"""Seconds off that certificates and orders forgive (device.messages.envelope)."""

GOOD: Final = Phrase(
    "clock.good",
    Outcome.OK,
    "{offset:+.2f} s off the cloud's clock (± {error:.2f} s)",
    "クラウドの時計との差は {offset:+.2f} 秒です (± {error:.2f} 秒)",
)
OFF: Final = Phrase(
    "clock.off",
    Outcome.WARNING,
    "{offset:+.0f} s off the cloud's clock; the robot corrects itself by it, other programs do not",
    "クラウドの時計と {offset:+.0f} 秒ずれています。ロボットは自分で補正しますが、ほかのプログラムはしません",
    "`sudo timedatectl set-ntp true`; where NTP (UDP 123) is blocked, name a time server of your network in"
    " /etc/systemd/timesyncd.conf.",
    "`sudo timedatectl set-ntp true`。NTP (UDP 123) が塞がれているなら、構内の時刻サーバーを"
    " /etc/systemd/timesyncd.conf に書いてください。",
)
FAR_OFF: Final = Phrase(
    "clock.far_off",
    Outcome.FAILURE,
    "{offset:+.0f} s off the cloud's clock: certificates and orders will be refused",
    "クラウドの時計と {offset:+.0f} 秒ずれています。証明書や指令が拒まれます",
    OFF.fix_en,
    OFF.fix_ja,
)
BEHIND: Final = Phrase(
    "clock.behind",
    Outcome.FAILURE,
    "the clock is {days:.1f} days before this board's own enrolment",
    "時計がこの基板の登録時より {days:.1f} 日前を指しています",
    OFF.fix_en,
    OFF.fix_ja,
)
FREE: Final = Phrase(
    "clock.free",
    Outcome.WARNING,
    "the cloud could not be asked for the time, and NTP has not set this clock",
    "クラウドに時刻を尋ねられず、NTP でも時計が合っていません",
    OFF.fix_en,
    OFF.fix_ja,
)
NTP: Final = Phrase(
    "clock.ntp",
    Outcome.OK,
    "set by NTP; the cloud could not be asked for its time",
    "NTP で合っています。クラウドには時刻を尋ねられませんでした",
)
UNKNOWN: Final = Phrase(
    "clock.unknown",
    Outcome.NOTE,
    "nobody could be asked for the time: neither the cloud nor systemd-timesyncd",
    "クラウドにも systemd-timesyncd にも時刻を尋ねられませんでした",
)


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What was seen of the clock."""

    now: float
    """Unix seconds, by this board."""
    enrolled_at: float | None
    """Unix seconds of the enrolment, by the cloud; no clock that is right comes before it."""
    offset: float | None
    """Cloud's time minus ours, in seconds; None when the cloud could not be asked."""
    uncertainty: float
    """Half the time of the round trip, in seconds."""
    synchronized: bool | None
    """Whether NTP has set the clock since the start; None when nobody knows."""


def check(facts: ClockFacts) -> list[Finding]:
    """Return what is to be said about the clock."""
    if facts.offset is not None:
        return [_by_the_cloud(facts.offset, facts.uncertainty)]
    if facts.enrolled_at is not None and facts.now < facts.enrolled_at - TOLERATED:
        return [BEHIND(days=(facts.enrolled_at - facts.now) / 86_400.0)]
    if facts.synchronized is None:
        return [UNKNOWN()]
    return [NTP() if facts.synchronized else FREE()]


def _by_the_cloud(offset: float, uncertainty: float) -> Finding:
    beyond = max(0.0, abs(offset) - uncertainty)
    if beyond <= CLOSE:
        return GOOD(offset=offset, error=uncertainty)
    return (OFF if beyond <= TOLERATED else FAR_OFF)(offset=offset)
