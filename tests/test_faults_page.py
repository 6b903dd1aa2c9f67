"""docs/faults.md says what the tests show, and every line has a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from device.panel.faults import Fault, kind
from tests.faults import LINES, PAGE, Line, document, function, measured


def rows(page: str) -> list[list[str]]:
    return [line.split(" | ") for line in page.splitlines() if line.startswith("| ")]


def without_times(page: str) -> list[list[str]]:
    return [[*row[:4], *row[5:]] for row in rows(page)]


@pytest.mark.parametrize("line", LINES, ids=function)
def test_its_test_is_there(line: Line) -> None:
    tree = ast.parse(Path(line.test.split("::")[0]).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert function(line) in functions


def test_every_kind_of_fault_that_a_visitor_can_meet_is_brought_about() -> None:
    assert {kind(line.code) for line in LINES if line.code} == set(Fault)


def test_the_page_is_that_of_the_list() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert without_times(page) == without_times(document({}, "today")), "run `make faults`"
    assert re.search(r"^Measured 20\d\d-\d\d-\d\d\.$", page, re.MULTILINE)
    assert sum(" s | `" in line for line in page.splitlines()) >= 6


def test_the_longest_recovery_of_a_test_counts(tmp_path: Path) -> None:
    case = (
        '<testcase name="test_x[{}]"><properties><property name="recovery_seconds" value="{}"/></properties></testcase>'
    )
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuite>{case.format('a', 1.5)}{case.format('b', 2.5)}<testcase name='test_y'/></testsuite>")
    assert measured(report) == {"test_x": 2.5}
