"""docs/faults.md: what was injected, what the visitor saw and heard, and how long it took, each line proved by a test.

`make faults` runs those tests and writes the page; a test that can tell how long recovery took records it as the property
`recovery_seconds` (pytest's `record_property`). Light, earcon and words of a fault are those that the device chooses.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from device.panel.earcons import of_fault as earcon_of
from device.panel.faults import kind
from device.panel.patterns import PATTERNS, Light
from device.panel.patterns import of_fault as light_of
from device.panel.phrases import PHRASES

PAGE: Final = Path(__file__).parents[1] / "docs" / "faults.md"
RECOVERY: Final = "recovery_seconds"
Recorded = Callable[[str, object], None]
"""pytest's `record_property`."""

HEAD: Final = """# Faults that were injected

Each line is a fault that a test brings about, what somebody in front of the robot sees and hears of it, and what becomes
of it. `make faults` runs the tests and writes this page. Times are those of the run named below, on an x86-64 server with
two cores, with the cloud, the services and the room simulated on the same machine; where there is none, nothing has to
recover, or the test works with a clock of its own. What the lights look like is in [panel.md](panel.md#the-lights).

| what was injected | what the visitor sees | and hears | then | recovered after | proved by |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One fault; `code` is what the device calls it, for which it has a light and a sound."""

    injected: str
    test: str
    then: str
    code: str = ""
    seen: str = ""
    heard: str = ""

    @property
    def eyes(self) -> str:
        """What is seen."""
        return self.seen or f"the light `{light_of(kind(self.code))}`: {blinks(light_of(kind(self.code)))}"

    @property
    def ears(self) -> str:
        """What is heard."""
        if self.heard:
            return self.heard
        fault = kind(self.code)
        words = PHRASES[fault]["en"] if fault in PHRASES else ""
        return f"the earcon `{earcon_of(fault)}`" + (f', then: "{words}"' if words else "")


def blinks(light: Light) -> str:
    """Return a fault's light in words."""
    steps = []
    for step in PATTERNS[light](lambda: None):
        if step.seconds > 1.0:
            break
        if step.brightness:
            steps.append("long" if step.seconds > 0.3 else "short")
    return f"{', '.join(steps)}, pause"


WHOLE: Final = "tests/whole/test_faults.py::"
REFUSED: Final = "tests/device/test_session.py::test_a_refusal_is_heard_and_shown_and_passes"
LINES: Final = (
    Line(
        "The broker cannot be reached when somebody presses",
        "tests/whole/test_broker.py::test_without_a_broker_a_press_is_still_felt_and_answered",
        "The press is answered by light and sound at once, and given up 3 s later.",
        code="broker",
    ),
    Line(
        "The broker is restarted",
        "tests/device/test_mqtt.py::test_it_comes_back_after_the_broker_was_away_and_says_its_state_again",
        "The robot connects again by itself and says its state anew.",
        seen="the light `offline` while it is away",
        heard="nothing",
    ),
    Line(
        "The broker takes nothing any more, but does not hang up, as when the Wi-Fi is lost; then it is back",
        "tests/device/test_mqtt.py::"
        "test_a_broker_that_takes_nothing_any_more_is_left_and_what_it_did_not_take_is_said_again",
        "The robot leaves it, comes back, and says again what was not taken.",
        seen="the light `offline` while it is away",
        heard="nothing",
    ),
    Line(
        "Two robots have one identity, because a card was copied",
        "tests/device/test_mqtt.py::test_two_robots_with_one_identity_do_not_fight_for_the_connection_for_ever",
        "The broker lets each take the other's place; each waits ever longer, at last up to 30 s, before it does.",
        seen="the light `offline`, again and again",
        heard="nothing",
    ),
    Line(
        "The network lets no UDP through",
        WHOLE + "test_a_blocked_network_is_a_media_fault",
        "The start is given up within 15 s; call and channel are closed.",
        code="media",
    ),
    Line(
        "The Wi-Fi is gone while the robot speaks",
        "tests/device/realtime/test_call.py::test_a_network_that_vanishes_while_the_assistant_speaks_ends_the_call",
        "The call ends 4 s after the last packet (0.6 s in the test), and the next press begins anew.",
        code="media",
    ),
    Line(
        "The service gives no secret: wrong key, no quota, an error, a broken connection",
        WHOLE + "test_a_secret_that_cannot_be_had_is_a_fault_and_passes",
        "Nothing is left open; the next press is tried again.",
        code="UPSTREAM",
    ),
    Line(
        "The service failed, and works again",
        WHOLE + "test_after_a_fault_the_next_press_talks",
        "The next press talks, without waiting for the fault's light to end.",
        code="UPSTREAM",
    ),
    Line(
        "The service refuses the call, or answers nonsense",
        WHOLE + "test_a_call_that_is_refused_is_a_fault_and_passes",
        "A service that is busy or broken is tried twice more, within two seconds; then call and channel are closed.",
        code="upstream",
    ),
    Line(
        "The service ends the call",
        WHOLE + "test_a_call_that_the_service_ends_is_released",
        "All is given back and settled.",
        seen="the light `ending`, then `idle`",
        heard="the earcon `end`",
    ),
    Line(
        "The cloud does not let the robot talk",
        REFUSED,
        "The light passes, and the next press is tried again; one that is forbidden for good is told so each time.",
        code="DENIED",
    ),
    Line(
        "What may be spent has been spent",
        REFUSED,
        "The light passes; a press is answered so until there is more to spend.",
        code="BUDGET",
    ),
    Line(
        "The cloud has too much to do",
        REFUSED,
        "The light passes, and the next press is tried again.",
        code="BUSY",
    ),
    Line(
        "The clock of the board is a year off, either way, before the cloud has told the time",
        "tests/device/test_mqtt.py::test_a_clock_that_is_wrong_is_told_from_a_network_that_is_gone",
        "Certificates look as if not yet or no longer good; the robot tries again for ever, and is told by its light that the"
        " date alone is wrong.",
        code="clock",
    ),
    Line(
        "An answer of the model fails",
        "tests/device/test_session.py::test_an_answer_that_fails_is_heard_and_shown_until_somebody_speaks",
        "The conversation goes on as soon as somebody speaks.",
        seen="the light `trouble`: lit, with two dips",
        heard='the earcon of its kind, such as `fault-busy`, then words, such as: "I cannot talk about that. Please ask me something else."',
    ),
    Line(
        "The broadcast service does not work",
        WHOLE + "test_without_imageflux_the_conversation_goes_on",
        "The conversation goes on without an audience.",
        seen="the red light stays dark",
        heard="nothing",
    ),
    Line(
        "The broadcast falls in the middle of a conversation",
        WHOLE + "test_a_broadcast_that_falls_comes_back_while_the_conversation_goes_on",
        "It comes back on a new channel; the conversation goes on meanwhile.",
        seen="the red light goes out, and on again",
        heard="the earcons `off air` and `on air`",
    ),
    Line(
        "The sound card is pulled out in a conversation, and plugged in again",
        "tests/whole/test_sound_card.py::test_a_conversation_outlives_a_sound_card_that_is_unplugged",
        "The same conversation goes on.",
        code="sound",
        heard="nothing: there is nothing to sound it with",
    ),
    Line(
        "There is no sound card when the robot starts",
        "tests/device/soundcard/test_lasting.py::test_a_card_that_is_not_there_yet_is_looked_for",
        "Told over MQTT with what is there instead; the robot begins, and looks for the card once a second.",
        code="sound",
        heard="nothing: there is nothing to sound it with",
    ),
    Line(
        "The sound card opens, but its microphone stands still",
        "tests/device/soundcard/test_lasting.py::test_a_card_that_was_pulled_out_is_back_only_when_it_carries_sound",
        "One fault, until it both hears and speaks; what opens alone is not taken for a card that is back.",
        code="sound",
        heard="nothing",
    ),
    Line(
        "Another sound card takes the place of the first, and cannot be used",
        "tests/device/soundcard/test_lasting.py::test_another_card_that_cannot_be_used_says_why",
        "When that has lasted for 10 s, why is told over MQTT, once.",
        code="sound",
        heard="nothing",
    ),
    Line(
        "The microphone's packets leave no more, while the call still looks connected",
        "tests/device/realtime/test_call.py::test_a_call_in_which_nothing_is_sent_any_more_ends",
        "Noticed after 5 s (0.3 s in the test); another call takes over, and is told what was said.",
        seen="the light `preparing` until then",
        heard="nothing",
    ),
    Line(
        "The service receives nothing of what is sent, while the call still looks connected",
        "tests/device/realtime/test_call.py::test_a_call_of_which_the_service_receives_nothing_any_more_ends",
        "Noticed after 20 s (0.3 s in the test) by its reports, which tell of no more; another call takes over.",
        seen="the light `preparing` until then",
        heard="nothing",
    ),
    Line(
        "The broadcast still looks connected, but nothing goes out, or nothing comes in",
        "tests/device/sora/test_publisher.py::test_a_broadcast_that_only_looks_alive_is_given_up",
        "Noticed after 5 s or 20 s (0.2 s and 0.4 s in the test); it comes back on a new channel.",
        seen="the red light goes out, and on again",
        heard="the earcons `off air` and `on air`",
    ),
    Line(
        "Nothing is captured or played any more, and nothing mends that",
        "tests/device/test_session.py::test_what_stands_still_is_told_heard_and_shown_and_then_the_process_begins_anew",
        "Told over MQTT as `standstill`; what there is is given back, and after 6 s, or at a press, the process is"
        " started again; by systemd's watchdog, should that hang, too.",
        code="standstill",
    ),
    Line(
        "The clock jumps",
        "tests/device/test_orders.py::test_a_system_clock_that_jumps_neither_ends_an_order_nor_revives_one",
        "The robot goes by the cloud's clock, counted on by one that does not jump: an order that is good is obeyed, one"
        " that is over is not.",
        seen="nothing",
        heard="nothing",
    ),
    Line(
        "The power is cut at any write of a renewed identity",
        "tests/device/test_renewal.py::test_a_power_cut_at_any_step_leaves_an_identity_that_works_and_renews",
        "There is an identity that works, the old one or the new one.",
        seen="the light `starting`",
        heard="nothing",
    ),
    Line(
        "The power is cut while an enrolment is written",
        "tests/device/test_identity.py::test_a_power_cut_before_the_last_step_leaves_the_old_identity",
        "The robot is who it was.",
        seen="the light `starting`",
        heard="nothing",
    ),
    Line(
        "The power is cut at any write of identity, orders, used claims, settings or a record",
        "tests/device/test_durably.py::test_cut_short_anywhere_it_can_be_read_and_written_again",
        "What is read at the next start is what was there before, or what was to be.",
        seen="the light `starting`",
        heard="nothing",
    ),
    Line(
        "The journal of orders is damaged",
        "tests/device/test_orders.py::test_a_damaged_journal_is_set_aside",
        "It is kept for whoever looks, and a new one begun.",
        seen="nothing",
        heard="nothing",
    ),
    Line(
        "The state folder cannot be written to when an order comes",
        "tests/device/test_orders.py::test_what_cannot_be_written_down_is_not_obeyed_and_can_be_ordered_again",
        "The order is rejected, and can be given again.",
        seen="nothing",
        heard="nothing",
    ),
    Line(
        "Everything but the state folder is read-only",
        "tests/whole/test_panel.py::test_on_a_read_only_card_a_hand_alone_does_all_there_is_to_do",
        "The robot works, a new identity included. (Needs root; else the test runs without it.)",
        seen="nothing",
        heard="nothing",
    ),
    Line(
        "The robot's program vanishes in a conversation",
        WHOLE + "test_a_robot_that_vanishes_is_noticed_and_cleaned_up_after",
        "The broker tells its last will; 10 s later (0.5 s in the test) the cloud ends the call and deletes the channel.",
        seen="dark, until systemd has started it again",
        heard="nothing",
    ),
    Line(
        "The robot's program fails five times within five minutes",
        "tests/systemd/test_units.py::test_giving_up_is_seen_and_ends",
        "systemd gives up and shows it; after 2 minutes, or at a press, the robot is tried again, for ever.",
        seen=f"the light `fault`: {blinks(Light.FAULT)}",
        heard="the earcon `error`",
    ),
    Line(
        "The edges by which a button bounces come late",
        "tests/device/panel/test_contact.py::test_bounces_whose_edges_come_late_are_one_press_at_its_first",
        "They count when the kernel saw them: one press, and no release.",
        seen="nothing",
        heard="nothing",
    ),
    Line(
        "The edge by which a button was let go is lost",
        "tests/device/panel/test_contact.py::test_a_button_whose_release_was_never_heard_of_is_not_held",
        "The contact is looked at before anything follows from waiting: it is up, and no claim is waited for.",
        seen="nothing",
        heard="nothing",
    ),
    Line(
        "The edge by which a switch closed the microphone is lost",
        "tests/device/panel/test_contact.py::test_no_contact_is_taken_for_long_for_what_it_is_not",
        "The contact is looked at once a second: the microphone is closed a second later.",
        seen="the light `muted`",
        heard="the earcon `muted`",
    ),
    Line(
        "Its certificate is revoked",
        "tests/whole/test_broker.py::test_a_revoked_robot_gets_nothing_any_more",
        "It gets nothing any more.",
        code="broker",
    ),
    Line(
        "Giving everything back takes too long",
        "tests/device/test_session.py::test_what_cannot_be_released_ends_the_process_as_failed",
        "The process ends after 15 s more and is started again.",
        seen="the light `ending`",
        heard="the earcon `end`",
    ),
)


def document(measured: Mapping[str, float], when: str) -> str:
    """Return the page, with the seconds that were measured for some tests, by the name of the function."""
    rows = [
        f"| {line.injected} | {line.eyes} | {line.ears} | {line.then} | {_seconds(line, measured)} | {_proof(line)} |\n"
        for line in LINES
    ]
    return f"{HEAD}{''.join(rows)}\nMeasured {when}.\n"


def _seconds(line: Line, measured: Mapping[str, float]) -> str:
    seconds = measured.get(function(line))
    return "-" if seconds is None else f"{seconds:.1f} s"


def _proof(line: Line) -> str:
    return (
        f"`{line.test.split('::')[0].removeprefix('tests/')}`: {function(line).removeprefix('test_').replace('_', ' ')}"
    )


def function(line: Line) -> str:
    """Return the name of the test's function."""
    return line.test.split("::")[1]


def measured(report: Path) -> dict[str, float]:
    """Return the longest recovery of each test in a JUnit report."""
    found: dict[str, float] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        name = re.sub(r"\[.*", "", case.get("name", ""))
        for given in case.iter("property"):
            if given.get("name") == RECOVERY:
                found[name] = max(found.get(name, 0.0), float(given.get("value", "0")))
    return found


def main() -> int:
    """Run the tests and write the page; return the exit code of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        tests = sorted({line.test for line in LINES})
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-o", "junit_family=xunit1", f"--junitxml={report}", *tests],
            check=False,
        )
        if run.returncode == 0:
            PAGE.write_text(document(measured(report), f"{datetime.now(UTC):%Y-%m-%d}"), encoding="utf-8")
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
