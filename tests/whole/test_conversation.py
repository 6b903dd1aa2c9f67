"""One command, one conversation: every link carries sound, and the summary says so."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from device.messages.record import State, captions_of
from provisioning.replay.reading import Record, read_record

REQUIRED = {
    "ok",
    "press_to_light_ms",
    "press_to_listening_ms",
    "question_end_to_answer_ms",
    "mic_to_hls_ms",
    "hls_user_dbfs",
    "hls_assistant_dbfs",
    "hls_url",
    "captions",
    "stood_in",
}


async def test_the_scripted_conversation_carries_sound_over_every_link(tmp_path: Path) -> None:
    out, records = tmp_path / "out.json", tmp_path / "records"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provisioning", "demo", "--once", "--json", str(out), "--record", str(records)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    summary = json.loads(out.read_text(encoding="utf-8"))
    assert set(summary) >= REQUIRED
    assert summary["ok"] is True
    assert summary["failed"] == []
    assert summary["heard"] == "Tell me a story."
    speakers = [line["speaker"] for line in summary["captions"]]
    assert speakers[:2] == ["user", "assistant"]
    cut = summary["captions"][1]["text"]
    assert cut.startswith("Once upon a time")
    assert not cut.endswith("alone."), "the answer was interrupted, and so was its caption"
    assert len(summary["stood_in"]) == 4
    judge_record(read_record(records), summary)


def judge_record(record: Record, summary: dict[str, Any]) -> None:
    """The record of the conversation holds the words that observers read, and measured what was measured from outside."""
    manifest = record.manifest
    assert (manifest.state, manifest.end_reason, len(record.tracks)) == (State.CLOSED, "button", 3)
    assert [said.text for said in captions_of(record.events)] == [line["text"] for line in summary["captions"]]
    assert manifest.figures is not None
    first = manifest.figures.turns[0]
    assert first.total == pytest.approx(summary["question_end_to_answer_ms"], abs=100)
    assert None not in {first.network, first.model, first.device}
    assert manifest.figures.listening == pytest.approx(summary["press_to_listening_ms"], abs=50)
    assert manifest.lost_blocks == 0
