"""Draw docs/pictures/doctor-en.png and doctor-ja.png: `python -m tests.device.doctor.pictures`.

What a maker reads on a terminal of 96 columns whose board has some of everything: the words are the doctor's own, the facts
are made up.
"""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Final, get_args

from PIL import Image
from playwright.async_api import async_playwright
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from device.boards import CHOICES, Board
from device.doctor.checks import board, broker, button, clock, computer, identity, network, pins, sound
from device.doctor.findings import Finding, Language
from device.doctor.report import Screen, render
from tests.device.doctor.test_button import pushes
from tests.device.panel.bounces import MORSE_KEY

FOLDER: Final = Path("docs/pictures")
WIDTH: Final = 96
DAY: Final = 86_400.0

PHONE: Final = sound.DeviceFacts(1, "Speak: USB Audio (hw:1,0)", (16_000, 48_000), (48_000,), "usb:1-1.3")
SOUND: Final = sound.SoundFacts("pi", (PHONE,), "usb:1-1.3", "usb:1-1.3", False, "", None, None)
FOUND: Final[list[Finding]] = [
    *computer.check_cpu(computer.CpuFacts(4, 0.6, 0.11, 0.04)),
    *computer.check_power(computer.PowerFacts(0x50000, None, 61.0)),
    *board.check(Board.PI4, CHOICES[Board.PI4], ()),
    *computer.check_disk(computer.DiskFacts("/var/lib/kaiwa", 9_300_000_000, "")),
    pins.GOOD(model="Raspberry Pi 4 Model B Rev 1.5", pins="button 23, light 24, on_air 25"),
    *button.check(button.ButtonFacts(23, 10.0, pushes(MORSE_KEY, 5))),
    *sound.check(SOUND),
    sound.CLIPPED(card="Speak", clipped=3, blocks=100),
    network.UDP_CLOSED(host="stun.cloudflare.com", port=3478, error="3 datagrams, no answer"),
    network.TLS(host="api.openai.com", port=443, milliseconds=84.0),
    *clock.check(clock.ClockFacts(1000 * DAY, 999 * DAY, 0.02, 0.01, True)),
    *identity.check(identity.IdentityFacts("entrance", 0.0, 90 * DAY, 12 * DAY, "")),
    *broker.check(
        broker.BrokerFacts(
            "entrance", "cloud.example:8883", False, 0.031, "", "", broker.MintFacts(0.062, "CLOCK_SKEW", "", "")
        )
    ),
]


PAGE: Final = """<style>
body {{ margin: 0; background: #f6f1e7 }}
pre {{ margin: 0; padding: 18px 22px; width: max-content; border-radius: 8px; background: #26282c; color: #d9d9d4;
  font: 17px/1.42 "Noto Sans Mono CJK JP", monospace }}
</style><pre>{code}</pre>"""
"""A font in which letters of East Asian scripts take two columns, as on a terminal."""

THEME: Final = TerminalTheme(
    (38, 40, 44),
    (217, 217, 212),
    [
        (0, 0, 0),
        (235, 95, 95),
        (152, 195, 90),
        (229, 190, 90),
        (97, 150, 220),
        (198, 120, 221),
        (100, 180, 200),
        (200, 200, 200),
    ],
)


def page(language: Language) -> str:
    """Return the terminal as HTML."""
    console = Console(width=WIDTH, record=True, file=io.StringIO(), force_terminal=True)
    text = render(FOUND, language, Screen(WIDTH, colours=True))
    console.print(Text.from_ansi(f"$ kaiwa-device doctor --press 10 --lang {language}\n{text}"), soft_wrap=True)
    return console.export_html(theme=THEME, inline_styles=True, code_format=PAGE)


async def draw() -> None:
    """Draw both languages."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for language in get_args(Language):
            shown = await browser.new_page(viewport={"width": 1180, "height": 900}, device_scale_factor=1)
            await shown.set_content(page(language))
            picture = FOLDER / f"doctor-{language}.png"
            await shown.locator("pre").screenshot(path=picture)
            Image.open(picture).convert("RGB").quantize(200, dither=Image.Dither.NONE).save(picture, optimize=True)
            await shown.close()
        await browser.close()


if __name__ == "__main__":
    asyncio.run(draw())
