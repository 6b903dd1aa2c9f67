import pytest

from provisioning.local.realtime import mouth, sound
from provisioning.local.realtime.mouth import MOST_KEPT, Mouth, NoVoiceError
from provisioning.local.realtime.replies import STORY

VOICE = Mouth("en-us+m3", 160)


async def test_words_become_sound_of_one_loudness_in_whole_frames() -> None:
    utterance = await VOICE.say("Hello! It is nice to meet you.")
    assert 1.0 < utterance.seconds < 4.0
    assert sound.level(utterance.samples) == pytest.approx(mouth.LEVEL_DBFS, abs=0.5)
    assert len(utterance.samples) % sound.FRAME == 0


async def test_the_story_is_long_enough_to_talk_over() -> None:
    assert (await VOICE.say(STORY)).seconds > 8


async def test_the_same_words_are_made_once() -> None:
    assert await VOICE.say("Once.") is await VOICE.say("Once.")


async def test_those_said_last_are_kept_and_no_more_of_them() -> None:
    voice = Mouth("en-us+m3", 160)
    often = await voice.say("Often.")
    for number in range(MOST_KEPT + 4):
        assert (await voice.say(f"{number}")).text == f"{number}"
        assert await voice.say("Often.") is often
    assert list(voice._made)[-2:] == [f"{MOST_KEPT + 3}", "Often."]
    assert len(voice._made) == MOST_KEPT


def test_without_espeak_there_is_no_mouth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoVoiceError, match="apt-get install"):
        Mouth("en-us", 160)
