import pytest

from device.realtime.conversation import Turn
from device.realtime.liveness import overdue
from device.realtime.settings import RealtimeSettings

SETTINGS = RealtimeSettings(silent_seconds=4, answer_seconds=30)


@pytest.mark.parametrize(
    ("turn", "event_at", "packet_at", "dead"),
    [
        (Turn.LISTENING, 0.0, None, False),
        (Turn.SPEAKING, 95.0, None, True),
        (Turn.SPEAKING, 95.0, 97.0, False),
        (Turn.SPEAKING, 97.0, 90.0, False),
        (Turn.SPEAKING, 95.0, 95.5, True),
        (Turn.THINKING, 75.0, None, False),
        (Turn.THINKING, 69.0, 99.9, True),
        (Turn.THINKING, 70.0, None, False),
        (Turn.THINKING, 69.9, None, True),
        (Turn.SPEAKING, 96.0, None, False),
        (Turn.SPEAKING, 95.9, None, True),
        (Turn.SPEAKING, 90.0, 96.0, False),
        (Turn.SPEAKING, 90.0, 95.9, True),
        (Turn.SPEAKING, 99.0, 0.0, False),
    ],
)
def test_silence_counts_only_where_something_must_come(
    turn: Turn, event_at: float, packet_at: float | None, dead: bool
) -> None:
    reason = overdue(turn, now=100.0, event_at=event_at, packet_at=packet_at, settings=SETTINGS)
    assert (reason is not None) is dead


def test_the_reason_says_what_was_waited_for_and_for_how_long() -> None:
    silent = overdue(Turn.SPEAKING, now=100.0, event_at=0.0, packet_at=None, settings=SETTINGS)
    unanswered = overdue(Turn.THINKING, now=100.0, event_at=0.0, packet_at=None, settings=SETTINGS)
    assert silent == "media: neither sound nor event for 4 s while the assistant was speaking"
    assert unanswered == "media: no event for 30 s while an answer was expected"
