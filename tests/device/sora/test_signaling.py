from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.messages.minting import BroadcastGrant
from device.sora.ends import Cause, End
from device.sora.ice import IceServer
from device.sora.settings import BroadcastSettings
from device.sora.signaling import Phase, Signaling, connect_message
from device.sora.steps import (
    Answered,
    Apply,
    CloseSocket,
    CollectStats,
    Command,
    Event,
    Leave,
    MediaDown,
    MediaUp,
    OnAir,
    Open,
    Opened,
    Over,
    Reapply,
    Received,
    Send,
    SocketClosed,
    StatsCollected,
)

SETTINGS = BroadcastSettings()
CONNECT = {"type": "connect", "channel_id": "room"}
OFFER = {"type": "offer", "sdp": "v=0", "connection_id": "ME"}
CREATED = {"type": "notify", "event_type": "connection.created", "connection_id": "ME"}


def say(message: dict[str, Any], channel: str = "") -> Received:
    return Received(json.dumps(message), channel)


def sent(commands: list[Command]) -> list[dict[str, Any]]:
    return [dict(command.message) for command in commands if isinstance(command, Send)]


def ends(commands: list[Command]) -> list[End]:
    return [command.end for command in commands if isinstance(command, Over)]


def opening(*urls: str) -> Signaling:
    machine = Signaling(CONNECT, urls or ("ws://a",), SETTINGS)
    machine.start(0.0)
    return machine


def asked() -> Signaling:
    machine = opening()
    assert sent(machine.handle(Opened(1), 1.0)) == [CONNECT]
    return machine


def rising(**offer: Any) -> Signaling:
    machine = asked()
    (apply,) = machine.handle(say(OFFER | offer), 2.0)
    assert isinstance(apply, Apply)
    machine.handle(Answered("v=0", ["candidate:1"], to_re_offer=False), 3.0)
    return machine


def on_air(**offer: Any) -> Signaling:
    machine = rising(**offer)
    machine.handle(MediaUp(), 3.0)
    assert machine.handle(say(CREATED), 3.0) == [OnAir("ME")]
    return machine


# ---- connect


def test_connect_says_what_a_sender_of_sound_must_and_nothing_else() -> None:
    grant = BroadcastGrant(signalling_urls=["ws://a"], channel_id="room")
    assert connect_message(grant, SETTINGS, client="Kaiwa 1", environment="Pi") == {
        "type": "connect",
        "role": "sendonly",
        "channel_id": "room",
        "audio": {"codec_type": "OPUS", "bit_rate": 96},
        "video": False,
        "sora_client": "Kaiwa 1",
        "environment": "Pi",
    }


def test_connect_of_a_sender_with_a_picture_names_its_codec_and_bit_rate() -> None:
    grant = BroadcastGrant(signalling_urls=["ws://a"], channel_id="room")
    settings = BroadcastSettings(picture_bit_rate=250_000)
    connect = connect_message(grant, settings, client="Kaiwa 1", environment="Pi", picture=True)
    assert connect["video"] == {"codec_type": "H264", "bit_rate": 250}


def test_metadata_is_sent_and_not_in_the_repr_of_the_command() -> None:
    grant = BroadcastGrant(signalling_urls=["ws://a"], channel_id="room", metadata={"access_token": "hunter2"})
    connect = connect_message(grant, SETTINGS, client="Kaiwa 1", environment="Pi")
    assert connect["metadata"] == {"access_token": "hunter2"}
    assert "hunter2" not in repr(Send(connect))


# ---- the way on air


def test_connect_is_the_first_thing_said() -> None:
    machine = Signaling(CONNECT, ["ws://a"], SETTINGS)
    assert machine.start(0.0) == [Open(1, "ws://a")]
    assert machine.handle(Opened(1), 0.1) == [Send(CONNECT)]


def test_the_offer_is_applied_with_its_servers_policy_and_mid() -> None:
    machine = asked()
    servers = [{"urls": ["turn:h", "turns:h"], "username": "u", "credential": "c"}]
    offer = {
        "config": {"iceServers": servers, "iceTransportPolicy": "relay"},
        "mid": {"audio": "a7", "video": "v"},
        "data_channels": [{"label": "signaling", "compress": True}, {"label": "push"}],
    }
    assert machine.handle(say(OFFER | offer), 2.0) == [
        Apply("v=0", (IceServer(("turn:h", "turns:h"), "u", "c"),), True, "a7", frozenset({"signaling"}), "v")
    ]


def test_the_answer_is_followed_by_its_candidates() -> None:
    machine = asked()
    machine.handle(say(OFFER), 2.0)
    commands = machine.handle(Answered("v=1", ["candidate:1", "candidate:2"], to_re_offer=False), 3.0)
    assert sent(commands) == [
        {"type": "answer", "sdp": "v=1"},
        {"type": "candidate", "candidate": "candidate:1"},
        {"type": "candidate", "candidate": "candidate:2"},
    ]


def test_on_air_needs_both_own_creation_and_media_in_any_order() -> None:
    for first, second in ((MediaUp(), say(CREATED)), (say(CREATED), MediaUp())):
        machine = rising()
        assert machine.handle(first, 3.0) == []
        assert machine.handle(second, 3.0) == [OnAir("ME")]
        assert machine.deadline is None


def test_somebody_elses_creation_is_not_ours() -> None:
    machine = rising()
    machine.handle(MediaUp(), 3.0)
    assert machine.handle(say(CREATED | {"connection_id": "OTHER"}), 3.0) == []


# ---- addresses and redirects


def test_addresses_are_tried_in_order() -> None:
    machine = opening("ws://a", "ws://b", "ws://c")
    assert machine.handle(SocketClosed(1, 0, "refused"), 0.1) == [Open(2, "ws://b")]
    assert machine.deadline is not None
    assert machine.wake(machine.deadline) == [Open(3, "ws://c")]
    assert ends(machine.handle(SocketClosed(3, 0, "refused"), 9.0)) == [End(Cause.UNREACHABLE, 0, "refused")]


def test_a_redirect_repeats_the_connect_at_the_other_place() -> None:
    machine = asked()
    assert machine.handle(say({"type": "redirect", "location": "ws://b"}), 1.0) == [Open(2, "ws://b")]
    assert machine.handle(SocketClosed(1, 1000, "moved"), 1.0) == []
    assert sent(machine.handle(Opened(2), 1.1)) == [CONNECT | {"redirect": True}]


def test_redirects_are_followed_a_few_times_only() -> None:
    machine = opening()
    commands: list[Command] = []
    followed = 0
    while not ends(commands):
        machine.handle(Opened(followed + 1), 0.0)
        commands = machine.handle(say({"type": "redirect", "location": "ws://b"}), 0.0)
        followed += 1
    assert followed == SETTINGS.redirects + 1
    assert ends(commands)[0].cause is Cause.UNREACHABLE


# ---- while it lasts


def test_a_ping_is_answered_at_once_and_with_statistics_when_asked() -> None:
    machine = on_air()
    assert machine.handle(say({"type": "ping"}), 4.0) == [Send({"type": "pong"})]
    assert machine.handle(say({"type": "ping", "stats": True}), 4.0) == [CollectStats("")]
    stats = [{"type": "outbound-rtp"}]
    assert machine.handle(StatsCollected(stats, ""), 4.0) == [Send({"type": "pong", "stats": stats})]


def test_a_ping_before_there_is_media_gets_a_plain_pong() -> None:
    assert asked().handle(say({"type": "ping", "stats": True}), 1.0) == [Send({"type": "pong"})]


def test_a_later_offer_gets_a_later_answer_without_candidates() -> None:
    machine = on_air()
    assert machine.handle(say({"type": "re-offer", "sdp": "v=2"}), 4.0) == [Reapply("v=2")]
    answered = machine.handle(Answered("v=3", ["candidate:1"], to_re_offer=True), 4.0)
    assert sent(answered) == [{"type": "re-answer", "sdp": "v=3"}]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "hologram"},
        {"type": "push", "data": {"x": [1]}},
        {"type": "notify", "event_type": "network.status", "unstable_level": 2},
        {"type": "notify", "event_type": "connection.telepathy"},
        {"type": "notify"},
        {"type": "switched"},
        {"type": "offer", "sdp": "again", "connection_id": "ME"},
        {"type": "redirect", "location": "ws://late"},
    ],
)
def test_what_does_not_concern_us_changes_nothing(message: dict[str, Any]) -> None:
    machine = on_air()
    assert machine.handle(say(message), 4.0) == []
    assert machine.phase is Phase.ON_AIR


# ---- data channels


def test_after_the_switch_signalling_goes_over_the_data_channel() -> None:
    machine = on_air()
    assert machine.handle(say({"type": "switched", "ignore_disconnect_websocket": True}), 4.0) == [CloseSocket()]
    assert machine.handle(SocketClosed(1, 1000, ""), 4.1) == []
    assert machine.handle(say({"type": "re-offer", "sdp": "v=2"}, "signaling"), 5.0) == [Reapply("v=2")]
    answered = machine.handle(Answered("v=3", [], to_re_offer=True), 5.0)
    assert answered == [Send({"type": "re-answer", "sdp": "v=3"}, "signaling")]
    assert machine.handle(Leave(), 6.0) == [Send({"type": "disconnect", "reason": "NO-ERROR"}, "signaling")]
    assert ends(machine.handle(MediaDown("peer connection closed"), 6.1)) == [End(Cause.LEFT)]


def test_statistics_are_reported_on_the_channel_that_asks() -> None:
    machine = on_air()
    assert machine.handle(say({"type": "req-stats"}, "stats"), 4.0) == [CollectStats("stats")]
    assert machine.handle(StatsCollected([], "stats"), 4.0) == [Send({"type": "stats", "reports": []}, "stats")]


def test_a_close_on_the_data_channel_is_an_end() -> None:
    machine = on_air()
    close = {"type": "close", "code": 1000, "reason": "LIFETIME-EXPIRED"}
    assert ends(machine.handle(say(close, "signaling"), 4.0)) == [End(Cause.ENDED, 1000, "LIFETIME-EXPIRED")]


# ---- ends


def test_leaving_says_goodbye_and_waits_for_the_close() -> None:
    machine = on_air()
    assert machine.handle(Leave(), 5.0) == [Send({"type": "disconnect", "reason": "NO-ERROR"})]
    assert machine.deadline == 5.0 + SETTINGS.leave_seconds
    over = machine.handle(SocketClosed(1, 1000, "TYPE-DISCONNECT"), 5.1)
    assert ends(over) == [End(Cause.LEFT, 1000, "TYPE-DISCONNECT")]


def test_leaving_does_not_wait_for_ever() -> None:
    machine = on_air()
    machine.handle(Leave(), 5.0)
    assert machine.wake(7.9) == []
    assert ends(machine.wake(8.0)) == [End(Cause.LEFT)]


def test_leaving_before_anything_is_open_is_over_at_once() -> None:
    assert ends(opening().handle(Leave(), 0.1)) == [End(Cause.LEFT)]


@pytest.mark.parametrize(
    ("code", "reason", "before", "after"),
    [
        (1000, "LIFETIME-EXPIRED", Cause.ENDED, Cause.ENDED),
        (1000, "DISCONNECTED-API", Cause.ENDED, Cause.ENDED),
        (4403, "no", Cause.REFUSED, Cause.LOST),
        (4999, "", Cause.REFUSED, Cause.LOST),
        (1006, "", Cause.LOST, Cause.LOST),
        (1011, "oops", Cause.LOST, Cause.LOST),
    ],
)
def test_closes_are_told_apart(code: int, reason: str, before: Cause, after: Cause) -> None:
    assert ends(asked().handle(SocketClosed(1, code, reason), 2.0)) == [End(before, code, reason)]
    assert ends(on_air().handle(SocketClosed(1, code, reason), 9.0)) == [End(after, code, reason)]


def test_lost_media_is_an_end_with_a_goodbye() -> None:
    commands = on_air().handle(MediaDown("peer connection failed"), 9.0)
    assert sent(commands) == [{"type": "disconnect", "reason": "CONNECTION-STATE-FAILED"}]
    assert commands[1:] == [CloseSocket(), Over(End(Cause.MEDIA, 0, "peer connection failed"))]


def test_each_wait_has_its_own_end() -> None:
    waiting = {
        Cause.UNREACHABLE: [opening(), asked()],
        Cause.MEDIA: [rising()],
    }
    for cause, machines in waiting.items():
        for machine in machines:
            assert machine.deadline is not None
            assert ends(machine.wake(machine.deadline))[0].cause is cause


def test_media_without_the_services_word_is_not_on_air() -> None:
    machine = rising()
    machine.handle(MediaUp(), 3.0)
    assert machine.deadline is not None
    assert ends(machine.wake(machine.deadline)) == [End(Cause.UNREACHABLE, 0, "no connection.created in time")]


@pytest.mark.parametrize("text", ["", "{", '{"type":"offer"}', b"\x00"])
def test_nonsense_ends_the_connection(text: str | bytes) -> None:
    assert ends(asked().handle(Received(text), 2.0))[0].cause is Cause.LOST


def test_an_end_reads_well() -> None:
    assert str(End(Cause.REFUSED, 4403, "no")) == "refused: 4403 no"
    assert str(End(Cause.LEFT)) == "left"


# ---- anything at all

messages = st.sampled_from(
    [
        OFFER,
        CREATED,
        {"type": "re-offer", "sdp": "v=2"},
        {"type": "redirect", "location": "ws://b"},
        {"type": "ping", "stats": True},
        {"type": "ping"},
        {"type": "push", "data": 1},
        {"type": "switched", "ignore_disconnect_websocket": True},
        {"type": "switched"},
        {"type": "close", "code": 1000, "reason": "X"},
        {"type": "req-stats"},
        {"type": "hologram"},
    ]
)
numbers = st.integers(1, 4)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Opened, numbers),
    st.builds(say, messages, st.sampled_from(["", "signaling", "stats"])),
    st.builds(Received, st.text("{}[]", max_size=4)),
    st.builds(SocketClosed, numbers, st.sampled_from([0, 1000, 1006, 4403])),
    st.builds(Answered, st.just("v=0"), st.just(["candidate:1"]), st.booleans()),
    st.builds(StatsCollected, st.just([]), st.sampled_from(["", "stats"])),
    st.just(MediaUp()),
    st.builds(MediaDown, st.just("failed")),
    st.just(Leave()),
)


@given(st.lists(st.tuples(events, st.floats(0, 20)), max_size=40))
def test_whatever_happens_there_is_one_end_and_silence_after_it(history: list[tuple[Event, float]]) -> None:
    machine = Signaling(CONNECT, ["ws://a", "ws://b"], SETTINGS)
    commands, now, overs = machine.start(0.0), 0.0, 0
    for event, pause in history:
        now += pause
        for step in (machine.wake(now), machine.handle(event, now)):
            assert not (overs and step), "nothing may be done after the end"
            overs += len(ends(step))
            commands += step
        assert (machine.deadline is None) == (machine.phase in {Phase.ON_AIR, Phase.OVER})
        assert machine.deadline is None or machine.deadline <= now + 120
    assert overs <= 1
    assert sum(isinstance(command, OnAir) for command in commands) <= 1
    connects = [message for message in sent(commands) if message["type"] == "connect"]
    assert len(connects) <= SETTINGS.redirects + 2


@given(st.lists(st.floats(0.1, 30), min_size=20, max_size=20))
def test_silence_from_the_service_always_ends(pauses: list[float]) -> None:
    machine, now = rising(), 3.0
    for pause in pauses:
        now += pause
        machine.wake(now)
    assert machine.phase is Phase.OVER or now < 2.0 + SETTINGS.media_seconds
