from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiortc.rtp import RtpPacket

from device.audio.block import SILENCE
from device.errors import MediaError
from device.rtc.inbound import is_rtp, take_at_once
from device.rtc.private import at_once
from tests.device.audio.sound import tone
from tests.device.rtc.loopback import loopback, stay_at_home


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_at_home(monkeypatch)


async def test_sound_is_taken_in_the_round_in_which_it_comes() -> None:
    async with loopback() as (one, other):
        connection: Any = other.peer.getTransceivers()[0].receiver.transport.transport._connection
        came: list[int] = []
        take = connection.data_received

        def data_received(data: bytes, component: int) -> None:
            before = other.ear._seen
            take(data, component)
            if is_rtp(data):
                came.append(other.ear._seen - before)

        connection.data_received = data_received
        for number in range(3):
            one.mouth.push(tone(0.02))
            await other.ear.seen(number + 1)
        assert came == [1, 1, 1]


async def test_what_is_forged_or_comes_twice_is_dropped_and_the_rest_goes_on() -> None:
    async with loopback() as (one, other):
        connection: Any = other.peer.getTransceivers()[0].receiver.transport.transport._connection
        taken: list[bytes] = []
        take = connection.data_received

        def data_received(data: bytes, component: int) -> None:
            taken.append(data)
            take(data, component)

        connection.data_received = data_received
        one.mouth.push(SILENCE)
        await other.ear.seen(1)
        packet = next(data for data in taken if is_rtp(data))
        for forged in (packet, packet[:-1] + bytes([packet[-1] ^ 1]), b"\x80\x60", b"\x80"):
            take(forged, 1)
        one.mouth.push(SILENCE)
        await other.ear.seen(2)
        assert other.ear.counters()["received"] == 2


async def test_nothing_is_taken_before_the_keys_are_there() -> None:
    async with loopback() as (one, other):
        transport: Any = other.peer.getTransceivers()[0].receiver.transport
        keys, transport._rx_srtp = transport._rx_srtp, None
        transport.transport._connection.data_received(bytes(RtpPacket(payload_type=96).serialize()), 1)
        transport._rx_srtp = keys
        one.mouth.push(SILENCE)
        await other.ear.seen(1)
        assert other.ear.counters()["received"] == 1


def test_what_shares_the_port_is_told_apart() -> None:
    sound = RtpPacket(payload_type=111, marker=1).serialize()
    sender_report, dtls, stun = b"\x80\xc8\0\6", b"\x16\xfe\xfd", b"\0\1\0\0"
    assert [is_rtp(datagram) for datagram in (sound, sender_report, dtls, stun, b"")] == [True] + [False] * 4


def test_a_library_whose_names_have_changed_is_refused() -> None:
    with pytest.raises(MediaError, match="_rx_srtp"):
        take_at_once(object(), object())  # type: ignore[arg-type]  # that is the point


async def test_what_waits_is_given_up() -> None:
    async def waits() -> None:
        await asyncio.sleep(1.0)

    async def works() -> None:
        pass

    assert at_once(works())
    assert not at_once(waits())
