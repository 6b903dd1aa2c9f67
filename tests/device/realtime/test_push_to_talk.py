"""Push-to-talk, from the floor's rules to a question that the stand-in hears because somebody let the button go."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import aiohttp
import pytest

from device.audio.level import rms_dbfs
from device.messages.reports import Speaker
from device.push_to_talk import PushToTalk
from device.realtime.captions import Captioned
from device.realtime.conversation import Complained, Conversation, Flush, Speech, Turn, TurnChanged
from device.realtime.events import (
    ErrorDetail,
    InputCommitted,
    Item,
    ItemAdded,
    PlaybackStarted,
    ServiceError,
    SpeechStarted,
    UserTranscriptDone,
)
from device.realtime.floor import NOTHING_SAID, Floor
from provisioning.local.realtime import RealtimeStandIn
from tests.device.realtime.handset import Handset, mint
from tests.device.realtime.test_call import words_of
from tests.device.realtime.test_floor import CREATED, DONE, kinds

CLEAR, COMMIT, ASK = "input_audio_buffer.clear", "input_audio_buffer.commit", "response.create"
CUT = ["response.cancel", "output_audio_buffer.clear"]


def test_what_was_said_is_committed_and_answered_and_nothing_before_it() -> None:
    floor = Floor()
    assert kinds(floor.take(fresh=True)) == [CLEAR]
    assert kinds(floor.give(answer=True)) == [COMMIT, ASK]


def test_what_was_kept_since_the_press_is_part_of_it() -> None:
    assert kinds(Floor().take(fresh=False)) == []


def test_a_tap_is_forgotten() -> None:
    floor = Floor()
    floor.take(fresh=True)
    assert kinds(floor.give(answer=False)) == [CLEAR]


def test_while_somebody_holds_the_button_nothing_is_asked_for_and_what_comes_is_cut() -> None:
    floor = Floor()
    floor.take(fresh=True)
    assert kinds(floor.prompt("Warn them.")) == ["conversation.item.create"]
    assert kinds(floor.handle(CREATED)) == CUT
    assert kinds(floor.handle(DONE)) == []
    assert kinds(floor.give(answer=True)) == [COMMIT, ASK]


def test_an_answer_that_is_still_being_made_is_waited_for() -> None:
    floor = Floor()
    floor.handle(CREATED)
    floor.take(fresh=True)
    assert kinds(floor.give(answer=True)) == [COMMIT]
    assert kinds(floor.handle(DONE)) == [ASK]


@pytest.mark.parametrize("heard", [True, False])
def test_an_answer_that_began_before_the_service_had_heard_it_is_none(heard: bool) -> None:
    floor = Floor()
    floor.prompt("Greet them.")
    floor.take(fresh=True)
    floor.give(answer=True)
    floor.handle(ItemAdded(Item("message", id="prompt_1")))
    if heard:
        floor.handle(InputCommitted("item"))
    floor.handle(CREATED)
    assert kinds(floor.handle(DONE)) == ([] if heard else [ASK])


def test_too_little_to_commit_is_not_asked_for_for_ever() -> None:
    floor = Floor()
    floor.take(fresh=True)
    floor.give(answer=True)
    floor.handle(ServiceError(ErrorDetail(code=NOTHING_SAID)))
    floor.handle(CREATED)
    assert kinds(floor.handle(DONE)) == []


def test_the_turn_and_the_words_are_those_of_whoever_held_the_button() -> None:
    conversation = Conversation()
    conversation.handle(PlaybackStarted("resp"), 1.0)
    assert conversation.take(2.0) == [Flush(), TurnChanged(Turn.LISTENING), Speech(began=True)]
    assert conversation.give(answer=True) == [Speech(began=False)]
    assert conversation.handle(InputCommitted("item"), 4.0) == [TurnChanged(Turn.THINKING)]
    [caption] = conversation.handle(UserTranscriptDone("item", "What time is it?"), 5.0)
    assert (caption.start, caption.end) == (2.0, 4.0)  # type: ignore[union-attr]  # it is a caption


def test_the_words_of_somebody_who_did_not_hold_it_begin_when_they_spoke() -> None:
    conversation = Conversation()
    conversation.take(1.0)
    conversation.give(answer=False)
    conversation.handle(SpeechStarted("item"), 7.0)
    conversation.handle(InputCommitted("item"), 8.0)
    [caption] = conversation.handle(UserTranscriptDone("item", "Hello."), 9.0)
    assert caption.start == 7.0  # type: ignore[union-attr]  # it is a caption


async def test_a_question_is_heard_answered_and_talked_over_by_the_button_alone(
    stand_in: RealtimeStandIn, http: aiohttp.ClientSession
) -> None:
    async with Handset(await mint(stand_in, http, push_to_talk=True), http) as phone:
        phone.call.take_floor(fresh=False)
        await phone.say("how are you")
        await phone.heard_blocks(len(phone._words) + 5)
        assert stand_in.heard == [], "silence ends no turn"
        phone.call.give_floor(answer=True)
        await phone.turn(Turn.THINKING)
        question = await phone.seen(words_of(Speaker.USER))
        assert question.text == stand_in.heard[0].text == "How are you?"
        await phone.turn(Turn.SPEAKING)
        await phone.heard_blocks(5)

        phone.call.take_floor(fresh=True)
        await phone.turn(Turn.LISTENING)
        await phone.heard_blocks(10)
        assert rms_dbfs(phone.sound()[-3 * 960 :]) < -60, "the press cut it"
        phone.call.give_floor(answer=False)
        await phone.heard_blocks(3)
        assert len(stand_in.heard) == 1, "a tap says nothing"
        assert not [event for event in phone.events if isinstance(event, Complained)]


class Bench:
    """A microphone and a line, and what was done with them."""

    def __init__(self) -> None:
        self.waiting = True
        self.behind = 0
        self.done: list[str] = []
        self.over = asyncio.Event()

    def take_floor(self, *, fresh: bool) -> None:
        self.done.append("take" if fresh else "go on")

    def give_floor(self, *, answer: bool) -> None:
        self.done.append("give" if answer else "drop")
        self.over.set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        return asyncio.create_task(work)


async def test_the_microphone_closes_when_all_that_was_said_has_been_sent() -> None:
    bench, loop = Bench(), asyncio.get_running_loop()
    button = PushToTalk(bench, bench.start)
    button.take(bench, fresh=True)
    assert not bench.waiting
    bench.behind, began = 5, loop.time()
    button.give(bench, answer=True)
    await bench.over.wait()
    assert loop.time() - began == pytest.approx(0.3, abs=0.08)
    assert (bench.waiting, bench.done) == (True, ["take", "give"])


async def test_pressed_again_at_once_it_is_the_same_turn() -> None:
    bench = Bench()
    button = PushToTalk(bench, bench.start)
    button.take(bench, fresh=True)
    button.give(bench, answer=True)
    button.take(bench, fresh=True)
    button.give(bench, answer=False)
    await bench.over.wait()
    assert (bench.waiting, bench.done) == (True, ["take", "drop"])


async def test_whoever_presses_again_before_the_turn_was_given_is_not_cut_off_by_it() -> None:
    bench, giving = Bench(), list[asyncio.Task[None]]()

    def start(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        giving.append(asyncio.create_task(work))
        return giving[-1]

    button = PushToTalk(bench, start)
    button.take(bench, fresh=True)
    button.give(bench, answer=True)
    await asyncio.sleep(0)  # it waits for what is still to be sent
    button.take(bench, fresh=True)
    await asyncio.wait(giving)
    assert (bench.waiting, bench.done) == (False, ["take"])


def test_the_words_of_a_tap_are_not_timed_by_it() -> None:
    conversation = Conversation()
    conversation.take(5.0)
    assert conversation.give(answer=False) == [Speech(began=False)]
    conversation.handle(InputCommitted("later"), 9.0)
    [caption] = conversation.handle(UserTranscriptDone("later", "Hello?"), 9.5)
    assert isinstance(caption, Captioned)
    assert caption.start == 9.5, "nobody held the button for it"


def test_who_holds_the_button_is_heard_from_the_press_to_the_commit_once() -> None:
    conversation = Conversation()
    conversation.take(5.0)
    assert conversation.give(answer=True) == [Speech(began=False)]
    assert conversation.handle(InputCommitted("first"), 8.0) == [TurnChanged(Turn.THINKING)]
    conversation.handle(InputCommitted("second"), 20.0)
    [first] = conversation.handle(UserTranscriptDone("first", "Hello?"), 21.0)
    [second] = conversation.handle(UserTranscriptDone("second", "Again?"), 21.0)
    assert isinstance(first, Captioned)
    assert isinstance(second, Captioned)
    assert (first.start, first.end) == (5.0, 8.0)
    assert second.start == 21.0
