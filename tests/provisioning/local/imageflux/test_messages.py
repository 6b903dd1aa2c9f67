from __future__ import annotations

import json

import msgspec
import pytest

from provisioning.local.imageflux.messages import Answer, Candidate, Connect, Disconnect, Pong, Stats, decode

CONNECT = {"type": "connect", "role": "sendonly", "channel_id": "room"}


def test_a_connect_of_few_words_wants_both_sound_and_picture() -> None:
    connect = decode(json.dumps(CONNECT))
    assert isinstance(connect, Connect)
    assert connect.audio is True
    assert connect.video is True
    assert connect.sends
    assert not connect.receives


def test_the_other_messages() -> None:
    assert decode('{"type":"answer","sdp":"v=0"}') == Answer("v=0")
    assert decode('{"type":"candidate","candidate":"candidate:1"}') == Candidate("candidate:1")
    assert decode('{"type":"pong"}') == Pong()
    assert decode(b'{"type":"stats","reports":[{"id":"a"}]}') == Stats([{"id": "a"}])
    assert decode('{"type":"disconnect","reason":"NO-ERROR"}') == Disconnect("NO-ERROR")


@pytest.mark.parametrize(
    "change",
    [
        {"role": "upstream"},
        {"channel_id": ""},
        {"channel_id": "x" * 256},
        {"audio": {"codec_type": "PCMU"}},
        {"audio": {"bit_rate": 64, "channels": 2}},
        {"video": "H264"},
        {"chanel_id": "typo"},
        {"type": "hologram"},
    ],
)
def test_mistakes_of_a_client(change: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(json.dumps(CONNECT | change))


def test_statistics_of_which_some_are_no_numbers_are_taken() -> None:
    pong = decode('{"type":"pong","stats":[{"rtt":-inf,"jitter":nan,"label":"x:inf,"}]}')
    assert pong == Pong([{"rtt": None, "jitter": None, "label": "x:null,"}])


def test_messages_between_clients_are_wished_for_with_a_label_and_a_direction() -> None:
    connect = decode(json.dumps(CONNECT | {"data_channels": [{"label": "#chat", "direction": "sendrecv"}]}))
    assert isinstance(connect, Connect)
    assert connect.data_channels is not None
    [wish] = connect.data_channels
    assert wish.described() == {"label": "#chat", "direction": "sendrecv", "compress": False}
    assert wish.unpacked(wish.packed(b"hello")) == b"hello"
    for wrong in ({"label": "chat", "direction": "sendonly"}, {"label": "#chat"}, {"label": "#c", "direction": "up"}):
        with pytest.raises(msgspec.ValidationError):
            decode(json.dumps(CONNECT | {"data_channels": [wrong]}))
