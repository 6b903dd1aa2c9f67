from __future__ import annotations

import pytest

from device.errors import SettingsError
from provisioning.homeassistant.nearby import check_near, near


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.5", "169.254.1.1", "::1", "fe80::1%eth0", "fd00::1"]
)
def test_a_house_is_near(address: str) -> None:
    assert near(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "100.64.0.1", "2001:4860:4860::8888"])
def test_the_internet_is_not(address: str) -> None:
    assert not near(address)


async def test_a_broker_far_away_is_refused_and_one_that_cannot_be_found_is_not() -> None:
    await check_near("localhost")
    await check_near("no-such-host.invalid")
    with pytest.raises(SettingsError, match=r"8\.8\.8\.8"):
        await check_near("8.8.8.8")
