"""PURE. Microphone and speaker: what there is, what it can do, and how loud it is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.audio.block import BLOCK_SECONDS, RATE
from device.doctor.findings import Finding, Outcome, Phrase, Value

LOUD_ROOM: Final = -40.0
"""dBFS RMS: a microphone that gives this while nobody speaks is turned up too far, or stands beside a fan."""
DEAD: Final = -95.0
"""dBFS of the largest sample: no converter is that quiet, so it is muted."""
FEWEST: Final = 0.8
"""Share of the blocks that should have come."""

DEVICE: Final = Phrase(
    "sound.device",
    Outcome.NOTE,
    "device {index} {name}: {abilities}{place}",
    "デバイス {index} {name}: {abilities}{place}",
)
GOOD: Final = Phrase(
    "sound.good",
    Outcome.OK,
    "{card}: microphone now {now:.0f}, average {average:.0f}, peak {peak:.0f} dBFS",
    "{card}: マイクは現在 {now:.0f}、平均 {average:.0f}、最大 {peak:.0f} dBFS",
)
STOOD_IN: Final = Phrase(
    "sound.stood_in",
    Outcome.NOTE,
    "no microphone and speaker here: a simulated room stands in ({card})",
    "マイクとスピーカーがないため、仮想の部屋で代用しています ({card})",
    'With a sound card plugged in, `card = "pyaudio"` in [sound] waits for it when it is not there.',
    'サウンドカードをつないだら [sound] に `card = "pyaudio"` と書くと、ないときはつながるのを待ちます。',
)
HELD: Final = Phrase(
    "sound.held",
    Outcome.NOTE,
    "not opened: the robot runs and holds the sound card",
    "開いていません。動作中のロボットが使っています",
    "To hear it: `sudo systemctl stop kaiwa-device`, then the doctor again.",
    "確かめるには `sudo systemctl stop kaiwa-device` のあと、もう一度実行してください。",
)
UNUSABLE: Final = Phrase(
    "sound.unusable",
    Outcome.FAILURE,
    "{error}",
    "サウンドカードを使えません: {error}",
    "Is it plugged in (`lsusb`, `arecord -l`), is the user in the group audio (`sudo usermod -aG audio {user}`), does"
    " another program hold it (`fuser -v /dev/snd/*`)? Then name it in [sound] `input` and `output`.",
    "接続 (`lsusb`、`arecord -l`)、audio グループ (`sudo usermod -aG audio {user}`)、ほかのプログラム"
    " (`fuser -v /dev/snd/*`) を確かめ、[sound] の `input` と `output` に名前を書いてください。",
)
MUTED: Final = Phrase(
    "sound.muted",
    Outcome.FAILURE,
    "{card}: the microphone gives digital silence ({peak:.0f} dBFS)",
    "{card}: マイクが完全な無音です ({peak:.0f} dBFS)",
    "Look for a mute switch on it; then `alsamixer`, F4, and raise Capture.",
    "本体のミュートスイッチを確かめ、`alsamixer` で F4 を押して Capture を上げてください。",
)
NOISY: Final = Phrase(
    "sound.noisy",
    Outcome.WARNING,
    "{card}: {average:.0f} dBFS while nobody should be speaking",
    "{card}: だれも話していないはずなのに {average:.0f} dBFS です",
    "Lower the microphone's gain (`alsamixer`, F4), or move it away from fan and speaker.",
    "マイクの音量を下げる (`alsamixer`、F4) か、ファンやスピーカーから離してください。",
)
CLIPPED: Final = Phrase(
    "sound.clipped",
    Outcome.WARNING,
    "{card}: the microphone touched full scale in {clipped} of {blocks} blocks",
    "{card}: {blocks} ブロック中 {clipped} ブロックでマイクが振り切れました",
    NOISY.fix_en,
    NOISY.fix_ja,
)
LOST: Final = Phrase(
    "sound.lost",
    Outcome.WARNING,
    "{card}: sound was lost: {xruns} times in {seconds:.0f} s, {percent:.0f} % of the blocks came",
    "{card}: 音が {seconds:.0f} 秒間に {xruns} 回途切れ、{percent:.0f} % のブロックが届きました",
    "Plug it into a port of its own, not through a hub; raise `frames` in [sound], up to 1920.",
    "ハブを通さず直接つなぎ、[sound] の `frames` を 1920 までの範囲で上げてください。",
)
BY_NUMBER: Final = Phrase(
    "sound.by_number",
    Outcome.WARNING,
    "[sound] {key} = {number} is a number, and numbers change with every restart",
    "[sound] {key} = {number} は番号で、再起動のたびに変わります",
    'Write `{key} = "{stable}"` instead.',
    '代わりに `{key} = "{stable}"` と書いてください。',
)
AMBIGUOUS: Final = Phrase(
    "sound.ambiguous",
    Outcome.WARNING,
    '[sound] {key} = "{name}" fits {count} devices at {places}; which one is taken may change with a restart',
    '[sound] {key} = "{name}" は {places} の {count} 台に当てはまり、再起動でどちらになるか変わります',
    'Write the port of the one that is meant instead, such as `{key} = "{stable}"`.',
    '代わりに使う方のポートを `{key} = "{stable}"` のように書いてください。',
)
SILENT: Final = Phrase(
    "sound.silent",
    Outcome.FAILURE,
    "{card}: opened, but not one block of sound came in {seconds:.1f} s",
    "{card}: 開けましたが、{seconds:.1f} 秒間に音のデータが一つも届きません",
    "Plug it out and in again, into a port of its own, not through a hub; look at `dmesg | tail` for its complaints.",
    "ハブを通さず直接つなぎ直し、`dmesg | tail` に警告がないか確かめてください。",
)
ECHOED: Final = Phrase(
    "sound.played_back",
    Outcome.NOTE,
    "recorded {seconds:.1f} s (peak {peak:.0f} dBFS) and played it back; did you hear yourself?",
    "{seconds:.1f} 秒録音し (最大 {peak:.0f} dBFS)、再生しました。自分の声が聞こえましたか",
)


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """One device of PortAudio."""

    index: int
    name: str
    microphone: tuple[int, ...]
    """Samples per second that it captures in mono; empty when it does not."""
    speaker: tuple[int, ...]
    place: str
    """`usb:PORT`, or empty."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an open card gave; levels in dBFS."""

    card: str
    stood_in: bool
    seconds: float
    blocks: int
    now: float
    average: float
    peak: float
    clipped: int
    xruns: int


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """What was seen and heard of the sound card."""

    user: str
    devices: tuple[DeviceFacts, ...]
    input: int | str
    output: int | str
    running: bool
    """Whether the robot holds the card now."""
    error: str
    """Why the card could not be opened; empty when it could."""
    heard: Heard | None
    played_back: Heard | None
    """What was recorded and then played, when that was asked for."""


def check(facts: SoundFacts) -> list[Finding]:
    """Return what is to be said about the sound."""
    found = [_device(device) for device in facts.devices]
    found += [*_numbered(facts, "input", facts.input), *_numbered(facts, "output", facts.output)]
    found += [*_several(facts, "input", facts.input), *_several(facts, "output", facts.output)]
    if facts.running:
        return [*found, HELD()]
    if facts.error:
        return [*found, UNUSABLE(error=facts.error, user=facts.user)]
    if facts.heard is not None:
        found += _heard(facts.heard)
    if facts.played_back is not None:
        found.append(ECHOED(seconds=facts.played_back.seconds, peak=facts.played_back.peak))
    return found


def _device(device: DeviceFacts) -> Finding:
    place = f"; {device.place}" if device.place else ""
    english = _abilities(device, "mic", "speaker", "in use, or no mono")
    japanese = _abilities(device, "マイク", "スピーカー", "使用中、またはモノラル不可")
    values: dict[str, Value] = {"index": device.index, "name": device.name, "abilities": english, "place": place}
    return Finding(DEVICE, values, {"abilities": japanese})


def _abilities(device: DeviceFacts, microphone: str, speaker: str, neither: str) -> str:
    sides = [(microphone, device.microphone), (speaker, device.speaker)]
    return "; ".join(f"{side} {_kilohertz(rates)}" for side, rates in sides if rates) or neither


def _kilohertz(rates: tuple[int, ...]) -> str:
    missing = "" if RATE in rates else " (not 48!)"
    return "/".join(f"{rate / 1000:g}" for rate in rates) + " kHz" + missing


def _numbered(facts: SoundFacts, key: str, wanted: int | str) -> list[Finding]:
    named = {str(device.index): device for device in facts.devices}.get(str(wanted))
    if named is None:
        return []
    return [BY_NUMBER(key=key, number=str(wanted), stable=named.place or named.name.partition(" (hw:")[0])]


def _several(facts: SoundFacts, key: str, wanted: int | str) -> list[Finding]:
    """Tell of a part of a name that two cards in different ports share, as two of one make do."""
    part = str(wanted).casefold()
    if part in {"default", *(str(device.index) for device in facts.devices)}:
        return []
    fits = [device for device in facts.devices if part in device.name.casefold() and _serves(device, key)]
    places = sorted({device.place for device in fits if device.place})
    if len(places) < 2:
        return []
    named: dict[str, Value] = {"key": key, "name": str(wanted), "count": len(fits), "places": ", ".join(places)}
    return [AMBIGUOUS(**named, stable=places[0])]


def _serves(device: DeviceFacts, key: str) -> bool:
    """Tell whether it can be meant; one in use tells nothing of what it can do."""
    used = not device.microphone and not device.speaker
    return used or bool(device.microphone if key == "input" else device.speaker)


def _heard(heard: Heard) -> list[Finding]:
    if heard.stood_in:
        return [STOOD_IN(card=heard.card)]
    if not heard.blocks:
        return [SILENT(card=heard.card, seconds=heard.seconds)]
    if heard.peak <= DEAD:
        return [MUTED(card=heard.card, peak=heard.peak)]
    found = list[Finding]()
    if heard.clipped:
        found.append(CLIPPED(card=heard.card, clipped=heard.clipped, blocks=heard.blocks))
    elif heard.average > LOUD_ROOM:
        found.append(NOISY(card=heard.card, average=heard.average))
    share = heard.blocks * BLOCK_SECONDS / heard.seconds if heard.seconds else 0.0
    if share < FEWEST or heard.xruns > 2:
        found.append(LOST(card=heard.card, xruns=heard.xruns, seconds=heard.seconds, percent=share * 100.0))
    good = GOOD(card=heard.card, now=heard.now, average=heard.average, peak=heard.peak)
    return found or [good]
