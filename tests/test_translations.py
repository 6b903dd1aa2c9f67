"""Every Japanese page says what its English page says, and the two lead to each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.panel.phrases import PHRASES, Language
from tests.translations import anchor, counterpart, differences, links

ROOT = Path(__file__).parents[1]
OF_ITS_OWN = ROOT / "README.ja.md"
"""The first page in Japanese is shorter than the English one, and says some things in another order."""
TRANSLATIONS = sorted(
    path for folder in (".", "docs", "hardware", "hardware/*") for path in ROOT.glob(f"{folder}/*.ja.md")
)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def english(japanese: Path) -> Path:
    return japanese.with_name(japanese.name.replace(".ja.md", ".md"))


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", TRANSLATIONS, ids=name)
each_whole_page = pytest.mark.parametrize("page", [page for page in TRANSLATIONS if page != OF_ITS_OWN], ids=name)


@each_whole_page
def test_nothing_is_lost_in_translation(page: Path) -> None:
    assert differences(text(english(page)), text(page)) == [], f"translate into {name(page)} what has changed"


@each_page
def test_the_two_lead_to_each_other_before_anything_else(page: Path) -> None:
    assert f"\n[日本語]({page.name})\n" in text(english(page)).partition("\n## ")[0]
    assert f"\n[English]({english(page).name})\n" in text(page).partition("\n## ")[0]


def led_on(page: Path) -> set[str]:
    """Return the links of a page but the one to itself in the other language."""
    return set(links(text(page))) - {page.name.replace(".md", ".ja.md"), english(page).name}


@each_whole_page
def test_the_links_are_those_of_the_english_page(page: Path) -> None:
    assert led_on(page) == {counterpart(link, english(page)) for link in led_on(english(page))}


@each_page
def test_a_reader_of_japanese_is_led_on_in_japanese_where_there_is_some(page: Path) -> None:
    assert [link for link in led_on(page) if counterpart(link, page) != link] == []
    here = [link.partition("#")[0] for link in led_on(page) if not link.startswith("https:")]
    assert [target for target in here if not (page.parent / target).exists()] == []


def test_what_builders_and_attendants_read_is_there_in_japanese() -> None:
    builds = {f"hardware/{build}README.ja.md" for build in ("", "speakerphone/", "i2s/", "voice-hat/")}
    pages = {"docs/install.ja.md", "docs/panel.ja.md", "docs/updating.ja.md"}
    assert {name(page) for page in TRANSLATIONS} >= {name(OF_ITS_OWN)} | builds | pages


@each_page
def test_a_package_that_has_a_page_has_it_in_both_languages(page: Path) -> None:
    lines = [line.split() for line in text(ROOT / "packaging/build-deb").splitlines() if "install -m 644" in line]
    assert [name(page) in line for line in lines] == [name(english(page)) in line for line in lines]


@pytest.mark.parametrize(("language", "page"), [("en", "docs/panel.md"), ("ja", "docs/panel.ja.md")])
def test_the_panel_s_page_has_every_sentence_as_the_robot_says_it(language: Language, page: str) -> None:
    places = [text(ROOT / page).find(words[language]) for words in PHRASES.values()]
    assert min(places) > 0
    assert places == sorted(places)


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
