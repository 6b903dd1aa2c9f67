"""A board for each test."""

from pathlib import Path

import pytest

from tests.device.update.board import Board


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)
