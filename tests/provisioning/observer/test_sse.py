from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from device.messages.reports import Speaker
from provisioning.observer.sse import Line, frame
from provisioning.observer.views import CaptionView, ViewersView
from tests.provisioning.observer.reading import parse_events


def test_a_change_is_one_event_with_a_number() -> None:
    assert frame(ViewersView(viewers=3), 7) == b'id: 7\nevent: viewers\ndata: {"viewers":3}\n\n'


@given(st.text(max_size=80))
def test_no_text_can_break_out_of_its_event(text: str) -> None:
    caption = CaptionView(id="a", speaker=Speaker.USER, text=text, start=0.0, end=1.0, final=True, approximate=False)
    events = parse_events(frame(caption, 1))
    assert [name for name, _ in events] == ["caption"]
    assert events[0][1]["text"] == msgspec.json.decode(msgspec.json.encode(text))


def test_nothing_is_put_into_a_line_before_its_first_snapshot() -> None:
    line = Line()
    line.put(b"a")
    assert line.behind
    assert line.take() == b""


def test_a_line_gives_frames_in_order() -> None:
    line = Line()
    line.caught_up()
    for data in (b"a", b"b", b"c"):
        line.put(data)
    assert line.take() == b"abc"
    assert line.take() == b""


@given(st.integers(1, 10), st.lists(st.booleans(), max_size=60))
def test_a_line_never_grows_and_never_leaves_a_gap_unnoticed(longest: int, reads: list[bool]) -> None:
    line = Line(longest)
    line.caught_up()
    missed: list[bytes] = []
    for number, read in enumerate(reads):
        data = b"%d " % number
        line.put(data)
        missed.append(data)
        assert len(line) <= longest
        if read and not line.behind:
            assert line.take() == b"".join(missed)
            missed.clear()
        elif read:
            line.caught_up()
            missed.clear()
