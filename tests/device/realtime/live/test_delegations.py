"""Calls of tools that the model behind a Live model makes, and what they cost."""

from __future__ import annotations

from typing import Any

import msgspec

from device.realtime.conversation import ResponseFailed
from device.realtime.floor import CUT_SHORT, Act, Send, ToolCalled
from device.realtime.live.delegations import Delegations
from device.realtime.live.events import BackendEvent
from provisioning.local.realtime.calling import Call
from tests.device.realtime.live.saying import TIME, answer

LAMP = Call("lamp", {"on": True})


def event(nested: dict[str, Any], delegation: str | None = "del_1") -> BackendEvent:
    return msgspec.convert({"type": "response.event", "event": nested, "delegation_id": delegation}, BackendEvent)


def sent(acts: list[Act | ResponseFailed] | list[Act]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(act.event) for act in acts if isinstance(act, Send)]


def test_it_goes_on_when_each_of_its_calls_has_an_outcome() -> None:
    work, backend = Delegations(), answer()
    work.handle(event(backend.begin()), 3)
    clock, called = backend.call(TIME)
    lamp, also = backend.call(LAMP)
    work.handle(event(called), 3)
    work.handle(event(also), 3)
    assert work.outcome(clock, "{}") == [], "the answer is not whole"
    assert work.handle(event(backend.complete()), 3) == [
        ToolCalled(clock, "current_time", "{}", False, 3),
        ToolCalled(lamp, "lamp", '{"on":true}', False, 3),
    ]
    assert [told["type"] for told in sent(work.outcome(lamp, "{}"))] == ["response.item.create"]
    assert work.working
    assert [told["type"] for told in sent(work.outcome(clock, "{}"))] == ["response.item.create", "response.create"]
    assert work.working, "it has not come back yet"


def test_calls_of_an_answer_that_is_not_whole_are_not_made() -> None:
    work, backend = Delegations(), answer()
    work.handle(event(backend.begin()), 0)
    call_id, called = backend.call(LAMP)
    work.handle(event(called), 0)
    told = work.handle(event(backend.fail("server_error")), 0)
    assert sent(told) == [
        {
            "type": "response.item.create",
            "item": {"type": "function_call_output", "call_id": call_id, "output": CUT_SHORT},
        }
    ]
    assert told[-1] == ResponseFailed("server_error", "Told to fail.")
    assert not work.working
    assert work.outcome(call_id, "{}") == []


def test_why_an_answer_is_not_whole_is_told() -> None:
    work = Delegations()
    cut = {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}}
    assert work.handle(event(cut), 0) == [ResponseFailed("max_output_tokens", "")]
    assert work.handle(event({"type": "response.failed"}), 0) == [ResponseFailed("failed", "")]


def test_what_it_puts_out_besides_calls_is_let_by() -> None:
    work, backend = Delegations(), answer()
    assert work.handle(event(backend.say("Noon.")), 0) == []
    assert work.handle(event({"type": "response.tomorrow"}), 0) == []
    assert work.handle(event(backend.complete()), 0) == []
    assert not work.working


def test_work_that_is_never_told_of_again_is_over_with_the_next() -> None:
    work, backend = Delegations(), answer()
    work.created("del_1")
    assert work.working
    work.handle(event(backend.begin(), None), 0)
    work.handle(event(backend.complete(), None), 0)
    assert not work.working


def test_tokens_add_up_and_a_failure_costs_nothing() -> None:
    work = Delegations()
    for _ in range(2):
        backend = answer()
        work.handle(event(backend.begin()), 0)
        work.handle(event(backend.say("Noon.")), 0)
        work.handle(event(backend.complete()), 0)
    work.handle(event(answer().fail("server_error")), 0)
    assert work.usage["responses"] == 2
    assert (work.usage["input_text_tokens"], work.usage["output_text_tokens"]) == (140, 4)
