"""Why a connection to Sora ended: what each close means, before the programme was on air and after."""

from __future__ import annotations

import pytest

from device.errors import MediaError, SignallingError
from device.sora.ends import Cause, End, closed


@pytest.mark.parametrize(
    ("code", "on_air", "cause"),
    [
        (1000, False, Cause.ENDED),
        (1000, True, Cause.ENDED),
        (1001, False, Cause.LOST),
        (1006, True, Cause.LOST),
        (3999, False, Cause.LOST),
        (4000, False, Cause.REFUSED),
        (4490, False, Cause.REFUSED),
        (4999, False, Cause.REFUSED),
        (5000, False, Cause.LOST),
        (4000, True, Cause.LOST),
        (4999, True, Cause.LOST),
    ],
)
def test_what_a_close_means(code: int, on_air: bool, cause: Cause) -> None:
    assert closed(code, "WHY", on_air=on_air) == End(cause, code, "WHY")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (End(Cause.LOST, 1006), "lost: 1006"),
        (End(Cause.LEFT), "left"),
        (End(Cause.REFUSED, 4490, "INVALID-MESSAGE"), "refused: 4490 INVALID-MESSAGE"),
        (End(Cause.MEDIA, reason="ICE failed"), "no media: ICE failed"),
    ],
)
def test_an_end_is_told_in_words(end: End, said: str) -> None:
    assert str(end) == said


def test_an_end_before_the_programme_is_an_error_of_its_kind() -> None:
    media = End(Cause.MEDIA, reason="ICE failed").error()
    assert isinstance(media, MediaError)
    assert str(media) == "no media: ICE failed"
    refused = End(Cause.REFUSED, 4490, "NO").error()
    assert isinstance(refused, SignallingError)
    assert (refused.code, refused.reason) == (4490, "(refused) NO")
