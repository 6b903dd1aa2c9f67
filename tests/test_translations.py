"""Every Japanese page says what its English page says, and the two lead to each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.panel.phrases import PHRASES
from tests.translations import anchor, counterpart, differences, links

ROOT = Path(__file__).parents[1]
TRANSLATIONS = sorted(
    path for folder in (".", "docs", "hardware", "hardware/*") for path in ROOT.glob(f"{folder}/*.ja.md")
)
PAIRS = [(path.with_name(path.name.replace(".ja.md", ".md")), path) for path in TRANSLATIONS]
OF_ITS_OWN = "README.ja.md"
"""The first page in Japanese is shorter than the English one, and says some things in another order."""

each_pair = pytest.mark.parametrize(
    ("english", "japanese"), PAIRS, ids=[str(path.relative_to(ROOT)) for path in TRANSLATIONS]
)


@each_pair
def test_nothing_is_lost_in_translation(english: Path, japanese: Path) -> None:
    if str(japanese.relative_to(ROOT)) != OF_ITS_OWN:
        found = differences(english.read_text(encoding="utf-8"), japanese.read_text(encoding="utf-8"))
        assert not found, f"translate into {japanese.relative_to(ROOT)} what has changed"


@each_pair
def test_the_two_lead_to_each_other_before_anything_else(english: Path, japanese: Path) -> None:
    assert f"\n[日本語]({japanese.name})\n" in english.read_text(encoding="utf-8").partition("\n## ")[0]
    assert f"\n[English]({english.name})\n" in japanese.read_text(encoding="utf-8").partition("\n## ")[0]


@each_pair
def test_a_reader_of_japanese_is_led_on_in_japanese(english: Path, japanese: Path) -> None:
    led = [link for link in links(japanese.read_text(encoding="utf-8")) if link != english.name]
    assert [link for link in led if counterpart(link, japanese) != link] == []
    assert [
        link
        for link in led
        if not link.startswith("https:") and not (japanese.parent / link.partition("#")[0]).exists()
    ] == []
    if str(japanese.relative_to(ROOT)) != OF_ITS_OWN:
        there = [link for link in links(english.read_text(encoding="utf-8")) if link != japanese.name]
        assert set(led) == {counterpart(link, english) for link in there}


def test_what_builders_and_attendants_read_is_there_in_japanese() -> None:
    names = {str(path.relative_to(ROOT)) for path in TRANSLATIONS}
    builds = {f"hardware/{build}README.ja.md" for build in ("", "speakerphone/", "i2s/", "voice-hat/")}
    assert names >= {"README.ja.md", "docs/install.ja.md", "docs/panel.ja.md", "docs/updating.ja.md"} | builds


def test_a_package_with_a_page_has_its_translation() -> None:
    installed = [
        line.split() for line in (ROOT / "packaging/build-deb").read_text().splitlines() if "install -m 644" in line
    ]
    for english, japanese in PAIRS:
        one, other = (str(path.relative_to(ROOT)) for path in (english, japanese))
        assert [other in words for words in installed] == [one in words for words in installed], other


def test_the_panel_s_page_says_every_phrase_as_the_robot_says_it() -> None:
    for language, page in (("en", "docs/panel.md"), ("ja", "docs/panel.ja.md")):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert [
            words
            for said in PHRASES.values()
            for tongue, words in said.items()
            if tongue == language and words not in text
        ] == []


PAGE = """# Title

Press it for 8 seconds, or three times.

```sh
kaiwa-device show   # lights
```

## Second, with `code`

1. Type `kaiwa-device doctor`.

| a | b |
|---|---|
| `x` | 5 mm |
| `y` | INMP441 |
"""
TRANSLATED = (
    PAGE.replace("Title", "題")
    .replace("# lights", "# ランプ")
    .replace("Press it for 8 seconds, or three times", "8 秒か三回押します")
)


def test_a_complete_translation_has_no_difference() -> None:
    assert differences(PAGE, TRANSLATED) == []


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("## Second, with `code`\n", ""),
        ("## Second", "### Second"),
        ("with `code`", ""),
        ("8 秒", "5 秒"),
        ("三回", "二回"),
        ("kaiwa-device show ", "kaiwa-device run "),
        ("```sh\nkaiwa-device show   # ランプ\n```\n", ""),
        ("1. Type", "Type"),
        ("`kaiwa-device doctor`", "it"),
        ("| `y` | INMP441 |\n", ""),
        ("| `y` | INMP441 |", "| `z` | INMP441 |"),
        ("| `y` | INMP441 |", "| `y` | INMP441 | more |"),
        ("INMP441", "INMP442"),
        ("| `x` | 5 mm |\n| `y` | INMP441 |", "| `y` | 5 mm |\n| `x` | INMP441 |"),
        ("| `x` | 5 mm |\n| `y` | INMP441 |", "| `x` | INMP441 |\n| `y` | 5 mm |"),
    ],
)
def test_what_is_missing_or_wrong_is_found(there: str, instead: str) -> None:
    assert there in TRANSLATED
    assert differences(PAGE, TRANSLATED.replace(there, instead)) != []


def test_a_heading_s_anchor_is_the_one_that_the_web_site_gives_it() -> None:
    assert anchor("The root, and the key that issues") == "the-root-and-the-key-that-issues"
    assert anchor("係の人が `cut` で切る (遅延配信)") == "係の人が-cut-で切る-遅延配信"


def test_a_link_to_a_section_leads_to_the_translated_one(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# A\n\n## Steps\n", encoding="utf-8")
    (tmp_path / "page.ja.md").write_text("# あ\n\n## 手順\n", encoding="utf-8")
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    assert counterpart("page.md#steps", other) == "page.ja.md#手順"
    assert counterpart("#steps", page) == "#手順"
    assert counterpart("page.md", other) == "page.ja.md"
    assert counterpart("page.ja.md", other) == "page.ja.md"
    assert counterpart("other.md#steps", page) == "other.md#steps"
    assert counterpart("https://example.com/page.md", other) == "https://example.com/page.md"
