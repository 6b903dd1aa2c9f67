"""PURE. The duration of an Opus packet, read from its first bytes (RFC 6716 section 3.1)."""

from __future__ import annotations

from typing import Final

_FRAME_SAMPLES: Final = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""Samples at 48 kHz in one frame, by the 32 configurations of table 2."""

LONGEST: Final = 5760
"""120 ms: no packet may be longer."""


def samples_in(packet: bytes) -> int:
    """Return how many samples at 48 kHz `packet` decodes to; 0 when it is not an Opus packet."""
    if not packet:
        return 0
    code = packet[0] & 3
    if code == 3 and len(packet) < 2:
        return 0
    frames = packet[1] & 63 if code == 3 else (1, 2, 2)[code]
    samples = frames * _FRAME_SAMPLES[packet[0] >> 3]
    return samples if samples <= LONGEST else 0
