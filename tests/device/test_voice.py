from __future__ import annotations

import numpy as np
import pytest

from device.audio.block import BLOCK, RATE, SILENCE, Block, Samples
from device.audio.echo import Aec3, HalfDuplex, NoEchoControl
from device.audio.ladder import guarded
from device.audio.level import rms_dbfs
from device.audio.reception import Reception
from device.rtc.receiving import VoiceReceiver
from device.soundcard.room import Room
from device.soundcard.settings import RoomSettings
from device.voice import SpeakerPort, VoicePath, VoiceSource
from tests.device.audio.sound import blocks, speech, tone
from tests.device.audio.speaker import RingSpeaker


class Recorder:
    """Keeps what is pushed."""

    def __init__(self) -> None:
        self.blocks: list[Samples] = []

    def push(self, samples: Samples) -> None:
        self.blocks.append(samples)

    def counters(self) -> dict[str, float]:
        return {"pushed": len(self.blocks)}

    @property
    def sound(self) -> Samples:
        return np.concatenate(self.blocks) if self.blocks else SILENCE[:0]


class Recording:
    """A voice source that plays a recording."""

    def __init__(self, samples: Samples) -> None:
        self._left = blocks(samples)

    def pull(self) -> Samples:
        return self._left.pop(0) if self._left else SILENCE

    def flush(self) -> None:
        self._left.clear()

    def counters(self) -> dict[str, float]:
        return {"left": len(self._left)}


class Robot:
    """A voice path whose speaker is heard by nobody, and whose microphone hears what the test says."""

    def __init__(self, path: VoicePath, speaker: RingSpeaker) -> None:
        self.path, self.speaker = path, speaker
        self._ticks = 0

    def hear(self, sound: Samples) -> Samples:
        """Let the microphone hear `sound`; return what the speaker played meanwhile."""
        played = []
        for captured in blocks(sound):
            played.append(self.speaker.take(BLOCK))
            self._ticks += 1
            while self.speaker.queued < BLOCK:
                self.path.feed()
            self.path.on_block(Block(captured, played[-1], self._ticks * 0.02))
        return np.concatenate(played)


@pytest.fixture
def robot() -> Robot:
    speaker = RingSpeaker()
    return Robot(VoicePath(NoEchoControl(), speaker), speaker)


def silence(count: int) -> Samples:
    return np.zeros(count * BLOCK, np.int16)


def test_what_is_heard_goes_up_block_by_block(robot: Robot) -> None:
    robot.path.uplink = uplink = Recorder()
    robot.hear(tone(1.0))
    assert np.array_equal(uplink.sound, tone(1.0))


def test_what_is_said_before_the_call_is_up_arrives_whole_and_in_order(robot: Robot) -> None:
    sound = speech(4.0)
    robot.path.keep()
    robot.hear(sound[: 75 * BLOCK])
    robot.path.uplink = uplink = Recorder()
    robot.hear(sound[75 * BLOCK : 80 * BLOCK])
    assert uplink.blocks == []
    robot.path.release_kept()
    robot.hear(sound[80 * BLOCK :])
    assert np.array_equal(uplink.sound, sound)


def test_what_was_kept_for_a_call_that_never_came_is_forgotten(robot: Robot) -> None:
    robot.path.keep()
    robot.hear(tone(0.2))
    robot.path.discard_kept()
    robot.path.uplink = uplink = Recorder()
    robot.hear(silence(5))
    assert not uplink.sound.any()


def test_the_assistant_is_played_and_what_was_played_is_broadcast_with_the_room(robot: Robot) -> None:
    robot.path.uplink, robot.path.programme = Recorder(), (programme := Recorder())
    robot.path.source = Recording(tone(1.0, 1000))
    played = robot.hear(tone(1.2, 300))
    assert rms_dbfs(played) > -17
    heard = np.abs(np.fft.rfft(programme.sound[20 * BLOCK : 45 * BLOCK]))
    assert heard[150] > 100 * heard[100], "300 Hz from the room"
    assert heard[500] > 100 * heard[100], "1000 Hz from the assistant"


def test_the_programme_flows_without_a_call_with_earcons_and_without_the_room(robot: Robot) -> None:
    robot.path.programme = programme = Recorder()
    robot.path.earcon(tone(0.1, 1000))
    robot.hear(tone(0.5, 300))
    assert len(programme.blocks) == 25
    heard = np.abs(np.fft.rfft(programme.sound))
    assert heard[500] > 100 * heard[150], "1000 Hz but not 300 Hz"


def test_a_muted_robot_sends_silence_and_never_stops(robot: Robot) -> None:
    robot.path.uplink, robot.path.programme = (uplink := Recorder()), (programme := Recorder())
    robot.path.muted = True
    robot.hear(tone(0.5))
    assert len(uplink.blocks) == len(programme.blocks) == 25
    assert not uplink.sound.any()
    assert not programme.sound.any()


def test_a_flush_is_silent_from_the_next_sample_on(robot: Robot) -> None:
    robot.path.source = Recording(tone(5.0))
    robot.path.uplink = Recorder()
    assert rms_dbfs(robot.hear(silence(30))) > -20
    robot.path.flush()
    assert not robot.hear(silence(30)).any()


def test_who_interrupts_hears_no_earcon_either_but_what_the_robot_has_to_say(robot: Robot) -> None:
    robot.path.source = Recording(tone(5.0))
    robot.path.uplink = Recorder()
    robot.path.earcon(tone(5.0, 1000))
    robot.hear(silence(30))
    robot.path.interrupt()
    assert not robot.hear(silence(30)).any()
    robot.path.earcon(tone(5.0, 1000))
    robot.path.say_after(tone(0.2, 300))
    robot.path.interrupt()
    assert robot.hear(silence(5)).any()
    assert not robot.hear(silence(30))[10 * BLOCK :].any()


def test_half_duplex_hears_what_was_played_and_not_what_will_be(robot: Robot) -> None:
    robot.path.echo = guarded(HalfDuplex())
    robot.path.uplink = uplink = Recorder()
    robot.path.source = Recording(tone(0.5))
    robot.hear(tone(2.0))
    loud = [rms_dbfs(block) > -20 for block in uplink.blocks]
    assert loud[0]
    assert not any(loud[5:25])
    assert all(loud[60:])


def test_levels_tell_the_voices_apart(robot: Robot) -> None:
    robot.path.uplink = Recorder()
    robot.path.source = Recording(tone(1.0, amplitude=16_000))
    robot.hear(tone(1.0, amplitude=4_000))
    levels = robot.path.levels()
    assert levels.user == pytest.approx(rms_dbfs(tone(1.0, amplitude=4_000)), abs=0.1)
    assert levels.assistant == pytest.approx(rms_dbfs(tone(1.0, amplitude=16_000)), abs=0.1)
    assert levels.user < levels.programme


def test_only_what_left_the_speaker_counts_as_played(robot: Robot) -> None:
    robot.path.source = Recording(tone(0.5))
    robot.hear(silence(10))
    assert 0 < robot.path.played_seconds < 10 * 0.02
    robot.path.flush()
    stopped = robot.path.played_seconds
    robot.hear(silence(10))
    assert robot.path.played_seconds == stopped


def test_the_volume_is_what_is_heard_and_broadcast(robot: Robot) -> None:
    robot.path.volume = 7.0
    assert robot.path.volume == 1.0
    robot.path.volume = 0.1
    robot.path.source = Recording(tone(1.0))
    assert rms_dbfs(robot.hear(silence(50))[BLOCK * 5 :]) == pytest.approx(rms_dbfs(tone(1.0)) - 20, abs=0.3)


def test_nothing_is_computed_for_nobody(robot: Robot) -> None:
    class Untouchable(NoEchoControl):
        def process(self, near: Samples, far: Samples) -> Samples:
            raise AssertionError(near, far)

    robot.path.echo = guarded(Untouchable())
    robot.hear(tone(0.2))
    assert robot.path.counters()["blocks"] == 10


def test_what_receives_is_a_source_and_counters_have_unlike_names(robot: Robot) -> None:
    source: VoiceSource = VoiceReceiver(lambda: 0.0)
    port: SpeakerPort = robot.speaker
    assert port.queued == 0
    assert not set(robot.path.counters()) & set(Reception().counters())
    robot.path.source = source
    assert {f"downlink_{name}" for name in source.counters()} <= set(robot.path.counters())
    assert not robot.hear(silence(5)).any()


def talked_over(duck_db: float) -> float:
    """How loud the robot is, in dBFS, while a visitor speaks over it in a simulated room."""
    speaker, room = RingSpeaker(), Room(RoomSettings(), BLOCK)
    path = VoicePath(Aec3(), speaker, duck_db)
    path.uplink, path.source = Recorder(), Recording(speech(8.0))
    visitor = np.concatenate((np.zeros(4 * RATE, np.int16), np.roll(speech(4.0), 9_000)))
    played = []
    for number, said in enumerate(blocks(visitor)):
        played.append(speaker.take(BLOCK))
        path.feed()
        path.on_block(Block(room.hear(played[-1], said), played[-1], number * 0.02))
    assert path.counters()["double_talk_blocks"] > 50
    return rms_dbfs(np.concatenate(played[len(played) // 2 :]))


def test_the_robot_lowers_its_voice_at_once_when_somebody_speaks_over_it() -> None:
    assert talked_over(12.0) < talked_over(0.0) - 4.0
