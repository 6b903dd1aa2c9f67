from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from device.errors import BadSignatureError, StaleMessageError
from device.messages import topics
from device.messages.commands import LONGEST_SECONDS, Command, Step, Verb
from device.messages.envelope import COMMAND, MINT_REQUEST, KeySigner, check_fresh, open_envelope, seal_envelope
from provisioning import commands
from provisioning.app import DEFAULT_OPERATOR
from provisioning.commands import NoAnswerError, new_command, order
from provisioning.link import connection
from tests.provisioning.site import Board, Site, site


class Operator:
    """An operator of a running site."""

    def __init__(self, here: Site) -> None:
        authority = here.cloud.authority
        files, self.signer = authority.operator(DEFAULT_OPERATOR, time.time())
        self._tls, self._broker = authority.client_context(files), here.cloud.broker

    async def order(self, command: Command, signer: KeySigner | None = None) -> list[Step]:
        """Send a command and return every step that comes back."""
        async with connection(self._broker, self.signer.kid, self._tls) as client:
            return [status.step async for status in order(client, signer or self.signer, command)]

    def command(self) -> Command:
        return new_command("robot-1", Verb.START, self.signer.kid, time.time())


async def answer(board: Board, *steps: Step) -> Command:
    command = await board.command()
    for step in steps:
        await board.step(command, step)
    return command


async def test_a_command_is_signed_addressed_and_short_lived(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board, asyncio.TaskGroup() as group:
        operator = Operator(here)
        sent = operator.command()
        ordered = group.create_task(operator.order(sent))
        command = await answer(board, Step.ACCEPTED, Step.IN_PROGRESS, Step.SUCCEEDED)
        assert await ordered == [Step.ACCEPTED, Step.IN_PROGRESS, Step.SUCCEEDED]
        assert command == sent
        check_fresh(command.issued_at, command.expires_at, time.time(), longest=LONGEST_SECONDS)
        with pytest.raises(StaleMessageError):
            check_fresh(command.issued_at, command.expires_at, time.time() + 16, longest=LONGEST_SECONDS)


async def test_answers_to_other_commands_and_nonsense_are_not_ours(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board, asyncio.TaskGroup() as group:
        operator = Operator(here)
        ordered = group.create_task(operator.order(operator.command()))
        command = await board.command()
        await board.client.publish(topics.command_status("robot-1", command.id), b"nonsense", qos=1)
        await board.step(new_command("robot-1", Verb.START, "x", 0.0), Step.FAILED)
        await board.step(command, Step.DUPLICATE)
        assert await ordered == [Step.DUPLICATE]


async def test_only_a_signature_for_this_purpose_by_a_known_operator_counts(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        identity = await here.enrolled("robot-1")
        operator = Operator(here)
        genuine = seal_envelope(COMMAND, operator.command(), operator.signer)
        open_envelope(COMMAND, genuine, identity.operator_key)
        other_purpose = seal_envelope(MINT_REQUEST, operator.command(), operator.signer)
        by_minter = seal_envelope(COMMAND, operator.command(), here.cloud.authority.mint_signer)
        _, eve = here.cloud.authority.operator("eve", time.time())
        by_eve = seal_envelope(COMMAND, operator.command(), eve)
        for forged in (other_purpose, by_minter, by_eve):
            with pytest.raises(BadSignatureError):
                open_envelope(COMMAND, forged, identity.operator_key)


async def test_silence_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "FIRST_STEP_SECONDS", 0.1)
    async with site(tmp_path) as here:
        operator = Operator(here)
        with pytest.raises(NoAnswerError, match="robot-1 did not answer"):
            await operator.order(operator.command())
