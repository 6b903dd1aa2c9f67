"""The virtual board as whoever stands before it knows it: a button, a lamp, a loudspeaker, a microphone, a cable."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from device.panel import earcons
from device.panel.faults import Fault
from device.panel.phrases import spoken
from tests.board import light, sound
from tests.board.agent import AgentError
from tests.board.cloud import Cloud
from tests.board.machine import Machine

BUTTON: Final = 17
"""Pin of the talk button, as hardware/voice-hat/device.toml has it."""

LAMP: Final = 24
UNIT: Final = "kaiwa-device.service"
STATE: Final = "/var/lib/private/kaiwa"
READY_SECONDS: Final = 240.0
TALKING: Final = ("listening", "thinking", "speaking")
"""Phases of a conversation that is up."""


TOLD: Final = [fault for fault in Fault if fault not in {Fault.SOUND, Fault.OTHER}]
"""Faults that have an earcon and words of their own."""


def _earcon(fault: Fault) -> sound.Samples:
    return earcons.sound(earcons.of_fault(fault))


def _words(fault: Fault) -> sound.Samples:
    return spoken(fault, "en")


@dataclass(slots=True)
class Board:
    """The machine and the cloud that it belongs to."""

    machine: Machine
    cloud: Cloud

    @property
    def running(self) -> bool:
        """Whether it has power."""
        return self.machine.running

    def give_claim(self) -> None:
        """Put a claim on its card, which must be out of it; once is enough."""
        file = self.machine.card / "kaiwa-claim.txt"
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_text(self.cloud.claim() + "\n", encoding="ascii")

    def at_rest(self, seconds: float = READY_SECONDS) -> None:
        """Wait until it is connected and nobody talks."""
        if self.cloud.card.get("phase") != "idle" or self.cloud.card.get("lifecycle") != "ready":
            self.cloud.wait_phase("idle", since=self.cloud.now(), seconds=seconds)

    def run(self, script: str, seconds: float = 60.0) -> str:
        """Run a shell script on it."""
        return self.machine.agent.run(script, seconds)

    def start(self) -> float:
        """Give it power; return how many seconds later it was ready, as the cloud was told."""
        since, began = self.cloud.now(), time.monotonic()
        self.machine.start()
        self.cloud.wait_phase("idle", since=since, seconds=READY_SECONDS)
        return time.monotonic() - began

    def press(self) -> None:
        """Press the button and let go: the pin is pulled to ground for a fifth of a second."""
        pin = f"/run/board-pins/sim_gpio{BUTTON}/pull"
        self.run(f"echo pull-down > {pin}; sleep 0.2; echo pull-up > {pin}")

    def talk(self, meanwhile: Callable[[], None] = lambda: None) -> float:
        """Press, have a conversation come up, press again, and have it end; return how long the first took, in seconds.

        Raises:
            CloudError: there was no conversation, or it did not end.
        """
        since = self.cloud.now()
        self.press()
        began = self.cloud.wait_phase("preparing", since=since, seconds=60)["since"]
        up = self.cloud.wait_phase(*TALKING, since=since, seconds=120)["since"]
        meanwhile()
        since = self.cloud.now()
        if (
            self.cloud.card["phase"] in TALKING
        ):  # and nobody was heard to say goodbye, through a card that leaves out a little
            self.press()
        if self.cloud.card["phase"] != "idle":
            self.cloud.wait_phase("idle", since=since, seconds=60)
        return float(up - began)

    def watch(self, seconds: float) -> list[tuple[bool, float]]:
        """Watch the lamp."""
        return light.runs(self.run(f"chrt -f 1 python3 -I /usr/local/sbin/board-light {LAMP} {seconds}", seconds + 120))

    def lamp(self, wanted: str, seconds: float) -> float:
        """Wait until the lamp shows what is `wanted`, by `light.named`; return after how many seconds it began to be watched.

        Raises:
            AssertionError: it did not within `seconds`; with what it showed instead.
        """
        began, seen = time.monotonic(), list[str]()
        while (watched := time.monotonic() - began) < seconds:
            seen.append(light.named(self.watch(6.0)))
            if seen[-1] == wanted:
                return watched
        raise AssertionError(f"the lamp did not show {wanted} within {seconds:.0f} s, but {', '.join(seen)}")

    def tells_after_press(self, fault: Fault, seconds: int = 25) -> None:
        """Press, and see the lamp show a fault within `seconds`, and hear its earcon and its words; it is told once only.

        Raises:
            AssertionError: it is not; with the rows of blinks that the lamp showed, or which faults were heard.
        """
        with ThreadPoolExecutor(1) as meanwhile:
            watched = meanwhile.submit(self.watch, seconds)
            heard = self.hear(seconds, self.press)
            shown = light.rows(watched.result())
        assert light.fault_row(fault) in shown, f"no {fault} in the blinks {shown}"
        assert sound.level(heard) > sound.HEARD, f"{sound.level(heard):.0f} dBFS"
        likest = [
            max(TOLD, key=lambda told: sound.pieces(heard, _earcon(told))),
            max(TOLD, key=lambda told: sound.pieces(heard, _words(told))),
        ]
        assert likest == [fault, fault], f"earcon and words are likest those of {likest}"

    def hear(self, seconds: int, meanwhile: Callable[[], None] = lambda: None) -> sound.Samples:
        """Record what its loudspeaker plays, at the other end of the kernel's loop, while something is done."""
        self.run(
            f"rm -f /run/heard.wav; arecord -q -D hw:Loopback,1,0 -f S16_LE -r 48000 -c 2 -d {seconds} /run/heard.wav"
            " >/run/heard.log 2>&1 & echo $! > /run/heard.pid"
        )
        meanwhile()
        self.run("while kill -0 $(cat /run/heard.pid) 2>/dev/null; do sleep 0.2; done", seconds + 60)
        return sound.samples(base64.b64decode(self.run("base64 -w0 /run/heard.wav")))

    def speak(self, heard: sound.Samples) -> None:
        """Play something to its microphone; returns at once."""
        text = base64.b64encode(heard.astype("<i2").repeat(2).tobytes()).decode()
        for begin in range(0, len(text), 60_000):
            self.run(f"printf %s '{text[begin : begin + 60_000]}' >{'>' if begin else ''} /run/said.b64")
        self.run(
            "base64 -d /run/said.b64 > /run/said.raw;"
            " aplay -q -D hw:Loopback,1,1 -f S16_LE -r 48000 -c 2 -t raw /run/said.raw >/run/said.log 2>&1 &"
        )

    def clock(self) -> float:
        """Return its Unix time."""
        return float(self.run("date +%s.%N"))

    def property(self, name: str) -> str:
        """Return what systemd says of the robot's unit."""
        return self.run(f"systemctl show -P {name} {UNIT}")

    def main_pid(self) -> int:
        """Return the process of the robot, 0 for none."""
        return int(self.property("MainPID"))

    def log(self, lines: int = 60) -> str:
        """Return the end of the robot's journal, for whoever looks why a test failed."""
        try:
            return self.run(f"journalctl -o short-monotonic -u {UNIT} -u kaiwa-device-fault -n {lines} --no-pager")
        except AgentError as error:
            return str(error)
