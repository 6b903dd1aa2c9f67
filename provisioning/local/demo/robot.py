"""The robot of the demo: the real device program in a process of its own, with its virtual bench at our hands."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from device.errors import KaiwaError

_log = logging.getLogger(__name__)

STOP_SECONDS: Final = 20.0
"""How long the robot may take to give everything back before it is killed."""


class RobotError(KaiwaError):
    """The robot's process failed; its last words are in the log."""


class Robot:
    """Owns one `kaiwa-device run --bench` process: orders go in, what the bench observes comes out."""

    def __init__(
        self, config: Path, log: Path, on_observed: Callable[[dict[str, Any]], None], on_gone: Callable[[], None]
    ) -> None:
        self._config = config
        self._log = log
        self._on_observed = on_observed
        self._on_gone = on_gone
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "device", "run", "--config", str(self._config), "--bench"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        self._reader = asyncio.create_task(self._read(self._process), name="robot's bench")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> int:
        """Ask the robot to end (SIGTERM), wait, and return its exit code; kill it when it takes too long."""
        if self._process is None or self._reader is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                code = await self._process.wait()
        except TimeoutError:
            _log.error("the robot did not end within %.0f s", STOP_SECONDS)
            self._process.kill()
            code = await self._process.wait()
        await self._reader
        return code

    @property
    def pid(self) -> int:
        """The id of its process; 0 before it was started."""
        return self._process.pid if self._process else 0

    async def ended(self) -> int:
        """Wait until the process ends by itself and return its exit code."""
        if self._process is None:
            raise RobotError("not started")
        return await self._process.wait()

    def kill(self) -> None:
        """Let the robot vanish as in a power cut."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def do(self, action: str, **details: object) -> None:
        """Give the bench an order: `press`, `release`, `census`, or `say` with a `path` to a WAV file."""
        if self._process is not None and self._process.stdin is not None and self._process.returncode is None:
            self._process.stdin.write(json.dumps({"do": action, **details}).encode() + b"\n")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        async for line in process.stdout:
            self._on_observed(json.loads(line))
        self._on_gone()


async def enrol(config: Path, claim: str) -> None:
    """Run `kaiwa-device enrol` for the robot.

    Raises:
        RobotError: it was refused; the text is the program's own.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "device", "enrol", claim, "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RobotError(f"enrolment failed: {output.decode(errors='replace').strip()}")
