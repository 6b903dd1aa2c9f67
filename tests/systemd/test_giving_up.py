"""Robot and fault light with a real systemd as the first process of a container: a robot that cannot run is never a dead box.

The units are those that are shipped, less what the container has not: commands that are told to a pipe, shorter times, and no
fence, which tests/board tries as it is.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.test_units import SYSTEMD

ROBOT, FAULT = "kaiwa-device.service", "kaiwa-device-fault.service"
KEPT = re.compile(
    r"(StartLimit|OnFailure|OnSuccess|Conflicts|Before=kaiwa|StopPropagated|Restart|CollectMode|ExecStopPost)"
)
"""What decides which unit is started when."""
FAILURES = 2
"""In place of the five that are shipped."""
SECONDS = 8.0
"""How long something that happens may take; all of it takes two."""

INSIDE = """\
mount --make-rprivate / && mount -t proc proc /proc && mount -t tmpfs tmpfs /run && mkdir -p /run/lock &&
mount --bind {units} /etc/systemd/system && mount --bind {empty} /usr/lib/systemd/system-generators &&
mount -t tmpfs tmpfs /sys/fs/cgroup && mkdir /sys/fs/cgroup/systemd &&
{{ mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd || mount -t cgroup2 cgroup2 /sys/fs/cgroup; }} &&
container=tests exec /lib/systemd/systemd --system --unit=start.target --log-target=null --show-status=no
"""
UNSHARED = ("unshare", "--fork", "--pid", "--mount", "--cgroup", "--uts", "--ipc", "--net", "--kill-child")


def shipped(name: str, does: str) -> str:
    """Return a unit as it is shipped, doing something else, and sooner."""
    section, lines = "", ["[Unit]", "DefaultDependencies=no"]
    for line in (SYSTEMD / name).read_text().splitlines():
        if line.startswith("["):
            section = line
            lines += ["[Service]", "Type=exec", f"ExecStart={does}"] if section == "[Service]" else []
        elif KEPT.match(line) and section in {"[Unit]", "[Service]"}:
            lines.append(sooner(line))
    return "\n".join(lines) + "\n"


def sooner(line: str) -> str:
    line = line.replace("sleep 60", "sleep 0.1").replace("RestartSec=2", "RestartSec=0.02")
    return line.replace("StartLimitBurst=5", f"StartLimitBurst={FAILURES}")


class Box:
    """A container whose systemd has the two units; what they do is told line by line."""

    def __init__(self, folder: Path) -> None:
        units, empty = folder / "units", folder / "empty"
        for made in (units, empty):
            made.mkdir()
        told, asked = folder / "told", folder / "asked"
        for pipe in (told, asked):
            os.mkfifo(pipe)
        self._told = os.open(told, os.O_RDWR)
        self._orders = os.open(asked, os.O_RDWR)
        self._rest = b""
        shell = folder / "shell"
        shell.write_text(
            f"exec 9<{asked}\necho up >{told}\nwhile read -r order <&9; do eval $order >{told}; echo done >{told}; done\n"
        )
        (units / ROBOT).write_text(shipped(ROBOT, f"/bin/sh -c 'echo robot >{told}; exit 1'"))
        shows = f"""/bin/sh -c 'trap "exit 0" USR1; echo fault >{told}; sleep infinity & wait'"""
        (units / FAULT).write_text(f"{shipped(FAULT, shows)}ExecStopPost=/bin/sh -c 'echo dark >{told}'\n")
        (units / "shell.service").write_text(
            f"[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh {shell}\nKillMode=process\n"
        )
        (units / "start.target").write_text("[Unit]\nDefaultDependencies=no\nWants=shell.service\n")
        inside = INSIDE.format(units=units, empty=empty)
        self._process = subprocess.Popen(
            [*UNSHARED, "/bin/sh", "-c", inside], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def hear(self, seconds: float = SECONDS) -> str:
        """Return the next line that is told; empty when there is none in this time."""
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            if not select.select([self._told], [], [], max(0.0, end - time.monotonic()))[0]:
                return ""
            self._rest += os.read(self._told, 4096)
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def until(self, line: str) -> list[str]:
        """Return what is told up to `line`."""
        heard = [self.hear()]
        while heard[-1] not in {line, ""}:
            heard.append(self.hear())
        return heard

    def do(self, order: str) -> list[str]:
        """Have a shell in the container do something; return what the units did meanwhile."""
        os.write(self._orders, f"{order}\n".encode())
        return self.until("done")[:-1]

    def close(self) -> None:
        """End the container, and everything in it."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._told)
        os.close(self._orders)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    if os.geteuid() != 0 or not Path("/lib/systemd/systemd").exists() or shutil.which("unshare") is None:
        pytest.skip("a container of one's own needs root, unshare and systemd")
    made = Box(tmp_path)
    try:
        if made.hear(3.0) != "up":
            pytest.skip("no container can be made here")
        yield made
    finally:
        made.close()


def test_given_up_it_shows_a_fault_and_a_press_or_a_start_tries_it_again_until_somebody_stops_it(box: Box) -> None:
    failures = ["robot"] * FAILURES
    given_up = box.do(f"systemctl start --no-block {ROBOT}")
    assert [*given_up, *box.until("fault")] == [*failures, "fault"]
    again = ["dark", *failures, "fault"]
    pressed = box.do(f"systemctl kill --signal=USR1 {FAULT}")
    assert [*pressed, *box.until("fault")] == again, "a press within the limit is not in vain"
    started = box.do(f"systemctl start {ROBOT}")
    assert [*started, *box.until("fault")] == again, "who starts it need not wait for the light"
    killed = box.do(f"systemctl kill --signal=KILL {FAULT}")
    assert [*killed, *box.until("fault")] == again, "a light that cannot be shown is in nobody's way"
    stopped = box.do(f"systemctl stop {ROBOT}") or box.until("dark")
    assert stopped == ["dark"], "the light goes with what it stands for"
    assert box.hear(0.3) == "", "who stops it has stopped it"
