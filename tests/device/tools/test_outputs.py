"""Outputs by name, on gpiozero's own mock pins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from device.errors import PanelError
from device.messages.settings import read_settings
from device.messages.tools import as_function
from device.tools.outputs import Outputs
from device.tools.settings import ToolsSettings
from device.tools.toolbox import Toolbox

SETTINGS = read_settings(
    """
    [[outputs]]
    name = "lamp"
    pin = 17
    description = "The lamp."
    [[outputs]]
    name = "fan"
    pin = 18
    kind = "dimmer"
    description = "The fan."
    [[outputs]]
    name = "head"
    pin = 12
    kind = "servo"
    description = "Your head."
    """,
    "device.toml",
    ToolsSettings,
).outputs


@pytest.fixture
def pins() -> Iterator[Any]:
    factory = MockFactory(pin_class=MockPWMPin)
    yield factory
    factory.close()


async def test_each_output_is_a_tool_of_its_name_and_moves_its_pin(pins: Any) -> None:
    seen: list[tuple[str, float]] = []
    async with Outputs(SETTINGS, pins, lambda name, _at, value: seen.append((name, value))) as outputs:
        tools = Toolbox(outputs.tools())
        assert pins.pin(17).state == 0
        for name, arguments in (("lamp", '{"on": true}'), ("fan", '{"percent": 40}'), ("head", '{"degrees": -45}')):
            assert (await tools.call(name, arguments)).text == '{"ok":true}'
        assert pins.pin(17).state == 1
        assert pins.pin(18).state == pytest.approx(0.4)
        assert [outputs.value(name) for name in ("lamp", "fan", "head")] == [1.0, pytest.approx(0.4), -45.0]
        assert not (await tools.call("head", '{"degrees": 120}')).ok
        assert not (await tools.call("fan", '{"percent": 101}')).ok
    assert seen == [("lamp", 1.0), ("fan", 0.4), ("head", -45.0)]
    assert pins.pin(17).state == 0


async def test_nothing_moves_before_it_is_told_to(pins: Any) -> None:
    async with Outputs(SETTINGS, pins) as outputs:
        assert [outputs.value(name) for name in ("lamp", "fan", "head")] == [0.0, 0.0, 0.0]
        assert pins.pin(12).state == 0


async def test_the_model_is_told_what_it_is_and_what_can_be_done(pins: Any) -> None:
    async with Outputs(SETTINGS, pins) as outputs:
        head = as_function(outputs.tools()[2].declaration)
    assert head["description"] == "Your head. Turn it to an angle in degrees; 0 is the middle."
    assert head["parameters"]["properties"] == {"degrees": {"type": "integer", "minimum": -90, "maximum": 90}}


async def test_a_pin_that_is_taken_is_named(pins: Any) -> None:
    async with Outputs(SETTINGS, pins):
        with pytest.raises(PanelError, match="lamp on GPIO 17 cannot be used"):
            await Outputs(SETTINGS[:1], pins).__aenter__()
