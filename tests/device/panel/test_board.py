from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace

import pytest
from gpiozero.exc import PinInvalidState

from device.errors import PanelError, SettingsError
from device.messages.settings import read_settings
from device.panel.board import Panel
from device.panel.gestures import HOLD, Gesture
from device.panel.patterns import Light, Step
from device.panel.pins import open_pins
from device.panel.settings import PanelSettings

MOCK = PanelSettings(factory="mock")


class Watcher:
    """Sees and feels what a panel does."""

    def __init__(self) -> None:
        self.gestures: list[tuple[Gesture, float]] = []
        self.lights: list[tuple[float, float]] = []
        self.mutes: list[bool | None] = []
        self.cuts = 0
        self._more = asyncio.Event()

    def gesture(self, gesture: Gesture, at: float) -> None:
        self.gestures.append((gesture, at))
        self._more.set()

    def light(self, at: float, brightness: float) -> None:
        self.lights.append((at, brightness))
        self._more.set()

    def mute(self, off: bool | None) -> None:
        self.mutes.append(off)
        self._more.set()

    def cut(self) -> None:
        self.cuts += 1
        self._more.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._more.clear()
                await self._more.wait()

    def panel(self, settings: PanelSettings = MOCK) -> Panel:
        return Panel(settings, self.gesture, self.light, self.mute, self.cut)


async def test_a_press_from_another_thread_becomes_a_gesture_in_the_loop() -> None:
    watcher = Watcher()
    async with watcher.panel() as panel:
        assert panel.stood_in
        thread = threading.Thread(target=panel.press)
        thread.start()
        thread.join()
        assert watcher.gestures == []
        await watcher.until(lambda: len(watcher.gestures) == 1)
        panel.release()
        await watcher.until(lambda: len(watcher.gestures) == 2)

    assert [gesture for gesture, _ in watcher.gestures] == [Gesture.PRESS, Gesture.RELEASE]


async def test_bounces_of_the_pin_are_one_press(monkeypatch: pytest.MonkeyPatch) -> None:
    watcher, now = Watcher(), time.monotonic()
    async with watcher.panel() as panel:
        with monkeypatch.context() as still:
            still.setattr("device.panel.contact.time", SimpleNamespace(monotonic=lambda: now))
            for _ in range(6):
                panel.press()
                panel.release()
        await watcher.until(lambda: len(watcher.gestures) == 2)

    assert [gesture for gesture, _ in watcher.gestures] == [Gesture.PRESS, Gesture.RELEASE]


async def test_holding_is_felt_while_the_button_is_down() -> None:
    watcher = Watcher()
    async with watcher.panel() as panel:
        panel.press()
        await watcher.until(lambda: len(watcher.gestures) == 2)

    (press, pressed), (hold, held) = watcher.gestures
    assert (press, hold) == (Gesture.PRESS, Gesture.HOLD)
    assert held - pressed >= HOLD


async def test_how_long_it_is_held_for_a_claim_is_a_setting() -> None:
    async with Watcher().panel(PanelSettings(factory="mock", claim_seconds=3.0)) as panel:
        gestures = panel._button._meaning
        assert gestures.handle(True, 1.0) == [Gesture.PRESS]
        assert gestures.due(4.0) == [Gesture.HOLD, Gesture.LONG_HOLD]


async def test_the_light_shows_a_phase_before_show_returns() -> None:
    watcher = Watcher()
    async with watcher.panel() as panel:
        panel.show(Light.LISTENING)
        assert [brightness for _, brightness in watcher.lights] == [1.0]
        panel.show("preparing")
        await watcher.until(lambda: len(watcher.lights) >= 4)
        assert [brightness for _, brightness in watcher.lights[1:4]] == [0.35, 1.0, 0.35]
        with pytest.raises(ValueError, match="dancing"):
            panel.show("dancing")


async def test_a_dimmed_light_keeps_its_pattern_and_never_goes_out() -> None:
    watcher = Watcher()
    async with watcher.panel() as panel:
        panel.show(Light.LISTENING)
        panel.brightness = 0.5
        assert watcher.lights[-1][1] == 0.5
        panel.show(Light.PREPARING)
        await watcher.until(lambda: [round(b, 3) for _, b in watcher.lights[-2:]] == [0.5, 0.175])
        panel.show(Light.LISTENING)
        panel.brightness = 0.0
        assert watcher.lights[-1][1] == 0.1
        panel.brightness = 7.0
        assert (panel.brightness, watcher.lights[-1][1]) == (1.0, 1.0)


async def test_showing_the_same_again_does_not_start_it_again() -> None:
    watcher = Watcher()
    async with watcher.panel() as panel:
        panel.show(Light.PREPARING)
        await watcher.until(lambda: len(watcher.lights) == 2)
        panel.show(Light.PREPARING)
        assert len(watcher.lights) == 2


async def test_speaking_follows_the_level() -> None:
    watcher, levels = Watcher(), [-15.0]
    async with watcher.panel() as panel:
        panel.show(Light.SPEAKING)
        panel.follow(lambda: levels[-1])
        await watcher.until(lambda: watcher.lights[-1][1] == 1.0)
        levels.append(-60.0)
        await watcher.until(lambda: watcher.lights[-1][1] == pytest.approx(0.15, abs=0.02))


async def test_a_robot_that_is_looked_for_blinks_until_something_else_is_to_be_shown() -> None:
    watcher = Watcher()
    async with watcher.panel() as panel:
        panel.show(Light.LISTENING)
        panel.identify()
        await watcher.until(lambda: [brightness for _, brightness in watcher.lights[-3:]] == [1.0, 0.0, 1.0])
        panel.show(Light.FAULT)
        await watcher.until(lambda: watcher.lights[-1][1] == 0.0)
        seen = len(watcher.lights)
        panel.show(Light.LISTENING)
        assert [brightness for _, brightness in watcher.lights[seen:]] == [1.0]


async def test_a_robot_that_was_found_shows_again_what_it_has_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.panel.board.IDENTIFYING", (Step(0.25, 0.01), Step(0.0, 0.01)))
    watcher = Watcher()
    async with watcher.panel() as panel:
        panel.identify()
        await watcher.until(lambda: [brightness for _, brightness in watcher.lights] == [0.25, 0.0])
        panel.show(Light.LISTENING)
        assert panel._next_step is None, "a steady light waits for nothing"
        panel.identify()
        await watcher.until(lambda: [brightness for _, brightness in watcher.lights[2:]] == [1.0, 0.25, 0.0, 1.0])


async def test_leaving_puts_the_lights_out_and_frees_the_pins() -> None:
    watcher = Watcher()
    panel = watcher.panel()
    for _ in range(2):
        async with panel:
            panel.show(Light.FAULT)
            panel.on_air(True)
            pins = [panel._lamps._lamps[0].pin, panel._red.pin]
            assert [pin.state for pin in pins] == [1.0, 1.0]
            panel.press()
        assert watcher.lights[-1][1] == 0.0
        assert [pin.state for pin in pins] == [0.0, 0.0]
        panel = watcher.panel()


async def test_a_switch_closes_the_microphone_at_once_and_opens_it_when_it_has_settled() -> None:
    watcher = Watcher()
    async with watcher.panel(PanelSettings(factory="mock", mute=5)) as panel:
        assert watcher.mutes == []
        panel.mute(closed=True)
        await watcher.until(lambda: watcher.mutes == [True])
        panel.mute(closed=False)
        await watcher.until(lambda: watcher.mutes == [True, False])


async def test_a_switch_that_is_closed_already_is_told_of_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pins = open_pins("mock")
    pins.pin(5).drive_low()
    monkeypatch.setattr("device.panel.board.open_pins", lambda _factory: pins)
    monkeypatch.setattr(type(pins.pin(5)), "_set_pull", lambda _pin, _pull: None)  # whose pull-up would open it again
    watcher = Watcher()
    async with watcher.panel(PanelSettings(factory="mock", mute=5)):
        assert watcher.mutes == [True]


async def test_buttons_that_mute_and_cut_do_so_with_each_press_and_not_with_the_release() -> None:
    watcher = Watcher()
    async with watcher.panel(PanelSettings(factory="mock", mute=5, mute_kind="button", cut=6)) as panel:
        for move in (panel.mute, panel.cut):
            move(closed=True)
            move(closed=False)
        panel.press()
        panel.release()
        await watcher.until(lambda: len(watcher.gestures) == 2)  # so that the others have been released, too
        assert (watcher.mutes, watcher.cuts) == ([None], 1)


async def test_a_button_that_cuts_tells_of_a_press_once_and_nothing_else() -> None:
    watcher = Watcher()
    async with watcher.panel(PanelSettings(factory="mock", cut=6)) as panel:
        for closed in (True, False, True, False):  # it bounces
            panel.cut(closed=closed)
        panel.press()
        await watcher.until(lambda: len(watcher.gestures) == 1)
        assert watcher.cuts == 1
        assert panel._settings.pins["cut"] == 6
    assert watcher.mutes == []


async def test_without_a_third_contact_nothing_cuts() -> None:
    watcher = Watcher()
    async with watcher.panel() as panel:
        panel.cut(closed=True)
        panel.press()
        await watcher.until(lambda: len(watcher.gestures) == 1)
    assert watcher.cuts == 0


async def test_without_a_second_contact_nothing_mutes() -> None:
    watcher = Watcher()
    async with watcher.panel() as panel:
        panel.mute(closed=True)
        panel.press()
        await watcher.until(lambda: len(watcher.gestures) == 1)
    assert watcher.mutes == []


@pytest.mark.parametrize(
    ("settings", "states"),
    [
        (PanelSettings(factory="mock", green=5, blue=6), {24: 0.0, 5: 1.0, 6: 0.15}),
        (PanelSettings(factory="mock", green=5, blue=6, lit_when_low=True), {24: 1.0, 5: 0.0, 6: 0.85}),
        (PanelSettings(factory="mock", second_light=5), {24: 1.0, 5: 0.0}),
    ],
)
async def test_colours_and_a_second_light_are_driven_on_their_pins(
    settings: PanelSettings, states: dict[int, float]
) -> None:
    async with Watcher().panel(settings) as panel:
        panel.show(Light.LISTENING)
        assert {pin: panel.pins.pin(pin).state for pin in states} == pytest.approx(states)
        panel.show(Light.FAULT_SOUND)
        assert panel.pins.pin(25).state == 0, "red is for the on-air light alone"
    assert {panel.pins.pin(pin).function for pin in states} == {"input"}, "which lights no lamp"


async def test_a_lamp_is_written_to_only_when_it_changes() -> None:
    async with Watcher().panel() as panel:
        panel.show(Light.LISTENING)
        assert panel.written == 1
        panel.brightness = 1.0
        assert panel.written == 1


async def test_a_lamp_that_does_not_take_what_it_is_given_ends_nothing_and_is_given_it_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_pin: object, value: float) -> None:
        raise PinInvalidState(f"invalid state {value}: the queue is full")

    async with Watcher().panel() as panel:
        lamp = panel.pins.pin(24)
        with monkeypatch.context() as busy:
            busy.setattr(type(lamp), "_set_state", full)
            panel.show(Light.LISTENING)
            panel.brightness = 0.5
        assert lamp.state == 0.0
        panel.brightness = 0.5
        assert lamp.state == 0.5
    assert len(caplog.messages) == 1
    assert "the talk light cannot be used: invalid state" in caplog.text


@pytest.mark.parametrize(
    ("text", "why"), [("green = 5", "both `green` and `blue`"), ("green = 5\nblue = 6\nsecond_light = 7", "either")]
)
def test_half_a_lamp_of_three_colours_is_a_settings_error(text: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        read_settings(text, "kaiwa.toml", PanelSettings)


async def test_a_fault_leaves_no_light_on() -> None:
    watcher = Watcher()
    panel = watcher.panel()
    with suppress(RuntimeError):
        async with panel:
            panel.show(Light.LISTENING)
            raise RuntimeError("somewhere else")
    assert watcher.lights[-1][1] == 0.0


async def test_two_things_on_one_pin_are_a_clear_error() -> None:
    with pytest.raises(PanelError, match=r"GPIO 24 cannot be used: .*in use"):
        async with Watcher().panel(PanelSettings(factory="mock", button=24)):
            pass
    async with Watcher().panel():
        pass


def test_a_pin_that_the_header_does_not_have_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="button"):
        read_settings("button = 40", "kaiwa.toml", PanelSettings)
