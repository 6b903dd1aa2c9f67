from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiortc import RTCPeerConnection, RTCRtpTransceiver
from aiortc.rtcconfiguration import RTCConfiguration

from device.errors import MediaError
from device.messages.secret import Secret
from device.rtc.peer import IceServer, new_peer, only_opus
from device.rtc.private import mangled, part
from device.rtc.sending import OpusSender
from tests.device.rtc.loopback import Clock, Ear, End, negotiate, stay_at_home


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_at_home(monkeypatch)


def ice_of(transceiver: RTCRtpTransceiver) -> Any:
    return transceiver.receiver.transport.transport._connection


async def test_nobody_is_asked_for_an_address_by_default() -> None:
    peer = new_peer()
    ice = ice_of(peer.addTransceiver("audio"))
    assert (ice.stun_server, ice.turn_server) == (None, None)
    await peer.close()


async def test_the_servers_named_are_used() -> None:
    turn = IceServer(("turn:turn.example.org:443?transport=tcp",), "robot", Secret("pass-phrase"))
    peer = new_peer([IceServer(("stun:stun.example.org",)), turn], relay_only=True)
    ice = ice_of(peer.addTransceiver("audio"))
    assert ice.stun_server == ("stun.example.org", 3478)
    assert ice.turn_server == ("turn.example.org", 443)
    assert (ice.turn_transport, ice.turn_username, ice.turn_password) == ("tcp", "robot", "pass-phrase")
    assert ice._transport_policy.name == "RELAY"
    assert "pass-phrase" not in repr(turn)
    await peer.close()


async def test_every_transport_keeps_its_consent() -> None:
    peer = new_peer()
    peer.addTransceiver("audio")
    peer.createDataChannel("events")
    transports = part(peer, "iceTransports")
    assert len(transports) == 2
    assert all("build_request" in vars(transport._connection) for transport in transports)
    await peer.close()


async def test_an_offer_can_be_for_opus_alone() -> None:
    peer = new_peer()
    only_opus(peer.addTransceiver("audio"))
    offer = (await peer.createOffer()).sdp
    assert [line for line in offer.splitlines() if line.startswith("a=rtpmap")] == ["a=rtpmap:96 opus/48000/2"]
    await peer.close()


async def test_a_connection_that_comes_up_while_it_is_closed_sends_nothing_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = (End(new_peer(), clock := Clock(), Ear(clock), OpusSender()) for _ in range(2))
    sender = one.peer.addTransceiver(one.mouth.track).sender
    one.peer.createDataChannel("events")
    await negotiate(one, other)
    assert one.peer.sctp is not None
    stop = one.peer.sctp.stop

    async def stop_when_sending() -> None:
        async with asyncio.timeout(10):
            while not part(sender, "started"):
                await asyncio.sleep(0)
        await stop()

    monkeypatch.setattr(one.peer.sctp, "stop", stop_when_sending)
    await asyncio.sleep(0)  # it begins to connect
    await one.peer.close()
    await other.peer.close()
    running = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
    assert not [name for name in running if name.startswith(("RTCRtpSender", "RTCRtpReceiver"))]


async def test_a_private_name_that_is_gone_is_an_error() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    assert mangled(peer, "createDtlsTransport") == "_RTCPeerConnection__createDtlsTransport"
    with pytest.raises(MediaError, match="RTCPeerConnection has no __createEverything any more"):
        part(peer, "createEverything")
    await peer.close()
