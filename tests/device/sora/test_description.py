from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from device.sora.description import Negotiation, candidates, takes_h264
from tests.device.sora.scripted import mids, sections

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\na=ice-lite\r\n"


def section(mid: str, *, port: int = 9, direction: str = "recvonly", kind: str = "audio") -> str:
    transport = "a=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 00\r\n" if port else ""
    return f"m={kind} {port} UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\n{transport}a={direction}\r\n"


def offer(*parts: str) -> str:
    live = " ".join(mids(part)[0] for part in parts if " 0 UDP" not in part)
    return HEAD.format(live) + "".join(parts)


def answered(view: str) -> str:
    """Answer a view as aiortc does: the same sections, all with a port, all bundled."""
    answer = view.replace("recvonly", "sendonly").replace("a=ice-lite\r\n", "")
    return re.sub(r"a=group:BUNDLE .*?\r", f"a=group:BUNDLE {' '.join(mids(view))}\r", answer)


def test_a_plain_offer_passes_untouched() -> None:
    plain = offer(section("0"), section("1", kind="video"))
    assert Negotiation().incoming(plain) == plain


def test_the_section_that_is_ours_comes_first_in_the_view_and_keeps_its_place_in_the_answer() -> None:
    negotiation = Negotiation("mine")
    view = negotiation.incoming(offer(section("v", kind="video"), section("other"), section("mine")))
    assert mids(view) == ["mine", "v", "other"]
    assert mids(negotiation.outgoing(answered(view))) == ["v", "other", "mine"]


def test_our_picture_comes_after_our_voice_and_before_what_is_not_ours() -> None:
    negotiation = Negotiation("sound", "picture")
    parts = (section("x", kind="video"), section("picture", kind="video"), section("y"), section("sound"))
    view = negotiation.incoming(offer(*parts))
    assert mids(view) == ["sound", "picture", "x", "y"]
    assert mids(negotiation.outgoing(answered(view))) == ["x", "picture", "y", "sound"]


def test_h264_is_taken_in_the_baseline_profile_in_more_than_one_packet() -> None:
    def video(profile: str, mode: int, *, port: int = 9) -> str:
        codec = f"a=rtpmap:96 H264/90000\r\na=fmtp:96 profile-level-id={profile};packetization-mode={mode}\r\n"
        return offer(section("0"), section("1", kind="video", port=port) + codec)

    assert takes_h264(video("42e01f", 1))
    assert takes_h264(video("42001F", 1))
    assert not takes_h264(video("42e01f", 0))
    assert not takes_h264(video("640c1f", 1))
    assert not takes_h264(video("42e01f", 1, port=0))
    assert not takes_h264(offer(section("0"), section("1", kind="video")))


def test_a_released_section_stays_in_the_view_as_it_was_but_inactive() -> None:
    negotiation = Negotiation()
    negotiation.incoming(offer(section("0"), section("1")))
    view = negotiation.incoming(offer(section("0"), section("1", port=0, direction="inactive")))
    assert mids(view) == ["0", "1"]
    assert "a=ice-ufrag" in sections(view)[1]
    assert "a=inactive" in sections(view)[1]
    answer = negotiation.outgoing(answered(view))
    assert sections(answer)[1].startswith("m=audio 0 ")
    assert "a=group:BUNDLE 0\r\n" in answer


def test_a_section_that_was_never_live_is_kept_from_aiortc_and_refused() -> None:
    negotiation = Negotiation()
    view = negotiation.incoming(offer(section("x", port=0), section("0")))
    assert mids(view) == ["0"]
    answer = negotiation.outgoing(answered(view))
    assert mids(answer) == ["x", "0"]
    assert [part.split()[1] for part in sections(answer)] == ["0", "9"]


def test_a_recycled_place_is_a_new_section_at_the_end_of_the_view() -> None:
    negotiation = Negotiation()
    negotiation.incoming(offer(section("0"), section("1"), section("2")))
    view = negotiation.incoming(offer(section("0"), section("9"), section("2")))
    assert mids(view) == ["0", "1", "2", "9"]
    assert mids(negotiation.outgoing(answered(view))) == ["0", "9", "2"]


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from("abcdef"), st.booleans()), min_size=1, max_size=5, unique_by=lambda each: each[0]
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_history_keeps_both_orders(history: list[list[tuple[str, bool]]]) -> None:
    negotiation, before = Negotiation(), list[str]()
    for offered in history:
        sdp = offer(*(section(mid, port=9 if live else 0) for mid, live in offered))
        view = negotiation.incoming(sdp)
        assert mids(view)[: len(before)] == before, "aiortc's sections never move"
        before = mids(view)
        assert all(" 0 UDP" not in part for part in sections(view))
        answer = negotiation.outgoing(answered(view))
        assert mids(answer) == [mid for mid, _ in offered]
        assert [" 0 UDP" not in part for part in sections(answer)] == [live for _, live in offered]


def test_candidates_are_those_of_the_first_section() -> None:
    host = "candidate:1 1 udp 2122265343 192.0.2.1 1 typ host"
    sdp = offer(section("0") + f"a={host}\r\n", section("1") + "a=candidate:2 1 udp 1 192.0.2.1 2 typ host\r\n")
    assert candidates(sdp) == [host]
    assert candidates("") == []
