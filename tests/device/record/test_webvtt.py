from __future__ import annotations

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
