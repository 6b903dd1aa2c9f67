// Every word the page says, in English and Japanese, and how it gets into the document.

import { keep, kept } from "./kept.js";

const WORDS = {
  en: {
    "language.other": "日本語",
    "language.switch": "日本語で表示する",
    "skip": "Skip to the captions",
    "brand.home": "Kaiwa: all robots",
    "tools": "Page settings",
    "big": "Large text",
    "share": "Share this page",
    "share.text": "Listen to {name} talking, live",
    "share.qr": "QR code with the address of this page",
    "share.hint": "Point a phone at it to listen there, too.",
    "share.copy": "Copy the link",
    "share.system": "Share…",
    "share.close": "Close",
    "share.copied": "Link copied",
    "share.failed": "Copy the address from the address bar",
    "air.on": "On air",
    "air.late": "On air, {seconds} s late",
    "air.off": "Off air",
    "viewers": "{count} watching",
    "viewers.one": "1 watching",
    "voice.user": "Visitor",
    "voice.assistant": "Robot",
    "meter.user": "Loudness of the visitor",
    "meter.assistant": "Loudness of {name}",
    "state.connecting": "Connecting…",
    "state.unknown": "There is no robot of this name here yet",
    "state.offline": "Offline",
    "state.waking": "Waking up",
    "state.waiting": "Waiting for someone to talk to",
    "state.announcing": "About to start a conversation",
    "state.preparing": "Getting ready to talk",
    "state.listening": "Listening",
    "state.muted": "The microphone is closed",
    "state.thinking": "Thinking",
    "state.speaking": "Speaking",
    "state.offair": "Talking, but not on air",
    "state.reconnecting": "Reconnecting for a moment",
    "state.ending": "Saying goodbye",
    "state.closing": "{state}, it ends soon",
    "state.ended": "The conversation has ended",
    "state.stopped": "Switched off for now",
    "state.trouble": "Something went wrong",
    "listen": "Listen",
    "listen.armed": "Listen when it starts",
    "listen.stop": "Stop listening",
    "direct": "Low delay",
    "direct.why": "Joins the broadcast itself: hardly any delay, more data",
    "mute": "Mute",
    "unmute": "Sound on",
    "volume": "Volume",
    "sound.armed": "The sound will start by itself",
    "sound.opening": "Fetching the sound…",
    "sound.playing": "Live",
    "sound.behind": "Live · {seconds} s behind",
    "sound.direct": "Live, as it is said",
    "sound.fellback": "Low delay cannot be had from here; the sound goes on with some delay",
    "sound.buffering": "Waiting for sound…",
    "sound.retrying": "The sound is gone; trying again…",
    "sound.blocked": "Tap Listen once more to allow sound",
    "sound.unsupported": "This browser cannot play the sound; the captions go on",
    "captions": "Conversation",
    "captions.empty.live": "Words appear here as they are spoken.",
    "captions.empty.waiting": "When somebody talks with {name}, you can follow every word here.",
    "captions.empty.offair": "This conversation stays in the room.",
    "captions.empty.offline": "When {name} is back, this page shows it by itself.",
    "captions.jump": "Latest words",
    "captions.approximate": "approximate",
    "captions.approximate.why": "What visitors say is written down by a machine and may be wrong",
    "captions.save": "Save the conversation",
    "captions.note": "Synthetic voice. A machine writes down what visitors say.",
    "link.lost": "Connection lost. Trying again…",
    "replay.badge": "Recording",
    "replay.play": "Play",
    "replay.pause": "Pause",
    "replay.seek": "Place in the recording",
    "replay.tracks": "What is heard",
    "replay.track.mixed": "Both",
    "replay.track.near": "Visitor",
    "replay.track.played": "Robot",
    "replay.empty": "Words appear here as the recording is played.",
    "replay.about": "About this conversation",
    "replay.began": "Began",
    "replay.seconds": "Length",
    "replay.reason": "Begun by",
    "replay.end_reason": "Ended by",
    "replay.by.button": "button",
    "replay.by.remote": "from afar",
    "replay.by.idle": "silence",
    "replay.by.longest": "longest time",
    "replay.by.answered": "answered",
    "replay.by.goodbye": "goodbye",
    "replay.by.shutdown": "switched off",
    "replay.consent": "Consent",
    "replay.consent.posted": "a sign at the robot",
    "replay.consent.asked": "asked for, and given",
    "replay.model": "Model",
    "replay.cost": "Cost",
    "replay.answers": "Answers",
    "replay.answers.median": "{count}, half of them within {median} ms",
    "replay.cut": "Not whole",
    "replay.cut.why": "the robot stopped in the middle",
    "replay.lost": "Lost sound",
    "replay.answer": "Answer after {total} ms",
    "replay.answer.parts": "network {network}, model {model}, robot {device} ms",
    "replay.tool": "Tool {tool}",
    "replay.fault": "Fault {code}",
    "list.title": "Robots",
    "list.lead": "Step in and listen.",
    "list.empty": "No robot has reported yet. This page shows the first one by itself.",
    "list.lost": "The list cannot be reached. Trying again…",
  },
  ja: {
    "language.other": "English",
    "language.switch": "Show in English",
    "skip": "字幕へ移動",
    "brand.home": "会話：ロボット一覧",
    "tools": "表示の設定",
    "big": "大きな文字",
    "share": "このページを共有",
    "share.text": "{name}の会話を生中継で聞いています",
    "share.qr": "このページのアドレスのQRコード",
    "share.hint": "スマートフォンで読み取ると、そちらでも聞けます。",
    "share.copy": "リンクをコピー",
    "share.system": "共有…",
    "share.close": "閉じる",
    "share.copied": "リンクをコピーしました",
    "share.failed": "アドレス欄からコピーしてください",
    "air.on": "放送中",
    "air.late": "放送中・{seconds}秒遅れ",
    "air.off": "放送休止",
    "viewers": "{count}人が見ています",
    "viewers.one": "1人が見ています",
    "voice.user": "お客さま",
    "voice.assistant": "ロボット",
    "meter.user": "お客さまの声の大きさ",
    "meter.assistant": "{name}の声の大きさ",
    "state.connecting": "接続しています…",
    "state.unknown": "この名前のロボットはまだいません",
    "state.offline": "オフライン",
    "state.waking": "起動しています",
    "state.waiting": "話しかけられるのを待っています",
    "state.announcing": "まもなく会話を始めます",
    "state.preparing": "会話の準備をしています",
    "state.listening": "聞いています",
    "state.muted": "マイクを切っています",
    "state.thinking": "考えています",
    "state.speaking": "話しています",
    "state.offair": "会話中（放送はしていません）",
    "state.reconnecting": "つなぎ直しています",
    "state.ending": "お別れのあいさつ中です",
    "state.closing": "{state}（まもなく終わります）",
    "state.ended": "会話は終わりました",
    "state.stopped": "お休みしています",
    "state.trouble": "うまくいきませんでした",
    "listen": "音声を聞く",
    "listen.armed": "始まったら聞く",
    "listen.stop": "聞くのをやめる",
    "direct": "低遅延",
    "direct.why": "放送に直接つながります。ほとんど遅れませんが、通信量は増えます",
    "mute": "消音",
    "unmute": "消音を解除",
    "volume": "音量",
    "sound.armed": "始まると自動で音声が流れます",
    "sound.opening": "音声を取得しています…",
    "sound.playing": "ライブ",
    "sound.behind": "ライブ・{seconds}秒遅れ",
    "sound.direct": "ライブ・ほぼ遅れなし",
    "sound.fellback": "ここからは低遅延でつながりません。遅れのある音声に切り替えました",
    "sound.buffering": "音声を待っています…",
    "sound.retrying": "音声が途切れました。再接続しています…",
    "sound.blocked": "もう一度「音声を聞く」を押してください",
    "sound.unsupported": "このブラウザでは音声を再生できません。字幕は表示されます",
    "captions": "会話",
    "captions.empty.live": "話した言葉がここに表示されます。",
    "captions.empty.waiting": "だれかが{name}と話し始めると、ここで会話を読むことができます。",
    "captions.empty.offair": "この会話は放送されていません。",
    "captions.empty.offline": "{name}が戻ると、自動で表示が変わります。",
    "captions.jump": "最新の発言へ",
    "captions.approximate": "聞き取り",
    "captions.approximate.why": "お客さまの言葉は機械による聞き取りのため、正確でないことがあります",
    "captions.save": "会話を保存",
    "captions.note": "声は合成音声、お客さまの言葉は機械による聞き取りです。",
    "link.lost": "接続が切れました。再接続しています…",
    "replay.badge": "録音",
    "replay.play": "再生",
    "replay.pause": "一時停止",
    "replay.seek": "再生位置",
    "replay.tracks": "聞く音声",
    "replay.track.mixed": "両方",
    "replay.track.near": "お客さま",
    "replay.track.played": "ロボット",
    "replay.empty": "再生すると、話した言葉がここに表示されます。",
    "replay.about": "この会話について",
    "replay.began": "開始",
    "replay.seconds": "長さ",
    "replay.reason": "開始のきっかけ",
    "replay.end_reason": "終了の理由",
    "replay.by.button": "ボタン",
    "replay.by.remote": "遠隔操作",
    "replay.by.idle": "無言",
    "replay.by.longest": "制限時間",
    "replay.by.answered": "応答の完了",
    "replay.by.goodbye": "お別れ",
    "replay.by.shutdown": "電源オフ",
    "replay.consent": "同意",
    "replay.consent.posted": "ロボットのそばの掲示",
    "replay.consent.asked": "尋ねて同意を得た",
    "replay.model": "モデル",
    "replay.cost": "費用",
    "replay.answers": "応答",
    "replay.answers.median": "{count}回、半数は{median}ミリ秒以内",
    "replay.cut": "不完全",
    "replay.cut.why": "ロボットが途中で止まりました",
    "replay.lost": "欠けた音声",
    "replay.answer": "応答まで{total}ミリ秒",
    "replay.answer.parts": "通信{network}、モデル{model}、ロボット{device}ミリ秒",
    "replay.tool": "ツール {tool}",
    "replay.fault": "障害 {code}",
    "list.title": "ロボット",
    "list.lead": "会話をのぞいてみましょう。",
    "list.empty": "まだロボットがいません。最初の1台が現れると自動で表示されます。",
    "list.lost": "一覧を取得できません。再試行しています…",
  },
};

// Adds the words of another page, by language.
export function learn(words) {
  for (const [tongue, more] of Object.entries(words)) Object.assign(WORDS[tongue], more);
}

const KEY = "kaiwa.language";

function preferred() {
  const chosen = kept(KEY);
  if (chosen in WORDS) return chosen;
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => tag in WORDS) ?? "en";
}

let language = preferred();
const listeners = new Set();

// The language in use: "en" or "ja".
export const currentLanguage = () => language;

// The words for `key`, with each {name} in them replaced from `values`.
export function t(key, values = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// Calls `listener` now and whenever the language changes.
export function onLanguage(listener) {
  listeners.add(listener);
  listener();
}

// Takes the other language and keeps the choice.
export function switchLanguage() {
  language = language === "en" ? "ja" : "en";
  keep(KEY, language);
  for (const listener of listeners) listener();
}

// Fills every element that names its words: data-t for text, data-t-label for a label and tooltip,
// data-t-title for a tooltip alone, data-t-alt for a picture.
export function fill(root, values = {}) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t, values);
  for (const element of root.querySelectorAll("[data-t-label]")) {
    element.ariaLabel = element.title = t(element.dataset.tLabel, values);
  }
  for (const element of root.querySelectorAll("[data-t-title]")) element.title = t(element.dataset.tTitle, values);
  for (const element of root.querySelectorAll("[data-t-alt]")) element.alt = t(element.dataset.tAlt, values);
}
