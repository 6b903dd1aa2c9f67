"""The stand-in's Live sessions, told apart from its calls, with the vendor's client and types."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from device.realtime.endpoint import Endpoint
from device.realtime.settings import RealtimeSettings
from provisioning.local.realtime import RealtimeStandIn, StandInSettings
from provisioning.local.realtime.live import messages
from provisioning.local.realtime.live.backend import BackendAnswer
from provisioning.local.realtime.live.session import LiveSession
from provisioning.local.realtime.refusals import RefusedError
from tests.provisioning.local.realtime.live.reference import judge

ALLOWED = {
    "data_channel": {
        "allowed_client_events": ["session.close"],
        "allowed_server_events": [
            {"type": "error"},
            {"type": "response.event", "response_event": "response.completed"},
        ],
    }
}
BACKEND = {"type": "responses", "responses": {"model": "m", "tools": [{"type": "function", "name": "lamp"}]}}


def session(**asked: Any) -> LiveSession:
    return LiveSession("live_1", 0, {"model": "gpt-live-1", **asked})


def test_every_event_is_of_the_reference() -> None:
    view = session(delegation=BACKEND, client=ALLOWED, instructions="Be brief.").view
    for event in (
        messages.started(view),
        messages.closed(view, "expired", 3600.0),
        messages.usage_updated(1.5),
        messages.words("input", "Hi", 0, 200),
        messages.appended("commentary", 5, "event_1"),
        messages.muted("event_2", muted=True),
        messages.muted(None, muted=False),
        messages.delegation_created("del_1", "resp_1", 7),
        messages.permissions(),
        messages.error(RefusedError(400, "invalid_value", "No.", param="type"), "event_3"),
        messages.of_backend(BackendAnswer("m", 1, 0.0).fail("server_error"), None),
    ):
        judge(event)


def test_a_frontend_sends_and_hears_what_it_is_allowed() -> None:
    limited, free = session(client=ALLOWED), session()
    answer = BackendAnswer("m", 1, 0.0)
    assert (limited.may_send("session.close"), limited.may_send("session.update")) == (True, False)
    assert limited.may_hear(messages.of_backend(answer.complete(), "del_1"))
    assert not limited.may_hear(messages.of_backend(answer.begin(), "del_1"))
    assert not limited.may_hear(messages.usage_updated(1.0))
    assert (free.may_send("session.update"), free.may_hear(messages.usage_updated(1.0))) == (True, True)
    assert (limited.limited, free.limited) == (True, False)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"model": "gpt-realtime-2.1"}, "invalid_model"),
        ({"voice": "marin"}, "invalid_value"),
        ({"delegation": {"type": "client"}}, "invalid_value"),
        ({"audio": {"input": {}}}, "invalid_value"),
        ({"delegation": {"type": "responses"}}, "invalid_value"),
    ],
)
def test_what_is_no_session_is_refused(asked: dict[str, Any], code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        session(**asked)
    assert refused.value.code == code


def test_tools_language_and_model_are_read_from_it() -> None:
    whole = session(delegation=BACKEND, instructions="日本語で、みじかく。")
    assert (whole.tools, whole.backend_model, whole.language) == (frozenset({"lamp"}), "m", "ja")
    assert (session().tools, session().backend_model, session().language) == (frozenset(), "", "en")


async def test_the_official_client_opens_and_hangs_up() -> None:
    async with RealtimeStandIn(StandInSettings()) as stand_in, Endpoint(RealtimeSettings()) as endpoint:
        key = stand_in.settings.api_key.reveal()
        offer = await endpoint.offer()
        async with openai.AsyncOpenAI(base_url=stand_in.base_url, api_key=key) as client:
            created = await client.live.create(
                session={"model": "gpt-live-1"}, transport={"type": "webrtc", "sdp": offer}
            )
            assert created.session.id in stand_in.calls
            assert created.transport.sdp.startswith("v=0")
            with pytest.raises(openai.NotFoundError):
                await client.realtime.calls.hangup(created.session.id)
            with pytest.raises(openai.BadRequestError):
                await client.live.create(
                    session={"model": "gpt-realtime-2.1"}, transport={"type": "webrtc", "sdp": offer}
                )
            with pytest.raises(openai.NotFoundError):
                await client.live.sessions.hangup("live_0")
            await client.live.sessions.hangup(created.session.id)
        async with openai.AsyncOpenAI(base_url=stand_in.base_url, api_key="sk-wrong", max_retries=0) as stranger:
            with pytest.raises(openai.AuthenticationError):
                await stranger.live.create(session={"model": "gpt-live-1"}, transport={"type": "webrtc", "sdp": offer})
