from __future__ import annotations

import gzip
import re
from hashlib import sha256
from pathlib import Path

import pytest

from provisioning.observer.assets import STATIC, load_assets


def test_every_file_that_a_page_asks_for_is_there() -> None:
    assets = load_assets()
    for page in ("index.html", "robot.html"):
        wanted = re.findall(r"\{\{static\}\}/([^\"]+)", assets.files[page].body.decode())
        assert wanted
        assert set(wanted) <= set(assets.files)


def test_pages_are_addressed_by_what_they_contain(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>{{name}} {{static}}</p>")
    before = load_assets(tmp_path)
    assert before.page("a.html", {"name": "Hana"}) == f"<p>Hana /static/{before.digest}</p>"
    (tmp_path / "b.css").write_text("p {}")
    assert load_assets(tmp_path).digest != before.digest


def test_large_files_are_kept_compressed_as_well() -> None:
    player = load_assets().files["vendor/hls.light.min.mjs"]
    assert player.gzipped is not None
    assert gzip.decompress(player.gzipped) == player.body
    assert len(player.gzipped) < len(player.body) / 3


@pytest.mark.parametrize("name", ["vendor/hls.light.min.mjs", "vendor/sora.js", "fonts/nunito-latin.woff2"])
def test_files_made_by_others_are_what_their_note_says(name: str) -> None:
    digest = sha256((STATIC / name).read_bytes()).hexdigest()
    assert digest in (STATIC / "vendor" / "THIRD_PARTY.md").read_text()


def test_our_own_files_load_nothing_from_other_hosts() -> None:
    ours = [path for path in STATIC.rglob("*") if path.suffix in {".html", ".css", ".js"}]
    assert len(ours) > 10
    for path in ours:
        if path.parent.name == "vendor":
            continue
        found = re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]+", path.read_text().replace("http://www.w3.org", ""))
        assert found == [], path


def test_both_languages_have_all_the_words() -> None:
    text = (STATIC / "i18n.js").read_text()
    english, japanese = (set(re.findall(r'^    "([\w.]+)":', part, re.MULTILINE)) for part in text.split("  ja: {"))
    assert english == japanese
    assert len(english) > 40
    used = {
        key
        for path in STATIC.glob("*.html")
        for key in re.findall(r'data-t(?:-label|-title|-alt)?="([^"]+)"', path.read_text())
    }
    assert used <= english
