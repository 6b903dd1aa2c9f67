"""The texts of a place: carried by a grant, and searched."""

from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import MalformedMessageError
from device.messages.knowledge import MOST_BYTES, PASSAGE_LETTERS, KnownText, Library, packed, terms, unpacked
from device.messages.minting import Grant, OpenAIGrant
from device.messages.secret import Secret
from device.messages.wire import decode, encode

HOURS = KnownText(title="hours.txt", text="We open at nine.\n\nOn Mondays the museum is closed.")
EXHIBITS = KnownText(
    title="展示.txt",
    text="三階には恐竜の骨格標本があります。\n\nティラノサウルスは入口の左にいます。\n\n江戸時代の和時計は二階の奥です。",
)


def found(query: str) -> list[str]:
    return [passage.text for passage in Library([HOURS, EXHIBITS]).search(query)]


def test_texts_come_through_a_grant_unharmed() -> None:
    opening = OpenAIGrant(base_url="https://x", secret=Secret("ek_1"), expires_at=1.0, model="m")
    grant = Grant(session="s", openai=opening, knowledge=packed([HOURS, EXHIBITS]))
    assert unpacked(decode(encode(grant), Grant).knowledge) == [HOURS, EXHIBITS]
    assert packed([]) == b""
    assert unpacked(b"") == []


@pytest.mark.parametrize(
    "data",
    [
        b"no texts",
        packed([HOURS])[:-3],
        zlib.compress(b'{"title": "a"}'),
        zlib.compress(bytes(50 * MOST_BYTES)),
        packed([KnownText(title="long", text="x" * (MOST_BYTES + 1))]),
    ],
    ids=["no zlib", "cut", "another message", "a bomb", "too long"],
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        unpacked(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_texts_or_refused(data: bytes) -> None:
    try:
        unpacked(data)
    except MalformedMessageError:
        return


def test_english_is_found_by_its_words_whatever_their_case() -> None:
    assert "Mondays" in found("is it CLOSED on mondays?")[0]
    assert found("helicopter") == []
    assert found("") == []


@pytest.mark.parametrize(
    ("query", "in_it"),
    [
        ("恐竜はどこですか", "骨格標本"),
        ("ティラノサウルス", "入口の左"),
        ("ﾃｨﾗﾉｻｳﾙｽ", "入口の左"),
        ("和時計", "二階の奥"),
        ("江戸の時計はどこ", "二階の奥"),
    ],
)
def test_japanese_is_found_without_spaces_between_its_words(query: str, in_it: str) -> None:
    assert in_it in "".join(found(query)[:1])


def test_pairs_of_characters_stand_for_japanese_words() -> None:
    assert terms("和時計 Room 12。") == ["和時", "時計", "room", "12"]
    assert terms("駅") == ["駅"]


def test_the_passage_with_the_rarer_words_comes_first() -> None:
    pages = [
        KnownText(title=f"{n}", text=f"The museum has a hall. {'The whale hangs here.' if n == 7 else ''}")
        for n in range(9)
    ]
    assert Library(pages).search("the whale in the museum")[0].title == "7"


def test_a_title_counts_as_part_of_each_of_its_passages() -> None:
    menu = KnownText(title="menu of the café.txt", text="Soup, 5.00\n\n" + "Bread. " * 80)
    assert [passage.title for passage in Library([HOURS, menu]).search("café")] == [menu.title] * 2


def test_no_passage_is_long_whatever_the_text_looks_like() -> None:
    endless = KnownText(title="a", text="あ" * 5000 + "\n\n" + "word " * 3000 + "\n\n" + "One sentence. " * 200)
    passages = Library([endless]).search("あああ word sentence", most=1000)
    assert max(len(passage.text) for passage in passages) <= PASSAGE_LETTERS + 1
    assert sum(passage.text.count("あ") for passage in passages) == 5000


def test_an_empty_library_knows_nothing() -> None:
    assert Library([]).search("anything") == []
    assert Library([KnownText(title=" ", text="\n\n \n")]).search("anything") == []
    assert Library([KnownText(title="", text="* * *")]).search("anything") == [], "a text without a word"


def test_noise_does_not_shrink() -> None:
    noise = KnownText(title="noise", text=os.urandom(3000).hex())
    assert len(packed([noise])) > 2500
