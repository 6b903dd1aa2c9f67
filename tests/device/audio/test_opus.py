from __future__ import annotations

import ctypes

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, RATE, SILENCE, Samples
from device.audio.level import rms_dbfs
from device.audio.opus import (
    LONGEST_PACKET,
    Application,
    OpusDecoder,
    OpusEncoder,
    OpusSettings,
    load_libopus,
    packet_samples,
)
from device.errors import CodecError
from device.messages.settings import read_settings
from tests.device.audio.sound import blocks, likeness, noise, speech, tone

PRE_SKIP = 360  # samples of an encoder's look-ahead and more


def decoded(packets: list[bytes]) -> Samples:
    decoder = OpusDecoder()
    return np.concatenate([decoder.decode(packet) for packet in packets])


def encoded(sound: Samples, **settings: int) -> list[bytes]:
    encoder = OpusEncoder(**settings)  # type: ignore[arg-type]  # whole numbers, all of them
    return [encoder.encode(block) for block in blocks(sound)]


@pytest.mark.parametrize("application", list(Application))
def test_a_voice_comes_through_at_its_level_and_in_its_shape(application: Application) -> None:
    sound = speech(2.0)
    encoder = OpusEncoder(application=application, bit_rate=48_000)
    heard = decoded([encoder.encode(block) for block in blocks(sound)])
    assert abs(rms_dbfs(heard) - rms_dbfs(sound)) < 1.0
    assert likeness(sound, heard, most=PRE_SKIP) > 0.75


def test_the_bit_rate_is_what_was_asked_for_and_can_be_changed() -> None:
    encoder = OpusEncoder(bit_rate=64_000)
    sound = blocks(speech(2.0, pause_every=9.0))
    rich = sum(len(encoder.encode(block)) for block in sound)
    encoder.set_bit_rate(12_000)
    poor = sum(len(encoder.encode(block)) for block in sound)
    assert 0.5 * 64_000 < rich * 8 / 2 < 1.3 * 64_000
    assert poor < rich / 2


@pytest.mark.parametrize("samples", [120, 240, 480, 960, 1920, 2880])
def test_packets_of_every_duration_keep_their_length(samples: int) -> None:
    packet = OpusEncoder().encode(tone(0.06)[:samples])
    assert packet_samples(packet) == samples
    assert OpusDecoder().decode(packet).shape == (samples,)


def test_a_stereo_packet_is_mixed_to_mono() -> None:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.format, codec.layout, codec.bit_rate = RATE, "s16", "stereo", 64_000
    packets: list[bytes] = []
    for block in blocks(tone(0.5)):
        stereo = np.repeat(block, 2)[np.newaxis, :]
        frame = av.AudioFrame.from_ndarray(stereo, format="s16", layout="stereo")
        frame.sample_rate = RATE
        packets += [bytes(packet) for packet in codec.encode(frame)]
    heard = decoded(packets)
    assert heard.shape == (len(packets) * BLOCK,)
    assert abs(rms_dbfs(heard[RATE // 10 :]) - rms_dbfs(tone(0.5))) < 1.0


def test_the_copy_in_the_next_packet_is_better_than_concealment() -> None:
    sound = speech(3.0, pause_every=9.0)
    packets = encoded(sound, bit_rate=32_000, expected_loss_percent=20)
    whole = decoded(packets)
    lost = set(range(20, 140, 7))
    recovered, concealed = OpusDecoder(), OpusDecoder()
    with_copy, without = [], []
    for index, packet in enumerate(packets):
        if index in lost:
            with_copy.append(recovered.decode_fec(packets[index + 1]))
            without.append(concealed.conceal())
        else:
            with_copy.append(recovered.decode(packet))
            without.append(concealed.decode(packet))
    places = np.concatenate([np.arange(index * BLOCK, (index + 1) * BLOCK) for index in lost])
    assert likeness(whole[places], np.concatenate(with_copy)[places]) > 0.9
    assert likeness(whole[places], np.concatenate(with_copy)[places]) > likeness(
        whole[places], np.concatenate(without)[places]
    )


def test_packets_carry_a_copy_of_the_one_before_by_default() -> None:
    packets = encoded(speech(1.0, pause_every=9.0))
    recovered, concealed = OpusDecoder(), OpusDecoder()
    for packet in packets[:10]:
        recovered.decode(packet)
        concealed.decode(packet)
    assert not np.array_equal(recovered.decode_fec(packets[11]), concealed.conceal())


def test_concealment_goes_on_like_the_sound_before_and_dies_away() -> None:
    decoder = OpusDecoder()
    before = [decoder.decode(packet) for packet in encoded(tone(0.4))][-1]
    made_up = [decoder.conceal() for _ in range(50)]
    assert abs(rms_dbfs(made_up[0]) - rms_dbfs(before)) < 6.0
    assert rms_dbfs(made_up[-1]) < rms_dbfs(before) - 20.0


@given(st.binary(max_size=200))
def test_no_packet_is_too_corrupt(packet: bytes) -> None:
    decoder = OpusDecoder()
    for heard in (decoder.decode(packet), decoder.decode_fec(packet), decoder.conceal()):
        assert heard.dtype == np.int16
        assert 0 < heard.size <= LONGEST_PACKET
    assert decoder.decode(encoded(tone(0.02))[0]).shape == (BLOCK,)


def test_corrupt_packets_are_concealed_and_counted() -> None:
    decoder = OpusDecoder()
    for packet in encoded(tone(0.2)):
        decoder.decode(packet)
    corrupt = bytes([0xFF]) + bytes(range(40))
    assert decoder.decode(corrupt).any()
    assert decoder.decode(b"").shape == (BLOCK,)
    assert decoder.corrupt == 2


@given(st.binary(min_size=1, max_size=60))
def test_the_length_of_a_packet_is_what_libopus_says(packet: bytes) -> None:
    library = ctypes.CDLL("libopus.so.0")
    said = library.opus_packet_get_nb_samples(packet, len(packet), RATE)
    assert packet_samples(packet) == max(0, said)


def test_an_empty_packet_has_no_length() -> None:
    assert packet_samples(b"") == 0


@pytest.mark.parametrize("wrong", [SILENCE[:100], SILENCE.astype(np.float32), np.zeros((960, 1), np.int16)])
def test_what_is_no_frame_is_refused(wrong: Samples) -> None:
    with pytest.raises(ValueError, match="not an Opus frame"):
        OpusEncoder().encode(wrong)


def test_an_impossible_setting_is_refused() -> None:
    with pytest.raises(CodecError, match="invalid argument"):
        OpusEncoder(complexity=11)


def test_a_missing_library_says_what_to_install() -> None:
    with pytest.raises(CodecError, match="apt install libopus0"):
        load_libopus("libopus-not-here.so.0")


def test_a_strided_block_is_encoded_as_what_it_looks_like() -> None:
    stereo = np.repeat(noise(0.02), 2)
    assert OpusEncoder().encode(stereo[::2]) == OpusEncoder().encode(noise(0.02))


def test_settings_have_ranges() -> None:
    assert read_settings("bit_rate = 24000", "x.toml", OpusSettings).bit_rate == 24_000
    with pytest.raises(ValueError, match="bit_rate"):
        read_settings("bit_rate = 1", "x.toml", OpusSettings)


def test_what_nobody_hears_is_encoded_without_a_search_and_speech_after_it_as_ever() -> None:
    """libopus at complexity 0 fills the same packets with other bits: an encoder that never searches is the measure."""
    quiet = (np.random.default_rng(3).standard_normal(20 * BLOCK) * 10 ** (-75 / 20) * 32768).astype(np.int16)
    searching, never = OpusEncoder(complexity=10), OpusEncoder(complexity=0)
    for block in blocks(quiet):
        packets = searching.encode(block), never.encode(block)
    assert packets[0] == packets[1]
    for block in blocks(speech(0.2)):
        packets = searching.encode(block), never.encode(block)
    assert packets[0] != packets[1]
