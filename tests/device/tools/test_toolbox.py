"""Whatever a tool does, the model is told and the robot goes on."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from device.tools.outcome import Outcome
from device.tools.tool import made
from device.tools.toolbox import MOST_RUNNING, Toolbox

GATE = threading.Event()


def wait() -> str:
    """Wait for the gate."""
    GATE.wait(10)
    return "opened"


def fail(text: str) -> None:
    """Fail."""
    raise ValueError(text)


def leave() -> None:
    """Leave."""
    sys.exit(3)


def stop() -> None:
    """Stop."""
    raise StopIteration


def where() -> str:
    """Tell the thread."""
    return threading.current_thread().name


TOOLS = Toolbox(
    [
        made(wait, seconds=0.05),
        *(made(function, seconds=5.0) for function in (fail, leave, stop, where)),
        made(where, seconds=5.0, in_loop=True, name="here"),
    ]
)


@pytest.fixture(autouse=True)
def gate() -> Iterator[None]:
    GATE.clear()
    yield
    GATE.set()


async def call(name: str, arguments: str = "{}") -> Outcome:
    return await TOOLS.call(name, arguments)


async def test_each_call_has_a_thread_of_its_own() -> None:
    assert (await call("where")).text == '{"ok":true,"result":"tool where"}'
    assert (await call("here")).text == '{"ok":true,"result":"MainThread"}'


async def test_what_raises_is_told_to_the_model_and_not_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    outcome = await call("fail", '{"text": "a visitor\'s words"}')
    assert outcome == Outcome(ok=False, text='{"ok":false,"error":"fail failed: ValueError: a visitor\'s words"}')
    assert "words" not in caplog.text
    assert f"tool fail has failed: ValueError at {__file__}:" in caplog.text


@pytest.mark.parametrize(("name", "why"), [("leave", "SystemExit"), ("stop", "StopIteration")])
async def test_even_what_ends_programs_is_only_a_failed_call(name: str, why: str) -> None:
    assert (await call(name)).text == f'{{"ok":false,"error":"{name} failed: RuntimeError: {why}"}}'


async def test_what_hangs_is_answered_for_and_left_behind() -> None:
    outcome = await call("wait")
    assert outcome.text == '{"ok":false,"error":"wait did not answer within 0.05 s; it may still be at work"}'


async def test_only_so_many_can_hang() -> None:
    tools = Toolbox([made(wait, seconds=0.05)])
    outcomes = await asyncio.gather(*(tools.call("wait", "{}") for _ in range(MOST_RUNNING + 1)))
    assert sum("did not answer" in outcome.text for outcome in outcomes) == MOST_RUNNING
    assert sum("are at work already" in outcome.text for outcome in outcomes) == 1
    GATE.set()
    async with asyncio.timeout(5):
        while tools._running:
            await asyncio.sleep(0)
    assert (await tools.call("wait", "{}")).text == '{"ok":true,"result":"opened"}'


async def test_what_there_is_not_is_told_with_what_there_is() -> None:
    outcome = await TOOLS.call("fly", "{}", among=["where", "swim"])
    assert outcome.text == '{"ok":false,"error":"there is no tool \'fly\'; there are: where"}'
    assert not (await TOOLS.call("fail", "{}", among=["where"])).ok


async def test_a_call_whose_arguments_do_not_fit_is_not_made() -> None:
    assert "missing required field `text`" in (await call("fail")).text


async def test_who_is_cancelled_does_not_wait_for_a_tool() -> None:
    calling = asyncio.create_task(Toolbox([made(wait, seconds=10.0)]).call("wait", "{}"))
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
