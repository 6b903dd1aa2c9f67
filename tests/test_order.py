from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import REAL_TIME, OneAfterTheOther, pytest_collection_modifyitems

WHOLE = "tests/whole/test_faults.py::test_a_call_that_dies"
CARD = "tests/device/soundcard/test_contract.py::test_pairs[room]"
PURE = "tests/device/test_session.py::TestTable::test_whatever"


@pytest.mark.parametrize("place", REAL_TIME)
def test_what_is_said_to_be_in_real_time_is_there(place: str) -> None:
    assert Path(place).exists()


@pytest.mark.parametrize(
    ("test", "unit"), [(WHOLE, "real time"), (CARD, "real time"), (PURE, "tests/device/test_session.py")]
)
def test_what_is_in_real_time_is_one_unit_and_every_other_file_its_own(test: str, unit: str) -> None:
    scheduler = OneAfterTheOther.__new__(OneAfterTheOther)  # it asks nothing of the workers
    assert scheduler._split_scope(test) == unit


def test_what_is_in_real_time_comes_first_and_nothing_else_moves() -> None:
    items: list[Any] = [SimpleNamespace(nodeid=name) for name in (PURE, CARD, "tests/device/test_turns.py::x", WHOLE)]
    pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [CARD, WHOLE, PURE, "tests/device/test_turns.py::x"]
