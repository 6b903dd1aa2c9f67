from __future__ import annotations

from html import unescape

import pytest

from device.messages.record import Said
from device.messages.reports import Speaker
from device.record.webvtt import webvtt


def said(text: str, start: float, end: float, speaker: Speaker = Speaker.ASSISTANT) -> Said:
    return Said(at=end, id=text, speaker=speaker, text=text, start=start, end=end)


def test_cues_stand_on_the_clock_of_the_sounds() -> None:
    text = webvtt([said("Hello", -0.2, 0.1, Speaker.USER), said("Two <b>\nlines", 61.5, 62.0)], "hana")
    assert text.split("\n\n")[2:] == [
        "00:00:00.000 --> 00:00:00.500\n<v Visitor>Hello",
        "00:01:01.500 --> 00:01:02.000\n<v hana>Two &lt;b&gt; lines\n",
    ]


def test_no_words_are_a_file_all_the_same() -> None:
    assert webvtt([], "hana").startswith("WEBVTT\n\nNOTE ")


@pytest.mark.parametrize(
    ("start", "end", "times"),
    [
        (0.0, 0.4, "00:00:00.000 --> 00:00:00.500"),
        (0.0, 0.6, "00:00:00.000 --> 00:00:00.600"),
        (59.9994, 59.9996, "00:00:59.999 --> 00:01:00.499"),
        (59.9996, 61.0, "00:01:00.000 --> 00:01:01.000"),
        (3599.9999, 3601.0, "01:00:00.000 --> 01:00:01.000"),
        (360_000.0, 360_001.0, "100:00:00.000 --> 100:00:01.000"),
        (-5.0, -4.0, "00:00:00.000 --> 00:00:00.500"),
    ],
)
def test_times_are_rounded_as_a_whole_and_every_cue_can_be_read(start: float, end: float, times: str) -> None:
    assert webvtt([said("x", start, end)], "hana").split("\n\n")[2] == f"{times}\n<v hana>x\n"


@pytest.mark.parametrize("text", ["a --> b", "<v Eve>hi</v>", "a\n\nNOTE b", "&lt;", "\r\nWEBVTT"])
def test_no_text_breaks_out_of_its_cue(text: str) -> None:
    blocks = webvtt([said(text, 0.0, 1.0), said("end", 2.0, 3.0)], "ha>na").split("\n\n")
    assert len(blocks) == 4
    assert blocks[2].count("-->") == 1
    voice, _, words = blocks[2].split("\n")[1].partition("&gt;na>")
    assert voice == "<v ha"
    assert "<" not in words
    assert unescape(words) == " ".join(text.split())
