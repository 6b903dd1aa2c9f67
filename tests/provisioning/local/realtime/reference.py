"""The `openai` package's types as a judge: exact type by `type`, and no key that they do not know."""

from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args

from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from openai.types.realtime.client_secret_create_response import ClientSecretCreateResponse
from pydantic import BaseModel, Field, TypeAdapter

_ARMS = get_args(get_args(RealtimeServerEvent)[0])
_UNION: Any = Annotated[reduce(or_, _ARMS), Field(discriminator="type")]
_ADAPTER: TypeAdapter[BaseModel] = TypeAdapter(_UNION)

_ASKING: Any = Annotated[reduce(or_, get_args(get_args(RealtimeClientEvent)[0])), Field(discriminator="type")]
_ASKED: TypeAdapter[BaseModel] = TypeAdapter(_ASKING)

ONLY_IN_ANSWERS = {"session.id", "session.object", "session.expires_at"}
"""The types use the request model for `session.created`; these three stand in every recorded one."""


def unknown_keys(model: Any, path: str = "") -> set[str]:
    """Return the dotted names of everything in `model` that its type does not name."""
    if isinstance(model, list):
        return {name for part in model for name in unknown_keys(part, path)}
    if not isinstance(model, BaseModel):
        return set()
    prefix = f"{path}." if path else ""
    extra = {f"{prefix}{name}" for name in model.model_extra or {}}
    inner = [unknown_keys(getattr(model, name), f"{prefix}{name}") for name in type(model).model_fields]
    return extra.union(*inner)


def judge(event: dict[str, Any]) -> None:
    """Fail unless `event` is exactly what the reference says its type is."""
    assert unknown_keys(_ADAPTER.validate_python(event, strict=False)) <= ONLY_IN_ANSWERS, event


def judge_asked(event: dict[str, Any]) -> None:
    """Fail unless `event` is exactly what the reference says a client may send."""
    assert unknown_keys(_ASKED.validate_python(event, strict=False)) == set(), event


def judge_secret(answer: dict[str, Any]) -> None:
    """Fail unless `answer` is what `client_secrets` answers."""
    assert unknown_keys(ClientSecretCreateResponse.model_validate(answer)) == set(), answer
