"""A board for each test."""

import os
from pathlib import Path

import pytest

from tests.device.update.board import Board


@pytest.fixture(autouse=True)
def nobody_else_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed loses nothing that the kernel has; and the disk is everybody's."""
    monkeypatch.setattr(os, "sync", lambda: None)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)
