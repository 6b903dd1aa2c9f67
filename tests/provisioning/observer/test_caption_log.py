from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.messages.reports import Speaker
from provisioning.observer.caption_log import CaptionLog
from provisioning.observer.views import CaptionView

MOST = 5


def caption(caption_id: str = "a", text: str = "words", start: float = 0.0, *, final: bool = False) -> CaptionView:
    return CaptionView(
        id=caption_id, speaker=Speaker.USER, text=text, start=start, end=start + 1, final=final, approximate=True
    )


captions = st.builds(
    caption,
    st.sampled_from("abcdefghij"),
    st.sampled_from(["", " ", "one", "one two", "一 二"]),
    st.integers(0, 20).map(float),
    final=st.booleans(),
)


def log_of(given_captions: list[CaptionView]) -> CaptionLog:
    log = CaptionLog(MOST)
    for each in given_captions:
        log.merge(each)
    return log


@given(st.lists(captions, max_size=40))
def test_the_log_is_bounded_ordered_and_has_each_id_once(given_captions: list[CaptionView]) -> None:
    kept = log_of(given_captions).captions()
    assert len(kept) <= MOST
    assert [each.start for each in kept] == sorted(each.start for each in kept)
    assert len({each.id for each in kept}) == len(kept)
    assert all(each.text.strip() and each in given_captions for each in kept)


@given(st.lists(captions, max_size=20), captions)
def test_a_message_that_comes_twice_changes_nothing_the_second_time(
    before: list[CaptionView], twice: CaptionView
) -> None:
    log = log_of(before)
    log.merge(twice)
    once = log.captions()
    assert not log.merge(twice)
    assert log.captions() == once


@given(st.lists(captions, max_size=20))
def test_merge_tells_whether_the_log_changed(given_captions: list[CaptionView]) -> None:
    log = CaptionLog(MOST)
    for each in given_captions:
        before = log.captions()
        assert log.merge(each) or log.captions() == before


def test_captions_with_the_same_id_replace_each_other() -> None:
    log = log_of([caption(text="Hel"), caption(text="Hello"), caption(text="Hello!", final=True)])
    assert [each.text for each in log.captions()] == ["Hello!"]


def test_what_is_final_is_not_made_partial_again() -> None:
    log = log_of([caption(text="Hello!", final=True), caption(text="Hel")])
    assert [each.text for each in log.captions()] == ["Hello!"]


def test_an_empty_text_withdraws_a_caption() -> None:
    log = log_of([caption(text="Hello")])
    assert log.merge(caption(text=" ", final=True))
    assert len(log) == 0


def test_late_words_take_their_place_in_the_order_of_speech() -> None:
    log = log_of([caption("answer", start=3.0), caption("question", start=1.0)])
    assert [each.id for each in log.captions()] == ["question", "answer"]
