import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.messages.reports import Speaker
from device.realtime.captions import AssistantCaptions, Captioned, UserCaptions, heard_share, spoken_length


def test_words_wait_for_their_sound() -> None:
    captions = AssistantCaptions()
    assert captions.add("resp", "item", "Good morning.", 1.0) == []
    [caption] = captions.begin("resp", 2.0, 2.0)
    assert (caption.id, caption.speaker, caption.text) == ("item", Speaker.ASSISTANT, "Good morning.")
    assert (caption.start, caption.final) == (2.0, False)
    assert caption.end == pytest.approx(2.0 + 13 / 15)


def test_a_caption_heard_to_its_end_ends_when_the_sound_did() -> None:
    captions = AssistantCaptions()
    captions.begin("resp", 2.0, 2.0)
    captions.add("resp", "item", "Good ", 2.1)
    captions.add("resp", "item", "morning.", 2.2)
    [caption] = captions.finish("resp", 3.5, 3.5)
    assert (caption.text, caption.start, caption.end, caption.final) == ("Good morning.", 2.0, 3.5, True)


def test_a_cut_caption_keeps_the_share_that_was_played() -> None:
    captions = AssistantCaptions()
    captions.begin("resp", 0.0, 0.0)
    captions.add("resp", "item", "one two three four five six seven eight nine ten", 0.1)
    [caption] = captions.cut("resp", 1.0, 1.0)
    assert caption.text == "one two three"
    assert (caption.end, caption.final) == (1.0, True)


def test_nothing_is_shown_after_the_cut() -> None:
    captions = AssistantCaptions()
    captions.begin("resp", 0.0, 0.0)
    captions.add("resp", "item", "one two three", 0.1)
    captions.cut("resp", 1.0, 1.0)
    assert captions.add("resp", "item", " four", 1.1) == []
    assert captions.settle("resp", "item", "one two three four", 1.2) == []
    assert captions.finish("resp", 1.3, 1.3) == []


def test_an_answer_that_never_sounded_is_never_shown() -> None:
    captions = AssistantCaptions()
    captions.add("resp", "item", "unsaid", 0.1)
    assert captions.cut("resp", 1.0, 1.0) == []


def test_the_pace_is_learnt_from_what_was_heard_to_its_end() -> None:
    captions = AssistantCaptions()
    captions.begin("slow", 0.0, 0.0)
    captions.add("slow", "a", "x" * 50, 0.0)
    captions.finish("slow", 10.0, 10.0)
    captions.begin("next", 20.0, 20.0)
    [caption] = captions.add("next", "b", "y" * 100, 20.0)
    assert caption.end == pytest.approx(20.0 + 100 / ((15 + 5) / 2))


def test_a_japanese_character_takes_longer_than_a_latin_letter() -> None:
    assert spoken_length("会話") == pytest.approx(4.4)
    assert heard_share("こんにちは、会話です", 11.0) == "こんにちは"


@given(st.text(), st.floats(0, 1000))
def test_the_heard_share_is_a_beginning(text: str, letters: float) -> None:
    assert text.startswith(heard_share(text, letters))


def test_the_users_words_keep_the_times_of_their_sound() -> None:
    captions = UserCaptions()
    captions.begin("item", 1.0)
    captions.finish("item", 2.5)
    assert captions.settle("item", " What time is it? ", 4.0) == [
        Captioned("item", Speaker.USER, "What time is it?", 1.0, 2.5, final=True, approximate=True)
    ]


def test_the_users_words_may_come_in_pieces_and_are_final_once() -> None:
    captions = UserCaptions()
    captions.begin("item", 1.0)
    [early] = captions.add("item", "What ", 1.5)
    assert (early.text, early.final) == ("What", False)
    assert captions.settle("item", "What time?", 2.0)[0].final
    assert captions.settle("item", "What time?", 2.0) == []


def test_a_failed_transcription_leaves_what_there_was() -> None:
    captions = UserCaptions()
    assert captions.fail("nothing", 1.0) == []
    captions.add("item", "What", 1.5)
    assert captions.fail("item", 2.0)[0].text == "What"


def test_a_guess_that_comes_to_nothing_is_taken_back() -> None:
    captions = UserCaptions()
    captions.add("item", "Uh", 1.5)
    [taken_back] = captions.settle("item", "", 2.0)
    assert (taken_back.text, taken_back.final) == ("", True)
