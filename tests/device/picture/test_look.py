from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from device.messages.reports import Levels, Speaker
from device.phase import Phase
from device.picture.look import MOUTHS, STEPS, Gaze, Lids, Scene
from device.picture.subtitles import Subtitle, Subtitles
from device.realtime.captions import Captioned

QUIET = Levels()


@pytest.fixture
def scene() -> Scene:
    made = Scene(Subtitles(lambda text: [text], 2), Random(1))
    made.stand(Phase.LISTENING, on_air=True, muted=False)
    return made


def test_mouth_and_meter_follow_the_assistant_up_at_once_and_down_slowly(scene: Scene) -> None:
    assert scene.look(QUIET, 0.0).mouth == 0
    loud = scene.look(Levels(assistant=-14.0), 0.1)
    assert (loud.mouth, loud.assistant, loud.user) == (MOUTHS - 1, STEPS, 0)
    falling = [scene.look(QUIET, 0.1 + step / 10).mouth for step in range(1, 12)]
    assert falling == sorted(falling, reverse=True)
    assert 0 < falling[0] < MOUTHS - 1
    assert falling[-1] == 0


def test_it_looks_at_whoever_speaks(scene: Scene) -> None:
    assert scene.look(Levels(user=-25.0), 1.0).gaze is Gaze.VISITOR
    assert scene.look(QUIET, 1.5).gaze is Gaze.VISITOR
    assert scene.look(QUIET, 2.5).gaze is Gaze.AHEAD
    scene.stand(Phase.THINKING, on_air=True, muted=False)
    assert scene.look(QUIET, 3.0).gaze is Gaze.UP


def test_it_looks_at_nobody_who_cannot_be_heard(scene: Scene) -> None:
    scene.stand(Phase.LISTENING, on_air=True, muted=True)
    look = scene.look(Levels(user=-25.0), 1.0)
    assert (look.gaze, look.muted) == (Gaze.AHEAD, True)


def test_it_blinks_now_and_then_and_smiles_at_a_goodbye(scene: Scene) -> None:
    lids = [scene.look(QUIET, step / 20).lids for step in range(600)]
    blinks = sum(before is Lids.OPEN and after is Lids.CLOSED for before, after in pairwise(lids))
    assert 5 <= blinks <= 15
    assert lids.count(Lids.CLOSED) < 60
    scene.stand(Phase.ENDING, on_air=True, muted=False)
    assert scene.look(QUIET, 60.0).lids is Lids.GLAD


def test_when_nothing_happens_the_picture_stays_the_same(scene: Scene) -> None:
    looks = [scene.look(Levels(user=-70.0 + step % 3), 1.0 + step / 100) for step in range(50)]
    assert len(set(looks)) == 1


def test_words_appear_with_their_sound_and_go_with_the_conversation(scene: Scene) -> None:
    scene.caption(Captioned("a", Speaker.ASSISTANT, "Hi", 2.0, 3.0, final=True), 1.0)
    assert scene.look(QUIET, 1.9).subtitle is None
    assert scene.look(QUIET, 2.0).subtitle == Subtitle(Speaker.ASSISTANT, ("Hi",))
    scene.clear()
    assert scene.look(QUIET, 2.1).subtitle is None
