from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from device.errors import PanelError
from device.panel.pins import CHIP, explained, open_pins

no_chip = pytest.mark.skipif(CHIP.exists(), reason="this computer has pins")


@pytest.mark.parametrize("kind", ["mock", pytest.param("auto", marks=no_chip)])
def test_pins_in_memory_where_asked_for_or_where_there_are_no_others(kind: str) -> None:
    factory = open_pins("mock" if kind == "mock" else "auto")
    assert isinstance(factory, MockFactory)
    factory.close()


def test_a_pin_in_memory_keeps_no_past() -> None:
    factory = open_pins("mock")
    pin = factory.pin("GPIO4")
    pin.function = "output"
    for step in range(100):
        pin.state = step % 5 / 4
    assert [kept.state for kept in pin.states] == [pin.state] == [1.0]
    factory.close()


@no_chip
def test_lgpio_on_another_computer_is_a_clear_error_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = "this computer is no Raspberry Pi" if find_spec("lgpio") else "No module named 'lgpio'"
    with pytest.raises(PanelError, match=wanted):
        open_pins("lgpio")
    assert list(tmp_path.iterdir()) == []
    assert Path.cwd() == tmp_path


def test_what_lgpio_raises_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # lgpio leaves a pipe where it is first imported
    lgpio = pytest.importorskip("lgpio")
    with pytest.raises(PanelError, match="GPIO 23 cannot be used: 'GPIO busy'"), explained("GPIO 23"):
        raise lgpio.error("GPIO busy")


def test_what_is_a_mistake_of_ours_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), explained("GPIO 23"):
        raise ZeroDivisionError
