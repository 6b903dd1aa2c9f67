"""PURE. Opus (RFC 6716) through the system's libopus: one mono voice at 48 kHz, encoded, decoded and concealed.

FFmpeg's wrapper cannot be asked for concealment nor for the forward error correction inside a packet; libopus can.
Names and numbers of the controls: opus_defines.h of libopus 1.3.1.
"""

from __future__ import annotations

import ctypes
import weakref
from enum import IntEnum
from functools import cache
from typing import Annotated, Final, Literal

import msgspec
import numpy as np

from device.audio.block import BLOCK, RATE, Samples
from device.audio.level import energy
from device.errors import CodecError
from device.messages.settings import Settings

LONGEST_PACKET: Final = 5760
"""Samples in the longest packet there is: 120 ms (RFC 6716 §2.1.4)."""

SHORTEST_FRAME: Final = 120
"""Samples in the shortest frame: 2.5 ms; whatever is concealed is a multiple of it."""

UNHEARD: Final = 10**-6.0
"""Energy below which no search for a better encoding is worth its time: -60 dBFS. What a noise suppressor leaves of a quiet
room is below it, and a visitor is quiet most of the time; a block takes half the time then."""

_FRAME_SIZES: Final = frozenset({120, 240, 480, 960, 1920, 2880})
_LARGEST_PAYLOAD: Final = 1275  # bytes in one frame, RFC 6716 §3.2.1
_SET_BITRATE, _SET_COMPLEXITY, _SET_INBAND_FEC, _SET_PACKET_LOSS_PERC = 4002, 4010, 4012, 4014


class Application(IntEnum):
    """What the encoder favours."""

    VOIP = 2048
    """Speech that is understood; SILK and hybrid modes, the only ones with in-band FEC."""
    AUDIO = 2049
    """Fidelity, for two voices and earcons together."""


class OpusSettings(Settings, frozen=True):
    """How one voice is encoded; a table in the device's settings."""

    bit_rate: Annotated[int, msgspec.Meta(ge=6_000, le=128_000)] = 64_000
    """Bits per second, the copies of packets in their successors included: speech after noise suppression has PESQ-WB 2.9
    at 32 kbit/s, 3.4 at 48, 3.8 at 64 and 3.9 at 96 (measured with complexity 5, 10 % of loss expected)."""
    complexity: Annotated[int, msgspec.Meta(ge=0, le=10)] = 5
    """CPU against quality of what is heard; 10 is the dearest. What is not is encoded with 0."""
    expected_loss_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 10
    """The encoder repeats a packet inside the next one only when told to expect loss: at 32 kbit/s libopus 1.3.1 does so
    from 8 % on, at 40 kbit/s from 5 % (measured)."""
    packet_ms: Literal[20, 40, 60] = 20
    """Sound in one packet: longer ones are fewer, which saves processor time, and come that much later."""


def packet_samples(packet: bytes) -> int:
    """Return how many samples at 48 kHz `packet` holds by its first bytes (RFC 6716 §3.1), 0 if it is malformed."""
    if not packet or (packet[0] & 3 == 3 and len(packet) < 2):
        return 0
    configuration, code = packet[0] >> 3, packet[0] & 3
    frames = (1, 2, 2, packet[1] & 0x3F if code == 3 else 0)[code]
    samples = frames * _frame_samples(configuration)
    return samples if samples <= LONGEST_PACKET else 0


def _frame_samples(configuration: int) -> int:
    if configuration < 12:  # SILK
        return (480, 960, 1920, 2880)[configuration % 4]
    if configuration < 16:  # hybrid
        return (480, 960)[configuration % 2]
    return (120, 240, 480, 960)[configuration % 4]  # CELT


def load_libopus(name: str = "libopus.so.0") -> ctypes.CDLL:
    """Return the shared library `name` with the types of the functions used here.

    Raises:
        CodecError: the library is not on this computer.
    """
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise CodecError(f"{name} is missing; install it with: apt install libopus0 ({error})") from None
    integer, pointer, error_code = ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int)
    library.opus_strerror.argtypes, library.opus_strerror.restype = [integer], ctypes.c_char_p
    library.opus_encoder_create.argtypes = [ctypes.c_int32, integer, integer, error_code]
    library.opus_encoder_create.restype = pointer
    library.opus_encoder_destroy.argtypes, library.opus_encoder_destroy.restype = [pointer], None
    library.opus_encode.argtypes = [pointer, pointer, integer, pointer, ctypes.c_int32]
    library.opus_encode.restype = ctypes.c_int32
    library.opus_decoder_create.argtypes = [ctypes.c_int32, integer, error_code]
    library.opus_decoder_create.restype = pointer
    library.opus_decoder_destroy.argtypes, library.opus_decoder_destroy.restype = [pointer], None
    library.opus_decode.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, integer, integer]
    return library


libopus = cache(load_libopus)


class OpusEncoder:
    """One mono voice at 48 kHz becomes packets with in-band forward error correction.

    Raises:
        CodecError: libopus is missing or refuses a setting.
    """

    def __init__(
        self,
        *,
        application: Application = Application.VOIP,
        bit_rate: int = 32_000,
        complexity: int = 5,
        expected_loss_percent: int = 10,
    ) -> None:
        self._library = libopus()
        error = ctypes.c_int()
        self._state = self._library.opus_encoder_create(RATE, 1, application, error)
        self._check(error.value)
        weakref.finalize(self, self._library.opus_encoder_destroy, self._state)
        self._pcm = np.zeros(max(_FRAME_SIZES), np.int16)
        self._address = self._pcm.ctypes.data
        self._payload = ctypes.create_string_buffer(_LARGEST_PAYLOAD)
        self._complexity, self._thorough = complexity, True
        self._control(_SET_COMPLEXITY, complexity)
        self._control(_SET_INBAND_FEC, 1)
        self.set_bit_rate(bit_rate)
        self.expect_loss(expected_loss_percent)

    def encode(self, samples: Samples) -> bytes:
        """Return one packet of `samples`, shape (n,), int16, n of 2.5, 5, 10, 20, 40 or 60 ms.

        Raises:
            ValueError: another shape or type.
        """
        if samples.dtype != np.int16 or samples.ndim != 1 or samples.size not in _FRAME_SIZES:
            raise ValueError(f"not an Opus frame: {samples.dtype} of shape {samples.shape}")
        self._look(thorough=energy(samples) >= UNHEARD)
        self._pcm[: samples.size] = samples
        length = self._library.opus_encode(self._state, self._address, samples.size, self._payload, _LARGEST_PAYLOAD)
        self._check(length)
        return ctypes.string_at(self._payload, length)

    def set_bit_rate(self, bit_rate: int) -> None:
        """Use `bit_rate` bits per second from the next packet on."""
        self._control(_SET_BITRATE, bit_rate)

    def expect_loss(self, percent: int) -> None:
        """Protect the packets from the next one on against `percent` (0 to 100) of them being lost."""
        self._control(_SET_PACKET_LOSS_PERC, percent)

    def _look(self, *, thorough: bool) -> None:
        if thorough != self._thorough:
            self._thorough = thorough
            self._control(_SET_COMPLEXITY, self._complexity if thorough else 0)

    def _control(self, request: int, value: int) -> None:
        # A variadic C function; on Linux its integers go where those of any other function go.
        control = self._library.opus_encoder_ctl
        self._check(control(ctypes.c_void_p(self._state), ctypes.c_int(request), ctypes.c_int32(value)))

    def _check(self, code: int) -> None:
        if code < 0:
            raise CodecError(f"libopus encoder: {self._library.opus_strerror(code).decode()}")


class OpusDecoder:
    """Packets become mono sound at 48 kHz; what is missing or corrupt is concealed, never raised.

    Raises:
        CodecError: libopus is missing.
    """

    def __init__(self) -> None:
        self._library = libopus()
        error = ctypes.c_int()
        self._state = self._library.opus_decoder_create(RATE, 1, error)
        if error.value < 0:
            raise CodecError(f"libopus decoder: {self._library.opus_strerror(error.value).decode()}")
        weakref.finalize(self, self._library.opus_decoder_destroy, self._state)
        self._pcm = np.zeros(LONGEST_PACKET, np.int16)
        self._address = self._pcm.ctypes.data
        self.corrupt = 0
        """Packets that libopus could not decode and that were concealed instead."""

    def decode(self, packet: bytes) -> Samples:
        """Return the sound of `packet`, shape (n,): 960 for 20 ms; stereo is mixed down; concealed when corrupt."""
        length = self._decode(packet, LONGEST_PACKET, 0)
        if length > 0:
            return self._pcm[:length].copy()
        self.corrupt += 1
        return self.conceal(packet_samples(packet) or BLOCK)

    def decode_fec(self, next_packet: bytes, samples: int = BLOCK) -> Samples:
        """Return the `samples` before `next_packet` from the copy inside it; concealed when there is none.

        A copy is as long as the packet that holds it, and libopus gives all of it or nothing: where less is wanted,
        because the rest was made up before, this is the end of it.
        """
        copied = max(samples, packet_samples(next_packet))
        if self._decode(next_packet, copied, 1) == copied:
            return self._pcm[copied - samples : copied].copy()
        self.corrupt += 1
        return self.conceal(samples)

    def conceal(self, samples: int = BLOCK) -> Samples:
        """Return `samples` (a multiple of 120) that continue what was decoded last, dying away over time."""
        length = self._decode(None, samples, 0)
        return self._pcm[:samples].copy() if length == samples else np.zeros(samples, np.int16)

    def _decode(self, packet: bytes | None, room: int, fec: int) -> int:
        size = 0 if packet is None else len(packet)
        if packet == b"":
            return 0
        return int(self._library.opus_decode(self._state, packet, size, self._address, room, fec))
