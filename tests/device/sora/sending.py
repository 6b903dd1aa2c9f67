"""What a microphone does for a programme, faster than real time."""

from __future__ import annotations

import asyncio

from device.audio.block import BLOCK, BLOCK_SECONDS, Samples
from device.messages.minting import BroadcastGrant
from device.rtc.sending import OpusSender
from provisioning.imageflux import Channel


def grant_for(channel: Channel) -> BroadcastGrant:
    return BroadcastGrant(signalling_urls=[channel.signalling_url], channel_id=channel.channel_id)


async def send(programme: OpusSender, samples: Samples) -> None:
    """Push block after block, each as soon as the one before it is on its way."""
    for block in samples[: samples.size // BLOCK * BLOCK].reshape(-1, BLOCK):
        programme.push(block)
        wanted = programme.counters()["pushed"] // programme.blocks_in_packet
        await asyncio.sleep(0)
        while programme.counters()["packets"] < wanted:
            await asyncio.sleep(0)


async def play(programme: OpusSender, samples: Samples) -> None:
    """Push block after block on the clock, as a sound card does, for receivers that play in real time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number, block in enumerate(samples[: samples.size // BLOCK * BLOCK].reshape(-1, BLOCK), start=1):
        programme.push(block)
        await asyncio.sleep(began + number * BLOCK_SECONDS - loop.time())
