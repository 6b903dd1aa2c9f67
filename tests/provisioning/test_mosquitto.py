"""The generated configuration against a real Mosquitto."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import ssl
import time
from contextlib import suppress
from pathlib import Path

import aiomqtt
import pytest
from cryptography import x509

from device.errors import BrokerError
from device.messages import topics
from provisioning import mosquitto as module
from provisioning.authority import Authority
from provisioning.certificates import Issuer
from provisioning.link import connection
from provisioning.mosquitto import MosquittoProcess
from provisioning.revocation import end_connection
from tests.mosquitto import Board, Fleet


async def next_message(client: aiomqtt.Client) -> tuple[str, object]:
    async with asyncio.timeout(10):
        message = await anext(client.messages)
    return str(message.topic), message.payload


async def test_a_device_reaches_the_minter_and_the_minter_the_device(fleet: Fleet) -> None:
    board = fleet.board("robot-1")
    async with fleet.service() as minter, board.connect() as device:
        await minter.subscribe(topics.MINTERS, qos=1)
        await device.subscribe(topics.mint_answer("robot-1"), qos=1)
        await device.publish(topics.mint_request("robot-1"), b"request", qos=1)
        assert await next_message(minter) == (topics.mint_request("robot-1"), b"request")
        await minter.publish(topics.mint_answer("robot-1"), b"answer", qos=1)
        assert await next_message(device) == (topics.mint_answer("robot-1"), b"answer")


async def test_a_device_is_heard_in_its_own_subtree_only(fleet: Fleet) -> None:
    board = fleet.board("robot-1")
    async with fleet.service() as minter, board.connect() as device:
        await minter.subscribe(topics.EVERY_STATE, qos=1)
        await minter.subscribe(topics.MINTERS, qos=1)
        await device.publish(topics.state("robot-2"), b"foreign", qos=1)
        await device.publish(topics.mint_request("robot-2"), b"foreign", qos=1)
        await device.publish(topics.mint_answer("robot-1"), b"own answer", qos=1)
        await device.publish(topics.state("robot-1"), b"own", qos=1)
        assert await next_message(minter) == (topics.state("robot-1"), b"own")


async def test_a_device_hears_its_own_subtree_only(fleet: Fleet) -> None:
    async with fleet.board("robot-1").connect() as spy, fleet.service() as minter, fleet.operator("test") as operator:
        await spy.subscribe("#", qos=1)
        await spy.subscribe(topics.mint_answer("robot-2"), qos=1)
        async with fleet.board("robot-2").connect() as other:
            await other.publish(topics.state("robot-2"), b"foreign", qos=1, retain=True)
        await minter.publish(topics.mint_answer("robot-2"), b"foreign", qos=1)
        await operator.publish(topics.command("robot-2"), b"foreign", qos=1)
        await minter.publish(topics.mint_answer("robot-1"), b"own", qos=1)
        assert await next_message(spy) == (topics.mint_answer("robot-1"), b"own")


async def test_operators_command_and_hear_but_do_not_mint(fleet: Fleet) -> None:
    async with fleet.operator("test") as operator, fleet.board("robot-1").connect() as device:
        await operator.subscribe(topics.command_status("robot-1", "7"), qos=1)
        await device.subscribe(topics.command("robot-1"), qos=1)
        await device.subscribe(topics.mint_answer("robot-1"), qos=1)
        await operator.publish(topics.mint_answer("robot-1"), b"forged", qos=1)
        await operator.publish(topics.command("robot-1"), b"start", qos=1)
        assert await next_message(device) == (topics.command("robot-1"), b"start")
        await device.publish(topics.command_status("robot-1", "7"), b"accepted", qos=1)
        assert await next_message(operator) == (topics.command_status("robot-1", "7"), b"accepted")


async def test_without_a_certificate_there_is_no_connection(fleet: Fleet) -> None:
    bare = ssl.create_default_context(cafile=str(fleet.authority.root_path))
    with pytest.raises(aiomqtt.MqttError):
        async with connection(fleet.broker.endpoint, "robot-1", bare):
            pass


async def test_another_authority_s_certificate_is_refused(fleet: Fleet, tmp_path: Path) -> None:
    stranger = Fleet(fleet.broker, Authority.open(tmp_path / "other", ("127.0.0.1",), time.time()), tmp_path / "x")
    board = stranger.board("robot-1")
    board.tls.load_verify_locations(fleet.authority.root_path)
    with pytest.raises(aiomqtt.MqttError):
        async with board.connect():
            pass


async def refused(board: Board) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with board.connect():
            pass


async def test_a_certificate_that_has_run_out_or_not_begun_is_not_let_in(fleet: Fleet) -> None:
    for days in (-31, 1):
        await refused(fleet.board("robot-1", time.time() + days * 86_400.0))
    async with fleet.board("robot-1").connect():
        pass


async def test_a_robot_s_own_certificate_certifies_nobody(fleet: Fleet) -> None:
    thief = fleet.board("robot-1")
    (certificate, _) = x509.load_pem_x509_certificates((fleet.folder / "robot-1.pem").read_bytes())
    await refused(fleet.board("robot-2", issuer=Issuer(thief.key, certificate)))


async def test_whom_a_replaced_issuing_key_has_certified_is_not_let_in(fleet: Fleet) -> None:
    old, folder = fleet.board("robot-1"), fleet.authority.folder
    for name in ("issuing.key", "issuing.pem"):
        (folder / name).unlink()
    renewed = Authority.open(folder.parent, ("127.0.0.1", "localhost"), time.time())
    async with MosquittoProcess(renewed, fleet.folder / "broker") as broker:
        again = Fleet(broker, renewed, fleet.folder)
        await refused(dataclasses.replace(old, broker=broker.endpoint))
        async with again.board("robot-2").connect(), again.service():
            pass


async def test_a_client_id_cannot_be_taken_over(fleet: Fleet) -> None:
    async with fleet.board("robot-1").connect() as first:
        await first.subscribe(topics.command("robot-1"), qos=1)
        async with fleet.board("robot-2").connect(identifier="robot-1"), fleet.operator("test") as operator:
            await operator.publish(topics.command("robot-1"), b"still here", qos=1)
            assert await next_message(first) == (topics.command("robot-1"), b"still here")


async def test_a_revoked_device_falls_and_does_not_come_back(fleet: Fleet) -> None:
    board = fleet.board("robot-1")
    async with fleet.service() as minter:
        await minter.subscribe(topics.EVERY_STATE, qos=1)
        async with board.connect(will=aiomqtt.Will(topics.state("robot-1"), b"lost", qos=1, retain=True)) as device:
            fleet.authority.revoke([(board.serial, time.time())], time.time())
            await fleet.broker.reload()
            await end_connection(fleet.authority, fleet.broker.endpoint, "robot-1", time.time())
            with pytest.raises(aiomqtt.MqttError):
                await next_message(device)
        assert await next_message(minter) == (topics.state("robot-1"), b"lost")
    with pytest.raises(aiomqtt.MqttError):
        async with board.connect():
            pass
    async with fleet.board("robot-2").connect():
        pass


async def test_a_new_operator_counts_after_a_reload(fleet: Fleet) -> None:
    async with fleet.operator("late") as operator, fleet.board("robot-1").connect() as device:
        await device.subscribe(topics.command("robot-1"), qos=1)
        await operator.publish(topics.command("robot-1"), b"too early", qos=1)
        await fleet.broker.reload()
        await operator.publish(topics.command("robot-1"), b"now", qos=1)
        assert await next_message(device) == (topics.command("robot-1"), b"now")


async def test_a_message_that_is_too_large_ends_the_connection(fleet: Fleet) -> None:
    async with fleet.board("robot-1").connect() as device:
        with suppress(aiomqtt.MqttError):
            await device.publish(topics.event("robot-1"), b"x" * 70_000, timeout=0.2)
        with pytest.raises(aiomqtt.MqttError, match="Disconnected"):
            await next_message(device)


async def test_the_broker_restarts_on_the_same_port_and_ends_with_its_owner(fleet: Fleet) -> None:
    before = fleet.broker.endpoint
    pid = fleet.broker.pid
    await fleet.broker.restart()
    assert fleet.broker.endpoint == before
    assert fleet.broker.pid != pid
    async with fleet.board("robot-1").connect():
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_port_in_use_is_named(fleet: Fleet, tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"did not start.*in use"):
        async with MosquittoProcess(fleet.authority, tmp_path / "second", port=fleet.broker.endpoint.port):
            pass


async def test_an_end_of_its_own_is_noticed(fleet: Fleet) -> None:
    os.kill(fleet.broker.pid, 15)
    async with asyncio.timeout(10):
        assert "terminating" in await fleet.broker.ended()


async def test_a_missing_program_is_named(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_kwargs: None)
    with pytest.raises(BrokerError, match="apt install mosquitto"):
        async with MosquittoProcess(fleet.authority, tmp_path / "none"):
            pass


async def test_a_start_that_failed_before_is_not_taken_for_an_end(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = module._free_port
    ports = iter([fleet.broker.endpoint.port, free("127.0.0.1")])
    monkeypatch.setattr(module, "_free_port", lambda _host: next(ports))
    async with MosquittoProcess(fleet.authority, tmp_path / "second") as second:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(second.ended(), 0.1)


async def test_one_that_listens_everywhere_is_reached_by_name(fleet: Fleet, tmp_path: Path) -> None:
    tls = fleet.authority.client_context(fleet.authority.service("minter", time.time()))
    async with MosquittoProcess(fleet.authority, tmp_path / "second", host="0.0.0.0") as second:  # noqa: S104
        assert second.endpoint.host == "localhost"
        async with connection(second.endpoint, "minter", tls):
            pass
