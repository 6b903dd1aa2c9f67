from collections.abc import AsyncIterator

import aiohttp
import pytest

from provisioning.local.realtime import RealtimeStandIn, StandInSettings


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def stand_in_settings() -> StandInSettings:
    return StandInSettings(thinking_seconds=0.0, word_seconds=0.005, slow_seconds=30.0)


@pytest.fixture
async def stand_in(stand_in_settings: StandInSettings) -> AsyncIterator[RealtimeStandIn]:
    async with RealtimeStandIn(stand_in_settings) as service:
        yield service
