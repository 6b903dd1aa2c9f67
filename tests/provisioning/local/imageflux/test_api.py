from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from provisioning.imageflux import (
    CREATE,
    CREATE_WITH_HLS,
    DELETE,
    LIST_CHANNELS,
    LIST_PLAYLISTS,
    ImageFlux,
    ImageFluxRefusedError,
)
from provisioning.local.imageflux import ImageFluxStandIn
from provisioning.local.imageflux.api import DISCONNECT_CONNECTION, PUSH_CHANNEL

TOKEN = "stand-in-token"
VIDEO = {"width": 640, "height": 360, "fps": 15, "bps": 500_000}
HLS = {"durationSeconds": 1, "startTimeOffset": -2, "video": VIDEO, "audio": {"bps": 96_000}}


class Caller:
    """Calls the API as plain HTTP, to see what the client hides."""

    def __init__(self, stand_in: ImageFluxStandIn, http: aiohttp.ClientSession) -> None:
        self._stand_in, self._http = stand_in, http

    async def __call__(self, target: str | None, body: Any = None, *, token: str | None = TOKEN) -> tuple[int, Any]:
        headers = {} if target is None else {"X-Sora-Target": target}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with self._http.post(self._stand_in.api_url, json=body or {}, headers=headers) as response:
            return response.status, await response.json()


@pytest.fixture
def call(stand_in: ImageFluxStandIn, http: aiohttp.ClientSession) -> Caller:
    return Caller(stand_in, http)


@pytest.mark.parametrize("token", [None, "", "wrong", "stand-in-toke", "stand-in-token2"])
async def test_a_wrong_token_is_401(call: Caller, token: str | None) -> None:
    status, error = await call(LIST_CHANNELS, token=token)
    assert (status, error["error_type"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("target", [None, "", "ImageFlux_20180905.CreateChannel"])
async def test_an_unknown_action_is_400(call: Caller, target: str | None) -> None:
    status, error = await call(target)
    assert (status, error["error_type"]) == (400, "UNKNOWN-TARGET")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_post_is_allowed(stand_in: ImageFluxStandIn, http: aiohttp.ClientSession, method: str) -> None:
    async with http.request(method, stand_in.api_url) as response:
        assert response.status == 405


async def test_a_channel_from_its_making_to_its_end(call: Caller) -> None:
    status, made = await call(CREATE_WITH_HLS, {"hls": [HLS]})
    assert status == 200
    assert set(made) == {"channel_id", "sora_url"}
    assert made["sora_url"].startswith("ws://127.0.0.1:")
    assert made["sora_url"].endswith("/signaling")
    only = {"channel_id": made["channel_id"]}
    assert await call(LIST_CHANNELS) == (200, {"channel_ids": [made["channel_id"]]})
    assert await call(LIST_PLAYLISTS, only) == (200, only | {"hls": []})
    assert (await call(DELETE, only))[0] == 200
    assert await call(LIST_CHANNELS) == (200, {"channel_ids": []})
    assert (await call(LIST_PLAYLISTS, only))[0] == 404
    assert (await call(DELETE, only))[0] == 404


async def test_a_channel_without_hls(call: Caller) -> None:
    status, made = await call(CREATE, {"environment": 1})
    assert status == 200
    assert set(made) == {"channel_id", "sora_url"}


@pytest.mark.parametrize(
    "hls",
    [
        [],
        [HLS | {"durationSeconds": 0}],
        [HLS | {"durationSeconds": "1"}],
        [HLS | {"video": VIDEO | {"width": 35}}],
        [HLS | {"video": VIDEO | {"height": 4097}}],
        [HLS | {"video": VIDEO | {"codec": "h264"}}],
        [HLS | {"audio": {"bps": "96k"}}],
        [HLS | {"captions": True}],
        [HLS | {"archive": {"archive_destination_id": "nowhere"}}],
    ],
)
async def test_what_is_out_of_range_is_refused(call: Caller, hls: list[Any]) -> None:
    status, error = await call(CREATE_WITH_HLS, {"hls": hls})
    assert (status, error["error_type"]) == (400, "INVALID-REQUEST")


@pytest.mark.parametrize("codec", ["h264_high", "h264_main", "h264_baseline"])
async def test_the_documented_codecs_are_taken(call: Caller, codec: str) -> None:
    status, _ = await call(CREATE_WITH_HLS, {"hls": [HLS | {"video": VIDEO | {"codec": codec}}]})
    assert status == 200


async def test_a_body_that_is_no_json_is_400(stand_in: ImageFluxStandIn, http: aiohttp.ClientSession) -> None:
    headers = {"X-Sora-Target": CREATE_WITH_HLS, "Authorization": f"Bearer {TOKEN}"}
    async with http.post(stand_in.api_url, data=b"\xff{", headers=headers) as response:
        assert response.status == 400


async def test_calls_for_who_is_not_there_are_404(call: Caller) -> None:
    _, made = await call(CREATE, {})
    nobody = {"channel_id": made["channel_id"], "connection_id": "X"}
    assert (await call(DISCONNECT_CONNECTION, nobody))[0] == 404
    assert (await call(PUSH_CHANNEL, {"channel_id": "none", "data": 1}))[0] == 404
    assert (await call(PUSH_CHANNEL, {"channel_id": made["channel_id"], "data": 1}))[0] == 200


@pytest.mark.parametrize("status", [401, 500, 503])
async def test_faults_are_answered_until_switched_off(
    stand_in: ImageFluxStandIn, service: ImageFlux, status: int
) -> None:
    stand_in.faults.api_status = status
    with pytest.raises(ImageFluxRefusedError) as caught:
        await service.channels()
    assert caught.value.status == status
    stand_in.faults.api_status = 0
    assert await service.channels() == []


async def test_faults_can_be_switched_over_http(
    stand_in: ImageFluxStandIn, http: aiohttp.ClientSession, service: ImageFlux
) -> None:
    switch = f"{stand_in.api_url}stand-in/faults"
    async with http.put(switch, json={"api_status": 500}) as response:
        assert await response.json() == {"api_status": 500, "refuse_connect": False, "slow_seconds": 0.0}
    with pytest.raises(ImageFluxRefusedError):
        await service.channels()
    async with http.put(switch, json={"api_statsu": 0}) as response:
        assert response.status == 400
    async with http.put(switch, json={}) as response:
        assert response.status == 200
    assert await service.channels() == []
