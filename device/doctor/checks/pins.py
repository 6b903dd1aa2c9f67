"""PURE. Button and lights: the board, its pins, and who may use them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase

I2S: Final = frozenset({18, 19, 20, 21})
"""GPIOs of the I2S bus: bit clock, frame clock, data in, data out (Raspberry Pi documentation, PCM)."""
SD_MODE: Final = 16
"""GPIO with which the overlay googlevoicehat-soundcard switches its amplifier (its device tree source)."""

GOOD: Final = Phrase(
    "pins.good",
    Outcome.OK,
    "{model}: {pins} can be used",
    "{model}: {pins} を使えます",
)
STOOD_IN: Final = Phrase(
    "pins.stood_in",
    Outcome.NOTE,
    "this computer has no pins; button and lights exist in memory only",
    "このコンピューターにはピンがなく、ボタンとランプはメモリー上だけのものです",
)
HELD: Final = Phrase(
    "pins.held",
    Outcome.NOTE,
    "not tried: the robot runs and holds them",
    "試していません。動作中のロボットが使っています",
)
PERMISSION: Final = Phrase(
    "pins.permission",
    Outcome.FAILURE,
    "the user {user} may not open {chip}",
    "ユーザー {user} は {chip} を開けません",
    "`sudo usermod -aG gpio {user}`, then log in again.",
    "`sudo usermod -aG gpio {user}` を実行し、ログインし直してください。",
)
NO_CHIP: Final = Phrase(
    "pins.no_chip",
    Outcome.FAILURE,
    "{model}: no /dev/gpiochip0 or /dev/gpiochip4",
    "{model}: /dev/gpiochip0 も /dev/gpiochip4 もありません",
    "Update the kernel: `sudo apt full-upgrade`, then restart; inside a container, pass the device in.",
    "`sudo apt full-upgrade` でカーネルを更新し、再起動してください。コンテナーではデバイスを渡してください。",
)
BUSY: Final = Phrase(
    "pins.busy",
    Outcome.FAILURE,
    "another program holds a pin: {error}",
    "ほかのプログラムがピンを使っています: {error}",
    "Find it with `gpioinfo`; stop it, or choose other pins in the table [panel].",
    "`gpioinfo` で探し、止めるか、[panel] で別のピンを選んでください。",
)
SHOWING: Final = Phrase(
    "pins.showing",
    Outcome.FAILURE,
    "not tried: the robot could not run, and the fault light that says so holds them",
    "試していません。ロボットが動作できず、それを知らせる故障ランプが使っています",
    "`journalctl -u kaiwa-device -n 30` tells why; to try the pins, `sudo systemctl stop kaiwa-device`, then the doctor again.",
    "理由は `journalctl -u kaiwa-device -n 30` にあります。ピンを試すには `sudo systemctl stop kaiwa-device` のあと、もう一度"
    "実行してください。",
)
UNUSABLE: Final = Phrase(
    "pins.unusable",
    Outcome.FAILURE,
    "{error}",
    "ピンを使えません: {error}",
    'Check the table [panel] against hardware/README.md; `factory = "mock"` runs without pins.',
    '[panel] を hardware/README.ja.md と照らし合わせてください。`factory = "mock"` ならピンなしで動きます。',
)
SAME: Final = Phrase(
    "pins.same",
    Outcome.FAILURE,
    "{one} and {other} are both on GPIO {gpio}",
    "{one} と {other} がどちらも GPIO {gpio} です",
    "Give each its own pin in the table [panel].",
    "[panel] でそれぞれに別のピンを割り当ててください。",
)
TAKEN_BY_SOUND: Final = Phrase(
    "pins.sound",
    Outcome.FAILURE,
    "{name} is on GPIO {gpio}, which the I2S sound card needs",
    "{name} が使う GPIO {gpio} は I2S サウンドカードが必要とします",
    "Move {name} to another pin, as in hardware/README.md (23, 24, 25).",
    "hardware/README.ja.md のとおり (23、24、25)、{name} を別のピンへ移してください。",
)
PRESSED: Final = Phrase(
    "pins.pressed",
    Outcome.WARNING,
    "the button reads as pressed while nobody touches it (GPIO {gpio})",
    "だれも触れていないのにボタンが押されています (GPIO {gpio})",
    "Take the contact that is open at rest (COM and NO, not NC), and look for a short to ground.",
    "押していないとき開いている接点 (COM と NO、NC ではなく) を使い、GND との短絡がないか確かめてください。",
)


@dataclass(frozen=True, slots=True)
class Chip:
    """One GPIO controller."""

    path: str
    usable: bool
    """Whether this user may read and write it."""


@dataclass(frozen=True, slots=True)
class PinFacts:
    """What was seen of the pins."""

    model: str
    """The board's name from the device tree; empty where there is none."""
    chips: tuple[Chip, ...]
    user: str
    used: dict[str, int]
    """What is where: `button`, `light`, `on_air` and others, and their GPIO."""
    i2s: bool
    """Whether the boot configuration switches an I2S sound card on."""
    stood_in: bool
    error: str
    """Why the panel could not be opened; empty when it could."""
    pressed: bool
    showing: bool = False
    """Whether the fault light of a robot that could not run is shown now."""


def check(facts: PinFacts) -> list[Finding]:
    """Return what is to be said about the pins."""
    found = _conflicts(facts)
    if facts.stood_in:
        return [*found, STOOD_IN()]
    if unusable := _unusable(facts):
        return [*found, unusable]
    if facts.pressed:
        found.append(PRESSED(gpio=facts.used["button"]))
    if not found:
        pins = ", ".join(f"{name} {gpio}" for name, gpio in facts.used.items())
        found.append(GOOD(model=facts.model, pins=pins))
    return found


def _conflicts(facts: PinFacts) -> list[Finding]:
    found, seen = list[Finding](), dict[int, str]()
    for name, gpio in facts.used.items():
        if gpio in seen:
            found.append(SAME(one=seen[gpio], other=name, gpio=gpio))
        seen[gpio] = name
        if facts.i2s and gpio in I2S | {SD_MODE}:
            found.append(TAKEN_BY_SOUND(name=name, gpio=gpio))
    return found


def _unusable(facts: PinFacts) -> Finding | None:
    if not facts.error:
        return None
    if not facts.chips:
        return NO_CHIP(model=facts.model or "?")
    for chip in facts.chips:
        if not chip.usable:
            return PERMISSION(user=facts.user, chip=chip.path)
    if "busy" not in facts.error.casefold():
        return UNUSABLE(error=facts.error)
    return SHOWING() if facts.showing else BUSY(error=facts.error)


def switches_i2s_on(boot_config: str) -> bool:
    """Tell whether a config.txt switches an I2S sound card on, by parameter or by the overlay of a known card."""
    lines = (line.partition("#")[0].strip() for line in boot_config.splitlines())
    return any(
        re.fullmatch(r"dtparam=(.*,)?i2s(=on)?(,.*)?", line)
        or re.match(r"dtoverlay=(googlevoicehat|max98357a|hifiberry|wm8960|iqaudio|seeed|i2s-)", line)
        for line in lines
    )
