"""The way out, as observers get it: sound in the service's playlist, words in the feed, in its WebVTT and in the picture."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
import numpy as np
import pytest

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE, SILENCE, Block, Samples
from device.audio.echo import NoEchoControl
from device.broadcast.air import Air
from device.broadcast.delay import Stance
from device.clock import WallClock
from device.messages.enrolment import BrokerAddress
from device.messages.reports import Caption, Levels, Speaker, decode_event
from device.mqtt import Broker, Presence
from device.outlet import Outlet
from device.phase import Phase
from device.picture.studio import Studio
from device.realtime.captions import Captioned
from device.sora.picture import studio
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from device.voice import VoicePath
from provisioning.channels import ChannelOptions, HlsRendition
from provisioning.imageflux import ImageFlux
from tests.device.audio.sound import blocks, tone
from tests.device.audio.speaker import RingSpeaker
from tests.device.sora.sending import grant_for
from tests.device.test_voice import Recorder
from tests.provisioning.local.imageflux.listening import Sound, download, text_of, wait_for_playlists

SETTINGS = BroadcastSettings(picture="captions")
LIVE = Stance(Phase.SPEAKING, on_air=True)


def nothing_shown(_levels: Callable[[], Levels]) -> Studio | None:
    return None


@dataclass
class Robot:
    """A voice path and its way out, on a clock that goes with the blocks."""

    seconds: float
    shown: bool = False
    ticks: int = 0
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        nobody = BrokerAddress(host="127.0.0.1", port=1)
        self.broker = Broker(Presence(nobody, "robot", ssl.create_default_context(), "will", b""))
        self.voice = VoicePath(NoEchoControl(), RingSpeaker())
        self.voice.uplink = Recorder()
        picture = (lambda levels: studio(SETTINGS, "robot", levels)) if self.shown else nothing_shown
        outlet = Outlet("robot", self.broker, WallClock(), self.seconds)
        self.air = Air(self.voice, outlet, self.seconds, picture, lambda: self.now)
        self.air.begin("s1")
        self.air.stand(LIVE)

    @property
    def now(self) -> float:
        return self.began + self.ticks * BLOCK_SECONDS

    def hear(self, sound: Samples) -> None:
        for captured in blocks(sound):
            self.ticks += 1
            self.voice.on_block(Block(captured, SILENCE, self.now))

    def say(self, text: str, *, seconds: float = 1.0, speaker: Speaker = Speaker.USER) -> None:
        """Have a caption of the last so many seconds."""
        self.air.caption(Captioned(text, speaker, text, self.now - seconds, self.now, final=True))

    def captions(self) -> list[Caption]:
        """Return what has gone to the cloud."""
        found = [decode_event(message.payload) for message in self.broker._outbox]
        return [event for event in found if isinstance(event, Caption)]

    def words(self) -> list[str]:
        return [caption.text for caption in self.captions()]


def test_without_a_delay_all_goes_out_at_once() -> None:
    robot, programme = Robot(0.0), Recorder()
    robot.air.rise(programme)
    robot.hear(tone(0.1))
    robot.say("Hello")
    assert robot.voice.programme is programme
    assert len(programme.blocks) == 5
    assert robot.words() == ["Hello"]
    with pytest.raises(LookupError, match="not delayed"):
        robot.air.cut()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the words that are told while there is a broker, as they are told."""
    words = list[str]()
    monkeypatch.setattr(Outlet, "event", lambda _self, event: words.append(event.text))
    return words


async def test_words_that_grow_are_told_a_few_times_a_second_and_shown_in_the_picture_at_once(told: list[str]) -> None:
    robot = Robot(0.0, shown=True)
    assert robot.air.studio
    for text in ("It", "It is", "It is ten"):
        robot.air.caption(Captioned("a", Speaker.ASSISTANT, text, robot.now, robot.now + 1.0, final=False))
    seen = robot.air.studio.look(robot.now)
    assert seen.subtitle is not None
    assert (seen.subtitle.lines, told) == (("It is ten",), ["It"])
    async with asyncio.timeout(20.0):
        while len(told) < 2:
            await asyncio.sleep(0.01)
    assert told == ["It", "It is ten"]


async def test_words_that_wait_when_another_session_begins_are_told_to_nobody(told: list[str]) -> None:
    robot = Robot(0.0)
    for text in ("It", "It is"):
        robot.air.caption(Captioned("a", Speaker.ASSISTANT, text, robot.now, robot.now + 1.0, final=False))
    first = robot.air._pace
    robot.air.begin("s2")
    robot.air._catch_up(first)
    assert told == ["It"]


def test_sound_words_and_picture_are_late_by_the_same() -> None:
    robot, programme = Robot(0.5, shown=True), Recorder()
    assert robot.air.studio
    robot.air.rise(programme)
    robot.hear(tone(1.0))
    said_at = robot.now
    robot.say("Hello", seconds=0.2)
    robot.air.stand(Stance(Phase.THINKING, on_air=True))
    robot.hear(np.zeros(22 * BLOCK, np.int16))
    seen = robot.air.studio.look(robot.now)
    assert (seen.phase, seen.user > 0, seen.subtitle) == (Phase.SPEAKING, True, None)
    assert robot.words() == []
    robot.hear(np.zeros(8 * BLOCK, np.int16))
    [caption] = robot.captions()
    assert caption.end - robot.air._outlet.wall(said_at) == pytest.approx(0.5, abs=1e-3)
    for _ in range(20):  # until the meter has let go
        robot.hear(np.zeros(5 * BLOCK, np.int16))
        seen = robot.air.studio.look(robot.now)
    assert (seen.phase, seen.user) == (Phase.THINKING, 0)
    assert seen.subtitle is not None
    assert seen.subtitle.lines == ("Hello",)
    loud = np.flatnonzero(np.abs(programme.sound) > 1000)
    assert (loud[0] // BLOCK, loud[-1] // BLOCK) == (25, 74)


def test_what_is_on_the_way_when_it_goes_off_air_stays_in_the_room() -> None:
    robot, first, second = Robot(0.5), Recorder(), Recorder()
    robot.air.rise(first)
    robot.hear(tone(0.4))
    robot.say("first")
    robot.air.fall()
    assert robot.voice.programme is None
    robot.say("lost")  # the cloud still believes that it is on air
    robot.air.rise(second)
    robot.hear(np.zeros(50 * BLOCK, np.int16))
    robot.air.fall()
    assert not first.sound.any()
    assert not second.sound.any()
    assert robot.words() == []
    robot.air.stand(Stance(Phase.SPEAKING, on_air=False))
    robot.say("off air")
    assert robot.words() == ["off air"], "the cloud shows it to nobody"
    with pytest.raises(LookupError, match="nothing is on air"):
        robot.air.cut()


def test_hidden_words_are_in_no_caption_until_the_next_session_has_its_own() -> None:
    robot = Robot(0.0, shown=True)
    robot.air.hide(["darn"])
    robot.air.rise(Recorder())
    robot.say("Darn it")
    assert robot.words() == ["●●●● it"]
    assert robot.air.studio
    seen = robot.air.studio.look(robot.now).subtitle
    assert seen is not None
    assert seen.lines == ("●●●● it",)
    robot.air.begin("s2")
    assert robot.air.studio.look(robot.now).subtitle is None
    robot.say("Darn it all")
    assert robot.words()[-1] == "Darn it all"


async def test_at_the_end_what_is_held_is_waited_for_unless_somebody_is_in_a_hurry() -> None:
    robot, programme = Robot(0.2), Recorder()
    robot.air.rise(programme)
    robot.hear(tone(0.2))
    robot.say("Goodbye")
    ending = asyncio.ensure_future(robot.air.run_dry())
    await asyncio.sleep(0)
    robot.hear(np.zeros(10 * BLOCK, np.int16))
    await asyncio.sleep(0)
    assert not ending.done()
    robot.hear(np.zeros(5 * BLOCK, np.int16))
    await ending
    assert robot.words() == ["Goodbye"]
    assert np.abs(programme.blocks[19]).max() > 1000
    ending = asyncio.ensure_future(robot.air.run_dry())
    await asyncio.sleep(0)
    robot.air.hurry()
    await ending
    await robot.air.run_dry()


def loudness(sound: Sound, hertz: float) -> float:
    """Return how much of `hertz` there is in a sound, as a share of a full-scale sine."""
    at = np.arange(sound.size) / RATE
    return float(4 * np.abs(np.mean(np.hanning(sound.size) * sound * np.exp(-2j * np.pi * hertz * at))))


async def test_nothing_of_what_was_cut_is_heard_or_read_by_anybody(
    service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    """Kept, cut and kept again, 0.3 s each and as late, into the service and out of its playlists."""
    robot = Robot(0.3)
    channel = await service.create_channel(ChannelOptions(renditions=[HlsRendition(video=False)]))
    async with asyncio.timeout(15), Publisher(grant_for(channel), http=http, settings=BroadcastSettings()) as publisher:
        robot.air.rise(publisher)

        async def talk(hertz: float, words: str) -> None:
            for block in blocks(tone(0.3, hertz)):
                robot.hear(block)
                await asyncio.sleep(BLOCK_SECONDS)
            robot.say(words, seconds=0.3, speaker=Speaker.ASSISTANT)

        await talk(440, "kept")
        await talk(0, "pause")
        await talk(1000, "secret")
        assert robot.air.cut() == pytest.approx(0.3)
        await talk(2000, "kept again")
        await talk(0, "pause again")
        await talk(0, "end")
        (playlist,) = await wait_for_playlists(service, channel.channel_id)
        for caption in robot.captions():
            shown = {name: getattr(caption, name) for name in ("id", "speaker", "text", "start", "end", "final")}
            await service.push(channel.channel_id, {"type": "caption", **shown})
        listed = await text_of(http, playlist.url.replace("index", "captions"))
        words = [
            await text_of(http, playlist.url.replace("index.m3u8", name)) for name in re.findall(r"\d+\.vtt", listed)
        ]
    sound = (await download(http, playlist.url)).sound
    parts = np.split(sound, range(4_800, sound.size, 4_800))  # of a tenth of a second
    heard = {hertz: max(loudness(part, hertz) for part in parts[:-1]) for hertz in (440, 1000, 2000)}
    assert heard[440] > 0.1
    assert heard[2000] > 0.1
    assert heard[1000] < 0.1 * heard[440], "no more than 5 ms in which it falls silent"
    assert "secret" not in str(robot.captions()) + "".join(words)
    assert {"kept", "kept again"} <= set(robot.words())
    assert "kept" in "".join(words)
