"""Looks at the computer: a trial run of the voice path, power, heat, disk, and what is known of its clock."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE, Samples
from device.audio.echo import EchoMode, choose_echo
from device.audio.mix import mix
from device.audio.opus import OpusDecoder, OpusEncoder, OpusSettings
from device.doctor.checks.computer import CpuFacts, DiskFacts, PowerFacts
from device.doctor.gather.picture import gather_picture
from device.realtime.settings import RealtimeSettings
from device.sora.settings import BroadcastSettings, programme

_BLOCKS: Final = 120
_THROTTLED: Final = "sys/devices/platform/soc/soc:firmware/get_throttled"


def gather_cpu(echo: EchoMode, call: RealtimeSettings, broadcast: BroadcastSettings) -> CpuFacts:
    """Return what two seconds of the dear parts of a session cost in CPU time: echo control, codecs, picture.

    Takes some tenths of a second.

    Raises:
        CodecError: libopus, or the encoder of the picture, is missing.
        SettingsError: skin or font of the picture cannot be used.
    """
    load = os.getloadavg()[0]
    out = [call.opus, *([programme(broadcast)] if broadcast.enabled else [])]
    return CpuFacts(
        os.cpu_count() or 1,
        load,
        voice_path=_voice_path(echo, out),
        yardstick=_voice_path(EchoMode.NONE, [OpusSettings()]),
        packets=sum(1000 / voice.packet_ms for voice in out),
        picture=gather_picture(broadcast),
    )


def _voice_path(mode: EchoMode, out: list[OpusSettings]) -> float:
    echo, voices = choose_echo(mode), [(voice, _encoder(voice)) for voice in out]
    heard, decoder = OpusEncoder(complexity=0), OpusDecoder()
    random = np.random.default_rng(1)
    sounds = [(random.standard_normal(BLOCK) * 3000).astype(np.int16) for _ in range(8)]
    packets = [heard.encode(sound) for sound in sounds]
    mixed: list[Samples] = []
    began = time.process_time()
    for number in range(_BLOCKS):
        far = sounds[number % 8]
        near = echo.process(sounds[-1 - number % 8], far)
        decoder.decode(packets[number % 8])
        mixed = [*mixed[-2:], mix(near, far)]
        for voice, encoder in voices:
            whole = voice.packet_ms * RATE // (1000 * BLOCK)
            if number % whole == whole - 1:
                encoder.encode(np.concatenate(mixed[-whole:]))
    return (time.process_time() - began) / (_BLOCKS * BLOCK_SECONDS)


def _encoder(voice: OpusSettings) -> OpusEncoder:
    return OpusEncoder(bit_rate=voice.bit_rate, complexity=voice.complexity)


def gather_power(root: Path = Path("/")) -> PowerFacts:
    """Return what the firmware and the kernel tell; `root` is where /sys is looked for."""
    alarms = [_text(path) for path in sorted(root.glob("sys/class/hwmon/hwmon*/in0_lcrit_alarm"))]
    temperature = _text(root / "sys/class/thermal/thermal_zone0/temp")
    return PowerFacts(
        throttled=_throttled(_text(root / _THROTTLED)) if (root / _THROTTLED).exists() else _vcgencmd(),
        under_voltage=any(alarm == "1" for alarm in alarms) if alarms else None,
        temperature=int(temperature) / 1000.0 if re.fullmatch(r"-?\d+", temperature) else None,
    )


def _vcgencmd() -> int | None:
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        done = subprocess.run([program, "get_throttled"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return _throttled(done.stdout)


def _throttled(text: str) -> int | None:
    """Return the word in `throttled=0x50005`, or in the bare `50005` of /sys."""
    found = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]+)", text.strip())
    return int(found[1], 16) if found else None


def gather_disk(state_dir: Path) -> DiskFacts:
    """Return the room for the robot's state, and whether a file can be written there."""
    folder = next((path for path in (state_dir, *state_dir.parents) if path.is_dir()), Path("/"))
    disk = os.statvfs(folder)
    error = ""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as trouble:
        error = trouble.strerror or str(trouble)
    return DiskFacts(str(folder), disk.f_bavail * disk.f_frsize, error)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
