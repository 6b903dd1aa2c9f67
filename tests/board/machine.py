"""The virtual board as a thing that has a plug, a network cable and a disk: a QEMU process."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from tests.board.agent import Agent, AgentError

QEMU: Final = "qemu-system-x86_64"
MEMORY: Final = 1024
"""MB, as a board with 1 GB has."""

BOOT_SECONDS: Final = 240.0
"""The longest that an emulated board may take until its agent answers, beside other work."""

TRIAL_SECONDS: Final = 30.0
"""The same where the processor itself runs the board; where it does not, it stays silent for ever."""

TAP: Final = "board0"
SPARE: Final = "64M"
"""Size of the second disk."""


class MachineError(Exception):
    """The board does not start."""


@dataclass(slots=True)
class Machine:
    """One board with its disk; `folder` keeps what changes of it, and what its console said."""

    kernel: Path
    initrd: Path
    image: Path
    folder: Path
    accelerators: tuple[str, ...] = (*(["kvm"] if "KAIWA_BOARD_EMULATED" not in os.environ else []), "tcg,thread=multi")
    """What is tried, in order; KAIWA_BOARD_EMULATED=1 saves the trial where it is known to fail."""
    _process: subprocess.Popen[bytes] | None = None
    _agent: Agent | None = None
    root: str = "rw"
    """How the kernel mounts the disk first: `rw`, or `ro` as an appliance does."""
    starts: int = 0
    booted_in: list[float] = field(default_factory=list)
    """Seconds from power to the agent, of each start."""

    @property
    def agent(self) -> Agent:
        """The hand on the running board."""
        if self._agent is None:
            raise AgentError("the board is off")
        return self._agent

    @property
    def accelerator(self) -> str:
        """How the board's processor is made, as of its last start."""
        return self.accelerators[0].partition(",")[0]

    @property
    def running(self) -> bool:
        """Whether it has power, and has come up."""
        return self._agent is not None and self._process is not None and self._process.poll() is None

    @property
    def card(self) -> Path:
        """The boot partition of its memory card, as any other computer sees it; may be written to while it is off."""
        return self.folder / "card"

    @property
    def disk(self) -> Path:
        """What changes of the disk."""
        return self.folder / "disk.qcow2"

    @property
    def spare(self) -> Path:
        """A second disk, which is empty when the board is new."""
        return self.folder / "spare.qcow2"

    def start(self) -> None:
        """Give it power and wait until its agent answers; where the processor cannot run it, it is emulated from then on.

        Raises:
            MachineError: it does not come up.
        """
        self.starts += 1
        while not self._came_up(TRIAL_SECONDS if self.accelerator == "kvm" else BOOT_SECONDS):
            self.pull_plug()
            if len(self.accelerators) == 1:
                raise MachineError(f"the board does not start: see {self.folder}/console.log")
            self.accelerators = self.accelerators[1:]

    def _came_up(self, seconds: float) -> bool:
        if self.accelerator == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return False
        began = time.monotonic()
        self._power_on()
        until = began + seconds
        while time.monotonic() < until and self._process is not None and self._process.poll() is None:
            if self._agent is None:
                self._agent = _connection(self.folder / "agent.sock")
                time.sleep(0.1)
            elif self._agent.wait_until_here(0.5):
                self.booted_in.append(time.monotonic() - began)
                return True
        return False

    def _power_on(self) -> None:
        self.card.mkdir(exist_ok=True)
        for name in ("agent.sock", "control.sock"):
            (self.folder / name).unlink(missing_ok=True)
        if not self.disk.exists():
            _make_disk("-F", "raw", "-b", str(self.image.absolute()), str(self.disk))
            _make_disk(str(self.spare), SPARE)
        with (self.folder / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _command(self) -> list[str]:
        """Return QEMU's, before other work: a board that stands still for a second has lost its sound card."""
        command = ["nice", "-n", "-10", QEMU, "-nodefaults", "-display", "none", "-accel", self.accelerators[0]]
        command += ["-cpu", "max" if self.accelerator == "tcg" else "host", "-smp", "2", "-m", str(MEMORY)]
        command += ["-kernel", str(self.kernel), "-initrd", str(self.initrd)]
        command += ["-append", f"root=/dev/vda {self.root} console=ttyS0 quiet panic=1 mitigations=off"]
        command += ["-drive", f"file={self.disk},if=virtio,format=qcow2"]
        command += ["-drive", f"file=fat:{self.card},if=virtio,format=raw,readonly=on"]
        command += ["-drive", f"file={self.spare},if=virtio,format=qcow2"]
        command += [
            "-netdev",
            f"tap,id=net,ifname={TAP},script=no,downscript=no",
            "-device",
            "virtio-net-pci,netdev=net,id=nic",
        ]
        command += [
            "-chardev",
            f"file,id=console,path={self.folder}/console.log,append=on",
            "-serial",
            "chardev:console",
        ]
        command += [
            "-device",
            "virtio-serial-pci",
            "-chardev",
            f"socket,id=agent,path={self.folder}/agent.sock,server=on,wait=off",
        ]
        command += ["-device", "virtserialport,nr=1,chardev=agent,name=agent", "-device", "virtio-rng-pci"]
        command += ["-qmp", f"unix:{self.folder}/control.sock,server=on,wait=off"]
        return command

    def pull_plug(self) -> None:
        """Take its power away, in the middle of whatever it does."""
        if self._agent is not None:
            self._agent.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
        self._agent = self._process = None

    def power_off(self, seconds: float = 60.0) -> None:
        """Shut it down in order; pull the plug when that takes longer."""
        if self._process is None:
            return
        self.agent.tried("systemctl poweroff", 10)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.pull_plug()

    def cable(self, *, plugged: bool) -> None:
        """Plug the network cable in, or pull it."""
        self._control("set_link", name="nic", up=plugged)

    def _control(self, command: str, **arguments: Any) -> None:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(20)
            control.connect(str(self.folder / "control.sock"))
            with control.makefile("rw", encoding="utf-8") as lines:
                lines.readline()
                for sent in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                    lines.write(json.dumps(sent) + "\n")
                    lines.flush()
                    _check(command, lines)


def _make_disk(*arguments: str) -> None:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *arguments], check=True, timeout=60)  # noqa: S607


def _check(command: str, lines: TextIO) -> None:
    """Read the answer to a command of QEMU's monitor, past events."""
    while "return" not in (answer := json.loads(lines.readline())):
        if "error" in answer:
            raise MachineError(f"{command}: {answer['error']}")


def _connection(path: Path) -> Agent | None:
    try:
        return Agent.connected(path)
    except OSError:
        return None
