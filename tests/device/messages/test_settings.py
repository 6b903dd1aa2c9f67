"""Where a mistake in a settings file stands, in files that are long and odd; and what lies beneath one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import SettingsError
from device.messages.settings import Settings, flattened, laid_over, mistaken, read_settings, suggestion


class Lamp(Settings, frozen=True):
    name: str
    watts: Annotated[int, msgspec.Meta(ge=0, le=60)] = 5


class Room(Settings, frozen=True):
    lamps: tuple[Lamp, ...] = ()
    title: str = ""


class House(Settings, frozen=True):
    motto: str = ""
    rooms: int = 0
    room: Room = Room()
    lamps: list[Lamp] = []
    guest: Room | None = None


def said(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings(text, "house.toml", House)
    return str(caught.value)


TWO_LAMPS = """\
[[lamps]]
name = "hall"

[[lamps]]
name = "attic"
watts = {watts}
"""


def test_of_several_tables_of_one_name_the_right_one_is_named() -> None:
    assert said(TWO_LAMPS.format(watts=61)).startswith("house.toml:6: `lamps.watts`: ")
    assert said(TWO_LAMPS.format(watts=-1)).startswith("house.toml:6: `lamps.watts`: ")
    assert read_settings(TWO_LAMPS.format(watts=60), "", House).lamps[1].watts == 60
    assert read_settings(TWO_LAMPS.format(watts=0), "", House).lamps[1].watts == 0


def test_a_key_that_is_missing_points_at_the_table_that_lacks_it() -> None:
    text = '[[lamps]]\nname = "hall"\n\n[[lamps]]\nwatts = 1\n'
    assert said(text) == "house.toml:4: `lamps.name`: this key is needed"
    assert said("[guest]\n[[guest.lamps]]\nwatts = 1\n") == "house.toml:2: `guest.lamps.name`: this key is needed"


NESTED = """\
[[rooms]]
[[rooms.lamps]]
name = "a"
[[rooms.lamps]]
name = "b"
tags = ["x", "y", {}]
[[rooms]]
[[rooms.lamps]]
name = "c"
[[rooms.lamps]]
watts = {}
"""


class Lit(Settings, frozen=True):
    name: str
    watts: int = 0
    tags: tuple[str, ...] = ()


class Hall(Settings, frozen=True):
    lamps: tuple[Lit, ...] = ()


class Castle(Settings, frozen=True):
    rooms: tuple[Hall, ...] = ()


@pytest.mark.parametrize(
    ("tag", "watts", "said_so"),
    [
        ("'z'", "1\nname = 5", "x:12: `rooms.lamps.name`: Expected `str`, got `int`"),
        ("'z'", "1", "x:10: `rooms.lamps.name`: this key is needed"),
        ("'z'", "'1'\nname = 'd'", "x:11: `rooms.lamps.watts`: Expected `int`, got `str`"),
        ("7", "1", "x:6: `rooms.lamps.tags`: Expected `str`, got `int`"),
    ],
)
def test_tables_of_one_name_in_tables_of_one_name_are_told_apart(tag: str, watts: str, said_so: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(NESTED.format(tag, watts), "x", Castle)
    assert str(caught.value) == said_so


def test_a_mistake_in_a_table_in_a_table_is_told_with_the_whole_way_there() -> None:
    assert said("[room]\ntitel = 'a'") == "house.toml:2: `room.titel`: unknown key; did you mean `title`?"
    assert said("[room]\n[[room.lamps]]\nname = 'a'\nwat = 1") == (
        "house.toml:4: `room.lamps.wat`: unknown key; did you mean `watts`?"
    )
    assert said("[guest]\nzzz = 1") == "house.toml:2: `guest.zzz`: unknown key; known here: lamps, title"


LONG_TEXT = '''\
motto = """
rooms = "many"
[room]
# not a table: \\"""
title = 5
"""
rooms = {rooms}

[room]
title = {title}
'''


@pytest.mark.parametrize("mark", ['"""', "'''"])
def test_what_stands_in_a_text_of_several_lines_is_neither_table_nor_key(mark: str) -> None:
    text = LONG_TEXT if mark == '"""' else LONG_TEXT.replace('\\"""', "").replace('"""', mark)
    assert said(text.format(rooms="'many'", title="''")).startswith("house.toml:7: `rooms`: Expected `int`")
    assert said(text.format(rooms="1", title="5")).startswith("house.toml:10: `room.title`: Expected `str`")
    assert read_settings(text.format(rooms="1", title="'x'"), "", House).room.title == "x"


def test_lines_are_counted_as_toml_counts_them() -> None:
    odd = "a\u2028b\u0085c"
    assert said(f"motto = '{odd}'\r\n\r\nrooms = 'x'\r\n").startswith("house.toml:3: `rooms`")


def test_a_text_that_is_nested_without_end_is_refused() -> None:
    assert "nested too deeply" in said("motto = " + "[" * 5000 + "]" * 5000)


def test_a_number_of_thousands_of_digits_is_no_toml() -> None:
    assert "not TOML" in said("rooms = " + "9" * 5000)


def test_what_a_file_does_not_say_is_taken_from_what_lies_beneath() -> None:
    beneath = {"motto": "below", "room": {"title": "below", "lamps": [{"name": "old"}]}}
    house = read_settings("[room]\ntitle = 'above'", "", House, beneath)
    assert (house.motto, house.room.title) == ("below", "above")
    assert house.room.lamps == (Lamp(name="old"),)
    above = read_settings("[[room.lamps]]\nname = 'new'", "", House, beneath)
    assert [lamp.name for lamp in above.room.lamps] == ["new"], "a list is replaced as a whole"


KEYS = st.sampled_from(["a", "b", "c"])
TABLES = st.recursive(
    st.dictionaries(KEYS, st.integers(), max_size=3),
    lambda inner: st.dictionaries(KEYS, inner | st.integers()),
    max_leaves=8,
)


@settings(max_examples=40)
@given(TABLES, TABLES)
def test_what_is_laid_over_wins_and_nothing_else_is_lost(above: dict[str, Any], beneath: dict[str, Any]) -> None:
    merged = laid_over(above, beneath)
    assert laid_over(above, {}) == above
    assert laid_over({}, beneath) == beneath
    assert laid_over(above, merged) == merged, "twice is once"
    assert set(merged) == set(above) | set(beneath)
    for key in merged:
        inner, below = above.get(key, beneath.get(key)), beneath.get(key)
        if isinstance(inner, dict) and isinstance(below, dict):
            inner = laid_over(inner, below)
        assert merged[key] == inner
    assert set(flattened(above)) <= set(flattened(merged))


def test_whoever_finds_a_mistake_later_names_its_line_as_well() -> None:
    text = "motto = 'a'\n[room]\ntitle = 'b'\n[[lamps]]\nname = 'c'\n[[lamps]]\nname = 'd'\n"
    assert str(mistaken(text, "x", "is wrong", "room", "title")) == "x:3: `room.title`: is wrong"
    assert mistaken(text, "x", "", "lamps", "name", number=1).line == 7
    assert mistaken(text, "x", "", "lamps", "name").line == 5
    assert mistaken(text, "x", "", "lamps", "name", number=9).line == 7
    assert mistaken(text, "x", "", "room", "nothing").line == 2, "what it is in, where it is not there itself"
    assert mistaken(text, "x", "", "nothing").line is None


def test_a_key_far_from_any_is_told_all_that_there_are() -> None:
    assert suggestion(House, ["guest", "lamps", "wats"]) == "; did you mean `watts`?"
    assert suggestion(House, ["qqqq"]) == "; known here: motto, rooms, room, lamps, guest"
