from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from device.messages.reports import (
    DeviceState,
    Event,
    FaultRaised,
    Lifecycle,
    SessionEnded,
    SessionStarted,
    Speaker,
    Trace,
)
from provisioning.observer.robot import REMEMBERED, Robot
from provisioning.observer.views import LONGEST_TEXT, CaptionView, StateView, WatchView, public_session
from tests.provisioning.observer.talk import SESSION, card, loud, on_air, said

NOW = 1000.0
URL = "https://media.example/live.m3u8"


def robot() -> Robot:
    return Robot("hana", "Hana")


def live_robot() -> Robot:
    made = robot()
    made.on_state(on_air(), NOW)
    return made


def words(made: Robot, now: float = NOW) -> list[str]:
    return [caption.text for caption in made.snapshot(0, now).captions]


def test_a_card_becomes_a_state_that_names_no_secret() -> None:
    state = robot().on_state(on_air("speaking"), NOW)
    assert state == StateView(
        lifecycle=Lifecycle.READY,
        phase="speaking",
        on_air=True,
        session=public_session(SESSION),
        ended=False,
        playlist=None,
        at=NOW,
    )
    assert SESSION not in str(state)


def test_the_same_card_again_is_no_change_and_keeps_its_time() -> None:
    made = live_robot()
    assert made.on_state(on_air(), NOW + 9) is None
    assert made.snapshot(0, NOW + 9).state.at == NOW


def test_that_a_conversation_ends_soon_for_its_length_is_public() -> None:
    made = live_robot()
    state = made.on_state(replace(on_air(), ends_at=NOW + 30), NOW)
    assert state is not None
    assert state.closing
    assert not made.snapshot(0, NOW).state.ended


def test_a_closed_microphone_is_public() -> None:
    made = live_robot()
    change = made.on_state(msgspec.structs.replace(on_air(), muted=True), NOW)
    assert isinstance(change, StateView)
    assert (change.phase, change.muted) == ("listening", True)


def test_what_is_told_of_a_delayed_broadcast_belongs_to_a_sound_still_to_come() -> None:
    made = robot()
    before = made.on_state(msgspec.structs.replace(card("preparing", session=SESSION), delay=5.0), NOW)
    change = made.on_state(msgspec.structs.replace(on_air(), delay=5.0), NOW + 1)
    levels = made.on_metrics(loud(assistant=-20), NOW + 2)
    after = made.on_state(msgspec.structs.replace(card("idle"), delay=5.0), NOW + 3)
    assert levels is not None
    told = [state.at - NOW for state in (before, change, levels, after) if state is not None]
    assert told == [0.0, 6.0, 7.0, 3.0], "off air, nothing is to come"
    assert change is not None
    assert change.delay == 5.0


def test_words_on_air_are_passed_on() -> None:
    made = live_robot()
    change = made.on_event(said("Hello"), NOW)
    assert isinstance(change, CaptionView)
    assert words(made) == ["Hello"]


def test_words_that_are_not_on_air_stay_in_the_room() -> None:
    made = robot()
    made.on_state(card("speaking", session=SESSION), NOW)
    assert made.on_event(said("A secret"), NOW) is None
    assert made.on_metrics(loud(assistant=-20), NOW) is None
    assert words(made) == []


def test_words_begun_on_air_are_not_carried_on_when_the_broadcast_breaks() -> None:
    made = live_robot()
    made.on_event(said("My name", final=False), NOW)
    made.on_state(card("speaking", session=SESSION), NOW)
    assert made.on_event(said("My name is not for you"), NOW) is None
    assert words(made) == ["My name"]


def test_the_last_words_are_completed_although_the_conversation_is_over() -> None:
    made = live_robot()
    made.on_event(said("Good", final=False), NOW)
    made.on_state(card("ending", session=SESSION), NOW)
    assert made.on_event(said("Goodbye"), NOW) is not None
    assert made.on_event(said("Something new", caption_id="c2"), NOW) is None
    assert words(made) == ["Goodbye"]


def test_words_of_another_conversation_are_dropped() -> None:
    made = live_robot()
    assert made.on_event(said("Hello", session="another"), NOW) is None


def test_a_long_text_is_cut() -> None:
    made = live_robot()
    made.on_event(said("x" * (LONGEST_TEXT + 1)), NOW)
    assert len(words(made)[0]) == LONGEST_TEXT


def test_an_ended_conversation_can_be_read_for_a_while_and_is_then_forgotten() -> None:
    made = live_robot()
    made.on_event(said("Hello"), NOW)
    state = made.on_state(card(), NOW)
    assert isinstance(state, StateView)
    assert state.ended
    assert not state.on_air
    assert words(made, NOW + REMEMBERED - 1) == ["Hello"]
    assert words(made, NOW + REMEMBERED) == []
    assert made.snapshot(0, NOW + REMEMBERED).state.session is None


def test_words_whose_time_is_over_are_let_go_and_others_are_not() -> None:
    made = live_robot()
    assert made.words_until is None
    made.on_event(said("Hello"), NOW)
    assert made.words_until is None
    made.on_state(card(), NOW + 5)
    assert made.words_until == NOW + 5 + REMEMBERED
    made.forget(NOW + 4 + REMEMBERED)
    assert words(made, NOW + 5) == ["Hello"]
    made.forget(NOW + 5 + REMEMBERED)
    assert made.words_until is None
    assert words(made, NOW + 5) == []
    made.on_state(on_air(session="another"), NOW + 300)
    made.on_event(said("Hi", session="another"), NOW + 300)
    made.forget(NOW + 900)
    assert words(made, NOW + 900) == ["Hi"]


def test_the_last_will_ends_the_conversation() -> None:
    made = live_robot()
    state = made.on_state(card(lifecycle=Lifecycle.LOST), NOW)
    assert isinstance(state, StateView)
    assert (state.lifecycle, state.ended) == (Lifecycle.LOST, True)


def test_session_events_begin_and_end_a_conversation_before_the_card_does() -> None:
    made = robot()
    made.on_state(card("preparing"), NOW)
    begun = made.on_event(SessionStarted(session=SESSION, at=0.0, reason="button"), NOW)
    assert isinstance(begun, StateView)
    assert begun.session == public_session(SESSION)
    ended = made.on_event(SessionEnded(session=SESSION, at=0.0, reason="button", seconds=3.0), NOW)
    assert isinstance(ended, StateView)
    assert ended.ended


def test_an_ended_conversation_does_not_come_back_by_a_late_message() -> None:
    made = live_robot()
    made.on_state(on_air(session="second"), NOW)
    made.on_event(SessionStarted(session=SESSION, at=0.0, reason="button"), NOW)
    made.on_event(SessionEnded(session=SESSION, at=0.0, reason="button", seconds=3.0), NOW)
    state = made.snapshot(0, NOW).state
    assert (state.session, state.ended) == (public_session("second"), False)


def test_a_new_conversation_starts_with_an_empty_page() -> None:
    made = live_robot()
    made.on_playlist(SESSION, URL, NOW)
    made.on_event(said("Hello"), NOW)
    made.on_state(on_air(session="second"), NOW)
    assert words(made) == []
    assert made.snapshot(0, NOW).state.playlist is None


def test_a_playlist_that_is_early_waits_for_its_conversation() -> None:
    made = robot()
    assert made.on_playlist(SESSION, URL, NOW) is None
    assert made.on_playlist("another", "https://media.example/other.m3u8", NOW) is None
    made.on_playlist(SESSION, URL, NOW)
    state = made.on_state(on_air(), NOW)
    assert isinstance(state, StateView)
    assert state.playlist == URL


def test_a_new_publisher_brings_a_new_playlist() -> None:
    made = live_robot()
    made.on_playlist(SESSION, URL, NOW)
    state = made.on_playlist(SESSION, None, NOW)
    assert isinstance(state, StateView)
    assert state.playlist is None


def test_levels_are_all_that_is_public_of_the_metrics() -> None:
    change = live_robot().on_metrics(loud(user=-20, assistant=-60), NOW)
    assert change is not None
    assert (change.user, change.assistant, change.at) == (-20, -60, NOW)


def test_faults_and_traces_are_nobodys_business() -> None:
    made = live_robot()
    assert made.on_event(FaultRaised(at=0.0, fault="upstream", text="key sk-… refused"), NOW) is None
    assert made.on_event(Trace(session=SESSION, marks={}), NOW) is None


def test_a_robot_without_a_card_is_not_there_whatever_else_is_heard_of_it() -> None:
    made = robot()
    made.on_event(SessionStarted(session=SESSION, at=0.0, reason="button"), NOW)
    assert made.on_event(said("Hello"), NOW) is None
    assert not made.reported
    assert made.snapshot(0, NOW).state.lifecycle is None


events: st.SearchStrategy[Event] = st.one_of(
    st.builds(SessionStarted, session=st.sampled_from("abc"), at=st.just(0.0), reason=st.just("button")),
    st.builds(
        SessionEnded,
        session=st.sampled_from("abc"),
        at=st.just(0.0),
        reason=st.just("button"),
        seconds=st.just(1.0),
    ),
    st.builds(
        said,
        st.sampled_from(["", "one", "one two"]),
        caption_id=st.sampled_from("xyz"),
        speaker=st.sampled_from(Speaker),
        session=st.sampled_from("abc"),
        final=st.booleans(),
    ),
)
cards = st.builds(
    card,
    st.sampled_from(["idle", "preparing", "listening", "speaking", "ending", "fault"]),
    session=st.sampled_from(["a", "b", "c", None]),
    on_air=st.booleans(),
    lifecycle=st.sampled_from(Lifecycle),
)


@given(st.lists(st.one_of(events, cards), max_size=30))
def test_no_words_appear_while_the_robot_is_not_on_air(reports: list[Event | DeviceState]) -> None:
    made, air = robot(), False
    for report in reports:
        known = {caption.id for caption in made.snapshot(0, NOW).captions}
        if isinstance(report, DeviceState):
            made.on_state(report, NOW)
            air = report.on_air
        else:
            made.on_event(report, NOW)
        new = {caption.id for caption in made.snapshot(0, NOW).captions} - known
        assert air or not new


def test_the_way_into_the_broadcast_is_told_only_while_it_is_on_air() -> None:
    watch = WatchView(signalling="wss://sora.example/signaling", channel="c1")
    made = robot()
    assert made.on_watch(SESSION, watch, NOW) is None, "the device has not named this session yet"
    made.on_state(card("preparing", session=SESSION), NOW)
    assert made.snapshot(0, NOW).state.watch is None
    state = made.on_state(on_air(), NOW)
    assert state is not None
    assert state.watch == watch
    made.on_state(card("listening", session=SESSION), NOW)
    assert made.snapshot(0, NOW).state.watch is None
    made.on_state(on_air(), NOW)
    gone = made.on_watch(SESSION, None, NOW)
    assert gone is not None
    assert gone.watch is None
