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
    Outcome.FAILURE,
    "{card}: the microphone heard {heard} of {chirps} chirps: the speaker is off, or the card takes echo out itself",
    "{card}: マイクが聞き取れたチャープは {chirps} 回中 {heard} 回です。スピーカーが切れているか、機器がエコーを除去しています",
    "Did you hear the chirps? Then see with `kaiwa-device doctor --record 3` that the microphone hears you, and run this"
    " again with --heard. If not, turn the speaker up.",
    "チャープが聞こえたなら `kaiwa-device doctor --record 3` でマイクが働くことを確かめ、--heard を付けて測り直してください。"
    "聞こえなければスピーカーの音量を上げてください。",
)
LEAKING: Final = Phrase(
    "calibrate.leaking",
    Outcome.FAILURE,
    "{card}: you heard the chirps and the microphone did not, but the noise after them is {above:.0f} dB above its floor",
    "{card}: チャープはマイクに入りませんでしたが、続く雑音が雑音レベルより {above:.0f} dB 高く入っています",
    "The card takes out a part of the echo only, or makes it unrecognisable: switch its own processing off and calibrate"
    " again without --heard.",
    "機器のエコー除去が不完全か、音を変えています。機器側の処理を切り、--heard なしで測り直してください。",
)
PATCHY: Final = Phrase(
    "calibrate.patchy",
    Outcome.FAILURE,
    "{card}: the microphone heard only {heard} of {chirps} chirps, although the echo is {above:.0f} dB above its floor",
    "{card}: エコーは雑音レベルより {above:.0f} dB 高いのに、聞き取れたチャープは {chirps} 回中 {heard} 回だけです",
    "It drops out, switches itself off between sounds, or somebody made a noise: look for a loose plug and a noise gate,"
    " be quiet, and calibrate again.",
    "音切れ、無音時の自動停止、または物音です。プラグの緩みとノイズゲートを確かめ、静かにしてもう一度測ってください。",
)
FLOODED: Final = Phrase(
    "calibrate.flooded",
    Outcome.FAILURE,
    "{card}: the microphone gives {floor:.0f} dBFS while nothing is played: overdriven, broken, or somebody spoke",
    "{card}: 何も再生していないのにマイクが {floor:.0f} dBFS です。過大入力か故障、または話し声です",
    "Be quiet meanwhile, turn the microphone's gain down (`alsamixer`, F4), and see its level with `kaiwa-device doctor`.",
    "測定中は静かにし、マイクの音量を下げ (`alsamixer`、F4)、`kaiwa-device doctor` で確かめてください。",
)
STARVED: Final = Phrase(
    "calibrate.starved",
    Outcome.FAILURE,
    "{card}: of the noise, {played:.0f} dBFS reached the speaker in place of {given:.0f}: a part was never played",
    "{card}: 雑音はスピーカーに {given:.0f} dBFS のはずが {played:.0f} dBFS で、一部は再生されていません",
    "See with `kaiwa-device doctor` whether the cores are busy or the card loses sound, then calibrate again.",
    "`kaiwa-device doctor` でコアの負荷や音切れを確かめ、もう一度測ってください。",
)
TORN: Final = Phrase(
    "calibrate.torn",
    Outcome.FAILURE,
    "what was played had holes: {holes}; such a measurement cannot be believed",
    "再生した音が {holes} か所で途切れ、測定を信頼できません",
    STARVED.fix_en,
    STARVED.fix_ja,
)
UNSTEADY: Final = Phrase(
    "calibrate.unsteady",
    Outcome.FAILURE,
    "the delay wandered by {wander:.0f} ms; no canceller was tried on that, and the measurement may be torn",
    "遅延が {wander:.0f} ms ゆれました。確認済みの範囲を超え、測定が乱れた可能性があります",
    'Speak to ALSA directly (`input = "hw"`), not through a sound server, see that the cores are not busy, and calibrate again.',
    '音声サーバーを通さず ALSA を直接使い (`input = "hw"`)、コアに余裕があるか確かめ、もう一度測ってください。',
)
IMPOSSIBLE_DRIFT: Final = Phrase(
    "calibrate.impossible_drift",
    Outcome.FAILURE,
    "the clocks seem to differ by {drift:+.0f} ppm (± {error:.0f}), which no two sound cards do: the measurement is torn",
    "クロック差が {drift:+.0f} ppm (± {error:.0f}) となりましたが、実際にはありえず、測定が乱れています",
    STARVED.fix_en,
    STARVED.fix_ja,
)
VAGUE_DRIFT: Final = Phrase(
    "calibrate.vague_drift",
    Outcome.FAILURE,
    "how far the clocks are apart is known to ± {error:.0f} ppm only ({drift:+.0f}): chirps came too early or too late",
    "クロック差は ± {error:.0f} ppm でしかわかりません ({drift:+.0f})。チャープの間隔が乱れました",
    STARVED.fix_en,
    STARVED.fix_ja,
)
TOO_EARLY: Final = Phrase(
    "calibrate.too_early",
    Outcome.FAILURE,
    "the echo seems to come {early:.0f} ms before what it is the echo of",
    "エコーが元の音より {early:.0f} ms 早く届いたことになっています",
    "Microphone and speaker give wrong times: take one card for both, not a sound server, and calibrate again.",
    "マイクとスピーカーの時刻が合っていません。音声サーバーを通さず一つのカードで両方を使い、もう一度測ってください。",
)
TOO_LATE: Final = Phrase(
    "calibrate.too_late",
    Outcome.FAILURE,
    "the echo comes {delay:.0f} ms after what was played; tried is up to 250",
    "エコーが再生から {delay:.0f} ms 遅れて届きます。確認済みの範囲は 250 ms までです",
    'No wireless speaker, and no sound server in between (`input = "hw"`, `output = "hw"`); then calibrate again.',
    'ワイヤレススピーカーや音声サーバーを使わず (`input = "hw"`、`output = "hw"`)、もう一度測ってください。',
)
OUT_OF_REACH: Final = Phrase(
    "calibrate.out_of_reach",
    Outcome.FAILURE,
    "too much is left of the echo, and it comes {delay:.0f} ms late: half duplex opens the microphone {tail:.0f} ms after the last"
    " sound, and would let it in",
    "エコーが残りすぎるうえ {delay:.0f} ms 遅れて届きます。半二重は最後の音の {tail:.0f} ms 後にマイクを開くため、防げません",
    TOO_LATE.fix_en,
    TOO_LATE.fix_ja,
)
UNDECIDED: Final = Phrase(
    "calibrate.undecided",
    Outcome.NOTE,
    "so no mode is called safe; the settings stay as they are",
    "そのため、安全なモードは判定しません。設定は変えていません",
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
    "ファンなどの音源を探すか、マイクの感度を下げるか、ボタンを押して話す方式 (docs/panel.ja.md の `vad`) にしてください。",
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
