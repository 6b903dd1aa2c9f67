"""PURE. The computer itself: time left on its cores, power, heat, and room on its disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase

SPARE: Final = 0.30
"""Share of one core that should be left while a session runs."""
BESIDE: Final = 4.2
"""What a session takes besides its voice path and its packets, in yardsticks: the sound card's calls, the event loop, what
comes in. It and the next were fitted to live sessions whose processor time was counted (`make budget ARGS=--parts`):
7.1 % of a core with 42 packets a second and 9.4 % with 100, where the yardstick took 1.26 %."""
BY_PACKET: Final = 0.033
"""What each packet a second takes besides, in yardsticks: Python, encryption and the kernel, however long it is."""

HOT: Final = 80.0
"""Degrees Celsius at which a Raspberry Pi begins to slow down (Raspberry Pi documentation, frequency management)."""

NOW: Final = {
    0: ("under-voltage", "電圧低下"),
    1: ("frequency capped", "周波数の制限"),
    2: ("throttled", "速度の制限"),
    3: ("soft temperature limit", "温度による制限"),
}
"""Bits of `vcgencmd get_throttled`; the same plus 16 say that it has happened since the start (its documentation)."""

MEGABYTE: Final = 1_000_000

CPU: Final = Phrase(
    "cpu.good",
    Outcome.OK,
    "a session takes about {percent:.0f} % of one of {cores} cores ({picture:.0f} % for the picture)",
    "セッションは {cores} コアのうち 1 コアの約 {percent:.0f} % (うち映像 {picture:.0f} %) を使います",
)
CPU_SLOW: Final = Phrase(
    "cpu.slow",
    Outcome.FAILURE,
    "a session would take about {percent:.0f} % of a core ({picture:.0f} % for the picture): the voice will break up",
    "セッションが 1 コアの約 {percent:.0f} % (うち映像 {picture:.0f} %) を使う見込みで、音声が途切れます",
    "Leave out the picture (`[broadcast] picture`), lower `complexity` in [realtime.opus] and [broadcast], or take a speakerphone with its own echo"
    ' cancellation (`[echo] mode = "none"`), or a faster board.',
    "映像をやめる ([broadcast] picture) か、[realtime.opus] と [broadcast] の `complexity` を下げるか、エコー除去付きスピーカーフォン"
    ' (`[echo] mode = "none"`) か、速い基板を使ってください。',
)
CPU_BUSY: Final = Phrase(
    "cpu.busy",
    Outcome.WARNING,
    "other programs keep the cores busy: load {load:.1f} on {cores}",
    "ほかのプログラムでコアがふさがっています: 負荷 {load:.1f}、{cores} コア",
    "See which with `top`, and stop what need not run here.",
    "`top` で調べ、ここで不要なものを止めてください。",
)
POWER: Final = Phrase(
    "power.good",
    Outcome.OK,
    "no under-voltage and no throttling since the start{degrees}",
    "起動後、電圧低下も速度制限もありません{degrees}",
)
POWER_NOW: Final = Phrase(
    "power.now",
    Outcome.FAILURE,
    "now: {what}",
    "現在: {what}",
    "Take the power supply made for this board and a short cable; with heat, give it a heat sink or a fan.",
    "この基板用の電源と短いケーブルを使ってください。熱の場合は放熱器かファンを付けてください。",
)
POWER_BEFORE: Final = Phrase(
    "power.before",
    Outcome.WARNING,
    "since the start: {what}",
    "起動後に発生: {what}",
    POWER_NOW.fix_en,
    POWER_NOW.fix_ja,
)
POWER_UNKNOWN: Final = Phrase(
    "power.unknown",
    Outcome.NOTE,
    "this computer does not tell about its power{degrees}",
    "このコンピューターは電源の状態を知らせません{degrees}",
)
HEAT: Final = Phrase(
    "power.heat",
    Outcome.WARNING,
    "{temperature:.0f} °C: near or over the point at which the board slows down",
    "{temperature:.0f} °C: 速度が落ちる温度に近いか、超えています",
    "Open the enclosure's vents, or give the board a heat sink or a fan.",
    "ケースの通気口を確保するか、放熱器かファンを付けてください。",
)
DISK: Final = Phrase(
    "disk.good",
    Outcome.OK,
    "{path}: {free:.0f} MB free",
    "{path}: 空き {free:.0f} MB",
)
DISK_LOW: Final = Phrase(
    "disk.low",
    Outcome.WARNING,
    "{path}: only {free:.0f} MB free",
    "{path}: 空きが {free:.0f} MB しかありません",
    "`sudo journalctl --vacuum-size=50M`, `sudo apt clean`, and look with `du -xh / | sort -h | tail`.",
    "`sudo journalctl --vacuum-size=50M`、`sudo apt clean` のあと、`du -xh / | sort -h | tail` で調べてください。",
)
DISK_FULL: Final = Phrase(
    "disk.full",
    Outcome.FAILURE,
    "{path}: {free:.0f} MB free; the robot cannot be enrolled anew, nor obey an order",
    "{path}: 空き {free:.0f} MB。登録のやり直しも、指令に従うこともできません",
    DISK_LOW.fix_en,
    DISK_LOW.fix_ja,
)
READ_ONLY: Final = Phrase(
    "disk.read_only",
    Outcome.FAILURE,
    "{path} cannot be written: {error}",
    "{path} に書き込めません: {error}",
    "A card that fails turns read-only: look at `dmesg | tail`, and change it. A read-only system keeps /var/lib/kaiwa on"
    " a partition of its own.",
    "壊れかけたカードは読み取り専用になります。`dmesg | tail` を確かめ、交換してください。読み取り専用システムでは"
    " /var/lib/kaiwa を別の区画に置きます。",
)


@dataclass(frozen=True, slots=True)
class CpuFacts:
    """What was measured of the processor."""

    cores: int
    load: float
    """Processes that wanted to run, mean of the last minute."""
    voice_path: float
    """Share of one core that echo control and the codecs of a session take, 0 and up."""
    yardstick: float
    """Share of one core that a piece of work takes which is the same for all settings and boards."""
    packets: float = 100.0
    """Packets sent in a second, by call and broadcast."""
    picture: float = 0.0
    """Share of one core that the picture of the broadcast takes besides, words and character; 0 without one."""


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """What was seen of power and heat; None for what this computer does not tell."""

    throttled: int | None
    """The word of `vcgencmd get_throttled`."""
    under_voltage: bool | None
    """The alarm of the kernel's `rpi_volt` sensor."""
    temperature: float | None
    """Degrees Celsius of the processor."""


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """What was seen of the file system that holds the robot's state."""

    path: str
    free: int
    """Bytes that the user may still write."""
    error: str
    """Why a file could not be written; empty when it could."""


def check_cpu(facts: CpuFacts) -> list[Finding]:
    """Return what is to be said about the processor."""
    share = facts.voice_path + (BESIDE + BY_PACKET * facts.packets) * facts.yardstick + facts.picture
    phrase = CPU if share <= 1.0 - SPARE else CPU_SLOW
    found = [phrase(percent=share * 100.0, picture=facts.picture * 100.0, cores=facts.cores)]
    if facts.load > 0.9 * facts.cores:
        found.append(CPU_BUSY(load=facts.load, cores=facts.cores))
    return found


def check_power(facts: PowerFacts) -> list[Finding]:
    """Return what is to be said about power and heat."""
    found = list[Finding]()
    word = facts.throttled or 0
    if now := [text for bit, text in NOW.items() if word >> bit & 1] or [NOW[0]] * bool(facts.under_voltage):
        found.append(_power(POWER_NOW, now))
    elif before := [text for bit, text in NOW.items() if word >> (bit + 16) & 1]:
        found.append(_power(POWER_BEFORE, before))
    if facts.temperature is not None and facts.temperature >= HOT:
        found.append(HEAT(temperature=facts.temperature))
    if found:
        return found
    degrees = "" if facts.temperature is None else f", {facts.temperature:.0f} °C"
    known = facts.throttled is not None or facts.under_voltage is not None
    return [(POWER if known else POWER_UNKNOWN)(degrees=degrees)]


def _power(phrase: Phrase, what: list[tuple[str, str]]) -> Finding:
    english, japanese = zip(*what, strict=True)
    return Finding(phrase, {"what": ", ".join(english)}, {"what": "、".join(japanese)})


def check_disk(facts: DiskFacts) -> list[Finding]:
    """Return what is to be said about the disk."""
    free = facts.free / MEGABYTE
    if free < 20:
        return [DISK_FULL(path=facts.path, free=free)]
    if facts.error:
        return [READ_ONLY(path=facts.path, error=facts.error)]
    return [(DISK if free >= 200 else DISK_LOW)(path=facts.path, free=free)]
