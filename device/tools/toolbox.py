"""The tools of one robot, and the calls of them: each in a thread of its own, so that none can hold up the voice.

A thread cannot be ended from outside. A call that hangs is answered for when its time is over, and its thread is left
behind; it neither keeps the process from ending nor counts for more than its place among `MOST_RUNNING`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Final

from device.messages.tools import ToolDeclaration, check_declarations
from device.tools.outcome import Outcome, failure, fitted, success
from device.tools.tool import Tool

_log = logging.getLogger(__name__)

MOST_RUNNING: Final = 8
"""Calls at a time, those that hang included."""


class Toolbox:
    """Finds tools by name and calls them.

    Raises:
        MalformedMessageError: there are too many, or two of one name.
    """

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._running = 0
        check_declarations([tool.declaration for tool in tools])

    @property
    def tools(self) -> Sequence[Tool]:
        """All there are."""
        return list(self._tools.values())

    @property
    def declarations(self) -> list[ToolDeclaration]:
        """What the cloud is told: the tools that a model may be allowed."""
        return [tool.declaration for tool in self._tools.values() if not tool.user_only]

    @property
    def for_operators(self) -> list[str]:
        """The names of what operators may call; a conversation they end with an order to stop."""
        return [tool.name for tool in self._tools.values() if not tool.parting]

    async def call(self, name: str, arguments: str, among: Collection[str] | None = None) -> Outcome:
        """Call a tool with arguments in JSON, one of those `among` if given; never raises but when cancelled."""
        names = self._tools.keys() if among is None else self._tools.keys() & set(among)
        if name not in names:
            return failure(f"there is no tool {name!r}; there are: {', '.join(sorted(names)) or 'none'}")
        began = time.monotonic()
        outcome = await self._called(self._tools[name], arguments)
        _log.info("tool %s: %s in %.2f s", name, "ok" if outcome.ok else "failed", time.monotonic() - began)
        return outcome

    async def _called(self, tool: Tool, arguments: str) -> Outcome:
        try:
            given = fitted(tool, arguments)
        except ValueError as error:
            return failure(str(error))
        try:
            async with asyncio.timeout(tool.seconds) as time_out:
                return success(tool, await (_in_loop if tool.in_loop else self._in_thread)(tool, given))
        except Exception as error:  # noqa: BLE001 - a tool may raise what it likes, and the talk goes on
            if time_out.expired():
                return failure(f"{tool.name} did not answer within {tool.seconds:g} s; it may still be at work")
            _log.warning("tool %s has failed: %s", tool.name, _place(error))
            return failure(f"{tool.name} failed: {type(error).__name__}: {error}")

    async def _in_thread(self, tool: Tool, given: dict[str, Any]) -> Any:
        if self._running >= MOST_RUNNING:
            raise RuntimeError(f"{self._running} calls are at work already")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def work() -> None:
            settle = _settling(future, tool.function, given)
            with suppress(RuntimeError):  # the robot has ended meanwhile
                loop.call_soon_threadsafe(self._finished, settle)  # FROM THE THREAD OF A TOOL

        self._running += 1
        threading.Thread(target=work, name=f"tool {tool.name}", daemon=True).start()
        return await future

    def _finished(self, settle: Callable[[], None]) -> None:
        self._running -= 1
        settle()


async def _in_loop(tool: Tool, given: dict[str, Any]) -> Any:
    """Call what the robot brings along; what it returns may still have to come."""
    value = tool.function(**given)
    return await value if isinstance(value, asyncio.Future) else value


def _place(error: Exception) -> str:
    """Return what was raised and where; its words may be a visitor's, and do not go into the log."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _settling(future: asyncio.Future[Any], function: Callable[..., Any], given: dict[str, Any]) -> Callable[[], None]:
    """Call the function here, and return what then tells `future`, in its own loop, what came of it."""
    try:
        value = function(**given)
    except BaseException as error:  # noqa: BLE001 - the edge of a thread: even sys.exit() is only a failed call
        fit = isinstance(error, Exception) and not isinstance(error, StopIteration)  # which no future takes
        raised = error if fit else RuntimeError(type(error).__name__)
        return lambda: None if future.done() else future.set_exception(raised)
    return lambda: None if future.done() else future.set_result(value)
