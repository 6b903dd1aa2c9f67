"""Mosquitto as a child process, from the same generated configuration as in production."""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import re
import shutil
import signal
import socket
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from device.errors import BrokerError
from provisioning.authority import MINTER, Authority
from provisioning.broker import BrokerFiles, mosquitto_acl, mosquitto_config
from provisioning.keyfiles import write_durably
from provisioning.link import BrokerEndpoint
from provisioning.operators import robots_of
from provisioning.roles import SERVICES
from provisioning.settings import reachable

_log = logging.getLogger(__name__)

_STARTED: Final = re.compile(rb"mosquitto version \S+ running")
_RELOADED: Final = re.compile(rb"Reloading config")

START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 5.0
_TRIES: Final = 5


class MosquittoProcess:
    """Owner of one broker: `async with MosquittoProcess(…) as broker:` is accepting TLS connections inside.

    Configuration and access list are written to `folder`; with port 0 a free port is taken. `clients` are those of the
    cloud that it knows. The process is ended by
    its own id, whatever happens in between.
    """

    def __init__(
        self,
        authority: Authority,
        folder: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = "",
        clients: Sequence[str] = SERVICES,
    ) -> None:
        self._authority, self._folder, self._host, self._port, self._user = authority, folder, host, port, user
        self._clients = clients
        self._process: Process | None = None
        self._lines: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self._reloaded = asyncio.Event()
        self._fallen = asyncio.Event()
        self._stopping = False
        self._last_line = ""

    @property
    def endpoint(self) -> BrokerEndpoint:
        """Where it is reached from here."""
        return BrokerEndpoint(reachable(self._host), self._port)

    @property
    def pid(self) -> int:
        """Its process id; 0 while there is none."""
        return self._process.pid if self._process else 0

    async def __aenter__(self) -> Self:
        """Start it, on another port if somebody takes ours in between.

        Raises:
            BrokerError: it is not installed, or does not start.
        """
        free = self._port == 0
        for attempt in range(_TRIES):
            if free:
                self._port = _free_port(self._host)
            try:
                await self._start()
            except BrokerError:
                if not free or attempt == _TRIES - 1:
                    raise
            else:
                break
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        await self._stop()

    async def reload(self) -> None:
        """Have it read its access list and the revocations again; open connections stay."""
        self.write_files()
        self._reloaded.clear()
        self._signal(signal.SIGHUP)
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._reloaded.wait()
        except TimeoutError:
            raise BrokerError(f"mosquitto did not read its files again within {START_SECONDS:.0f} s") from None

    async def restart(self) -> None:
        """End it and start it again on the same port; every connection falls."""
        await self._stop()
        await self._start()

    async def ended(self) -> str:
        """Wait until it ends by itself, not by `restart` or by leaving, and return its last words."""
        await self._fallen.wait()
        return self._last_line

    def write_files(self) -> Path:
        """Write configuration and access list; return the former's path."""
        files = BrokerFiles(
            authority=self._authority.root_path,
            certificate=self._authority.server.certificate,
            key=self._authority.server.key,
            revocations=self._authority.revocations,
            acl=self._folder / "acl",
        )
        acl = mosquitto_acl(self._clients, robots_of(self._authority))
        write_durably(files.acl, acl.encode())
        config = mosquitto_config(self._host, self._port, files, user=self._user or _this_user())
        write_durably(self._folder / "mosquitto.conf", config.encode())
        return self._folder / "mosquitto.conf"

    async def _start(self) -> None:
        config = self.write_files()
        self._started.clear()
        self._fallen.clear()
        self._stopping = False
        self._process = await asyncio.create_subprocess_exec(
            *_bound_to_us(),
            _program(),
            "-c",
            str(config),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            start_new_session=True,
        )
        self._lines = asyncio.create_task(self._pass_on_lines(self._process), name="mosquitto log")
        try:
            await self._wait_until_started(self._process)
        except BaseException:
            await self._stop()
            raise

    async def _wait_until_started(self, process: Process) -> None:
        started = asyncio.ensure_future(self._started.wait())
        ended = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({started, ended}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            started.cancel()
            ended.cancel()
        if self._started.is_set():
            await self._shake_hands()
            return
        if self._lines is not None and process.returncode is not None:
            await self._lines
        raise BrokerError(f"mosquitto did not start: {self._last_line or 'it said nothing'}")

    async def _shake_hands(self) -> None:
        """Connect once; before its loop turns, version 2.0.11 accepts nobody and forgets a SIGTERM."""
        tls = self._authority.client_context(self._authority.service(MINTER, time.time()))
        tls.check_hostname = False  # it is our child; which of its names it listens on does not matter
        try:
            async with asyncio.timeout(START_SECONDS):
                _, writer = await asyncio.open_connection(reachable(self._host), self._port, ssl=tls)
        except (OSError, TimeoutError) as error:
            raise BrokerError(f"mosquitto does not accept TLS connections: {error}") from None
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def _pass_on_lines(self, process: Process) -> None:
        if process.stderr is None:
            return
        async for line in process.stderr:
            self._last_line = line.decode(errors="replace").rstrip()
            trouble = line.startswith((b"Error", b"Warning"))
            _log.log(logging.WARNING if trouble else logging.DEBUG, "%s", self._last_line)
            if _STARTED.search(line):
                self._started.set()
            if _RELOADED.search(line):
                self._reloaded.set()
        if not self._stopping:
            self._fallen.set()

    async def _stop(self) -> None:
        process, lines = self._process, self._lines
        if process is None:
            return
        self._stopping = True
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await process.wait()
        if lines is not None:
            await lines
        self._process = self._lines = None

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)


def _bound_to_us() -> list[str]:
    """Return the command before it that lets it end with us, however we end; it is of util-linux, so Debian has it."""
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "TERM", "--"] if found else []


def _program() -> str:
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerError("Mosquitto is not installed: apt install mosquitto")
    return found


def _this_user() -> str:
    """Return whom Mosquitto must stay in order to read what we wrote; not being root, it ignores this."""
    return pwd.getpwuid(os.geteuid()).pw_name


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
