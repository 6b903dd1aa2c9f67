from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.messages.reports import DeviceState, Lifecycle
from device.messages.word_filter import WordFilter
from provisioning.imageflux import Channel
from provisioning.observer.feed import Feed, FullHouseError, Subscription
from provisioning.observer.robot import REMEMBERED
from provisioning.observer.sse import LONGEST_LINE
from tests.provisioning.observer.reading import Event, parse_events
from tests.provisioning.observer.talk import SESSION, card, loud, on_air, said
from tests.provisioning.observer.test_robot import cards, events


def new_feed(**options: Any) -> Feed:
    return Feed(name_of=str.title, clock=lambda: 1000.0, **options)


async def read(subscription: Subscription) -> list[Event]:
    async with asyncio.timeout(10):
        return parse_events(await subscription.read())


async def test_a_page_gets_a_snapshot_first_and_then_each_change() -> None:
    feed = new_feed()
    feed.on_state(on_air())
    with feed.watch("hana") as subscription:
        [(name, snapshot)] = await read(subscription)
        assert (name, snapshot["name"], snapshot["state"]["phase"]) == ("snapshot", "Hana", "listening")
        feed.on_state(on_air("speaking"))
        feed.on_event("hana", said("Hello"))
        feed.on_metrics("hana", loud(assistant=-12))
        feed.on_playlist("hana", SESSION, "https://media.example/live.m3u8")
        assert [name for name, _ in await read(subscription)] == ["state", "caption", "levels", "state"]


async def test_a_page_hears_of_its_own_robot_only() -> None:
    feed = new_feed()
    with feed.watch("hana") as subscription:
        await read(subscription)
        feed.on_state(on_air(device="momo"))
        feed.on_state(on_air(device="hana"))
        assert [data["phase"] for _, data in await read(subscription)] == ["listening"]


async def test_a_slow_page_is_given_a_snapshot_in_place_of_what_it_missed() -> None:
    feed = new_feed()
    feed.on_state(on_air())
    with feed.watch("hana") as slow:
        await read(slow)
        for number in range(LONGEST_LINE + 1):
            feed.on_metrics("hana", loud(assistant=-float(number)))
        feed.on_event("hana", said("Hello"))
        [(name, snapshot)] = await read(slow)
        assert name == "snapshot"
        assert [caption["text"] for caption in snapshot["captions"]] == ["Hello"]
        feed.on_event("hana", said("Hello there", caption_id="c2"))
        assert [name for name, _ in await read(slow)] == ["caption"]


async def test_a_page_may_wait_for_a_robot_that_is_not_there_yet() -> None:
    feed = new_feed()
    with feed.watch("hana") as subscription:
        [(_, snapshot)] = await read(subscription)
        assert snapshot["state"]["lifecycle"] is None
        feed.on_state(card())
        [(_, state)] = await read(subscription)
        assert state["lifecycle"] == "ready"


async def test_the_viewer_count_follows_once_it_has_settled() -> None:
    feed = new_feed(viewers_settle=0.0)
    feed.on_state(card())
    with feed.watch("hana") as first:
        await read(first)
        with feed.watch("hana") as second:
            assert feed.snapshot("hana").viewers == 2
            await read(second)
            assert await read(first) == [("viewers", {"viewers": 2})]
        assert await read(first) == [("viewers", {"viewers": 1})]
    assert feed.viewers("hana") == 0


async def test_a_full_house_takes_no_more() -> None:
    feed = new_feed(most_viewers=1)
    with feed.watch("hana"), pytest.raises(FullHouseError), feed.watch("momo"):
        pass
    with feed.watch("momo"):
        assert feed.viewers("momo") == 1


async def test_streams_come_to_an_end_and_new_ones_can_begin() -> None:
    feed = new_feed()
    with feed.watch("hana") as subscription:
        await read(subscription)
        waiting = asyncio.ensure_future(subscription.read())
        feed.end_streams()
        async with asyncio.timeout(10):
            assert await waiting == b""
    with feed.watch("hana") as subscription:
        assert [name for name, _ in await read(subscription)] == ["snapshot"]


def test_only_robots_that_have_sent_their_card_are_listed() -> None:
    feed = new_feed()
    feed.on_playlist("hana", SESSION, "https://media.example/live.m3u8")
    assert feed.robots() == []


def test_robots_on_air_come_first() -> None:
    feed = new_feed()
    for device in ("ume", "momo"):
        feed.on_state(card(device=device))
    feed.on_state(on_air(device="sakura"))
    assert [robot.device for robot in feed.robots()] == ["sakura", "momo", "ume"]


def test_nothing_internal_leaves() -> None:
    feed = new_feed()
    feed.on_state(
        DeviceState(
            device="hana", lifecycle=Lifecycle.READY, phase="listening", session=SESSION, on_air=True, fault="x9"
        )
    )
    feed.on_event("hana", said("Hello"))
    text = msgspec.json.encode([feed.robots(), feed.snapshot("hana")]).decode()
    assert SESSION not in text
    assert "x9" not in text


def apply(page: dict[str, Any], event: Event) -> dict[str, Any]:
    """Do what a page does with an event."""
    name, data = event
    if name == "snapshot":
        return data
    if name == "state":
        fresh = data["session"] is not None and data["session"] != page["state"]["session"]
        return {**page, "state": data, "captions": [] if fresh else page["captions"]}
    if name == "caption":
        others = [caption for caption in page["captions"] if caption["id"] != data["id"]]
        kept = [*others, data] if data["text"].strip() else others
        return {**page, "captions": sorted(kept, key=lambda caption: caption["start"])}
    return page


reads = st.just("read")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(events, cards, reads), max_size=40))
def test_snapshot_and_changes_add_up_to_what_is_known(steps: list[Any]) -> None:
    async def watch() -> None:
        feed = new_feed()
        with feed.watch("hana") as subscription:
            page: dict[str, Any] = {}
            for step in [*steps, "read"]:
                page = await act(feed, subscription, page, step)
            known = msgspec.to_builtins(feed.snapshot("hana"))
            assert (page["state"], words(page)) == (known["state"], words(known))

    asyncio.run(watch())


async def act(feed: Feed, subscription: Subscription, page: dict[str, Any], step: Any) -> dict[str, Any]:
    if isinstance(step, DeviceState):
        feed.on_state(step)
    elif step != "read":
        feed.on_event("hana", step)
    elif subscription._bell.is_set():
        for event in await read(subscription):
            page = apply(page, event)
    return page


def words(page: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((caption["id"], caption["text"]) for caption in page["captions"])


async def test_the_list_comes_whole_and_then_by_what_changes() -> None:
    feed = new_feed(viewers_settle=0.0)
    feed.on_state(card(device="momo"))
    with feed.watch_list() as watching:
        [(name, everything)] = await read(watching)
        assert (name, [each["device"] for each in everything["robots"]]) == ("list", ["momo"])
        feed.on_state(on_air(device="hana"))
        feed.on_event("hana", said("Hello"))
        feed.on_metrics("hana", loud(assistant=-12))
        [(name, changed)] = await read(watching)
        assert (name, changed["device"], changed["state"]["on_air"]) == ("card", "hana", True)
        with feed.watch("hana"):
            assert [data["viewers"] for _, data in await read(watching)] == [1]
        assert [data["viewers"] for _, data in await read(watching)] == [0]
    feed.on_state(card(device="momo", phase="preparing"))


async def test_pages_that_look_at_the_list_count_as_open() -> None:
    feed = new_feed(most_viewers=1)
    with feed.watch_list(), pytest.raises(FullHouseError), feed.watch_list():
        raise AssertionError


async def test_a_page_is_told_how_to_join_the_broadcast_while_it_may() -> None:
    feed = new_feed()
    feed.on_state(on_air())
    with feed.watch("hana") as subscription:
        await read(subscription)
        feed.on_watch("hana", SESSION, Channel("c1", "wss://sora.example/signaling"))
        feed.on_watch("hana", SESSION, None)
        shown = [data["watch"] for _, data in await read(subscription)]
    assert shown == [{"signalling": "wss://sora.example/signaling", "channel": "c1"}, None]


async def test_hidden_words_leave_by_no_way() -> None:
    told: list[tuple[str, str]] = []
    words = WordFilter(["darn"])
    feed = new_feed(words=words, captioned=lambda session, caption: told.append((session, caption.text)))
    feed.on_state(card("listening", session=SESSION))
    feed.on_event("hana", said("not on air", caption_id="a"))
    feed.on_state(on_air())
    with feed.watch("hana") as subscription:
        await read(subscription)
        feed.on_event("hana", said("Oh darn"))
        feed.on_event("hana", said("Oh darn"))
        [(_, caption)] = await read(subscription)
    assert caption["text"] == "Oh ●●●●"
    assert [each.text for each in feed.snapshot("hana").captions] == ["Oh ●●●●"]
    assert told == [(SESSION, "Oh ●●●●")]


def held(feed: Feed) -> dict[str, int]:
    """Return how many captions are in memory of each robot."""
    return {name: len(robot._talk.log) if robot._talk else 0 for name, robot in feed._robots.items()}


def test_the_words_of_ended_conversations_leave_the_memory_whoever_is_heard_of() -> None:
    now = 1000.0
    feed = Feed(clock=lambda: now)
    for pause, device in ((0.0, "hana"), (20.0, "momo"), (20.0, "taro")):
        now += pause
        feed.on_state(on_air(device=device))
        feed.on_event(device, said("Hello"))
        feed.on_state(card(device=device))
    feed.on_state(on_air(device="hana", session="another"))  # begins anew at 1040, and ends at 1050
    feed.on_event("hana", said("Again", session="another"))
    now += 10.0
    feed.on_state(card(device="hana"))
    assert held(feed) == {"hana": 1, "momo": 1, "taro": 1}
    for at, left in ((1020.0, ["hana", "taro"]), (1040.0, ["hana"]), (1050.0, [])):
        now = at + REMEMBERED
        feed.on_state(card(device="nana"))
        assert [name for name, count in held(feed).items() if count] == left
    assert feed._fading == {}
