from __future__ import annotations

import os

import pytest

from device.errors import SettingsError
from provisioning.profiles.drafts import Draft, checked
from provisioning.profiles.knowledge import Plan, instructions, plan, weight
from provisioning.profiles.persona import Profile
from provisioning.profiles.tokens import estimated

HOURS = "We open at nine and close at five.\n"
LONG = "The owl is in the tower. " * 400


def test_short_texts_are_told_and_long_ones_looked_up() -> None:
    found = plan({"z.txt": HOURS, "exhibits.txt": LONG, "a.txt": "Tickets are 5 euros."}, 100)
    assert [text.title for text in found.written] == ["a.txt", "z.txt"]
    assert [text.title for text in found.searched] == ["exhibits.txt"]
    assert sum(weight(text) for text in found.written) <= 100


def test_no_budget_means_that_all_is_looked_up_and_no_texts_that_nothing_is() -> None:
    assert [text.title for text in plan({"a.txt": HOURS}, 0).searched] == ["a.txt"]
    assert plan({}, 2000) == Plan()
    assert plan({}, 2000).packed == b""


def test_the_instructions_hold_persona_words_texts_and_where_more_is() -> None:
    profile = Profile(instructions="You are a guide.", words=("Uhu", "Kauz"))
    told = instructions(profile, plan({"hours.txt": HOURS, "exhibits.txt": LONG}, 100), searchable=True)
    parts = ["You are a guide.", "Uhu, Kauz", "## hours.txt\nWe open at nine", "exhibits.txt\nUse the tool look_up"]
    assert [told.index(part) for part in parts] == sorted(told.index(part) for part in parts)
    assert "tower" not in told


@pytest.mark.parametrize(("language", "never"), [("en", "Never say these words:"), ("ja", "決して口にしないこと")])
def test_the_model_is_told_what_it_must_not_say(language: str, never: str) -> None:
    told = instructions(Profile(language=language, hidden_words=("darn", "drat")), Plan(), searchable=False)
    assert never in told
    assert told.endswith("darn, drat")


def test_a_robot_without_the_tool_is_not_told_to_use_it_and_a_japanese_one_is_told_in_japanese() -> None:
    searched = plan({"exhibits.txt": LONG}, 0)
    assert instructions(Profile(), searched, searchable=False) == ""
    assert "調べること" in instructions(Profile(language="ja"), searched, searchable=True)


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ({"a/b.txt": "x"}, "no title"),
        ({"x" * 61: "x"}, "no title"),
        ({"empty.txt": " \n"}, "no text in it"),
        ({"picture.png": "\0"}, "no text in it"),
        ({f"{number}.txt": "x" for number in range(51)}, "51 texts"),
        ({"noise.txt": os.urandom(25_000).hex()}, "a grant carries 20,000"),
    ],
)
def test_texts_that_no_session_can_hold_are_refused(texts: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        checked(Draft("", texts), "m", {})


def test_instructions_are_no_longer_than_every_reservation_reckons_with() -> None:
    long = f'instructions = """{LONG}"""\n'
    with pytest.raises(SettingsError, match="over the 4,000"):
        checked(Draft(long + "knowledge_tokens = 4000", {"more.txt": LONG[:6000]}), "m", {})
    found = checked(Draft(long, {"more.txt": LONG}), "m", {})
    assert 2000 < found.tokens <= 4000


def test_sixty_kilobytes_of_prose_can_be_looked_up() -> None:
    prose = "\n".join(
        f"Room {number} shows {'an owl' if number % 3 else 'a whale'}, number {number * 7}." for number in range(1500)
    )
    assert len(prose) > 50_000
    assert checked(Draft("", {"rooms.txt": prose}), "m", {}).plan.searched


# Counted with the vendor's o200k_base (bpe-openai 0.1.4, 2026-11-26).
COUNTED = {
    "The museum opens at nine in the morning and closes at half past five; on Mondays it is closed.": 21,
    "開館時間は午前九時から午後五時半までです。月曜日は休館です。": 23,
    "カフェテリアでコーヒーとサンドイッチを販売しています。入館料は大人1,200円、小学生以下は無料。": 34,
    "常設展示:恐竜の骨格標本、隕石、江戸時代の和時計。": 25,
    "Tel. 03-1234-5678, https://museum.example.jp/visit?lang=en": 21,
}


@pytest.mark.parametrize("text", COUNTED)
def test_the_estimate_is_not_below_and_not_far_above_what_the_vendor_counts(text: str) -> None:
    assert COUNTED[text] <= estimated(text) <= 1.5 * COUNTED[text]
