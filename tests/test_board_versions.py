"""The newer versions that the virtual board is updated to can still be made of this tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import __version__
from device.messages.releases import order_of
from tests.board import versions
from tests.board.versions import Change, Kind


@pytest.mark.parametrize("kind", Kind)
def test_each_is_this_tree_with_a_higher_number_and_its_fault(kind: Kind, tmp_path: Path) -> None:
    tree = versions.tree(kind, tmp_path / "tree")
    number = versions.number(kind)
    assert order_of(number) > order_of(__version__)
    assert f'\nversion = "{number}"\n' in (tree / "pyproject.toml").read_text()
    assert f'__version__ = "{number}"' in (tree / "device/__init__.py").read_text()
    for change in versions.BROKEN[kind]:
        text = (tree / change.file).read_text()
        assert change.new in text
        compile(text, change.file, "exec")
    assert not list(tree.rglob("__pycache__"))


def test_one_works_and_the_others_do_not() -> None:
    assert [bool(versions.BROKEN[kind]) for kind in Kind] == [False, True, True]


def test_a_passage_that_is_gone_is_missed(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text("pass\npass\n")
    for passage in ("raise", "pass"):
        with pytest.raises(ValueError, match=passage):
            Change("some.py", passage, "").made_in(tmp_path)


def test_a_package_is_found_by_its_number(tmp_path: Path) -> None:
    wanted = tmp_path / f"kaiwa-device_{versions.number(Kind.LOST)}_amd64.deb"
    wanted.touch()
    (tmp_path / f"kaiwa-device_{versions.number(Kind.LOST)}1_amd64.deb").touch()
    assert versions.package(Kind.LOST, tmp_path) == wanted
    with pytest.raises(FileNotFoundError, match=versions.number(Kind.WORKS)):
        versions.package(Kind.WORKS, tmp_path)
