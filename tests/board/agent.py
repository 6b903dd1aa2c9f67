"""The tests' hand on the virtual board: a root shell over a serial port of its own, which needs no network."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final, Self

SLACK: Final = 20.0
"""Seconds that an answer may take beyond the time that its script was given."""


class AgentError(Exception):
    """The board does not answer."""


class ScriptError(AgentError):
    """A script failed on the board; with what it printed."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a script did."""

    status: int
    output: str
    errors: str


@dataclass(slots=True)
class Agent:
    """A connection to the agent of a running board; of the threads that use it, each gets its own answers."""

    _socket: socket.socket
    _ids: Any = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, Queue[Done]] = field(default_factory=dict)
    _here: threading.Event = field(default_factory=threading.Event)
    _reader: threading.Thread = field(default_factory=threading.Thread)

    @classmethod
    def connected(cls, path: Path) -> Self:
        """Connect to the port that QEMU offers at `path`.

        Raises:
            OSError: there is none.
        """
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(str(path))
        except OSError:
            made.close()
            raise
        agent = cls(made)
        agent._reader = threading.Thread(target=agent._read, name="board agent", daemon=True)
        agent._reader.start()
        return agent

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(10)
        self._socket.close()

    def wait_until_here(self, seconds: float) -> bool:
        """Return whether the agent has said that it is there, within `seconds`."""
        return self._here.wait(seconds)

    def run(self, script: str, seconds: float = 30.0) -> str:
        """Run a shell script on the board and return what it printed, without the last line's end.

        Raises:
            ScriptError: it failed.
            AgentError: the board does not answer.
        """
        done = self.tried(script, seconds)
        if done.status:
            raise ScriptError(f"{script}\nended with {done.status}: {done.errors or done.output}")
        return done.output.rstrip("\n")

    def tried(self, script: str, seconds: float = 30.0) -> Done:
        """Run a shell script on the board and return how it went.

        Raises:
            AgentError: the board does not answer.
        """
        number, answer = next(self._ids), Queue[Done](1)
        self._waiting[number] = answer
        try:
            self._socket.sendall(json.dumps({"id": number, "script": script, "seconds": seconds}).encode() + b"\n")
            return answer.get(timeout=seconds + SLACK)
        except (OSError, Empty) as error:
            raise AgentError(f"the board does not answer: {script}") from error
        finally:
            del self._waiting[number]

    def _read(self) -> None:
        try:
            with self._socket.makefile("r", encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    self._take(line)
        except OSError:
            return

    def _take(self, line: str) -> None:
        try:
            said = json.loads(line)
            number, done = said["id"], Done(said["status"], said["output"], said["errors"])
        except (ValueError, KeyError, TypeError):
            return  # half a line of a board that lost its power
        self._here.set()
        if number in self._waiting:
            self._waiting[number].put(done)
