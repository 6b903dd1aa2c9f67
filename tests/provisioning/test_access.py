"""Who may say and hear what at the broker: each part only its own, and nobody's rights reach into another's subtree."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.messages import topics
from provisioning.access import Action, Right, rights_of_device, rights_of_operator, rights_of_service
from provisioning.codes import is_device_name
from provisioning.roles import BRIDGE, HOME_ASSISTANT, MOST_MINTERS, SERVICES, Place, Role

PUBLISH, SUBSCRIBE = Action
NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{1,20}[a-z0-9]", fullmatch=True)
WHOLE, WEB, LEASH = (Place(role).identity for role in (Role.ALL, Role.WEB, Role.LEASH))
MINTER = Place(Role.MINT, 1).identity


def may(rights: tuple[Right, ...], action: Action, topic: str) -> bool:
    """Whether a broker would let this happen (MQTT 5, section 4.7)."""
    return any(right.action is action and _covers(right.topic, topic) for right in rights)


def _covers(pattern: str, topic: str) -> bool:
    levels, found = pattern.split("/"), topic.split("/")
    if levels[-1] == "#":
        return found[: len(levels) - 1] == levels[:-1]
    return len(levels) == len(found) and all(one in {"+", other} for one, other in zip(levels, found, strict=True))


@settings(max_examples=25)
@given(NAMES, NAMES)
def test_a_device_has_its_own_subtree_and_nothing_of_another(device: str, other: str) -> None:
    rights = rights_of_device(device)
    assert all(topics.device_of(right.topic) == device for right in rights)
    if device != other:
        assert not any(may(rights, action, right.topic) for action in Action for right in rights_of_device(other))


@pytest.mark.parametrize(
    ("topic", "says", "hears"),
    [
        (topics.mint_request("robot-1"), True, False),
        (topics.mint_answer("robot-1"), False, True),
        (topics.renewal_request("robot-1"), True, False),
        (topics.renewal_answer("robot-1"), False, True),
        (topics.command("robot-1"), False, True),
        (topics.command_status("robot-1", "a1"), True, False),
        (topics.state("robot-1"), True, False),
        (topics.event("robot-1"), True, False),
        (topics.metrics("robot-1"), True, False),
        (topics.console("robot-1"), True, False),
        ("homeassistant/x", False, False),
        ("$SYS/broker/uptime", False, False),
    ],
)
def test_a_device_never_hears_what_it_says_nor_says_what_it_is_to_hear(topic: str, says: bool, hears: bool) -> None:
    rights = rights_of_device("robot-1")
    assert (may(rights, PUBLISH, topic), may(rights, SUBSCRIBE, topic)) == (says, hears)


def test_only_minters_answer_and_only_operators_order() -> None:
    answer, order = topics.mint_answer("robot-1"), topics.command("robot-1")
    assert [may(rights_of_service(name), PUBLISH, answer) for name in (WHOLE, MINTER, WEB, LEASH)] == [
        *(True, True, False, False)
    ]
    assert not any(may(rights_of_service(name), PUBLISH, order) for name in SERVICES)
    assert may(rights_of_operator(["robot-1"]), PUBLISH, order)
    assert not may(rights_of_operator(["robot-1"]), PUBLISH, answer)


def test_the_whole_cloud_may_do_what_its_parts_may_and_each_thing_is_said_once() -> None:
    whole = rights_of_service(WHOLE)
    for part in (MINTER, WEB, LEASH):
        assert set(rights_of_service(part)) <= set(whole)
    assert len(set(whole)) == len(whole)
    assert {right for part in (MINTER, WEB, LEASH) for right in rights_of_service(part)} == set(whole)


def test_nobody_in_the_cloud_speaks_as_a_device() -> None:
    spoken = {right.topic for right in rights_of_device("robot-1") if right.action is PUBLISH}
    assert not [(name, topic) for name in SERVICES for topic in spoken if may(rights_of_service(name), PUBLISH, topic)]


@pytest.mark.parametrize("name", [BRIDGE, HOME_ASSISTANT])
def test_home_assistant_has_nothing_of_the_robots(name: str) -> None:
    rights = rights_of_service(name)
    assert may(rights, PUBLISH, "homeassistant/switch/x/set")
    assert may(rights, SUBSCRIBE, "homeassistant/status")
    assert not any(may(rights, action, right.topic) for action in Action for right in rights_of_device("robot-1"))


@settings(max_examples=25)
@given(st.lists(NAMES, max_size=3, unique=True), NAMES)
def test_an_operator_orders_the_robots_named_and_no_other(robots: list[str], other: str) -> None:
    rights = rights_of_operator(robots)
    for robot in robots:
        assert may(rights, PUBLISH, topics.command(robot))
        for heard in (
            topics.command_status(robot, "a"),
            topics.state(robot),
            topics.event(robot),
            topics.console(robot),
        ):
            assert may(rights, SUBSCRIBE, heard)
    if other not in robots:
        assert not any(may(rights, action, topics.command(other)) for action in Action)
        assert not may(rights, SUBSCRIBE, topics.state(other))
    assert may(rights_of_operator([*robots, "*"]), PUBLISH, topics.command(other))
    assert not may(rights_of_operator([*robots, "*"]), PUBLISH, topics.state(other))


def test_every_part_has_a_name_of_its_own_that_no_device_may_have() -> None:
    assert len(set(SERVICES)) == len(SERVICES) == 3 + MOST_MINTERS
    assert not any(is_device_name(name) for name in (*SERVICES, BRIDGE, HOME_ASSISTANT))
    assert {Place(Role.MINT, 1).identity, Place(Role.MINT, MOST_MINTERS).identity} <= set(SERVICES)
    assert not {BRIDGE, HOME_ASSISTANT} & set(SERVICES)


def test_the_whole_cloud_has_every_part_and_a_part_itself_only() -> None:
    assert all(Place(Role.ALL).has(role) for role in Role)
    assert Place(Role.WEB).has(Role.WEB)
    assert not any(Place(one).has(other) for one, other in combinations((Role.MINT, Role.WEB, Role.LEASH), 2))
