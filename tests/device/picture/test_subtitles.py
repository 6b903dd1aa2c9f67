from __future__ import annotations

from device.messages.reports import Speaker
from device.picture.subtitles import LINGER, SHORTEST, Subtitle, Subtitles
from device.realtime.captions import Captioned


def by_words(text: str) -> list[str]:
    return text.split()


def said(
    text: str, start: float, end: float, *, name: str = "a", who: Speaker = Speaker.ASSISTANT, final: bool = True
) -> Captioned:
    return Captioned(name, who, text, start, end, final)


def test_words_stand_from_the_beginning_of_their_sound_until_a_little_after_its_end() -> None:
    subtitles = Subtitles(by_words, 2)
    subtitles.take(said("one two", 10.0, 12.0), 9.0)
    assert subtitles.at(9.9) is None
    assert subtitles.at(10.0) == Subtitle(Speaker.ASSISTANT, ("one", "two"))
    assert subtitles.at(12.0 + LINGER - 0.1) is not None
    assert subtitles.at(12.0 + LINGER) is None


def test_the_page_turns_when_the_voice_has_got_there() -> None:
    subtitles = Subtitles(by_words, 2)
    subtitles.take(said("aaa bbb ccc ddd eee", 0.0, 5.0), 0.0)
    pages = [subtitles.at(second) for second in (0.5, 1.9, 2.1, 3.9, 4.1, 5.5)]
    assert [page.lines for page in pages if page] == [
        ("aaa", "bbb"),
        ("aaa", "bbb"),
        ("ccc", "ddd"),
        ("ccc", "ddd"),
        ("eee",),
        ("eee",),
    ]


def test_words_grow_in_their_place_and_stay_while_more_may_come() -> None:
    subtitles = Subtitles(by_words, 2)
    subtitles.take(said("one", 0.0, 0.5, final=False), 0.0)
    subtitles.take(said("one two", 0.0, 1.0, final=False), 0.2)
    assert subtitles.at(60.0) == Subtitle(Speaker.ASSISTANT, ("one", "two"))


def test_an_empty_text_withdraws() -> None:
    subtitles = Subtitles(by_words, 2)
    subtitles.take(said("one", 0.0, 0.5), 0.0)
    subtitles.take(said("", 0.0, 0.5), 0.1)
    assert subtitles.at(0.2) is None


def test_a_visitor_can_be_read_from_when_the_words_come_until_the_robot_speaks() -> None:
    subtitles = Subtitles(by_words, 2)
    subtitles.take(said("hello there", 0.0, 1.0, who=Speaker.USER), 4.0)
    assert subtitles.at(4.0) == Subtitle(Speaker.USER, ("hello", "there"))
    assert subtitles.at(4.0 + SHORTEST + LINGER) is None
    subtitles.take(said("hi", 5.0, 6.0, name="b"), 5.0)
    assert subtitles.at(5.0) == Subtitle(Speaker.ASSISTANT, ("hi",))


def test_another_conversation_begins_with_nothing() -> None:
    subtitles = Subtitles(by_words, 2)
    subtitles.take(said("one", 0.0, 0.5), 0.0)
    subtitles.clear()
    assert subtitles.at(0.2) is None
