"""PURE. The words in the picture that nobody says, in English and Japanese."""

from __future__ import annotations

from typing import Final

from device.phase import Phase

ON_AIR: Final = ("ON AIR", "放送中")
OFF_AIR: Final = ("OFF AIR", "放送休止")
MUTED: Final = ("Microphone closed", "マイク停止中")
VISITOR: Final = ("Visitor", "お客さま")
ROBOT: Final = ("Robot", "ロボット")

PHASES: Final[dict[Phase, tuple[str, str]]] = {
    Phase.STARTING: ("Waking up", "起動中"),
    Phase.OFFLINE: ("Offline", "オフライン"),
    Phase.IDLE: ("Waiting", "待機中"),
    Phase.ANNOUNCING: ("About to start", "まもなく開始"),
    Phase.PREPARING: ("Getting ready", "準備中"),
    Phase.LISTENING: ("Listening", "聞いています"),
    Phase.THINKING: ("Thinking", "考えています"),
    Phase.SPEAKING: ("Speaking", "話しています"),
    Phase.RECONNECTING: ("Reconnecting", "再接続中"),
    Phase.ENDING: ("Goodbye", "さようなら"),
    Phase.FAULT: ("Something went wrong", "問題が起きました"),
    Phase.STOPPED: ("Switched off", "停止中"),
}
"""What the robot does."""
