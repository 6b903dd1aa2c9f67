from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.local.imageflux.opus import LONGEST, samples_in


@pytest.mark.parametrize(
    ("application", "milliseconds"),
    [
        *(("voip", each) for each in ("10", "20", "40", "60")),
        *(("audio", each) for each in ("2.5", "5", "10", "20", "40", "60")),
        *(("lowdelay", each) for each in ("2.5", "5", "10", "20", "40", "60")),
    ],
)
def test_the_duration_of_packets_of_a_real_encoder(application: str, milliseconds: str) -> None:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "mono", "s16"
    codec.options = {"frame_duration": milliseconds, "application": application}
    size = int(48 * float(milliseconds))
    codec.open()
    frame = av.AudioFrame.from_ndarray(np.zeros((1, size), np.int16), format="s16", layout="mono")
    frame.sample_rate, frame.pts = 48_000, 0
    packets = [*codec.encode(frame), *codec.encode(None)]
    assert samples_in(bytes(packets[0])) == size


@given(st.binary(max_size=40))
def test_any_bytes_have_a_bounded_duration(packet: bytes) -> None:
    assert 0 <= samples_in(packet) <= LONGEST
