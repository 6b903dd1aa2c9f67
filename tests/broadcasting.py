"""ImageFlux stood in for, and a client of it: fixtures for tests of whoever broadcasts and of the stand-in.

A conftest.py imports them: `from tests.broadcasting import http, service, stand_in`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from provisioning.imageflux import ImageFlux
from provisioning.local.imageflux import ImageFluxStandIn


@pytest.fixture
async def stand_in() -> AsyncIterator[ImageFluxStandIn]:
    async with ImageFluxStandIn() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def service(stand_in: ImageFluxStandIn, http: aiohttp.ClientSession) -> ImageFlux:
    return ImageFlux(http, stand_in.api_url, stand_in.settings.token)
