"""Who has agreed to what, and what is kept of a session: its figures always, its record only with consent."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from device import phase as p
from device.audio.block import SILENCE, Block
from device.messages.minting import Grant, OpenAIGrant, Prompts
from device.messages.record import Manifest, Said, State, Stood, Used
from device.messages.reports import Speaker
from device.messages.secret import Secret
from device.messages.tools import BUILT_IN
from device.realtime.captions import Captioned
from device.realtime.conversation import Speech, Turn, TurnChanged
from device.record.chronicle import Chronicle
from device.record.folder import events_of, read_manifest
from device.record.recorder import Recorder, recording
from device.record.settings import RecordSettings
from device.record.shelf import Shelf
from device.session import Session
from tests.device.record.shelves import ASKED, POSTED, tone
from tests.device.test_holdings import SESSION, bench, outcome, talking
from tests.eventually import eventually

GRANT = Grant(
    session=SESSION,
    openai=OpenAIGrant(base_url="http://x", secret=Secret("x"), expires_at=0.0, model="gpt-realtime-2.1"),
    tools=["keep_record"],
)


def caption(text: str, start: float, *, final: bool = True) -> Captioned:
    return Captioned(text, Speaker.USER, text, start, start + 0.5, final)


def begun(settings: RecordSettings, recorder: Recorder | None) -> Chronicle:
    """A session that the model listens to."""
    chronicle = Chronicle(settings, recorder, "hana", lambda at: 1_800_000_000.0 + at)
    chronicle.begin(SESSION, "button")
    chronicle.granted(GRANT)
    return chronicle


def found(folder: Path) -> tuple[Manifest, list[str]]:
    """The one record there, and the words in it."""
    (record,) = (folder / "records").iterdir()
    return read_manifest(record), [event.text for event in events_of(record) if isinstance(event, Said)]


def records(folder: Path) -> list[Path]:
    shelf = folder / "records"
    return list(shelf.iterdir()) if shelf.is_dir() else []


async def test_with_a_sign_it_is_announced_and_kept_from_the_press_on(tmp_path: Path) -> None:
    async with recording(POSTED, Shelf(POSTED, tmp_path)) as recorder:
        chronicle = begun(POSTED, recorder)
        assert chronicle.archivable
        assert "recorded" in chronicle.listen()
        assert chronicle.listen() == "", "a call that is renewed says it no second time"
        chronicle.hear(caption("Hello.", time.monotonic()), None)
        chronicle.hear(caption("Hel", time.monotonic(), final=False), None)
        figures = chronicle.end(SESSION, "button", 3.0, {"responses": 2})
    assert figures is not None
    assert (figures.recorded, figures.seconds) == (True, 3.0)
    assert figures.listening == pytest.approx(0, abs=500)
    manifest, words = found(tmp_path)
    assert words == ["Hello."]
    assert (manifest.consent, manifest.model, manifest.reason) == ("posted", "gpt-realtime-2.1", "button")
    assert (manifest.end_reason, manifest.usage, manifest.figures) == ("button", {"responses": 2}, figures)


async def test_who_is_asked_is_recorded_from_the_yes_on_and_not_before(tmp_path: Path) -> None:
    async with recording(ASKED, Shelf(ASKED, tmp_path)) as recorder:
        chronicle = begun(ASKED, recorder)
        assert not chronicle.archivable
        assert "keep_record" in chronicle.listen()
        chronicle.hear(caption("Who are you?", time.monotonic()), None)
        chronicle.block(time.monotonic(), *([tone(300, 0)] * 3))
        assert records(tmp_path) == []
        assert chronicle.keep_record(agreed=True) == "It is recorded from now on."
        chronicle.hear(caption("Yes, please.", time.monotonic() - 1.0), None)
        chronicle.hear(caption("I am Ken.", time.monotonic()), None)
        chronicle.end(SESSION, "button", 3.0, {})
    assert found(tmp_path)[1] == ["I am Ken."]


@pytest.mark.parametrize("settings", [POSTED, ASKED])
async def test_who_takes_it_back_leaves_nothing_behind(tmp_path: Path, settings: RecordSettings) -> None:
    async with recording(settings, Shelf(settings, tmp_path)) as recorder:
        chronicle = begun(settings, recorder)
        chronicle.listen()
        if settings is ASKED:
            chronicle.keep_record(agreed=True)
        assert chronicle.keep_record(agreed=False) == "Nothing is kept of this conversation."
        with pytest.raises(ValueError, match="not recorded"):
            chronicle.keep_record(agreed=True)
        chronicle.hear(caption("Hello.", time.monotonic()), None)
        figures = chronicle.end(SESSION, "button", 3.0, {})
    assert figures is not None
    assert not figures.recorded
    assert records(tmp_path) == []


async def test_a_model_that_may_not_call_the_tool_does_not_ask(tmp_path: Path) -> None:
    async with recording(ASKED, Shelf(ASKED, tmp_path)) as recorder:
        chronicle = Chronicle(ASKED, recorder, "hana", float)
        chronicle.begin(SESSION, "button")
        assert chronicle.listen() == ""


async def test_a_start_that_came_to_nothing_is_not_kept(tmp_path: Path) -> None:
    async with recording(POSTED, Shelf(POSTED, tmp_path)) as recorder:
        figures = begun(POSTED, recorder).end(SESSION, "BUDGET", 0.0, {})
    assert figures is not None
    assert (figures.recorded, figures.listening) == (False, None)
    assert records(tmp_path) == []


def test_where_records_are_kept_the_model_can_tell_what_visitors_said_about_it() -> None:
    (tool,) = Chronicle(POSTED, None, "", float).tools()
    assert (tool.name, [*tool.declaration.parameters]) == ("keep_record", ["agreed"])
    assert "keep_record" in BUILT_IN, "the cloud allows it unless it is told otherwise"


def test_without_records_there_are_figures_and_no_tool() -> None:
    chronicle = begun(RecordSettings(), None)
    assert chronicle.tools() == []
    assert chronicle.listen() == ""
    chronicle.hear(Speech(began=False), None)
    chronicle.hear(TurnChanged(Turn.SPEAKING), 0.02)
    chronicle.block(time.monotonic() + 0.1, SILENCE, tone(300, 1), SILENCE)
    assert chronicle.end("another", "button", 1.0, {}) is None
    figures = chronicle.end(SESSION, "button", 1.0, {})
    assert figures is not None
    assert [turn.total for turn in figures.turns] == [pytest.approx(80, abs=30)]
    assert chronicle.end(SESSION, "button", 1.0, {}) is None, "it is told once"


async def test_a_conversation_with_the_stand_in_is_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with recording(POSTED, Shelf(POSTED, tmp_path)) as recorder:
        chronicle = Chronicle(POSTED, recorder, "hana", lambda _at: time.time())
        prompts = Prompts(greeting="Greet the visitor.")
        async with bench(prompts=prompts, chronicle=chronicle) as ready:
            await talking(ready, monkeypatch)
            await eventually(lambda: asyncio.sleep(0, bool(ready.service.spoken)))
            ready.voice.on_block(Block(SILENCE, SILENCE, time.monotonic()))
            ready.holdings.show(Session(lambda: SESSION))
            ready.write("Turn the volume down.")
            await outcome(ready, 0)
            ready.holdings.release(SESSION)
            await ready.until(p.Released)
            usage = ready.holdings.usage(SESSION)
            assert ready.holdings.figures(SESSION, "button", 1.0, usage)
    (folder,) = (tmp_path / "records").iterdir()
    manifest, events = read_manifest(folder), events_of(folder)
    assert (manifest.state, manifest.tools) == (State.CLOSED, {"volume": 1})
    assert manifest.usage["responses"] >= 1
    (used,) = [event for event in events if isinstance(event, Used)]
    assert (used.tool, used.ok, used.outcome) == ("volume", True, '{"ok":true,"result":{"percent":80}}')
    assert any(isinstance(event, Stood) for event in events)
