"""Who may speak next: one answer at a time, and every call of a tool gets its outcome."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.realtime.events import (
    ErrorDetail,
    Item,
    ItemAdded,
    Response,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    ServiceError,
    SpeechStarted,
    SpeechStopped,
)
from device.realtime.floor import ACTIVE, CUT_SHORT, Act, Floor, Heeded, Send, ToolCalled
from tests.provisioning.local.realtime.reference import judge_asked

WORDS = Item(type="message", status="completed")


def calling(*call_ids: str, words: bool = False, status: str = "completed") -> ResponseDone:
    calls = tuple(
        Item("function_call", "completed", call_id=call_id, name="lamp", arguments='{"on":true}')
        for call_id in call_ids
    )
    return ResponseDone(Response("resp", status, output=(*((WORDS,) if words else ()), *calls)))


CREATED = ResponseCreated(Response("resp", "in_progress"))
DONE = ResponseDone(Response("resp", "completed", output=(WORDS,)))


def sent(acts: list[Act]) -> list[dict[str, Any]]:
    events = [msgspec.json.decode(act.event) for act in acts if isinstance(act, Send)]
    for event in events:
        judge_asked(event)
    return events


def kinds(acts: list[Act]) -> list[str]:
    return [event["type"] for event in sent(acts)]


def called(*call_ids: str, words: bool = False) -> Floor:
    """Return a floor after an answer that called tools."""
    floor = Floor()
    floor.handle(CREATED)
    floor.handle(calling(*call_ids, words=words))
    return floor


def test_a_call_is_told_with_all_that_is_known_of_it() -> None:
    floor = Floor()
    floor.handle(SpeechStarted("item"))
    floor.handle(CREATED)
    acts = floor.handle(calling("call_1", words=True))
    assert acts == [ToolCalled("call_1", "lamp", '{"on":true}', spoke=True, turn=1)]
    assert floor.turn == 1


def test_an_outcome_is_sent_and_then_one_answer_is_asked_for() -> None:
    acts = called("call_1").outcome("call_1", '{"ok":true}', follow=True)
    assert kinds(acts) == ["conversation.item.create", "response.create"]
    item = sent(acts)[0]["item"]
    assert item == {"type": "function_call_output", "call_id": "call_1", "output": '{"ok":true}'}


def test_of_several_calls_the_last_outcome_asks() -> None:
    floor = called("call_1", "call_2", "call_3")
    assert kinds(floor.outcome("call_2", "{}", follow=True)) == ["conversation.item.create"]
    assert kinds(floor.outcome("call_1", "{}", follow=False)) == ["conversation.item.create"]
    assert kinds(floor.outcome("call_3", "{}", follow=False)) == ["conversation.item.create", "response.create"]


def test_an_outcome_that_nobody_waits_for_does_nothing() -> None:
    floor = called("call_1")
    assert floor.outcome("call_9", "{}", follow=True) == []
    assert floor.outcome("call_1", "{}", follow=True) != []
    assert floor.outcome("call_1", "{}", follow=True) == []


def test_without_a_wish_for_one_no_answer_is_asked_for() -> None:
    assert kinds(called("call_1").outcome("call_1", "{}", follow=False)) == ["conversation.item.create"]


def test_while_an_answer_is_generated_the_next_one_waits() -> None:
    floor = called("call_1")
    floor.handle(CREATED)
    assert kinds(floor.outcome("call_1", "{}", follow=True)) == ["conversation.item.create"]
    assert kinds(floor.handle(DONE)) == ["response.create"]
    assert kinds(floor.handle(CREATED)) == []
    assert kinds(floor.handle(DONE)) == []


@pytest.mark.parametrize("known", [True, False])
def test_while_somebody_talks_and_until_they_are_answered_nothing_is_asked_for(known: bool) -> None:
    floor = called("call_1")
    floor.handle(SpeechStarted("item"))
    assert kinds(floor.outcome("call_1", "{}", follow=True)) == ["conversation.item.create"]
    if known:
        floor.handle(ItemAdded(Item("function_call_output", call_id="call_1")))
    assert floor.handle(SpeechStopped("item")) == []
    assert floor.handle(CREATED) == []
    asked = kinds(floor.handle(DONE))
    assert asked == ([] if known else ["response.create"]), "the service's own answer may know of it already"


def test_an_answer_of_the_service_that_was_first_is_waited_for() -> None:
    floor = called("call_1")
    asked = sent(floor.outcome("call_1", "{}", follow=True))[1]["event_id"]
    floor.handle(CREATED)
    assert floor.handle(ServiceError(ErrorDetail(code=ACTIVE, event_id=asked))) == []
    assert kinds(floor.handle(DONE)) == ["response.create"]


def test_another_error_does_not_block_the_floor() -> None:
    floor = called("call_1")
    asked = sent(floor.outcome("call_1", "{}", follow=True))[1]["event_id"]
    assert floor.handle(ServiceError(ErrorDetail(code="server_error", event_id=asked))) == []
    assert kinds(floor.prompt("greet")) == ["conversation.item.create", "response.create"]


def test_an_error_of_something_else_is_none_of_its_business() -> None:
    floor = called("call_1")
    floor.outcome("call_1", "{}", follow=True)
    assert floor.handle(ServiceError(ErrorDetail(code="invalid_value", event_id="another"))) == []
    assert floor.handle(ServiceError(ErrorDetail(code=ACTIVE, event_id="another"))) == []
    assert floor.prompt("greet")[1:] == [], "one is asked for already"


def test_a_refusal_is_never_answered_by_asking_again_at_once() -> None:
    floor = called("call_1")
    floor.outcome("call_1", "{}", follow=True)
    assert floor.handle(ServiceError(ErrorDetail(code=ACTIVE))) == []
    assert kinds(floor.handle(DONE)) == ["response.create"]


def test_the_calls_of_an_answer_that_was_interrupted_are_not_made() -> None:
    floor = Floor()
    floor.handle(CREATED)
    floor.handle(SpeechStarted("item"))
    acts = floor.handle(calling("call_1", status="cancelled"))
    [output] = sent(acts)
    assert output["item"] == {"type": "function_call_output", "call_id": "call_1", "output": CUT_SHORT}
    cut = Item("function_call", "incomplete", call_id="call_2", name="lamp", arguments='{"o')
    assert floor.handle(ResponseDone(Response("resp", "cancelled", output=(cut,)))) == []


def test_a_prompt_is_said_in_the_operators_name_as_soon_as_the_floor_is_free() -> None:
    floor = Floor()
    floor.handle(CREATED)
    [event] = sent(floor.prompt("Say goodbye."))
    assert event["item"] == {
        "id": "prompt_1",
        "type": "message",
        "role": "system",
        "content": [{"type": "input_text", "text": "Say goodbye."}],
    }
    assert kinds(floor.handle(DONE)) == ["response.create"]


def test_a_question_in_writing_is_the_visitors_and_is_answered_as_soon_as_the_floor_is_free() -> None:
    floor = Floor()
    assert kinds(floor.write("Where is the whale?")) == ["conversation.item.create", "response.create"]
    floor.handle(CREATED)
    [event] = sent(floor.write("And the owl?"))
    assert event["item"] == {
        "id": "written_3",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "And the owl?"}],
    }
    assert kinds(floor.handle(DONE)) == ["response.create"]


def added(acts: list[Act]) -> ItemAdded:
    [item] = [event["item"] for event in sent(acts) if event["type"] == "conversation.item.create"]
    return ItemAdded(Item(item["type"], id=item["id"]))


def heeded(acts: list[Act]) -> list[Heeded]:
    return [act for act in acts if isinstance(act, Heeded)]


def test_a_wish_is_heeded_once_an_answer_that_knows_of_it_is_done() -> None:
    floor = Floor()
    floor.handle(CREATED)
    put = floor.prompt("We close.", 7)
    assert heeded(floor.handle(DONE)) == [], "that answer had begun before"
    floor.handle(added(put))
    floor.handle(CREATED)
    assert heeded(floor.handle(DONE)) == [Heeded(7)]
    floor.handle(CREATED)
    assert heeded(floor.handle(DONE)) == []


def test_a_wish_that_the_service_does_not_know_yet_is_not_heeded_by_the_answer_that_begins() -> None:
    floor = Floor()
    put = floor.write("Where?", 3)
    floor.handle(CREATED)
    floor.handle(added(put))
    assert heeded(floor.handle(DONE)) == []


@pytest.mark.parametrize(
    ("status", "why"), [("cancelled", "somebody spoke"), ("failed", "no answer"), ("incomplete", "cut short")]
)
def test_a_wish_whose_answer_comes_to_nothing_says_why(status: str, why: str) -> None:
    floor = Floor()
    floor.handle(added(floor.write("Where?", 3)))
    floor.handle(CREATED)
    [told] = heeded(floor.handle(ResponseDone(Response("resp", status))))
    assert told.wish == 3
    assert why in told.why_not


def test_what_the_robot_wants_for_itself_is_told_to_nobody() -> None:
    floor = Floor()
    floor.handle(added(floor.prompt("Greet.")))
    floor.handle(CREATED)
    assert floor.handle(DONE) == []


def test_the_active_response_is_known_until_it_is_done() -> None:
    floor = Floor()
    floor.handle(CREATED)
    assert floor.active == "resp"
    floor.handle(DONE)
    assert floor.active is None


class Service:
    """A service that makes answers as the real one does; what it says, and what it is told, takes its time."""

    def __init__(self) -> None:
        self.floor = Floor()
        self.coming: deque[ServerEvent] = deque()
        self.going: deque[dict[str, Any]] = deque()
        self.active = False
        self.calls = 0
        self.waiting: list[str] = []
        self.outputs: list[str] = []
        self.untold: set[str] = set()
        """Outcomes that no answer has begun after."""
        self.prompted = False
        self.asked = 0

    def act(self, acts: list[Act]) -> None:
        self.waiting += [act.call_id for act in acts if isinstance(act, ToolCalled)]
        self.going += sent(acts)

    def begin(self) -> None:
        assert not self.active
        self.active, self.prompted = True, False
        self.untold.clear()
        self.coming.append(CREATED)

    def end(self, event: ServerEvent) -> None:
        self.active = False
        self.coming.append(event)

    def obey(self, event: dict[str, Any]) -> None:
        if event["type"] == "conversation.item.create":
            self.add(event["item"])
        elif self.active:
            self.coming.append(ServiceError(ErrorDetail(code=ACTIVE, event_id=event["event_id"])))
        else:
            self.asked += 1
            self.begin()

    def add(self, item: dict[str, Any]) -> None:
        if item["type"] == "function_call_output":
            self.outputs.append(item["call_id"])
            self.untold.add(item["call_id"])
        else:
            self.prompted = True
        self.coming.append(ItemAdded(Item(item["type"], id=item.get("id"), call_id=item.get("call_id"))))

    def do(self, step: str) -> None:
        match step:
            case "talk":
                self.coming.append(SpeechStarted("item"))
                if self.active:
                    self.end(ResponseDone(Response("resp", "cancelled", output=())))
            case "stop" if not self.active:
                self.coming.append(SpeechStopped("item"))
                self.begin()
            case "answer" if self.active:
                self.end(DONE)
            case "call" if self.active:
                self.calls += 2
                self.end(calling(f"call_{self.calls - 1}", f"call_{self.calls}"))
            case "outcome" if self.waiting:
                self.act(self.floor.outcome(self.waiting.pop(), "{}", follow=True))
            case "prompt":
                self.act(self.floor.prompt("say"))
            case "hear" if self.coming:
                self.act(self.floor.handle(self.coming.popleft()))
            case "tell" if self.going:
                self.obey(self.going.popleft())

    def rest(self) -> None:
        """Let everything come to an end, with nobody talking any more."""
        self.do("stop")
        while self.coming or self.going or self.waiting or self.active:
            for step in ("hear", "tell", "outcome"):
                self.do(step)
            if not self.coming and not self.going and not self.waiting:
                self.do("answer")


STEPS = st.sampled_from(["talk", "stop", "answer", "call", "outcome", "prompt", *["hear", "tell"] * 3])


@given(st.lists(STEPS, max_size=60))
def test_whatever_happens_every_call_is_answered_once_and_every_outcome_told(steps: list[str]) -> None:
    service = Service()
    for step in steps:
        service.do(step)
    service.rest()
    assert sorted(service.outputs) == sorted(f"call_{n}" for n in range(1, service.calls + 1))
    assert service.untold == set()
    assert not service.prompted
    assert service.asked <= service.calls + steps.count("prompt")
    assert kinds(service.floor.prompt("free?")) == ["conversation.item.create", "response.create"]


class Referee:
    """Knows whether an answer may be asked for, from nothing but what has passed, in whatever order."""

    def __init__(self) -> None:
        self.floor = Floor()
        self.made = self.held = self.talked = False
        """An answer is being made; somebody holds the button; somebody has talked and is not answered yet."""
        self.asked: str | None = None
        self.calls = 0

    def do(self, step: str) -> None:
        floor = self.floor
        match step:
            case "created":
                self.made, self.talked, self.asked = True, self.held, None
                acts = floor.handle(CREATED)
            case "done" | "call":
                self.made, self.calls = False, self.calls + 1
                acts = floor.handle(DONE if step == "done" else calling(f"call_{self.calls}"))
            case "talk":
                self.talked = True
                acts = floor.handle(SpeechStarted("item"))
            case "take":
                self.held = self.talked = True
                acts = floor.take(fresh=True)
            case "give":
                self.held = self.talked = False
                acts = floor.give(answer=True)
            case "refused" | "busy":
                error = ErrorDetail(code=ACTIVE if step == "busy" else "server_error", event_id=self.asked or "none")
                self.asked = None
                acts = floor.handle(ServiceError(error))
            case "outcome":
                acts = floor.outcome(f"call_{self.calls}", "{}", follow=True)
            case "write":
                acts = floor.write("Where?")
            case _:
                acts = floor.prompt("say")
        self.judge(acts)

    def judge(self, acts: list[Act]) -> None:
        for event in sent(acts):
            if event["type"] == "response.create":
                assert not self.made, "one is being made"
                assert self.asked is None, "one is asked for"
                assert not self.talked, "somebody talks, or waits for the service's own answer"
                self.asked = event["event_id"]


ANY_STEP = st.sampled_from(
    ["created", "done", "call", "talk", "take", "give", "refused", "busy", "outcome", "write", "prompt"]
)


@given(st.lists(ANY_STEP, max_size=80))
def test_in_whatever_order_events_come_no_two_answers_are_ever_asked_for_at_a_time(steps: list[str]) -> None:
    referee = Referee()
    for step in steps:
        referee.do(step)
