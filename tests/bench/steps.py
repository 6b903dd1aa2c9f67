"""What a start cannot do without, each step measured alone against the same cloud: their sum bounds the robot's own start.

A request to the minter and its answer are two messages through the broker; each is taken for what one publication takes
until the broker acknowledges it. The two services are asked at once, the offer is posted, and ICE, DTLS and the data channel
come up, by aiortc as it is but for the mends that a robot's connections have.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable

import aiohttp
import aiomqtt
from aiortc import RTCSessionDescription

from device.messages import topics
from device.rtc.peer import new_peer
from provisioning.app import DEFAULT_OPERATOR
from provisioning.imageflux import ImageFlux
from provisioning.link import connection
from provisioning.local.demo.perform import Stage

SLACK_MS = 150.0
"""What a start may take beyond its steps."""

NOBODY = "bench"
"""A robot that is not there, to which nothing is delivered."""


class _Watch:
    """Takes the time of one step after the other."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}

    async def __call__(self, name: str, work: Awaitable[object]) -> object:
        began = time.perf_counter()
        result = await work
        self.found[name] = 1000 * (time.perf_counter() - began)
        return result


async def once(stage: Stage, http: aiohttp.ClientSession, client: aiomqtt.Client) -> dict[str, float]:
    """Take every step once; return milliseconds by name."""
    assert stage.local.openai is not None
    openai, watch = stage.local.openai, _Watch()
    await watch("one message through the broker", client.publish(topics.command(NOBODY), b"", qos=1))
    watch.found["request and answer through the broker"] = 2 * watch.found.pop("one message through the broker")
    await watch("both services at once", asyncio.gather(_secret(stage, http), _channel(stage, http)))
    secret = await _secret(stage, http)
    peer, opened = new_peer(), asyncio.Event()
    peer.addTransceiver("audio")
    peer.createDataChannel("oai-events").on("open", opened.set)
    await peer.setLocalDescription(await peer.createOffer())
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/sdp"}
    url = f"{openai.base_url}/realtime/calls"
    answer = await watch("the offer's post", _posted(http, url, peer.localDescription.sdp, headers))
    await peer.setRemoteDescription(RTCSessionDescription(str(answer), "answer"))
    await watch("ICE, DTLS and the channel", opened.wait())
    await peer.close()
    return watch.found


async def steps(stage: Stage, count: int) -> dict[str, float]:
    """Return the median of each step over so many starts."""
    cloud = stage.local.cloud
    files, _ = cloud.authority.operator(DEFAULT_OPERATOR, time.time())
    tls = cloud.authority.client_context(files)
    async with aiohttp.ClientSession() as http, connection(cloud.broker, f"operator-{DEFAULT_OPERATOR}", tls) as client:
        found = [await once(stage, http, client) for _ in range(count + 1)][1:]
    return {name: statistics.median(each[name] for each in found) for name in found[0]}


async def _secret(stage: Stage, http: aiohttp.ClientSession) -> str:
    assert stage.local.openai is not None
    openai = stage.local.openai
    url, key = f"{openai.base_url}/realtime/client_secrets", openai.settings.api_key.reveal()
    async with http.post(url, json={}, headers={"Authorization": f"Bearer {key}"}) as response:
        return str((await response.json())["value"])


async def _channel(stage: Stage, http: aiohttp.ClientSession) -> None:
    assert stage.local.imageflux is not None
    imageflux = stage.local.imageflux
    service = ImageFlux(http, imageflux.api_url, imageflux.settings.token)
    await service.create_channel()


async def _posted(http: aiohttp.ClientSession, url: str, offer: str, headers: dict[str, str]) -> str:
    async with http.post(url, data=offer.encode(), headers=headers) as response:
        return await response.text()
