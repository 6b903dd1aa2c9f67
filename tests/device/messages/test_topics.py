"""Topics: every one lies below its device, none is another's, and whose a topic is can be read from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import MalformedMessageError
from device.messages import topics

OF_A_DEVICE: list[Callable[[str], str]] = [
    topics.mint_request,
    topics.mint_answer,
    topics.renewal_request,
    topics.renewal_answer,
    topics.command,
    topics.state,
    topics.event,
    topics.metrics,
    topics.console,
]
SHARED = {
    topics.MINTERS: topics.mint_request,
    topics.RENEWERS: topics.renewal_request,
    topics.EVERY_STATE: topics.state,
    topics.EVERY_EVENT: topics.event,
    topics.EVERY_METRIC: topics.metrics,
    topics.EVERY_CONSOLE: topics.console,
}
NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]", fullmatch=True)


def matches(subscription: str, topic: str) -> bool:
    """Whether a broker hands `topic` to who has subscribed so; a share's first two levels are no part of it."""
    levels = subscription.split("/")
    levels = levels[2:] if levels[0] == "$share" else levels
    found = topic.split("/")
    return len(levels) == len(found) and all(one in {"+", other} for one, other in zip(levels, found, strict=True))


@settings(max_examples=25)
@given(NAMES, NAMES)
def test_a_topic_is_of_one_device_and_for_one_purpose(one: str, other: str) -> None:
    of_one = {make(one) for make in OF_A_DEVICE} | {topics.command_status(one, "x"), topics.command_status(one, "y")}
    assert len(of_one) == len(OF_A_DEVICE) + 2
    for topic in of_one:
        assert topics.device_of(topic) == one
        assert topic.startswith(f"{topics.PREFIX}/{one}/")
    if one != other:
        assert not of_one & {make(other) for make in OF_A_DEVICE}


@pytest.mark.parametrize(("subscription", "meant"), SHARED.items())
def test_who_subscribes_gets_that_of_every_device_and_nothing_else(
    subscription: str, meant: Callable[[str], str]
) -> None:
    for make in OF_A_DEVICE:
        assert matches(subscription, make("robot-1")) is (make is meant)
    assert not matches(subscription, topics.command_status("robot-1", "state"))


@pytest.mark.parametrize("shared", [topics.MINTERS, topics.RENEWERS])
def test_a_request_reaches_one_of_the_minters(shared: str) -> None:
    assert shared.startswith("$share/minters/")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "kaiwa/v1",
        "kaiwa/v1/",
        "kaiwa/v1/a",
        "kaiwa/v1/a/",
        "kaiwa/v1//evt",
        "kaiwa/v10/a/evt",
        "x/kaiwa/v1/a/evt",
    ],
)
def test_what_lies_below_no_device_is_nobodys(topic: str) -> None:
    with pytest.raises(MalformedMessageError, match="not a topic of kaiwa/v1"):
        topics.device_of(topic)
