"""The verb `show`: lights and earcons, one after the other or one for long; also what a robot that cannot run shows."""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import sys
from typing import Final

from device.audio.block import RATE, Block
from device.config import DeviceSettings
from device.errors import SoundError
from device.panel.board import Panel
from device.panel.earcons import Earcon, sound
from device.panel.gestures import Gesture
from device.panel.patterns import Light
from device.soundcard.opening import open_card

_log = logging.getLogger(__name__)

LIGHT_SECONDS: Final = 4.0
"""How long each light is shown when all are."""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    verb.add_argument("light", nargs="?", choices=[*Light], help="show this one only (default: one after the other)")
    verb.add_argument("--earcon", choices=[*Earcon], help="play this first")
    verb.add_argument("--seconds", type=float, help=f"how long (default: {LIGHT_SECONDS:g} for each)")


def act(settings: DeviceSettings, options: argparse.Namespace) -> int:
    """Show, until it is over or the button is pressed; return the exit code."""
    lights = [Light(options.light)] if options.light else [*Light]
    earcon = Earcon(options.earcon) if options.earcon else None
    asyncio.run(show(settings, lights, earcon, options.seconds or LIGHT_SECONDS))
    return 0


async def show(settings: DeviceSettings, lights: list[Light], earcon: Earcon | None, seconds: float) -> None:
    """Show each light for so many seconds; a press of the button goes on to the next. The sound card may be missing.

    Raises:
        PanelError: there are no lights that can be used.
    """
    pressed = asyncio.Event()

    def on_gesture(gesture: Gesture, _at: float) -> None:
        if gesture is Gesture.PRESS:
            pressed.set()

    async with Panel(settings.panel, on_gesture) as panel:
        for number, light in enumerate(lights):
            sys.stdout.write(f"{light}\n")
            panel.show(light)
            pressed.clear()
            if number == 0 and earcon is not None:
                await play(settings, earcon)
            try:
                async with asyncio.timeout(seconds if math.isfinite(seconds) else None):
                    await pressed.wait()
            except TimeoutError:
                continue


async def play(settings: DeviceSettings, earcon: Earcon) -> None:
    """Play an earcon to its end, if there is a sound card."""
    samples = sound(earcon)
    try:
        async with open_card(settings.sound, _ignore) as card:
            card.play(samples)
            await asyncio.sleep(len(samples) / RATE + 0.2)
    except SoundError as error:
        _log.warning("%s", error)


def _ignore(_block: Block) -> None:
    pass
