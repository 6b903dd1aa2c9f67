"""The two addresses a new board needs, over HTTPS: the authority to pin, and the exchange of a claim for an identity."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from aiohttp import web

from device.errors import MalformedMessageError, StoreError
from device.messages.enrolment import EnrolRequest
from device.messages.wire import decode, encode
from provisioning.attempts import FailureLimit
from provisioning.authority import Authority
from provisioning.enrolment import ClaimRefusedError, Enrolments

_log = logging.getLogger(__name__)

_MAX_BODY: Final = 16_384
"""A request with a P-256 certificate request has less than 1 KiB."""

AT_ONCE: Final = 16
"""Claims looked up at once; the others wait here, not before the store, where whoever asks for a session would wait too."""


def enrolment_app(enrolments: Enrolments, authority: Authority) -> web.Application:
    """Return the application that serves `GET /v1/ca.pem` and `POST /v1/enrol`."""
    handlers = _Handlers(enrolments, authority)
    app = web.Application(client_max_size=_MAX_BODY)
    app.add_routes([web.get("/v1/ca.pem", handlers.authority_pem), web.post("/v1/enrol", handlers.enrol)])
    return app


class _Handlers:
    def __init__(self, enrolments: Enrolments, authority: Authority) -> None:
        self._enrolments, self._authority = enrolments, authority
        self._failures = FailureLimit()
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def authority_pem(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._authority.root_pem, content_type="application/x-pem-file")

    async def enrol(self, request: web.Request) -> web.Response:
        address = request.remote or ""
        if self._failures.blocked(address, time.monotonic()):
            return _refused(429, "too_many_failures", "too many failures from this address; wait ten minutes")
        try:
            body = decode(await request.read(), EnrolRequest)
            async with self._slots:
                enrolment = await self._enrolments.enrol(body, time.time())
            return web.json_response(body=encode(enrolment))
        except ClaimRefusedError as error:
            self._failures.failed(address, time.monotonic())
            _log.warning("a claim from %s was refused: %s", address, error.code)
            return _refused(error.status, error.code, str(error))
        except MalformedMessageError as error:
            self._failures.failed(address, time.monotonic())
            return _refused(400, "malformed", str(error))
        except StoreError:
            _log.exception("a claim could not be looked up")
            return _refused(503, "busy", "the cloud cannot enrol now; try again in a minute")


def _refused(status: int, code: str, text: str) -> web.Response:
    return web.json_response({"error": code, "text": text}, status=status)
