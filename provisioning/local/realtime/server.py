"""The HTTP side of the stand-in: secrets, calls and hanging up, with the refusals of the real service."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from aiohttp import BodyPartReader, WSMsgType, web

from provisioning.local.realtime import refusals
from provisioning.local.realtime.answer import checked_offer
from provisioning.local.realtime.call import Call
from provisioning.local.realtime.course import Course
from provisioning.local.realtime.dialogue import House
from provisioning.local.realtime.ears import Ears
from provisioning.local.realtime.faults import Faults, HttpFault
from provisioning.local.realtime.identifiers import identifier
from provisioning.local.realtime.keys import KeyRing
from provisioning.local.realtime.live.routes import LiveRoutes
from provisioning.local.realtime.messages import Event, session_created
from provisioning.local.realtime.mouth import Mouth
from provisioning.local.realtime.peer_call import PeerCall
from provisioning.local.realtime.records import Called, Heard, Records, Spoken, Written
from provisioning.local.realtime.refusals import RefusedError
from provisioning.local.realtime.repertoire import BuiltIn, Scripted
from provisioning.local.realtime.scenario import Scenario
from provisioning.local.realtime.session import DEFAULT_MODEL, Session
from provisioning.local.realtime.settings import StandInSettings
from provisioning.local.realtime.writing import Correspondence

FROM_ANY_PAGE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Expose-Headers": "Location",
}
"""A page of any origin may open a call with its short-lived secret: that is how the vendor's own sample does it."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


class RealtimeStandIn:
    """The service, as long as it is entered; calls that are still up when it is left are hung up.

    Raises:
        NoVoiceError: espeak-ng is not installed.
        OSError: the address cannot be listened on.
    """

    def __init__(
        self,
        settings: StandInSettings | None = None,
        faults: Faults | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        self.settings = settings or StandInSettings()
        self._scenario = scenario
        self.faults = faults or Faults()
        """What goes wrong; may be changed at any time."""
        self.calls: dict[str, PeerCall] = {}
        """The calls and Live sessions that are up, by id."""
        self.port = self.settings.port
        """Where it listens, once entered."""
        self._records = Records()
        self._keys = KeyRing()
        self._owned = AsyncExitStack()

    @property
    def base_url(self) -> str:
        """What an OpenAI client is given as its base URL."""
        return f"http://{self.settings.host}:{self.port}/v1"

    @property
    def spoken(self) -> list[Spoken]:
        """Every answer that was sent as sound, in order."""
        return self._records.spoken

    @property
    def heard(self) -> list[Heard]:
        """Every turn of a user, in order."""
        return self._records.heard

    @property
    def written(self) -> list[Written]:
        """Everything that clients wrote into conversations, in order."""
        return self._records.written

    @property
    def called(self) -> list[Called]:
        """Every call of a tool, in order, with what the client told of it."""
        return self._records.called

    def forget(self) -> None:
        """Forget what was said, heard and called so far."""
        self._records.forget()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as owned:
            repertoire = BuiltIn() if self._scenario is None else Scripted(self._scenario)
            ears = owned.enter_context(Ears(repertoire.phrases, repertoire.language))
            mouth = Mouth(self.settings.voice, self.settings.words_per_minute)
            course = Course(self._scenario, self.faults)
            self._house = House(self.settings, self.faults, ears, mouth, self._records, repertoire, course)
            self._tasks = await owned.enter_async_context(asyncio.TaskGroup())
            owned.callback(self._hang_up_all)
            runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.2)
            await runner.setup()
            owned.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, self.settings.host, self.settings.port).start()
            self.port = runner.addresses[0][1]
            self._owned = owned.pop_all()
        _log.info("the OpenAI stand-in listens on %s", self.base_url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._owned.__aexit__(kind, error, trace)

    def _hang_up_all(self) -> None:
        for call in self.calls.values():
            call.hang_up()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[_reachable, _refusing])
        application.router.add_post("/v1/realtime/client_secrets", self._client_secrets)
        application.router.add_post("/v1/realtime/calls", self._calls)
        application.router.add_options("/v1/realtime/calls", _allowed)
        application.router.add_post("/v1/realtime/calls/{call}/hangup", self._hangup)
        application.router.add_get("/v1/realtime", self._write)
        application.router.add_post("/v1/realtime", _beta)
        application.router.add_post("/v1/realtime/sessions", _beta)
        application.router.add_put("/stand-in/faults", self._switch)
        live = LiveRoutes(self._house, self.calls, self._begin, self._require_standard_key, self._failed)
        application.router.add_routes(live.routes())
        return application

    async def _client_secrets(self, request: web.Request) -> web.StreamResponse:
        self._require_standard_key(request)
        self._house.course.asked()
        body = await request.read()
        failed = await self._failed(request, self.faults.secrets)
        minted = failed or web.json_response(self._keys.mint(body, time.time()))
        return _shaped(minted, self.faults.secrets)

    async def _switch(self, request: web.Request) -> web.Response:
        self._require_standard_key(request)
        try:
            wished = msgspec.json.decode(await request.read(), type=Faults)
        except msgspec.DecodeError as error:
            raise RefusedError(400, "invalid_value", str(error)) from None
        self.faults.become(wished)
        _log.warning("faults are now %s", self.faults)
        return web.json_response(msgspec.to_builtins(self.faults))

    async def _calls(self, request: web.Request) -> web.StreamResponse:
        if request.content_type == "multipart/form-data" and self._standard(request):
            self._house.course.asked()  # with this form a session begins without a secret
        failed = await self._failed(request, self.faults.calls)
        if failed is not None:
            return failed
        offer, config = await self._offer(request)
        call = Call(self._house, config)
        answer = await call.answer(checked_offer(offer))
        self._begin(call)
        return _shaped(_sdp(answer, {"Location": f"/v1/realtime/calls/{call.id}"}), self.faults.calls)

    def _begin(self, call: PeerCall) -> None:
        self.calls[call.id] = call
        task = self._tasks.create_task(call.run(), name=call.id)
        task.add_done_callback(lambda _: self.calls.pop(call.id))

    async def _hangup(self, request: web.Request) -> web.StreamResponse:
        self._require_standard_key(request)
        call = self.calls.get(request.match_info["call"])
        if not isinstance(call, Call):
            raise RefusedError(404, "call_id_not_found", "No session found for the call id.", param="call_id")
        call.hang_up()
        return web.Response(status=200)

    async def _write(self, request: web.Request) -> web.StreamResponse:
        """Hold a conversation in writing over a WebSocket."""
        asked = {"type": "realtime", "model": request.query.get("model", DEFAULT_MODEL)}
        config = asked if self._standard(request) else self._keys.session(_bearer(request), time.time())
        session = Session(identifier("sess"), int(time.time() + self.settings.session_seconds), config)
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)

        async def send(event: Event) -> None:
            await socket.send_str(msgspec.json.encode(event).decode())

        await send(session_created(session.view))
        correspondence = Correspondence(self._house, session, send)
        with suppress(ConnectionError):  # the client may leave in the middle of an answer
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await correspondence.take(message.data)
        return socket

    async def _offer(self, request: web.Request) -> tuple[bytes, dict[str, Any]]:
        """Return the offer and the session that it is for, from either form of the request."""
        match request.content_type:
            case "application/sdp":
                return await request.read(), self._keys.session(_bearer(request), time.time())
            case "multipart/form-data":
                minted = {} if self._standard(request) else self._keys.session(_bearer(request), time.time())
                parts = await _parts(request)
                return parts.get("sdp", b""), {"type": "realtime", **minted, **_session(parts.get("session"))}
            case kind:
                raise RefusedError(415, "unsupported_content_type", f"Unsupported content type: '{kind}'.")

    def _standard(self, request: web.Request) -> bool:
        return _bearer(request) == self.settings.api_key.reveal()

    def _require_standard_key(self, request: web.Request) -> None:
        if not self._standard(request):
            raise refusals.invalid_key()

    async def _failed(self, request: web.Request, fault: HttpFault | None) -> web.StreamResponse | None:
        """Return what is answered in the place of the right answer, or None."""
        refusal = refusals.of_fault(fault) if fault else None
        if refusal is not None:
            raise refusal
        match fault:
            case HttpFault.SLOW:
                await asyncio.sleep(self.settings.slow_seconds)
            case HttpFault.RESET:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)
            case HttpFault.MALFORMED_JSON:
                return web.Response(status=502, text="<html><h1>Bad gateway</h1>", content_type="text/html")
            case HttpFault.MALFORMED_SDP:
                return _sdp("v=0\r\nm=audio what\r\n", {})
            case HttpFault.JSON_FOR_SDP:
                return web.json_response(RefusedError(500, "server_error", "Sorry.").body(), status=201)
        return None


@web.middleware
async def _refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        if "OpenAI-Beta" in request.headers:
            raise refusals.beta_shape()
        return await handler(request)
    except web.HTTPError as error:
        refusal = RefusedError(error.status, "unknown_url", f"Unknown request URL: {request.method} {request.path}.")
    except RefusedError as refused:
        refusal = refused
    return web.json_response(refusal.body(), status=refusal.status)


@web.middleware
async def _reachable(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    response.headers.update(FROM_ANY_PAGE)
    return response


async def _allowed(_: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


async def _beta(_: web.Request) -> web.StreamResponse:
    raise refusals.beta_shape()


def _bearer(request: web.Request) -> str:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer" or not key:
        raise refusals.invalid_key()
    return key


async def _parts(request: web.Request) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name:
                parts[part.name] = bytes(await part.read())
    except ValueError as error:
        raise RefusedError(400, "invalid_value", f"The body is not a form: {error}") from None
    return parts


def _session(part: bytes | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(part or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise RefusedError(400, "invalid_value", "The session part is not a JSON object.", param="session") from None


def _shaped(response: web.StreamResponse, fault: HttpFault | None) -> web.StreamResponse:
    if fault is HttpFault.CHUNKED:
        response.enable_chunked_encoding()
    return response


def _sdp(text: str, headers: dict[str, str]) -> web.Response:
    return web.Response(status=201, body=text.encode(), content_type="application/sdp", headers=headers)
