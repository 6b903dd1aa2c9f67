from hypothesis import given
from hypothesis import strategies as st

from provisioning.local.realtime.turn_detection import Began, Ended, TurnDetector


def turns(verdicts: str, *, prefix_ms: int = 0, silence_ms: int = 100) -> list[Began | Ended]:
    detector = TurnDetector()
    found = [detector.feed(speech=v == "x", prefix_ms=prefix_ms, silence_ms=silence_ms) for v in verdicts]
    return [turn for turn in found if turn is not None]


def test_a_turn_begins_where_its_speech_did_and_ends_after_the_silence() -> None:
    assert turns("." * 10 + "x" * 20 + "." * 10) == [Began(200), Ended(700)]


def test_the_prefix_reaches_back_but_not_before_the_beginning() -> None:
    assert turns("." * 50 + "x" * 8, prefix_ms=300) == [Began(700)]
    assert turns(".x" + "x" * 8, prefix_ms=300) == [Began(0)]


def test_a_click_begins_nothing() -> None:
    assert turns("...xx......xx.....xx....") == []


def test_a_pause_within_a_sentence_ends_nothing() -> None:
    assert turns("x" * 20 + "...." + "x" * 20) == [Began(0)]


@given(st.text("x."))
def test_turns_alternate_and_never_go_back(verdicts: str) -> None:
    found = turns(verdicts, prefix_ms=60)
    assert all(isinstance(turn, Began) is (index % 2 == 0) for index, turn in enumerate(found))
    times = [turn.audio_start_ms if isinstance(turn, Began) else turn.audio_end_ms for turn in found]
    assert all(0 <= time <= 20 * len(verdicts) for time in times)
    assert all(begin < end for begin, end in zip(times[::2], times[1::2], strict=False))
