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
    ],
)
def test_silence_counts_only_where_something_must_come(
    turn: Turn, event_at: float, packet_at: float | None, dead: bool
) -> None:
    reason = overdue(turn, now=100.0, event_at=event_at, packet_at=packet_at, settings=SETTINGS)
    assert (reason is not None) is dead
