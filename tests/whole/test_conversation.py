"""One command, one conversation: every link carries sound, and the summary says so."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

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
    out = tmp_path / "out.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provisioning", "demo", "--once", "--json", str(out)),
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
