"""The `openai` package's types as a judge of Live sessions: exact type by `type`, and no key that they do not know."""

from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args

from openai.types.live.client_event import ClientEvent
from openai.types.live.live_create_params import LiveCreateParams
from openai.types.live.live_create_response import LiveCreateResponse
from openai.types.live.server_event import ServerEvent
from openai.types.live.session_config import SessionConfig
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, Field, TypeAdapter

from tests.provisioning.local.realtime.reference import unknown_keys


def _adapter(union: Any) -> TypeAdapter[BaseModel]:
    arms: Any = Annotated[reduce(or_, get_args(get_args(union)[0])), Field(discriminator="type")]
    return TypeAdapter(arms)


_HEARD, _ASKED, _STREAMED = _adapter(ServerEvent), _adapter(ClientEvent), _adapter(ResponseStreamEvent)

_CREATING = TypeAdapter(LiveCreateParams)


def judge(event: dict[str, Any]) -> None:
    """Fail unless `event` is exactly what the types say of it, and what it wraps of the Responses API, too."""
    assert unknown_keys(_HEARD.validate_python(event, strict=False)) == set(), event
    if event["type"] == "response.event":
        assert unknown_keys(_STREAMED.validate_python(event["event"], strict=False)) == set(), event


def judge_asked(event: dict[str, Any]) -> None:
    """Fail unless `event` is exactly what the types say that a client may send."""
    assert unknown_keys(_ASKED.validate_python(event, strict=False)) == set(), event


def judge_created(answer: dict[str, Any]) -> None:
    """Fail unless `answer` is what opening a session is answered with."""
    assert unknown_keys(LiveCreateResponse.model_validate(answer)) == set(), answer


def judge_creation(body: dict[str, Any]) -> None:
    """Fail unless `body` is what the official client would send to open a session, and nothing in it is unknown."""
    _CREATING.validate_python(body)
    assert unknown_keys(SessionConfig.model_validate(body["session"])) == set(), body


def server_kinds() -> set[str]:
    """Return the types of all server events."""
    return {arm.model_fields["type"].annotation.__args__[0] for arm in get_args(get_args(ServerEvent)[0])}


def client_kinds() -> set[str]:
    """Return the types of all client events."""
    return {arm.model_fields["type"].annotation.__args__[0] for arm in get_args(get_args(ClientEvent)[0])}
