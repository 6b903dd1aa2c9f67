"""PURE. RTP packets of one Opus voice in, sound on the speaker's clock out: ordered, recovered, concealed, faded.

Time correction happens here and is inaudible: a pause is made shorter or longer by exactly what packets wait too long or
too short, and speech by one period of its pitch where a pause would be waited for too long. Decoding goes on through
what is left out, so the decoder never sees a gap that the network did not make.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import numpy as np

from device.audio.block import BLOCK, CALL, Samples
from device.audio.fade import fade_in, falling, taken_over
from device.audio.jitter import FADE, LONGEST_CONCEALMENT, JitterBuffer, Kind, Outcome
from device.audio.level import is_quiet
from device.audio.opus import OpusDecoder
from device.audio.timescale import cut, extend, lengthen, shorten

LONG: Final = 2 * BLOCK
"""Samples too many from which speech is shortened, where its periods are much alike."""
VERY_LONG: Final = 3 * BLOCK
"""Samples too many from which it is shortened although they are less alike, and as often as possible."""

_ALIKE, _LESS_ALIKE = 0.9, 0.6
_SILENT = LONGEST_CONCEALMENT + FADE  # samples made up in a row after which there is nothing
_PAUSE = 5  # quiet frames after which nobody is in the middle of a word
_LONG_PAUSE = 15  # quiet frames after which nobody is in the middle of a sentence
_REST = 3  # frames between two changes of speech
_NOTHING: Final[Samples] = np.zeros(0, np.int16)


class Reception:
    """The receiving end of one voice.

    Raises:
        CodecError: libopus is missing.
    """

    def __init__(self) -> None:
        self._jitter = JitterBuffer()
        self._decoder = OpusDecoder()
        self._pending = _NOTHING  # decoded, not handed out
        self._made_up = _SILENT  # samples made up in a row; at most this
        self._spare = _NOTHING  # made up, not wanted yet
        self._shortened = self._lengthened = 0
        self._quiet_for = 0  # frames
        self._rest = 0  # frames until speech may be changed again

    def put(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        """Take a packet (16-bit `sequence`, 32-bit `timestamp`) that arrived at `now`; never fails."""
        self._jitter.put(sequence, timestamp, payload, now)

    def pull(self, now: float) -> Samples:
        """Return what comes next, shape (n,): what one packet holds, mostly, and always whole calls of the speaker."""
        self._jitter.tick(now)
        correctable = True
        while self._pending.size < CALL:
            outcome = self._jitter.pull(now)
            frame = self._sound(outcome)
            if correctable and outcome.kind is Kind.DECODE:
                correctable = False
                frame = self._corrected(frame)
            self._pending = np.concatenate((self._pending, frame)) if self._pending.size else frame
        whole = self._pending.size - self._pending.size % CALL
        sound, self._pending = self._pending[:whole], self._pending[whole:]
        self._jitter.handed(whole)
        return sound

    def flush(self) -> None:
        """Drop all that waits; the next block is silence unless packets come."""
        self._jitter.flush()
        self._pending = self._spare = _NOTHING
        self._made_up = _SILENT

    def restart(self) -> None:
        """Drop all that waits and forget the stream, because another one takes its place."""
        self.flush()
        self._jitter.restart()

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow, and the wanted and the actual delay in milliseconds."""
        return {
            **asdict(self._jitter.counters),
            "corrupt": self._decoder.corrupt,
            "shortened": self._shortened,
            "lengthened": self._lengthened,
            "target_ms": self._jitter.delay.target * 1000,
            "waiting_ms": self._jitter.waiting(self._pending.size) * 1000,
        }

    def _sound(self, outcome: Outcome) -> Samples:
        match outcome.kind:
            case Kind.DECODE:
                return self._resumed(self._decoder.decode(outcome.payload))
            case Kind.RECOVER:
                return self._resumed(self._decoder.decode_fec(outcome.payload, outcome.samples))
            case Kind.CONCEAL:
                return self._concealed(outcome.samples)
            case Kind.SILENCE:
                self._made_up = _SILENT
                return np.zeros(outcome.samples, np.int16)

    def _resumed(self, frame: Samples) -> Samples:
        after_silence, self._made_up = self._made_up >= _SILENT, 0
        made_up, self._spare = self._spare, _NOTHING
        return fade_in(frame) if after_silence else taken_over(made_up, frame)

    def _concealed(self, samples: int) -> Samples:
        if self._made_up >= _SILENT:
            return np.zeros(samples, np.int16)
        while self._spare.size < samples:  # in whole frames: libopus lowers its voice with each call, however short
            begun = self._made_up + self._spare.size - LONGEST_CONCEALMENT
            self._spare = np.concatenate((self._spare, falling(self._decoder.conceal(BLOCK), begun, FADE)))
        self._made_up += samples
        frame, self._spare = self._spare[:samples], self._spare[samples:]
        return frame

    def _corrected(self, frame: Samples) -> Samples:
        self._quiet_for = self._quiet_for + 1 if is_quiet(frame) else 0
        at_leisure = self._quiet_for >= _LONG_PAUSE
        surplus = self._jitter.surplus(frame.size, self._pending.size, at_leisure=at_leisure)
        self._rest = max(0, self._rest - 1)
        if not surplus:
            return frame
        if self._may_move(surplus):
            corrected = cut(frame, surplus) if surplus > 0 else extend(frame, -surplus)
        else:
            corrected = self._speech(frame, surplus)
        self._shortened += corrected.size < frame.size
        self._lengthened += corrected.size > frame.size
        return corrected

    def _may_move(self, surplus: int) -> bool:
        """Tell whether this is a pause, or quiet enough where much is to be made good."""
        if abs(surplus) > LONG:
            return self._quiet_for > 0
        return self._quiet_for >= (_LONG_PAUSE if 0 < surplus <= BLOCK else _PAUSE)

    def _speech(self, frame: Samples, surplus: int) -> Samples:
        if surplus > VERY_LONG:
            return shorten(frame, _LESS_ALIKE)
        if self._rest or abs(surplus) <= LONG:
            return frame
        changed = shorten(frame, _ALIKE) if surplus > 0 else lengthen(frame, _ALIKE)
        if changed.size != frame.size:
            self._rest = _REST
        return changed
