"""A contact whose edges come late, or never: what counts is when the kernel saw them, and how the contact is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from device.panel import contact as contact_module
from device.panel import gestures as gestures_module
from device.panel.board import Panel, ignore
from device.panel.contact import LATEST, Contact
from device.panel.gestures import Gesture, Gestures
from device.panel.pins import open_pins
from device.panel.settings import PanelSettings
from device.panel.switch import Switch

PIN = 23
PRESS, HOLD, RELEASE = Gesture.PRESS, Gesture.HOLD, Gesture.RELEASE


class Told:
    """What was told, and when it happened."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, float]] = []
        self._more = asyncio.Event()

    def __call__(self, meaning: Any, at: float) -> None:
        self.all.append((meaning, at))
        self._more.set()

    @property
    def meanings(self) -> list[Any]:
        return [meaning for meaning, _ in self.all]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._more.clear()
                await self._more.wait()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def pins() -> Iterator[Any]:
    factory = open_pins("mock")
    yield factory
    factory.close()


@pytest.fixture
def never_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_module, "LOOK_SECONDS", 3600.0)


@pytest.fixture
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_module, "LOOK_SECONDS", 0.005)


@pytest.fixture
def soon_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gestures_module, "HOLD", 0.04)


@contextmanager
def unheard(pin: Any) -> Iterator[None]:
    """Let what happens to the contact raise no edge."""
    heard, pin.when_changed = pin.when_changed, None
    yield
    pin.when_changed = heard


def edges(pin: Any, *seen: tuple[float, bool]) -> None:
    """Deliver edges that the kernel saw at these times, all at once."""
    for at, closed in seen:
        pin.when_changed(at, not closed)


@pytest.mark.usefixtures("never_looked_at")
async def test_bounces_whose_edges_come_late_are_one_press_at_its_first(pins: Any, told: Told) -> None:
    with Contact(pins, PIN, Gestures(), told):
        pin, began = pins.pin(PIN), time.monotonic() - 0.1
        with unheard(pin):
            pin.drive_low()
        edges(pin, (began, True), (began + 0.001, False), (began + 0.002, True))
        await told.until(lambda: bool(told.all))
        edges(pin, (began + 0.05, False))
        with unheard(pin):
            pin.drive_high()
        await told.until(lambda: len(told.all) == 2)

    assert told.all[0] == (PRESS, began)
    assert told.meanings == [PRESS, RELEASE]


@pytest.mark.usefixtures("never_looked_at", "soon_held")
async def test_a_release_is_not_told_while_the_edge_that_closed_the_contact_again_is_under_way(
    pins: Any, told: Told
) -> None:
    with Contact(pins, PIN, Gestures(), told):
        pin = pins.pin(PIN)
        pin.drive_low()
        pin.drive_high()
        with unheard(pin):
            pin.drive_low()
        await told.until(lambda: len(told.all) == 2)
    assert told.meanings == [PRESS, HOLD]


@pytest.mark.usefixtures("never_looked_at")
@pytest.mark.parametrize("wrong", [-LATEST, 0.5, 1.7e9])
async def test_an_edge_timed_by_another_clock_counts_when_it_comes(pins: Any, told: Told, wrong: float) -> None:
    with Contact(pins, PIN, Gestures(), told):
        pin, now = pins.pin(PIN), time.monotonic()
        edges(pin, (now + wrong, True))
        await told.until(lambda: bool(told.all))
    assert now <= told.all[0][1] <= time.monotonic()


@pytest.mark.usefixtures("never_looked_at", "soon_held")
async def test_a_button_whose_release_was_never_heard_of_is_not_held(pins: Any, told: Told) -> None:
    with Contact(pins, PIN, Gestures(0.05), told):
        pin = pins.pin(PIN)
        pin.drive_low()
        with unheard(pin):
            pin.drive_high()
        await told.until(lambda: len(told.all) == 2)
        pin.drive_low()
        await told.until(lambda: len(told.all) == 3)
    assert told.meanings == [PRESS, RELEASE, PRESS]


@pytest.mark.usefixtures("looked_at_often")
async def test_no_contact_is_taken_for_long_for_what_it_is_not(pins: Any, told: Told) -> None:
    """A switch that closes the microphone, above all."""
    with Contact(pins, PIN, Switch(), told):
        pin = pins.pin(PIN)
        with unheard(pin):
            pin.drive_low()
        await told.until(lambda: told.meanings == [True])
        with unheard(pin):
            pin.drive_high()
        await told.until(lambda: told.meanings == [True, False])


async def test_a_pin_that_was_given_back_tells_nothing(pins: Any, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(pins.pin(PIN)), "close", lambda _pin: None)  # lgpio's goes on telling of edges
    with Contact(pins, PIN, Gestures(), told) as contact:
        pin = pins.pin(PIN)
    pin.drive_low()
    await asyncio.sleep(0)
    assert pin.when_changed is None, "or a thread would call a loop that has ended"
    assert contact._looking.cancelled()
    assert told.all == []


@pytest.fixture
def held(pins: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Any]:
    """Return what closes a contact before a panel looks at it."""
    monkeypatch.setattr("device.panel.board.open_pins", lambda _factory: pins)

    def close(number: int) -> Any:
        pin = pins.pin(number)
        pin.drive_low()
        monkeypatch.setattr(type(pin), "_set_pull", lambda _pin, _pull: None)  # whose pull-up would open it again
        return pin

    return close


@pytest.mark.usefixtures("looked_at_often")
@pytest.mark.parametrize("what", ["button", "mute", "cut"])
async def test_whoever_holds_a_button_from_before_presses_nothing_however_it_bounces(
    held: Callable[[int], Any], told: Told, what: str
) -> None:
    settings = PanelSettings(factory="mock", mute=5, mute_kind="button", cut=6)
    pin = held(settings.pins[what])

    def pressed(gesture: Gesture, at: float) -> None:
        if gesture is PRESS:
            told(gesture, at)

    async with Panel(settings, pressed, ignore, lambda off: told(off, 0.0), lambda: told("cut", 0.0)):
        for _ in range(3):
            pin.drive_high()
            pin.drive_low()
        pin.drive_high()
        await asyncio.sleep(0)  # a press would be told at its first edge
    assert told.all == []


@pytest.mark.usefixtures("looked_at_often")
async def test_a_button_held_from_before_whose_release_was_never_heard_of_is_up(
    held: Callable[[int], Any], told: Told
) -> None:
    pin = held(PIN)
    async with Panel(PanelSettings(factory="mock"), told):
        with unheard(pin):
            pin.drive_high()
        await told.until(lambda: told.meanings == [RELEASE])
