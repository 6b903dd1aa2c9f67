"""PURE. The words of the pages about past sessions, in English and Japanese."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "ja"]

WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "title": "Conversations",
        "private": "Only for you: nothing on this page is public.",
        "none": "No conversation on this day.",
        "day.before": "Day before",
        "day.after": "Day after",
        "began": "Began (UTC)",
        "robot": "Robot",
        "group": "Group",
        "lasted": "Lasted",
        "talked": "Talked",
        "turns": "Answers",
        "answer": "Answer, p50",
        "ended": "Ended",
        "going": "goes on",
        "cost": "Cost",
        "reserved": "Put aside",
        "session": "Session",
        "reason": "Begun by",
        "broadcast": "Broadcast",
        "recorded": "Recorded",
        "recorded.yes": "yes, on the robot",
        "tools": "Tools called",
        "yes": "yes",
        "no": "no",
        "start": "Press to listening",
        "on_air": "Press to on air",
        "turn": "End of speech to answer",
        "network": "of it, network",
        "model": "of it, model",
        "device": "of it, robot",
        "sessions": "Conversations",
        "measured": "measured",
        "by.button": "button",
        "by.remote": "from afar",
        "by.idle": "silence",
        "by.longest": "longest time",
        "by.answered": "answered",
        "by.goodbye": "goodbye",
        "by.shutdown": "switched off",
        "missing": "There is no such session.",
        "language": "日本語",
    },
    "ja": {
        "title": "会話の記録",
        "private": "あなた専用のページです。公開されません。",
        "none": "この日の会話はありません。",
        "day.before": "前の日",
        "day.after": "次の日",
        "began": "開始 (UTC)",
        "robot": "ロボット",
        "group": "グループ",
        "lasted": "長さ",
        "talked": "会話の長さ",
        "turns": "応答",
        "answer": "応答 p50",
        "ended": "終了",
        "going": "継続中",
        "cost": "費用",
        "reserved": "予約額",
        "session": "セッション",
        "reason": "開始のきっかけ",
        "broadcast": "放送",
        "recorded": "録音",
        "recorded.yes": "あり (ロボット内)",
        "tools": "ツール呼び出し",
        "yes": "あり",
        "no": "なし",
        "start": "ボタンから聞き取りまで",
        "on_air": "ボタンから放送まで",
        "turn": "話し終わりから応答まで",
        "network": "うち通信",
        "model": "うちモデル",
        "device": "うちロボット",
        "sessions": "会話の数",
        "measured": "件",
        "by.button": "ボタン",
        "by.remote": "遠隔操作",
        "by.idle": "無言",
        "by.longest": "制限時間",
        "by.answered": "応答の完了",
        "by.goodbye": "お別れ",
        "by.shutdown": "電源オフ",
        "missing": "そのセッションはありません。",
        "language": "English",
    },
}
"""What each page says; both languages have the same keys."""


def cause(reason: str, words: dict[str, str]) -> str:
    """Return why a session began or ended, in words where there are some; as it was told otherwise."""
    told = reason.removeprefix("device: ")
    kind, _, by = told.partition(":")
    if kind == "remote" and by:
        return words["by.remote"]
    return words.get(f"by.{told}", reason)


def chosen(wanted: str, accepted: str) -> Language:
    """Return the language of a page: the one in the address (`wanted`), else the first known one that a browser accepts."""
    tags = [wanted, *(part.partition(";")[0].strip()[:2].lower() for part in accepted.split(","))]
    return next((language for tag in tags for language in WORDS if tag == language), "en")
