"""What the documents tell people to type exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from device.__main__ import parser
from provisioning.__main__ import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("hardware/**/README*.md")]
TEST = re.compile(r"`(test_\w+)`")
PROVEN = ("broadcast.md", "identity.md", "realtime.md", "security.md")
COMMAND = re.compile(r"(?:^|[`$] ?|sudo )(kaiwa-(?:cloud|device) [a-z-][^`\n]*?)(?:`|$|\s{2,}#)", re.MULTILINE)


def commands(program: str) -> list[str]:
    """Return every command line of `program` that a document shows."""
    found = {line.strip() for path in DOCUMENTS for line in COMMAND.findall(path.read_text(encoding="utf-8"))}
    return sorted(line for line in found if line.startswith(program))


@pytest.mark.parametrize("line", commands("kaiwa-cloud"))
def test_kaiwa_cloud_takes_it(line: str) -> None:
    result = CliRunner().invoke(app, [*shlex.split(line)[1:], "--help"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("line", commands("kaiwa-device"))
def test_kaiwa_device_takes_it(line: str) -> None:
    parser().parse_args(shlex.split(line)[1:])


def test_there_are_such_lines() -> None:
    assert len(commands("kaiwa-cloud")) >= 3
    assert len(commands("kaiwa-device")) >= 4


def named_tests() -> set[str]:
    """Return the tests that the pages name as the proof of what they say."""
    return {name for page in PROVEN for name in TEST.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))}


def test_every_line_about_an_attack_names_a_test() -> None:
    table = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").partition("## Attacks")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| attack")]
    assert len(lines) >= 20
    assert [line for line in lines if not TEST.search(line)] == []


def test_every_line_of_the_protocols_checklist_names_its_proof_or_why_there_is_none() -> None:
    table = (ROOT / "docs" / "broadcast.md").read_text(encoding="utf-8").partition("line by line")[2]
    lines = re.findall(r"^\| (\d+) \|[^|]*\|(.*)\|$", table, re.MULTILINE)
    assert [int(number) for number, _ in lines] == [*range(1, 36)]
    assert [proof for _, proof in lines if not (TEST.search(proof) or "`make " in proof)] == []


@pytest.mark.parametrize(("part", "lines"), [("## The stand-in", 19), ("## The robot", 11)])
def test_every_line_about_the_conversation_service_names_its_proof(part: str, lines: int) -> None:
    table = (ROOT / "docs" / "realtime.md").read_text(encoding="utf-8").partition(part)[2].partition("\n## ")[0]
    found = re.findall(r"^\| (\d+) \|[^|]*\|(.*)\|$", table, re.MULTILINE)
    assert [int(number) for number, _ in found] == [*range(1, lines + 1)]
    assert [proof for _, proof in found if not TEST.search(proof)] == []


def test_every_test_that_is_named_as_a_proof_exists() -> None:
    there = {
        name for path in ROOT.glob("tests/**/test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert named_tests()
    assert named_tests() <= there
