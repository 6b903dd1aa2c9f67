from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from device.messages.reports import Speaker
from device.messages.word_filter import WordFilter
from provisioning.observer.views import caption_view
from provisioning.observer.webvtt import webvtt
from tests.provisioning.observer.talk import said


def test_a_conversation_is_told_from_its_first_word_on() -> None:
    said_so = [
        said("Hello -->\n <you>", speaker=Speaker.USER, start=1000.0, end=1001.5),
        said("こんにちは", start=1003.25, end=1003.25),
        said("a & b", start=4665.0, end=4666.0),
    ]
    text = webvtt([caption_view(each, WordFilter()) for each in said_so], "Hana & Co")
    assert text.split("\n\n")[2:] == [
        "00:00:00.000 --> 00:00:01.500\n<v Visitor>Hello --&gt; &lt;you&gt;",
        "00:00:03.250 --> 00:00:03.750\n<v Hana &amp; Co>こんにちは",
        "01:01:05.000 --> 01:01:06.000\n<v Hana &amp; Co>a &amp; b\n",
    ]


@given(st.lists(st.tuples(st.text(), st.floats(0, 1e5), st.floats(0, 60)), max_size=5))
def test_every_cue_ends_after_it_begins_and_is_one_block(captions: list[tuple[str, float, float]]) -> None:
    told = [caption_view(said(text, start=start, end=start + long), WordFilter()) for text, start, long in captions]
    blocks = webvtt(told, "Hana").split("\n\n")
    assert blocks[0] == "WEBVTT"
    assert len(blocks) == 2 + len(captions)
    for block in blocks[2:]:
        begins, ends = re.findall(r"\d\d+:\d\d:\d\d\.\d{3}", block)[:2]
        assert begins < ends
