import numpy as np
import pytest

from provisioning.local.realtime.ears import Ears
from provisioning.local.realtime.replies import PHRASES
from provisioning.local.realtime.scenario import Phrase
from provisioning.local.realtime.sound import RATE
from tests.provisioning.local.realtime.conftest import USER


async def test_every_phrase_is_told_apart(ears: Ears) -> None:
    heard = {phrase: await ears.recognise((await USER.say(phrase)).samples) for phrase in PHRASES}
    assert heard == {phrase: phrase for phrase in PHRASES}


@pytest.mark.parametrize("text", ["I like green apples very much", "open the window now"])
async def test_other_sentences_are_none_of_them(ears: Ears, text: str) -> None:
    assert await ears.recognise((await USER.say(text)).samples) is None


async def test_the_model_may_be_loaded_beforehand() -> None:
    with Ears([Phrase(written="hello")]) as ears:
        ears.warm_up()
        assert await ears.recognise((await USER.say("hello")).samples) == "hello"


async def test_neither_silence_nor_noise_is_a_phrase(ears: Ears) -> None:
    noise = np.random.default_rng(1).normal(0, 300, RATE).astype(np.int16)
    assert await ears.recognise(np.zeros(RATE, np.int16)) is None
    assert await ears.recognise(noise) is None
    assert await ears.recognise(np.zeros(0, np.int16)) is None
