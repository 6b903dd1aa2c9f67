from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aioice.ice
import aioice.stun
import pytest
from aioice import Connection
from aiortc import RTCConfiguration, RTCPeerConnection

from device.errors import MediaError
from device.rtc.consent import no_consent_once_closed, nominate_in_consent
from device.rtc.peer import new_peer
from tests.device.rtc.loopback import state, stay_at_home


class StrictPeer:
    """A peer that, once connected, leaves checks without USE-CANDIDATE unanswered, as OpenAI's server does."""

    def __init__(self) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.ignored = 0
        self._answered = 0
        self._changed = asyncio.Event()

    def be_strict(self) -> None:
        connection: Any = self.peer.getTransceivers()[0].receiver.transport.transport._connection
        answer = connection.request_received

        def request_received(message: Any, *rest: Any) -> None:
            if "USE-CANDIDATE" in message.attributes:
                self._answered += 1
                answer(message, *rest)
            else:
                self.ignored += 1
            self._changed.set()

        connection.request_received = request_received

    async def answered(self, count: int) -> None:
        async with asyncio.timeout(10):
            while self._answered < count:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_at_home(monkeypatch)
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.05)
    monkeypatch.setattr(aioice.stun, "RETRY_RTO", 0.1)


async def call(caller: RTCPeerConnection, strict: StrictPeer) -> None:
    caller.addTransceiver("audio", direction="recvonly")
    await caller.setLocalDescription(await caller.createOffer())
    await strict.peer.setRemoteDescription(caller.localDescription)
    await strict.peer.setLocalDescription(await strict.peer.createAnswer())
    await caller.setRemoteDescription(strict.peer.localDescription)
    for peer in (caller, strict.peer):
        await state(peer, "connected")
    strict.be_strict()


async def test_a_stock_connection_dies_with_a_strict_peer() -> None:
    caller, strict = RTCPeerConnection(RTCConfiguration(iceServers=[])), StrictPeer()
    await call(caller, strict)
    await state(caller, "closed")
    assert strict.ignored >= aioice.ice.CONSENT_FAILURES
    await strict.peer.close()


async def test_ours_lives_on_with_a_strict_peer() -> None:
    caller, strict = new_peer(), StrictPeer()
    await call(caller, strict)
    await strict.answered(3 * aioice.ice.CONSENT_FAILURES)
    assert strict.ignored == 0
    assert caller.connectionState == "connected"
    await asyncio.gather(caller.close(), strict.peer.close())


@pytest.mark.parametrize(
    ("lite", "only_if_lite", "controlling", "nominated", "expected"),
    [
        (True, True, True, True, True),
        (False, False, True, True, True),
        (False, True, True, True, False),
        (True, False, False, True, False),
        (True, False, True, False, False),
    ],
)
def test_a_request_nominates_only_where_it_may(
    lite: bool, only_if_lite: bool, controlling: bool, nominated: bool, expected: bool
) -> None:
    connection = Connection(ice_controlling=controlling)
    connection.remote_username, connection.remote_password, connection.remote_is_lite = "u", "p", lite
    pair: Any = SimpleNamespace(component=1)
    if nominated:
        connection._nominated[1] = pair
    nominate_in_consent(connection, only_if_lite=only_if_lite)
    assert ("USE-CANDIDATE" in connection.build_request(pair, nominate=False).attributes) is expected


def test_what_aioice_nominates_itself_stays_nominated() -> None:
    connection = Connection(ice_controlling=True)
    nominate_in_consent(connection, only_if_lite=True)
    pair: Any = SimpleNamespace(component=1)
    assert "USE-CANDIDATE" in connection.build_request(pair, nominate=True).attributes


def test_a_library_whose_names_have_changed_is_refused() -> None:
    changed: Any = SimpleNamespace(build_request=None, _nominated={})
    with pytest.raises(MediaError, match="ice_controlling"):
        nominate_in_consent(changed)


async def test_a_connection_that_was_closed_asks_for_nothing() -> None:
    connection = Connection(ice_controlling=True)
    no_consent_once_closed(connection)
    await connection.close()
    asking = asyncio.create_task(connection.query_consent())  # as connect() does when it was not done yet
    done, _ = await asyncio.wait({asking}, timeout=1)
    asking.cancel()
    assert done == {asking}
    with pytest.raises(MediaError, match="_closing"):
        no_consent_once_closed(SimpleNamespace(query_consent=None))  # type: ignore[arg-type]  # another library
