"""Past sessions on the command line, and on the pages that only their reader can open."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner, Result

from device.errors import EnrolmentError
from device.messages.reports import SessionFigures, TurnFigures
from provisioning.__main__ import app
from provisioning.cli.invocation import ExitCode
from provisioning.one_time import serve_once
from provisioning.past import Past
from provisioning.registry import Certificate
from provisioning.session_html import day_page, session_page
from provisioning.session_pages import Book, session_pages
from provisioning.session_words import WORDS, cause, chosen
from provisioning.sessions import Session
from provisioning.settings import load_settings
from provisioning.store import Store

NOON = 1_800_014_400.0
DAY = "2027-01-15"
SESSION = "ab" * 16
TURNS = [TurnFigures(total=810, network=30, model=700, device=80), TurnFigures(total=640)]


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *words])


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """Settings of a fleet whose robot has had two conversations on one day."""
    path = tmp_path / "cloud.toml"
    path.write_text(f'state_dir = "{tmp_path}/state"\n')
    (tmp_path / "state").mkdir()
    async with Store(load_settings(path).store_url) as store, store.transaction() as t:
        await t.devices.enrol("", Certificate("01", "robot-1", "key", NOON, NOON + 1))
        await t.sessions.add(Session(SESSION, "robot-1", "button", NOON, NOON + 600, reserved=3_000_000))
        await t.sessions.end(SESSION, NOON + 65, "device: <button>", lambda _: 1_250_000)
        figures = SessionFigures(session=SESSION, at=NOON, seconds=61.0, listening=900, turns=TURNS, tools=1)
        await t.history.add("robot-1", figures)
        await t.sessions.add(Session("cd" * 16, "robot-1", "remote:1", NOON + 90, NOON + 600, reserved=3_000_000))
    return path


async def test_a_day_is_told_with_its_figures(config: Path) -> None:
    shown = (await asyncio.to_thread(run, config, "sessions", "--day", DAY)).stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "12:00:00 robot-1 1:05 2 640 ms device: <button> 1.25 abababab" in lines
    assert "12:01:30 robot-1 - 0 - goes on - cdcdcdcd" in lines
    assert "2 sessions, 1 ended, 1.25 USD" in lines
    assert "answer p50 640 ms, p95 810 ms (2 measured)" in lines
    assert "start p50 900 ms, p95 900 ms (1 measured)" in lines
    told = json.loads((await asyncio.to_thread(run, config, "sessions", "--day", DAY, "--json")).stdout)
    assert told["report"]["turn"] == {"count": 2, "p50": 640, "p95": 810}
    assert [each["cost_micros"] for each in told["sessions"]] == [1_250_000, None]
    assert told["sessions"][0]["turns_ms"][1] == {"total": 640, "network": None, "model": None, "device": None}
    empty = json.loads((await asyncio.to_thread(run, config, "sessions", "--json")).stdout)
    assert (empty["sessions"], empty["report"]["turn"]) == ([], None)
    none = json.loads(
        (await asyncio.to_thread(run, config, "sessions", "--day", DAY, "--device", "x", "--json")).stdout
    )
    assert none["sessions"] == []


async def test_one_session_is_told_in_full(config: Path) -> None:
    shown = (await asyncio.to_thread(run, config, "sessions", "abab")).stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert f"session {SESSION}" in lines
    assert "began 2027-01-15 12:00:00 UTC, by button" in lines
    assert "answer 1 810 ms (network 30, model 700, device 80)" in lines
    assert isinstance((await asyncio.to_thread(run, config, "sessions", "ee")).exception, EnrolmentError)
    assert (await asyncio.to_thread(run, config, "sessions", "--day", "yesterday")).exit_code == ExitCode.USAGE


@pytest.fixture
async def browser(config: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A browser that has opened the pages, and where they are."""
    over, told = asyncio.Event(), asyncio.get_running_loop().create_future()
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    async with (
        Store(load_settings(config).store_url) as store,
        aiohttp.ClientSession(cookie_jar=jar) as http,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(serve_once(session_pages(Book(store, "USD")), f"/day/{DAY}", told.set_result, over))
        url: str = await told
        async with http.get(url) as answer:
            assert answer.status == 200
            assert answer.url.path == f"/day/{DAY}"
        yield http, url.partition("/?")[0]
        over.set()


async def test_pages_show_a_day_and_a_session_in_both_languages(browser: tuple[aiohttp.ClientSession, str]) -> None:
    http, origin = browser
    async with http.get(f"{origin}/day/{DAY}") as answer:
        text = await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "device: &lt;button&gt;" in text
    assert "<button>" not in text
    assert f"/session/{SESSION}?lang=en" in text
    for asset in re.findall(r'href="(/static/[^"]+)"', text):
        async with http.get(origin + asset) as answer:
            assert answer.status == 200
    async with http.get(f"{origin}/session/{SESSION}", headers={"Accept-Language": "fr, ja;q=0.8"}) as answer:
        text = await answer.text()
    assert '<html lang="ja">' in text
    assert "810 ms" in text
    assert WORDS["ja"]["recorded"] in text


async def test_what_is_not_there_is_not_found(browser: tuple[aiohttp.ClientSession, str]) -> None:
    http, origin = browser
    for path in ("/session/ffff", "/day/2027-13-40", "/static/x/sessions.html", "/day/today"):
        async with http.get(origin + path) as answer:
            assert answer.status == 404


def test_a_session_of_which_nothing_was_told_has_a_page() -> None:
    bare = Past("s1", "hana", "", "button", NOON, None, None, broadcast=False, reserved=0, cost=None)
    assert "goes on" in session_page(bare, "USD", "en")
    assert WORDS["ja"]["none"] in day_page(date(2027, 1, 15), [], "USD", "ja")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("button", "ボタン"),
        ("device: idle", "無言"),
        ("remote:9f3a", "遠隔操作"),
        ("device: goodbye", "お別れ"),
        ("device: <button>", "device: <button>"),
        ("leash: silent", "leash: silent"),
    ],
)
def test_causes_are_told_in_words_and_unknown_ones_as_they_are(reason: str, said: str) -> None:
    assert cause(reason, WORDS["ja"]) == said


def test_the_language_is_the_one_asked_for_else_the_first_known_one() -> None:
    assert WORDS["en"].keys() == WORDS["ja"].keys()
    assert (chosen("", "de, ja-JP;q=0.9"), chosen("en", "ja"), chosen("xx", "")) == ("ja", "en", "en")
