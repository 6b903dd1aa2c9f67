from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import KaiwaError
from device.instance import LOCK, is_running, only_one


def test_there_is_one_robot_for_one_folder(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    with only_one(tmp_path):
        assert is_running(tmp_path)
        with pytest.raises(KaiwaError, match="is running already"), only_one(tmp_path):
            pass
    assert not is_running(tmp_path)
    with only_one(tmp_path):
        pass


def test_looking_does_not_keep_a_robot_from_starting(tmp_path: Path) -> None:
    with only_one(tmp_path):
        pass
    assert not is_running(tmp_path)
    with only_one(tmp_path):
        assert is_running(tmp_path)


def test_a_folder_that_is_not_there_needs_no_guard(tmp_path: Path) -> None:
    with only_one(tmp_path / "none"):
        assert not is_running(tmp_path / "none")


def test_a_folder_of_somebody_else_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / LOCK).mkdir()  # root may write everywhere, but not into a folder as if it were a file
    with pytest.raises(KaiwaError, match="belongs to the account of the robot"), only_one(tmp_path):
        pass
