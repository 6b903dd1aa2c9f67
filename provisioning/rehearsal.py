"""A conversation with a profile in writing: the session that a robot would get, without a robot.

What differs from a robot's: answers are asked for as text, one by one (`response.create` may say so; the session stays as
it is), and of a robot's tools only `look_up` is there, which needs no robot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import msgspec

from device.errors import UpstreamError
from device.messages.knowledge import Library, unpacked
from device.messages.minting import OpenAIGrant
from device.messages.tools import LOOK_UP, TextSchema, ToolDeclaration
from provisioning.profiles.choosing import Chosen

LOOK_UP_TOOL: Final = ToolDeclaration(
    name=LOOK_UP,
    description="Look something up in what this place has written down for you, before you say that you do not know it.",
    parameters={
        "query": TextSchema(description="a few words that the answer will contain, in the language of the texts.")
    },
    required=["query"],
)
"""As every robot declares it; a test holds the two equal."""

ANSWER_SECONDS: Final = 60.0

MOST_CALLS: Final = 5
"""Answers in a row that call tools."""


@dataclass(slots=True)
class Answer:
    """What came of one question."""

    text: str = ""
    looked_up: list[str] = field(default_factory=list)
    """What was looked up for it."""
    usage: Counter[str] = field(default_factory=Counter)


class Rehearsal:
    """Owner of one conversation in writing, opened with a secret as a robot would be given it."""

    def __init__(self, http: aiohttp.ClientSession, grant: OpenAIGrant, chosen: Chosen) -> None:
        self._http, self._grant = http, grant
        self._library = Library(unpacked(chosen.packed([LOOK_UP_TOOL])))
        self.usage: Counter[str] = Counter()
        """Of the whole conversation."""

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            UpstreamError: the service does not take the secret, or does not answer.
        """
        url = f"{self._grant.base_url}/realtime"
        headers = {"Authorization": f"Bearer {self._grant.secret.reveal()}"}
        try:
            self._socket = await self._http.ws_connect(url, params={"model": self._grant.model}, headers=headers)
        except aiohttp.WSServerHandshakeError as error:
            raise UpstreamError("OpenAI", error.status, "handshake", error.message) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamError("OpenAI", None, "unreachable", str(error)) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        await self._socket.close()

    async def ask(self, text: str) -> Answer:
        """Say something as the visitor, and return what is answered.

        Raises:
            UpstreamError: the service complains, or has gone.
        """
        return await self._answer("user", text)

    async def prompt(self, text: str) -> Answer:
        """Have something said, as a robot's greeting is.

        Raises:
            UpstreamError: the service complains, or has gone.
        """
        return await self._answer("system", text)

    async def _answer(self, role: str, text: str) -> Answer:
        content = [{"type": "input_text", "text": text}]
        await self._create({"type": "message", "role": role, "content": content})
        answer = Answer()
        for _ in range(MOST_CALLS):
            calls = await self._respond(answer)
            for call in calls:
                await self._create(_output(call, self._look_up(call, answer)))
            if not calls:
                break
        self.usage.update(answer.usage)
        return answer

    async def _respond(self, answer: Answer) -> list[dict[str, Any]]:
        """Ask for one answer, add it to `answer`, and return the calls in it."""
        await self._send({"type": "response.create", "response": {"output_modalities": ["text"]}})
        response = await self._done()
        answer.usage.update(counted(response.get("usage") or {}))
        output = [item for item in response.get("output") or () if isinstance(item, dict)]
        answer.text = " ".join(filter(None, [answer.text, *(_words(item) for item in output)]))
        return [item for item in output if item.get("type") == "function_call"]

    async def _done(self) -> dict[str, Any]:
        while True:
            event = await self._next()
            if event.get("type") == "error":
                told = event.get("error") or {}
                raise UpstreamError("OpenAI", None, str(told.get("code") or "error"), str(told.get("message") or ""))
            if event.get("type") == "response.done":
                response: dict[str, Any] = event.get("response") or {}
                if response.get("status") == "failed":
                    told = (response.get("status_details") or {}).get("error") or {}
                    raise UpstreamError(
                        "OpenAI", None, str(told.get("code") or "failed"), str(told.get("message") or "")
                    )
                return response

    async def _next(self) -> dict[str, Any]:
        try:
            event = msgspec.json.decode(await self._socket.receive_str(timeout=ANSWER_SECONDS), type=dict[str, Any])
        except (TimeoutError, aiohttp.WSMessageTypeError):
            raise UpstreamError("OpenAI", None, "closed", "the service has gone in the middle of an answer") from None
        except msgspec.DecodeError:
            raise UpstreamError("OpenAI", None, "malformed", "the service sent what is no event") from None
        return event

    def _look_up(self, call: dict[str, Any], answer: Answer) -> str:
        if call.get("name") != LOOK_UP:
            return _told(ok=False, error="this tool is on robots only")
        try:
            query = msgspec.json.decode(str(call.get("arguments")), type=dict[str, str])["query"]
        except (msgspec.MsgspecError, KeyError):
            return _told(ok=False, error="the arguments do not fit")
        answer.looked_up.append(query)
        found = self._library.search(query)
        if not found:
            return _told(ok=False, error="nothing is written down about that; other words may find it")
        return _told(ok=True, result="\n\n".join(f"{passage.title}: {passage.text}" for passage in found))

    async def _create(self, item: dict[str, Any]) -> None:
        await self._send({"type": "conversation.item.create", "item": item})

    async def _send(self, event: dict[str, Any]) -> None:
        try:
            await self._socket.send_str(msgspec.json.encode(event).decode())
        except (aiohttp.ClientError, ConnectionError):
            raise UpstreamError("OpenAI", None, "closed", "the service has gone") from None


def _output(call: dict[str, Any], output: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": str(call.get("call_id")), "output": output}


def _told(**outcome: object) -> str:
    return msgspec.json.encode(outcome).decode()


def _words(item: dict[str, Any]) -> str:
    parts: Sequence[dict[str, Any]] = item.get("content") or ()
    return "".join(str(part.get("text") or "") for part in parts if part.get("type") == "output_text")


def counted(usage: dict[str, Any]) -> dict[str, int]:
    """Return the usage of one answer under the names that robots report it by."""
    given, made = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    cached = given.get("cached_tokens_details") or {}
    counts = {
        "responses": 1,
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "input_text_tokens": given.get("text_tokens"),
        "input_audio_tokens": given.get("audio_tokens"),
        "cached_tokens": given.get("cached_tokens"),
        "cached_text_tokens": cached.get("text_tokens"),
        "cached_audio_tokens": cached.get("audio_tokens"),
        "output_text_tokens": made.get("text_tokens"),
        "output_audio_tokens": made.get("audio_tokens"),
    }
    known = {name: int(count) for name, count in counts.items() if count is not None}
    return known if cached else {name: count for name, count in known.items() if name not in _OF_EACH_KIND}


_OF_EACH_KIND: Final = frozenset({"cached_text_tokens", "cached_audio_tokens"})
