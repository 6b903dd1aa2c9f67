"""Phases, captions and cost of a session that tells of no turns."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.messages.reports import Speaker
from device.realtime.captions import Captioned
from device.realtime.conversation import (
    CLOSED_BY_SERVICE,
    EXPIRED,
    Complained,
    Flush,
    ResponseFailed,
    SessionOver,
    Speech,
    Spoken,
    Turn,
    TurnChanged,
)
from device.realtime.floor import STOPPED, Heeded, ToolCalled
from device.realtime.live.talk import FURTHEST, QUIET, LiveTalk
from device.realtime.talk import Deed
from provisioning.local.realtime.live import messages
from provisioning.local.realtime.refusals import RefusedError
from tests.device.realtime.live.saying import DELEGATION, TIME, VIEW, Said, answer, captions, sent, told

LISTENING, THINKING, SPEAKING = (TurnChanged(turn) for turn in (Turn.LISTENING, Turn.THINKING, Turn.SPEAKING))


def test_nothing_is_in_force_before_it_has_started() -> None:
    said = Said(started=False)
    assert (said.talk.session, said.talk.goodbye(), said.talk.due) == ("", [], None)
    assert said.take(messages.started(VIEW)) == []
    assert said.talk.session == "live_1 of gpt-live-1"
    assert sent([*said.talk.goodbye()]) == [{"type": "session.close"}]


def test_the_robot_speaks_from_its_first_words_until_a_moment_after_its_last() -> None:
    said = Said()
    assert told(said.words("output", "Hello", 0.5, 0.9)) == [SPEAKING]
    assert told(said.words("output", " there.", 0.9, 1.3)) == []
    assert said.talk.due == pytest.approx(101.3 + QUIET)
    assert said.tick(1.3 + QUIET - 0.01) == []
    assert told(said.tick(1.3 + QUIET)) == [LISTENING, Spoken()]
    assert said.talk.due is None


def test_words_that_come_before_their_sound_are_waited_for_but_not_for_ever() -> None:
    said = Said()
    said.words("output", "Hello", 3.0, 4.0, at=1.0)
    assert said.talk.due == pytest.approx(104.0 + QUIET)
    said.words("output", "Hello", 3000.0, 4000.0, at=2.0)
    assert said.talk.due == pytest.approx(102.0 + FURTHEST + QUIET)


def test_somebody_speaks_until_a_moment_after_their_last_words() -> None:
    said = Said()
    assert told(said.words("input", "What time", 0.2, 0.7)) == [Speech(began=True)]
    assert told(said.words("input", " is it?", 0.7, 1.0)) == []
    assert told(said.tick(1.0 + QUIET)) == [Speech(began=False)]
    assert said.talk.utterances == 1
    assert told(said.words("input", "Well?", 5.0, 5.5)) == [Speech(began=True)]
    assert said.talk.utterances == 2


def test_who_is_answered_has_finished() -> None:
    said = Said()
    said.words("input", "What time is it?", 0.0, 1.0)
    assert told(said.words("output", "It is", 1.3, 1.6, at=1.35)) == [SPEAKING], "it may be talking over them"
    said = Said()
    said.words("input", "What time is it?", 0.0, 1.0)
    answered = said.words("output", "It is", 1.3, 1.6, at=1.45)
    assert told(answered) == [Speech(began=False), SPEAKING]
    assert captions(answered, Speaker.USER) == [("What time is it?", 0.0, 1.0, True)]


def test_who_speaks_over_the_robot_makes_it_listen_until_it_goes_on() -> None:
    said = Said()
    said.words("output", "Once upon", 0.5, 1.0)
    assert told(said.words("input", "Stop", 0.9, 1.1)) == [LISTENING, Speech(began=True)]
    assert told(said.words("output", " a time", 1.0, 1.4)) == [SPEAKING]
    assert told(said.words("input", " please", 1.2, 1.5)) == [], "it is one utterance"
    assert told(said.tick(1.5 + QUIET)) == [Speech(began=False), LISTENING, Spoken()]


def test_work_that_is_given_away_is_thought_and_speech_goes_before_it() -> None:
    said, backend = Said(), answer()
    assert told(said.take(messages.delegation_created(DELEGATION, backend.id, 400))) == [THINKING]
    assert told(said.words("output", "One moment.", 0.5, 1.0)) == [SPEAKING]
    assert told(said.backend(backend.begin())) == []
    assert told(said.tick(1.0 + QUIET)) == [THINKING, Spoken()]
    said.backend(backend.say("It is five past twelve."))
    assert told(said.backend(backend.complete())) == [LISTENING]


def test_a_tool_is_called_when_the_answer_is_whole_and_thought_goes_on_with_its_outcome() -> None:
    said, backend = Said(), answer()
    said.words("input", "What time is it?", 0.0, 1.0)
    said.backend(backend.begin())
    call_id, event = backend.call(TIME)
    assert told(said.backend(event)) == []
    assert told(said.backend(backend.complete())) == [ToolCalled(call_id, "current_time", "{}", False, 1)]
    assert said.talk.turn is Turn.THINKING
    item, going_on = sent(said.talk.outcome(call_id, '{"ok": true}', follow=True))
    assert item["item"] == {"type": "function_call_output", "call_id": call_id, "output": '{"ok": true}'}
    assert going_on == {"type": "response.create"}
    assert said.talk.outcome(call_id, "again", follow=True) == []
    second = answer()
    said.backend(second.begin(), None)
    assert said.talk.turn is Turn.THINKING
    assert told(said.backend(second.complete(), None)) == [LISTENING]


def test_captions_have_the_places_of_their_words() -> None:
    said = Said()
    heard = said.words("input", "What time", 0.2, 0.7) + said.words("input", " is it?", 0.7, 1.0)
    heard += said.words("output", " It is", 1.5, 1.8) + said.words("output", " noon.", 1.8, 2.2)
    heard += said.tick(1.0 + QUIET) + said.tick(2.2 + QUIET)
    assert captions(heard, Speaker.USER) == [
        ("What time", 0.2, 0.7, False),
        ("What time is it?", 0.2, 1.0, False),
        ("What time is it?", 0.2, 1.0, True),
    ]
    assert said.talk.due is None
    assert captions(heard, Speaker.ASSISTANT)[-1] == ("It is noon.", 1.5, 2.2, True)
    shown = [deed for deed in heard if isinstance(deed, Captioned)]
    assert {(each.id, each.approximate) for each in shown} == {("live_1:user:1", True), ("live_1:assistant:1", False)}


def test_the_whole_session_is_billed_also_between_two_reports_and_15_seconds_at_least() -> None:
    said, backend = Said(), answer()
    assert said.talk.usage == {"responses": 0, "live_seconds": 15}
    said.take(messages.usage_updated(20.2), at=20.0)
    assert said.talk.usage["live_seconds"] == 21
    said.tick(30.5)
    assert said.talk.usage["live_seconds"] == 31
    said.backend(backend.begin())
    said.backend(backend.call(TIME)[1])
    said.backend(backend.complete())
    assert said.talk.usage == {
        "responses": 1,
        "input_tokens": 70,
        "input_text_tokens": 70,
        "cached_text_tokens": 0,
        "cached_audio_tokens": 0,
        "output_tokens": 1,
        "output_text_tokens": 1,
        "total_tokens": 71,
        "live_seconds": 31,
    }
    said.talk.end(140.0, 0.0)
    assert said.talk.usage["live_seconds"] == 40
    said.take(messages.closed(VIEW, "close_requested", 40.9), at=50.0)
    assert said.talk.usage["live_seconds"] == 41, "the service has the last word"


@pytest.mark.parametrize(
    ("reason", "over"),
    [
        ("close_requested", [SessionOver(CLOSED_BY_SERVICE)]),
        ("remote_hangup", [SessionOver(CLOSED_BY_SERVICE)]),
        ("expired", [SessionOver(EXPIRED)]),
        ("connection_lost", [SessionOver("media: the service has lost the connection")]),
        (
            "content",
            [
                ResponseFailed("content_filter", "the service has ended the session for what was said in it"),
                SessionOver(CLOSED_BY_SERVICE),
            ],
        ),
    ],
)
def test_every_end_has_its_meaning(reason: str, over: list[Deed]) -> None:
    said = Said()
    assert said.take(messages.closed(VIEW, reason, 3.0)) == over
    assert said.talk.closed
    assert said.talk.goodbye() == []


def test_after_the_end_nothing_counts_any_more() -> None:
    said = Said()
    said.words("output", "Once upon", 0.5, 1.0)
    said.words("input", "Stop", 0.9, 1.1)
    said.words("output", " a time", 1.0, 1.4)
    ended = said.talk.end(101.5, 0.0)
    assert told(ended) == [LISTENING]
    assert captions(ended, Speaker.ASSISTANT) == [("Once upon a time", 0.5, 1.4, True)]
    assert captions(ended, Speaker.USER) == [("Stop", 0.9, 1.1, True)]
    assert said.talk.due is None
    assert said.words("output", " there", 1.5, 2.0) == []
    assert said.take(messages.closed(VIEW, "close_requested", 2.0)) == []
    assert said.talk.closed


def heeded(deeds: list[Deed]) -> list[Deed]:
    return [deed for deed in deeds if isinstance(deed, Heeded)]


def test_a_wish_of_an_operator_is_heeded_when_the_robot_has_spoken_since() -> None:
    said = Said()
    said.talk.prompt("Say that we close.", 1)
    said.talk.write("Where is the owl?", 2)
    assert said.tick(5.0) == []
    said.words("output", "In the tower.", 6.0, 6.5)
    assert heeded(said.tick(6.5 + QUIET)) == [Heeded(1), Heeded(2)]
    said.words("output", "Hello?", 9.0, 9.5)
    assert heeded(said.tick(9.5 + QUIET)) == [], "each is told of once"


def test_a_wish_is_not_heeded_by_a_robot_that_is_stopped() -> None:
    said = Said()
    said.talk.prompt("Say that we close.", 1)
    said.words("output", "We", 1.0, 1.2)
    assert Heeded(1, STOPPED) in said.talk.interrupt(101.2, 0.0)
    said.talk.prompt("Greet.")
    said.words("output", "Hello.", 3.0, 3.5)
    assert heeded(said.tick(3.5 + QUIET)) == [], "what the robot wants for itself is told to nobody"


def test_prompts_and_questions_are_told_to_the_live_model() -> None:
    said = Said()
    [greeting] = sent(said.talk.prompt("Greet the visitor."))
    assert (greeting["type"], greeting["content"]) == ("session.instructions.append", "Greet the visitor.")
    [question] = sent(said.talk.write('What is "kaiwa"?'))
    assert question["content"] == "A visitor asks in writing: \"What is 'kaiwa'?\" Answer them aloud now."


def test_silence_is_asked_for_and_what_waits_is_dropped() -> None:
    said = Said()
    assert said.talk.interrupt(100.0, 0.0) == [], "it says nothing"
    said.words("output", "Once upon", 0.5, 1.0)
    stopped = said.talk.interrupt(101.0, 0.0)
    assert told(stopped) == [Flush(), LISTENING]
    assert "Stop speaking" in sent(stopped)[0]["content"]
    assert said.talk.due is None


def test_the_floor_cannot_be_taken() -> None:
    said = Said()
    assert said.talk.take_floor(100.0, 0.0, fresh=True) == []
    assert said.talk.give_floor(answer=True) == []


def test_what_is_refused_is_told() -> None:
    said = Said()
    refusal = RefusedError(400, "unknown_parameter", "No.", param="content")
    assert said.take(messages.error(refusal, "event_1")) == [Complained("unknown_parameter", "No.")]


def test_the_unknown_and_the_malformed_are_counted() -> None:
    talk = LiveTalk()
    for data in ('{"type": "session.tomorrow"}', '{"type": "info", "code": "x"}', "no JSON", '{"type": 1}', b"\xff"):
        assert talk.receive(data, 0.0, 0.0) == []
    assert talk.receive('{"type": "session.usage.updated", "usage": {"seconds": "many"}}', 0.0, 0.0) == []
    assert talk.counters == {"events_malformed": 4.0, "events_unknown": 1.0}


WORDS = st.tuples(
    st.sampled_from(["input", "output"]), st.text(max_size=40), st.integers(0, 10**7), st.integers(0, 10**7)
).map(lambda words: messages.words(*words))
EVENTS = st.one_of(
    WORDS,
    st.sampled_from(["del_1", "del_2"]).map(lambda name: messages.delegation_created(name, "resp_1", 0)),
    st.sampled_from(
        [answer().begin(), answer().call(TIME)[1], answer().complete(), answer().fail("server_error")]
    ).flatmap(lambda event: st.sampled_from(["del_1", None]).map(lambda name: messages.of_backend(event, name))),
    st.floats(0, 1e5).map(messages.usage_updated),
    st.just(messages.started(VIEW)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.floats(0, 20)), max_size=12))
def test_whatever_comes_turns_close_captions_never_go_back_and_the_cost_never_sinks(
    course: list[tuple[dict[str, object], float]],
) -> None:
    talk, now, seconds = LiveTalk(), 0.0, 0
    turn, talking, open_lines = Turn.LISTENING, False, set[str]()
    deeds: list[Deed] = []
    for event, pause in course:
        deeds += talk.receive(msgspec.json.encode(event), now, 0.0)
        now += pause
        if talk.due is not None and talk.due <= now:
            deeds += talk.tick(now, 0.0)
        assert talk.usage["live_seconds"] >= seconds
        seconds = talk.usage["live_seconds"]
    for deed in [*deeds, *talk.end(now, 0.0)]:
        if isinstance(deed, TurnChanged):
            assert deed.turn is not turn
            turn = deed.turn
        if isinstance(deed, Speech):
            assert deed.began is not talking
            talking = deed.began
        if isinstance(deed, Captioned):
            assert deed.start <= deed.end
            (open_lines.discard if deed.final else open_lines.add)(deed.id)
    assert (turn, open_lines) == (Turn.LISTENING, set())
