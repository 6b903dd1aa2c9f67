"""The composition root, where the tests of the whole do not reach."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from device import app
from device import phase as p
from device.__main__ import EXIT_FAILED
from device.agent import Inbox
from device.audio.block import BLOCK
from device.audio.level import FLOOR_DBFS, energy
from device.config import DeviceSettings
from device.panel.settings import PanelSettings
from device.soundcard.settings import SoundSettings

STUCK = "import threading, device.app; device.app.end_within(0.2); threading.Event().wait()"


def test_a_robot_that_is_stuck_ends_all_the_same_and_says_where() -> None:
    ended = subprocess.run([sys.executable, "-c", STUCK], check=False, capture_output=True, text=True, timeout=30)
    assert ended.returncode == EXIT_FAILED
    assert "threading.py" in ended.stderr


async def test_what_hands_do_comes_in_at_the_inbox_and_the_light_follows_the_voice() -> None:
    panel_settings = PanelSettings(factory="mock", mute=5, cut=6)
    settings = DeviceSettings(panel=panel_settings, sound=SoundSettings(card="room"))
    inbox = Inbox()
    async with app._body(settings, inbox, with_bench=False) as body, asyncio.timeout(10):
        body.panel.press()
        assert await inbox.next(None) == p.Pressed()
        body.panel.mute(closed=True)
        assert await inbox.next(None) == p.MuteSwitched(True)
        body.panel.cut(closed=True)
        assert await inbox.next(None) == p.CutWished()
        body.panel.release()
        assert isinstance(await inbox.next(None), p.LetGo)
        assert body.panel._level() == body.voice.levels().assistant == FLOOR_DBFS
        for _ in range(10):  # of which a level is the mean
            body.voice._assistant.add(energy(np.full(BLOCK, 3277, np.int16)))
        assert body.panel._level() == body.voice.levels().assistant > FLOOR_DBFS


async def test_a_sound_card_that_is_not_there_is_told_to_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    settings = DeviceSettings(panel=PanelSettings(factory="mock"), sound=SoundSettings(card="pyaudio"))
    inbox = Inbox()
    async with app._body(settings, inbox, with_bench=False), asyncio.timeout(10):
        event = await inbox.next(None)
        assert isinstance(event, p.SoundLost)
        assert event.text.startswith("no speaker")
