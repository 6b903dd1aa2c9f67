"""Claim mode: a robot without a keyboard gets a new identity, because somebody held its button and left it a claim.

The claim is a file, where a memory card or a stick shows it to any computer: the text that `kaiwa-cloud claim new`
printed. Nothing is forgotten by waiting for it: the robot stays who it is until a claim has been accepted, and then changes
as a whole (`device.identity`). A claim that has been used is remembered, so that one left on the card is not tried again.
`kaiwa-device enrol`, run by somebody who has a keyboard after all, ends the wait, too.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp

from device.audio.block import RATE, Block
from device.config import ClaimSettings, DeviceSettings
from device.durably import write_durably
from device.enrol import enrol
from device.errors import EnrolmentError, SoundError
from device.identity import Identity
from device.notify import notify
from device.panel.board import Panel
from device.panel.earcons import Earcon, sound
from device.panel.gestures import Gesture
from device.panel.patterns import Light
from device.soundcard.card import OpenCard
from device.soundcard.opening import open_card
from device.soundcard.settings import SoundSettings

_log = logging.getLogger(__name__)

LARGEST: Final = 4096
"""Bytes of a file that can be a claim."""

AGAIN_SECONDS: Final = 15.0
"""Before a claim that could not be used is tried again: the network may have been away."""

FEED_SECONDS: Final = 5.0
"""Between two feedings of the watchdog, which waits for 20 s."""

MOST_USED: Final = 100
"""Claims that are remembered as used; one works only once anyway."""

USED: Final = "claims.used"
"""File in the state folder: the SHA-256 of each claim that was used, a line each."""


@dataclass(slots=True)
class Claims:
    """The claims that lie about, and what came of them."""

    patterns: tuple[str, ...]
    state_dir: Path
    _tried: dict[str, float] = field(default_factory=dict)

    def found(self, now: float) -> Iterator[str]:
        """Yield every claim that is worth a try at monotonic `now`."""
        used = set(self._lines())
        for file in (file for pattern in self.patterns for file in sorted(_matching(pattern))):
            text = _read(file)
            name = _name(text)
            if text and name not in used and now - self._tried.get(name, -AGAIN_SECONDS) >= AGAIN_SECONDS:
                self._tried[name] = now
                _log.info("a claim in %s", file)
                yield text

    def use_up(self, text: str) -> None:
        """Remember that a claim has been used, also over a power cut; of very many, the last."""
        names = [*self._lines(), _name(text)][-MOST_USED:]
        write_durably(self.state_dir / USED, "".join(f"{name}\n" for name in names).encode("ascii"))

    def _lines(self) -> list[str]:
        try:
            return (self.state_dir / USED).read_text(encoding="ascii", errors="replace").split()
        except OSError:
            return []


def _matching(pattern: str) -> Iterator[Path]:
    return Path("/").glob(pattern.lstrip("/"))


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(LARGEST).strip().lstrip("\ufeff")
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("%s cannot be read: %s", file, error)
        return ""


def _name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Speaker:
    """Plays earcons, if there is a sound card; the last one is heard to its end."""

    def __init__(self, settings: SoundSettings) -> None:
        self._settings = settings
        self._owned = AsyncExitStack()
        self._card: OpenCard | None = None
        self._sounds_until = 0.0

    async def __aenter__(self) -> Self:
        try:
            self._card = await self._owned.enter_async_context(open_card(self._settings, _unheard))
        except SoundError as error:
            _log.warning("%s", error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await asyncio.sleep(max(0.0, self._sounds_until - time.monotonic()))
        await self._owned.aclose()

    def play(self, earcon: Earcon) -> None:
        """Play it after whatever sounds."""
        if self._card is not None:
            self._card.play(sound(earcon))
            self._sounds_until = max(self._sounds_until, time.monotonic()) + len(sound(earcon)) / RATE


def _unheard(_block: Block) -> None:
    pass


async def take(claims: Claims, http: aiohttp.ClientSession, speaker: Speaker | None = None) -> bool:
    """Try every claim that lies about; return whether one was accepted. One that was not is heard."""
    for text in claims.found(time.monotonic()):
        try:
            enrolment = await enrol(text, claims.state_dir, http)
        except EnrolmentError as error:
            _log.warning("the claim cannot be used: %s", error)
            if speaker is not None:
                speaker.play(Earcon.FAULT_REFUSED)
        else:
            claims.use_up(text)
            _log.info("this board is now %s", enrolment.device)
            return True
    return False


async def claimed_at_start(settings: DeviceSettings) -> bool:
    """Take a claim that lies about, for a robot that has no identity to lose; return whether there was a good one."""
    claims = Claims(settings.claim.files, Path(settings.state_dir))
    async with aiohttp.ClientSession() as http:
        return await take(claims, http)


async def wait_for_claim(settings: DeviceSettings) -> bool:
    """Show that the robot waits, and wait: until it has a new identity (True), or a press or the time ends it (False).

    Raises:
        PanelError: there are no lights and no button that can be used.
    """
    over = asyncio.Event()

    def on_gesture(gesture: Gesture, _at: float) -> None:
        if gesture is Gesture.PRESS:
            over.set()

    claims = Claims(settings.claim.files, Path(settings.state_dir))
    async with (
        Panel(settings.panel, on_gesture) as panel,
        Speaker(settings.sound) as speaker,
        aiohttp.ClientSession() as http,
        asyncio.TaskGroup() as tasks,
    ):
        feeding = tasks.create_task(_feed(), name="watchdog")
        panel.show(Light.CLAIMING)
        speaker.play(Earcon.CLAIM)
        done = await _waited(claims, settings.claim, http, speaker, over)
        speaker.play(Earcon.LIVE if done else Earcon.END)
        feeding.cancel()
    return done


async def _feed() -> None:
    """Feed systemd's watchdog, also while a cloud takes its time to answer."""
    while True:
        notify("WATCHDOG=1", "STATUS=waiting for a claim")
        await asyncio.sleep(FEED_SECONDS)


async def _waited(
    claims: Claims, wanted: ClaimSettings, http: aiohttp.ClientSession, speaker: Speaker, over: asyncio.Event
) -> bool:
    before, ends = _identity(claims.state_dir), time.monotonic() + wanted.wait_seconds
    while not over.is_set() and time.monotonic() < ends:
        if await take(claims, http, speaker):
            return True
        if _identity(claims.state_dir) != before:
            return True  # somebody has used `kaiwa-device enrol`
        try:
            async with asyncio.timeout(wanted.look_seconds):
                await over.wait()
        except TimeoutError:
            continue
    return False


def _identity(state_dir: Path) -> str:
    """Return what tells one identity of this board from the next; empty when it has none."""
    try:
        return str(Identity.kept(state_dir).files.key)
    except EnrolmentError:
        return ""
