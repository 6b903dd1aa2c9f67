"""Lines of captions, made of pieces."""

from __future__ import annotations

from device.messages.reports import Speaker
from device.realtime.live.captions import LONG, LONGEST, Lines


def test_a_line_grows_until_its_speaker_is_quiet() -> None:
    lines = Lines("live_1", Speaker.ASSISTANT)
    [first] = lines.add(" Hello", 1.0, 1.4)
    [second] = lines.add(" there. ", 1.4, 1.9)
    [last] = lines.close()
    assert [(each.text, each.start, each.end, each.final) for each in (first, second, last)] == [
        ("Hello", 1.0, 1.4, False),
        ("Hello there.", 1.0, 1.9, False),
        ("Hello there.", 1.0, 1.9, True),
    ]
    assert first.id == second.id == last.id
    assert lines.close() == []
    [another] = lines.add("Well", 5.0, 5.5)
    assert another.id != last.id


def test_a_long_line_ends_with_its_sentence_and_a_very_long_one_anywhere() -> None:
    lines = Lines("live_1", Speaker.USER)
    assert not lines.add("a" * LONG, 0.0, 1.0)[0].final
    [ended] = lines.add(" so.", 1.0, 1.2)
    assert (ended.final, ended.approximate) == (True, True)
    [endless] = lines.add("a" * LONGEST, 1.2, 2.0)
    assert endless.final
    assert endless.id != ended.id


def test_blanks_are_no_caption() -> None:
    lines = Lines("live_1", Speaker.USER)
    assert lines.add("  ", 0.0, 0.1) == []
    assert lines.close() == []
    [caption] = lines.add(" あ。", 1.0, 1.1)
    assert (caption.text, caption.start) == ("あ。", 1.0)


def test_pieces_that_come_out_of_order_take_no_time_back() -> None:
    lines = Lines("live_1", Speaker.USER)
    lines.add("one", 2.0, 3.0)
    [caption] = lines.add(" two", 1.0, 1.5)
    assert (caption.start, caption.end) == (2.0, 3.0)
