"""One board for all scenarios, as one robot lives through a year; and what is told of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.board.board import Board
from tests.board.cloud import Cloud, lay_cable
from tests.board.image import Image
from tests.board.machine import Machine
from tests.board.releasing import Releases
from tests.board.report import PAGE, Line, document

Tell = Callable[[Line], None]
TOLD = pytest.StashKey[Tell]()


@pytest.fixture(scope="session")
def image() -> Image:
    """What `make test-board` has built."""
    if "KAIWA_BOARD_DISK" not in os.environ:
        pytest.skip("`make test-board` builds the board that these try")
    return Image(*(Path(os.environ[f"KAIWA_BOARD_{field.name.upper()}"]) for field in fields(Image)))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything of this run lies: the changes of the disk, and every log."""
    return tmp_path_factory.mktemp("board")


@pytest.fixture(scope="session")
def cloud(folder: Path) -> Iterator[Cloud]:
    """The cloud at the other end of the cable."""
    lay_cable()
    cloud = Cloud(folder)
    cloud.start()
    yield cloud
    cloud.stop()


@pytest.fixture(scope="session")
def new_board(image: Image, cloud: Cloud, folder: Path) -> Iterator[Board]:
    """The board as it comes out of its box, without power."""
    machine = Machine(image.kernel, image.initrd, image.disk, folder)
    yield Board(machine, cloud)
    machine.power_off()


@pytest.fixture
def board(new_board: Board, tell: Tell) -> Board:
    """The board, enrolled and at rest; it is given power where it has none. What happens to it is told."""
    del tell
    if not new_board.running:
        new_board.give_claim()
        new_board.start()
    new_board.at_rest()
    return new_board


@pytest.fixture(scope="session")
def releases(image: Image, cloud: Cloud) -> Releases:
    """Whoever releases versions, and orders them."""
    return Releases(cloud, image.newer, image.release_key)


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest, image: Image, new_board: Board, folder: Path) -> Tell:
    """Takes the line of a scenario, or of its failure, and writes the page; that in docs/ is of a run of everything."""
    lines, page = list[Line](), PAGE if "KAIWA_BOARD_WHOLE" in os.environ else folder / "board.md"

    def take(line: Line) -> None:
        lines.append(line)
        machine = new_board.machine
        text = document(lines, image.versions, machine.accelerator, machine.booted_in, datetime.now(UTC))
        page.write_text(text, encoding="utf-8")

    request.config.stash[TOLD] = take
    return take


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of a failure on the page, and on standard error at once, with the end of the board's journal."""
    report = yield
    board = getattr(item, "funcargs", {}).get("board") or getattr(item, "funcargs", {}).get("new_board")
    if report.failed and call.when == "call":
        item.config.stash[TOLD](Line(f"`{item.name}`", "**It failed in this run.**", "-", "-"))
        if board is not None and board.running:
            report.sections.append(("journal of the board", board.log()))
        sys.stderr.write(f"\n{item.name}: {report.longreprtext[-3000:]}\n")
    return report
