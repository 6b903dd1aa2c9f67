from __future__ import annotations

import time
from pathlib import Path

import pytest

from device.messages import topics
from device.messages.commands import Verb
from device.messages.envelope import COMMAND, MINT_REQUEST, seal_envelope
from provisioning.authority import Authority
from provisioning.commands import new_command
from provisioning.stops import Stops


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    opened = Authority.open(tmp_path, ("127.0.0.1",), time.time())
    opened.operator("anna", time.time())
    return opened


def test_a_genuine_stop_counts_and_nothing_else_does(authority: Authority) -> None:
    stopped: list[str] = []
    heard: list[Verb] = []
    stops = Stops(authority.operator_keys(), stopped.append, lambda order, _: heard.append(order.command.verb))
    _, anna = authority.operator("anna", time.time())
    _, eve = authority.operator("eve", time.time())

    def command(verb: Verb = Verb.STOP, at: float = 0.0, device: str = "robot-1") -> object:
        return new_command(device, verb, "operator-anna", time.time() + at)

    here = topics.command("robot-1")
    for forged in (
        b"nonsense",
        seal_envelope(COMMAND, command(Verb.START), anna),
        seal_envelope(COMMAND, command(at=-20), anna),
        seal_envelope(COMMAND, command(device="robot-2"), anna),
        seal_envelope(MINT_REQUEST, command(), anna),
        seal_envelope(COMMAND, command(), eve),
    ):
        stops.deliver(here, forged)
    assert (stopped, heard) == ([], [Verb.START])
    stops.deliver(here, seal_envelope(COMMAND, command(), anna))
    assert (stopped, heard) == (["robot-1"], [Verb.START, Verb.STOP])
