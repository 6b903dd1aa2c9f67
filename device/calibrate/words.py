"""PURE. What calibration says, in two languages; the figures behind the advice are those of hardware/README.md."""

from __future__ import annotations

from typing import Final

from device.doctor.findings import Outcome, Phrase

QUIETER_EN: Final = "Turn the speaker down, turn the microphone's gain down, or move them apart; then calibrate again."
QUIETER_JA: Final = "スピーカーの音量かマイクの感度を下げるか、両者を離して、もう一度測ってください。"

NOT_PLAYED: Final = Phrase(
    "calibrate.not_played",
    Outcome.FAILURE,
    "{card} did not take what it was to play",
    "{card} が再生する音を受け取りませんでした",
    "Run `kaiwa-device doctor`, and stop what else uses the card.",
    "`kaiwa-device doctor` を実行し、ほかに使っているものを止めてください。",
)
MUTED: Final = Phrase(
    "calibrate.muted",
    Outcome.FAILURE,
    "{card}: the microphone gives digital silence",
    "{card}: マイクが完全な無音です",
    "Look for a mute switch on it; then `alsamixer`, F4, and raise Capture.",
    "本体のミュートスイッチを確かめ、`alsamixer` で F4 を押して Capture を上げてください。",
)
UNHEARD: Final = Phrase(
    "calibrate.unheard",
    Outcome.WARNING,
    "{card}: the microphone heard {heard} of {chirps} chirps: the speaker is off, or the card takes echo out itself",
    "{card}: マイクが聞き取れたチャープは {chirps} 回中 {heard} 回です。スピーカーが切れているか、機器がエコーを除去しています",
    "Did you hear the chirps? Then run it again with --heard. If not, turn the speaker up.",
    "チャープが聞こえたなら --heard を付けて測り直し、聞こえなければスピーカーの音量を上げてください。",
)
TIMES: Final = Phrase(
    "calibrate.times",
    Outcome.OK,
    "{card}: delay {delay:.0f} ms (± {wander:.1f}), drift {drift:+.0f} ppm (± {error:.0f})",
    "{card}: 遅延 {delay:.0f} ms (± {wander:.1f})、クロック差 {drift:+.0f} ppm (± {error:.0f})",
)
LEVELS: Final = Phrase(
    "calibrate.levels",
    Outcome.OK,
    "noise floor {floor:.0f} dBFS; echo {echo:.0f} dBFS, {loss:.0f} dB below what is played",
    "雑音 {floor:.0f} dBFS、エコー {echo:.0f} dBFS (再生音より {loss:.0f} dB 低い)",
)
CANCELLED: Final = Phrase(
    "calibrate.cancelled",
    Outcome.OK,
    "software echo cancellation takes out {removed:.0f} dB, {after:.0f} dBFS are left",
    "ソフトウェアのエコー除去で {removed:.0f} dB 下がり、{after:.0f} dBFS 残ります",
)
NO_CANCELLER: Final = Phrase(
    "calibrate.no_canceller",
    Outcome.WARNING,
    "software echo cancellation is not installed",
    "ソフトウェアのエコー除去がインストールされていません",
    "`pip install pywebrtc-audio` into the robot's environment.",
    "ロボットの環境に `pip install pywebrtc-audio` を実行してください。",
)
CLIPPED: Final = Phrase(
    "calibrate.clipped",
    Outcome.WARNING,
    "the microphone touched full scale in {clipped} blocks; no canceller can take out what is bent",
    "マイクが {clipped} ブロックで振り切れました。ひずんだ音は除去できません",
    QUIETER_EN,
    QUIETER_JA,
)
LOUD: Final = Phrase(
    "calibrate.loud",
    Outcome.WARNING,
    "the echo is only {loss:.0f} dB below what is played: a visitor will hardly be able to interrupt",
    "エコーが再生音より {loss:.0f} dB しか低くないため、話に割り込みにくくなります",
    QUIETER_EN,
    QUIETER_JA,
)
NOISY: Final = Phrase(
    "calibrate.noisy",
    Outcome.WARNING,
    "the room is loud even when nothing is played, {floor:.0f} dBFS: pauses may be taken for speech",
    "何も再生していないときも {floor:.0f} dBFS の音があり、間が発話と見なされることがあります",
    "Look for a fan, turn the microphone's gain down, or let people hold the button to talk (`vad` in docs/panel.md).",
    "ファンなどの音源を探すか、マイクの感度を下げるか、ボタンを押して話す方式 (docs/panel.md の `vad`) にしてください。",
)
DRIFTING: Final = Phrase(
    "calibrate.drifting",
    Outcome.WARNING,
    "the clocks of microphone and speaker differ by {drift:+.0f} ppm; tried is up to 100",
    "マイクとスピーカーのクロックが {drift:+.0f} ppm ずれています。確認済みの範囲は 100 までです",
    "Use one card for both: a speakerphone, or microphone and amplifier on one I2S bus.",
    "スピーカーフォンや、同じ I2S につないだマイクとアンプなど、一つのカードで両方を使ってください。",
)
HOLES: Final = Phrase(
    "calibrate.holes",
    Outcome.WARNING,
    "what was played had holes: {holes}",
    "再生した音が {holes} か所で途切れました",
    "See with `kaiwa-device doctor` whether the cores are busy or the card loses sound, then calibrate again.",
    "`kaiwa-device doctor` でコアの負荷や音切れを確かめ、もう一度測ってください。",
)
WANDERING: Final = Phrase(
    "calibrate.wandering",
    Outcome.WARNING,
    "the delay wanders by {wander:.0f} ms",
    "遅延が {wander:.0f} ms ゆれています",
    'Speak to ALSA directly (`input = "hw"`), not through a sound server, and see that the cores are not busy.',
    '音声サーバーを通さず ALSA を直接使い (`input = "hw"`)、コアに余裕があるか確かめてください。',
)
TOO_DEAR: Final = Phrase(
    "calibrate.too_dear",
    Outcome.NOTE,
    "software echo cancellation would be safe here, but a {board} has not the time for it beside a broadcast",
    "ソフトウェアのエコー除去も安全ですが、{board} では配信と同時に動かす余裕がありません",
    'Without a broadcast (`[broadcast] enabled = false`) you may write `[echo] mode = "aec3"`; `kaiwa-device doctor` says'
    " whether it fits.",
    '配信しないなら (`[broadcast] enabled = false`) `[echo] mode = "aec3"` にできます。余裕は `kaiwa-device doctor` で分かります。',
)
SAFE: Final = Phrase(
    "calibrate.safe",
    Outcome.OK,
    'safe here: [echo] mode = "{mode}"',
    'ここで安全なのは [echo] mode = "{mode}" です',
)
CHOSEN: Final = Phrase(
    "calibrate.chosen",
    Outcome.OK,
    'so here it is [echo] mode = "{mode}": nobody can interrupt the robot by voice',
    'そのため [echo] mode = "{mode}" とします。声で割り込めなくなります',
)
LAST_RESORT: Final = Phrase(
    "calibrate.last_resort",
    Outcome.WARNING,
    'safe here is only [echo] mode = "{mode}": nobody can interrupt the robot by voice',
    'ここで安全なのは [echo] mode = "{mode}" だけです。声で割り込めなくなります',
    QUIETER_EN,
    QUIETER_JA,
)
