"""How a Debian package lies in a file: what is found of it, and how much of it is read."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import UpdateError
from device.messages.packages import section
from tests.device.update.board import ar

CONTENTS = st.lists(st.binary(max_size=40), min_size=1, max_size=5)


@given(CONTENTS, st.integers(0, 4), st.integers(1, 17))
def test_each_member_is_read_whole_and_nothing_beside_it(contents: list[bytes], which: int, step: int) -> None:
    which %= len(contents)
    names = [f"part{number}" for number in range(len(contents))]
    file = io.BytesIO(ar(*zip(names, contents, strict=True)))
    found = section(file, names[which])
    pieces = list(iter(lambda: found.read(step), b""))
    assert b"".join(pieces) == contents[which]
    assert all(len(piece) <= step for piece in pieces)
    assert found.read() == found.read(7) == b""


def test_all_that_is_left_comes_at_once_when_nobody_says_how_much() -> None:
    found = section(io.BytesIO(ar(("a", b"12345"), ("b", b"x"))), "a")
    assert (found.read(2), found.read(), found.read()) == (b"12", b"345", b"")


def test_a_member_is_found_by_how_its_name_begins_and_the_first_counts() -> None:
    package = io.BytesIO(ar(("debian-binary", b"2.0\n"), ("data.tar.zst", b"first"), ("data.tar.xz", b"second")))
    assert section(package, "data.tar").read() == b"first"
    assert section(package, "data.tar.xz").read() == b"second"
    assert section(package, "debian").read() == b"2.0\n"


def test_names_may_end_with_a_stroke_as_some_archivers_write_them() -> None:
    whole = ar(("data.tar/", b"inside"))
    assert section(io.BytesIO(whole), "data.tar").read() == b"inside"


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (b"", "not a Debian package"),
        (b"!<arch>", "not a Debian package"),
        (b"!<arch>\n", "it has no data.tar"),
        (ar(("control.tar", b"x")), "it has no data.tar"),
        (ar(("control.tar", b"xy"))[:-1], "it has no data.tar"),
        (ar(("control.tar", b""), ("data.tar", b"x")).replace(b"`\n", b"``", 1), "damaged"),
        (ar(("data.tar", b"x")).replace(b"1         `", b"-1        `"), "damaged"),
        (ar(("data.tar", b"x")).replace(b"1         `", b"          `"), "damaged"),
        (ar(("data.tar", b"x"))[:67], "damaged"),
    ],
)
def test_what_is_no_package_says_what_is_wrong(spoilt: bytes, why: str) -> None:
    with pytest.raises(UpdateError, match=why):
        section(io.BytesIO(spoilt), "data.tar")


def test_of_a_package_that_was_cut_only_what_is_there_is_read() -> None:
    whole = ar(("data.tar", random.Random(1).randbytes(1000)))
    found = section(io.BytesIO(whole[:500]), "data.tar")
    assert len(found.read()) == 500 - 68
