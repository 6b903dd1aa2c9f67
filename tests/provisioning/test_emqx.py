"""What the generated settings of EMQX say; the broker itself is not run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from device.messages import topics
from provisioning.broker import BrokerFiles
from provisioning.emqx import emqx_acl, emqx_config

FILES = BrokerFiles(*(Path(f"/etc/kaiwa/{name}") for name in ("ca.pem", "server.pem", "server.key", "crl.pem", "acl")))
RULE = re.compile(r'\{allow, (all|\{username, ("[^"]*")\}), (publish|subscribe), \[("[^"]*")\]\}\.')


def rules() -> list[tuple[str | None, str, str]]:
    """Return user (None for all), action and topic of each rule of an access list, the last of which refuses."""
    *lines, last = emqx_acl(["minter"], {"anna": ["*"], "berta": ["robot-1"]}).splitlines()
    assert last == "{deny, all}."
    found = [RULE.fullmatch(line) for line in lines]
    assert all(found)
    return [(m[2] and json.loads(m[2]), m[3], json.loads(m[4])) for m in found if m]


def fits(asked: str, rule: str) -> bool:
    """Tell whether what is asked for fits a rule, as `emqx_topic:match` does; our rules have no `#`."""
    asked_levels, rule_levels = asked.split("/"), rule.split("/")
    pairs = zip(asked_levels, rule_levels, strict=False)
    return len(asked_levels) == len(rule_levels) and all(r in {"+", a} and a != "#" for a, r in pairs)


def may(user: str, action: str, topic: str) -> bool:
    behind = re.sub(r"^\$share/[^/]+/", "", topic)
    return any(
        action == allowed and who in {None, user} and fits(behind, rule.replace("${username}", user))
        for who, allowed, rule in rules()
    )


@pytest.mark.parametrize(
    ("user", "action", "topic"),
    [
        ("robot-1", "publish", topics.mint_request("robot-1")),
        ("robot-1", "subscribe", topics.mint_answer("robot-1")),
        ("robot-1", "publish", topics.renewal_request("robot-1")),
        ("robot-1", "subscribe", topics.renewal_answer("robot-1")),
        ("robot-1", "subscribe", topics.command("robot-1")),
        ("robot-1", "publish", topics.command_status("robot-1", "7")),
        ("robot-1", "publish", topics.state("robot-1")),
        ("minter", "subscribe", topics.MINTERS),
        ("minter", "subscribe", topics.RENEWERS),
        ("minter", "publish", topics.mint_answer("robot-1")),
        ("minter", "publish", topics.renewal_answer("robot-1")),
        ("minter", "subscribe", topics.EVERY_METRIC),
        ("operator-anna", "publish", topics.command("robot-1")),
        ("operator-anna", "subscribe", topics.command_status("robot-1", "7")),
        ("operator-berta", "publish", topics.command("robot-1")),
        ("operator-berta", "subscribe", topics.event("robot-1")),
    ],
)
def test_everybody_may_do_what_they_do(user: str, action: str, topic: str) -> None:
    assert may(user, action, topic)


@pytest.mark.parametrize(
    ("user", "action", "topic"),
    [
        ("robot-1", "publish", topics.mint_request("robot-2")),
        ("robot-1", "publish", topics.mint_answer("robot-1")),
        ("robot-1", "publish", topics.command("robot-1")),
        ("robot-1", "publish", topics.renewal_answer("robot-1")),
        ("robot-1", "subscribe", topics.mint_answer("robot-2")),
        ("robot-1", "subscribe", topics.mint_answer("+")),
        ("robot-1", "subscribe", topics.MINTERS),
        ("robot-1", "subscribe", topics.RENEWERS),
        ("robot-1", "subscribe", "kaiwa/v1/robot-1/#"),
        ("robot-1", "subscribe", "#"),
        ("robot-1", "subscribe", "$SYS/#"),
        ("operator-anna", "publish", topics.mint_answer("robot-1")),
        ("operator-anna", "subscribe", topics.mint_answer("robot-1")),
        ("operator-berta", "publish", topics.command("robot-2")),
        ("operator-berta", "subscribe", topics.EVERY_EVENT),
        ("operator-eve", "publish", topics.command("robot-1")),
        ("minter", "publish", topics.command("robot-1")),
    ],
)
def test_and_nothing_else(user: str, action: str, topic: str) -> None:
    assert not may(user, action, topic)


def test_only_certificates_of_the_fleet_are_let_in_and_name_their_client() -> None:
    text = emqx_config("0.0.0.0", 8883, FILES)  # noqa: S104 - where a cluster listens
    for line in (
        "verify = verify_peer",
        "fail_if_no_peer_cert = true",
        "peer_cert_as_username = cn",
        "peer_cert_as_clientid = cn",
        "no_match = deny",
        "max_packet_size = 64KB",
        'cacertfile = "/etc/kaiwa/ca.pem"',
        'bind = "0.0.0.0:8883"',
    ):
        assert re.search(rf"^ *{re.escape(line)}$", text, re.MULTILINE), line
    for plain in ("tcp", "ws", "wss"):
        assert f"listeners.{plain}.default.enable = false" in text
    assert text.count("{") == text.count("}")
    assert 'bind = "[::]:8883"' in emqx_config("::", 8883, FILES)
