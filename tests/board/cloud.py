"""The cloud that the board is to reach, outside of it: a process in the network at the other end of the board's cable."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.board.machine import TAP

ADDRESS: Final = "10.77.0.1"
DEVICE: Final = "board"
LOOK_SECONDS: Final = 0.1
"""Between two looks at what was told."""

Told = dict[str, Any]


class CloudError(Exception):
    """The cloud does not start, or was not told what it should have been."""


def lay_cable() -> None:
    """Make the board's end of the network in this network namespace, which must be one of our own.

    Raises:
        CloudError: this is the machine's own network.
    """
    links = {link["ifname"] for link in json.loads(_ip("-json", "link"))}
    if links - {"lo", TAP}:
        raise CloudError("the board's network needs a namespace of its own: `make test-board` makes one")
    if TAP not in links:
        _ip("link", "set", "lo", "up")
        _ip("tuntap", "add", TAP, "mode", "tap")
        _ip("address", "add", f"{ADDRESS}/24", "dev", TAP)
        _ip("link", "set", TAP, "up")


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=10).stdout  # noqa: S607


@dataclass(slots=True)
class Cloud:
    """A running cloud; everything it was told is kept, in order."""

    folder: Path
    _process: subprocess.Popen[str] | None = None
    _read: int = 0
    told: list[Told] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """Settings with which `kaiwa-cloud` reaches it."""
        return self.folder / "cloud.toml"

    def start(self) -> None:
        """Start it, and wait until it is up.

        Raises:
            CloudError: it does not come up.
        """
        command = [sys.executable, "-m", "tests.board.serve", str(self.folder), ADDRESS]
        with (self.folder / "cloud.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "up\n":
            raise CloudError(f"the cloud does not start: see {self.folder}/cloud.log")

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=60)

    def tried(self, *arguments: str, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run `kaiwa-cloud` as an operator would, however that ends."""
        command = [sys.executable, "-m", "provisioning", "-c", str(self.config), *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds)

    def order(self, *arguments: str) -> str:
        """Run `kaiwa-cloud` as an operator would, and return what it printed.

        Raises:
            CloudError: it fails.
        """
        done = self.tried(*arguments)
        if done.returncode:
            raise CloudError(f"kaiwa-cloud {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def claim(self) -> str:
        """Return the text of a new claim for the board."""
        [claim] = (
            line.strip() for line in self.order("claim", "new", "--device", DEVICE).splitlines() if "kaiwa:" in line
        )
        return claim[claim.index("kaiwa:") :]

    def now(self) -> int:
        """Return a mark: what is told from now on comes after it."""
        self._look()
        return len(self.told)

    def wait(self, wanted: Callable[[Told], bool], since: int, seconds: float) -> Told:
        """Return the first thing told after the mark `since` that is `wanted`.

        Raises:
            CloudError: there was none within `seconds`.
        """
        until = time.monotonic() + seconds
        while True:
            self._look()
            for told in self.told[since:]:
                if wanted(told):
                    return told
            if time.monotonic() > until:
                last = "\n".join(map(json.dumps, self.told[since:][-8:]))
                raise CloudError(f"not told within {seconds:.0f} s; the last that was told:\n{last}")
            time.sleep(LOOK_SECONDS)

    def wait_phase(self, *phases: str, since: int, seconds: float) -> Told:
        """Return the first card after `since` of a robot that is there, in one of `phases`."""
        return self.wait(
            lambda told: told["kind"] == "state" and told["lifecycle"] == "ready" and told["phase"] in phases,
            since,
            seconds,
        )

    @property
    def card(self) -> Told:
        """The last card that the board sent."""
        self._look()
        return next((told for told in reversed(self.told) if told["kind"] == "state"), {})

    def _look(self) -> None:
        with (self.folder / "told.jsonl").open(encoding="utf-8") as file:
            file.seek(self._read)
            lines = file.readlines()
            if lines and not lines[-1].endswith("\n"):
                lines.pop()
            self._read += sum(len(line.encode()) for line in lines)
        self.told += map(json.loads, lines)
