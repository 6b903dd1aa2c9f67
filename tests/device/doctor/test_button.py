"""Whether a maker's own button is felt once for each push."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from device.doctor.checks.button import MOST_EDGES, ButtonFacts, check
from device.doctor.findings import Language, Outcome
from device.doctor.gather import button as gathering
from device.doctor.gather.button import Edges, gather
from device.panel.bounces import QUICKEST, bounces
from device.panel.settings import PanelSettings
from tests.device.panel.bounces import MORSE_KEY, RECORDED, UNFIT, opening, stretched
from tests.device.panel.bounces import Edges as Trace


def pushes(closing: Trace, count: int, held: float = 0.1, up: float = 0.2) -> tuple[tuple[float, bool], ...]:
    """Return the edges of some pushes, each of which closes like this and opens likewise."""
    one = [*closing, *((closing[-1][0] + held + at, closed) for at, closed in opening(closing))]
    period = one[-1][0] + up
    return tuple((number * period + at, closed) for number in range(count) for at, closed in one)


@pytest.mark.parametrize("contact", RECORDED)
def test_contacts_that_were_recorded_are_good(contact: str) -> None:
    (finding,) = check(ButtonFacts(23, 5.0, pushes(RECORDED[contact], 4)))
    assert (finding.phrase.code, finding.values["pushes"], finding.values["felt"]) == ("button.good", 4, 4)
    assert 0.0 < float(finding.values["gap"]) < 5.0


def test_a_contact_that_bounces_too_long_is_told_with_what_to_do() -> None:
    closing = stretched(MORSE_KEY, UNFIT["one of 18 (Ganssle)"])
    (finding,) = check(ButtonFacts(23, 5.0, pushes(closing, 3)))
    assert finding.phrase.code == "button.bouncy"
    assert finding.outcome is Outcome.WARNING
    assert finding.values["pushes"] == 3
    assert int(finding.values["felt"]) > 3
    for language in get_args(Language):
        assert finding.fix(language)
        assert "{" not in finding.text(language)


def test_a_button_that_nobody_felt_is_told() -> None:
    (finding,) = check(ButtonFacts(23, 5.0, ()))
    assert "GPIO 23" in finding.text("en")
    assert finding.phrase.code == "button.untouched"


def test_one_that_was_held_before_is_not_pushed_by_being_let_go() -> None:
    assert bounces([(0.0, False)]).pushes == 0
    assert bounces([(0.0, False), (0.001, True), (0.002, False)]).pushes == 0
    assert bounces([(0.0, False), (QUICKEST, True)]).pushes == 1


def test_the_record_of_the_edges_is_bounded() -> None:
    (finding,) = check(ButtonFacts(23, 5.0, pushes(MORSE_KEY, 50)))
    written = str(finding.values["edges"]).split()
    assert written[:3] == ["+0.000", "-0.074", "+0.080"]
    assert len(written) == MOST_EDGES


async def test_the_pin_is_watched_for_as_long_as_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = MockFactory(pin_class=MockPWMPin)
    monkeypatch.setattr(gathering, "open_pins", lambda _: factory)
    watching = asyncio.create_task(gather(PanelSettings(factory="mock"), 0.1))
    await asyncio.sleep(0)
    pin = factory.pin(23)
    for _ in range(3):
        pin.drive_low()
        pin.drive_high()
    facts = await watching
    assert facts is not None
    assert [closed for _, closed in facts.edges] == [True, False] * 3


async def test_without_pins_nobody_is_asked_to_press() -> None:
    assert await gather(PanelSettings(), 60.0) is None


def test_what_is_kept_of_a_button_that_rings_for_ever_is_bounded() -> None:
    edges = Edges()
    for number in range(2 * gathering.MOST_EDGES):
        edges.handle(number % 2 == 0, float(number))
    assert len(edges.kept) == gathering.MOST_EDGES
    assert (edges.deadline, edges.due(1.0)) == (None, [])
