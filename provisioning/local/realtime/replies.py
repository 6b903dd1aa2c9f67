"""PURE. What the stand-in understands and what it says to it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from provisioning.local.realtime.calling import GOODBYE, UNABLE, WISHES, spoken_minute

SPEECH: Final = "(speech)"
"""The transcript of speech that no known phrase matches."""

NOTHING_HEARD: Final = "Thank you for watching."
"""The transcript of silence: transcribers make up what their subtitles had in such places."""

STORY: Final = (
    "Once upon a time there was a small robot who lived on a kitchen shelf. Every morning it listened to the kettle, "
    "and every evening it listened to the rain. One day somebody pressed its only button and said hello. "
    "The robot thought for a moment, and answered. And since that day, nobody in the house has had breakfast alone."
)

ENGLISH: Final = {
    "hello": "Hello! It is nice to meet you. What shall we talk about?",
    "good morning": "Good morning! I hope you slept well.",
    "what is your name": "My name is Kaiwa. In Japanese, that means conversation.",
    "how are you": "Very well, thank you.",
    "what time is it": "It is {hour} {minute}.",
    "what can you do": "I can listen to you and answer, tell you a story or a joke, and stop whenever you talk over me.",
    "tell me a story": STORY,
    "tell me a joke": "Why did the robot go on holiday? It needed to recharge its batteries.",
    "who can hear us": "Everybody who has the link to this broadcast can hear both of us.",
    "where are you": "I am right here, inside this little box.",
    "stop please": "All right. I am listening.",
    "thank you": "You are welcome.",
    "goodbye": GOODBYE,
}
"""Phrase -> answer, where no tool is called for it."""

PHRASES: Final = tuple({**ENGLISH, **WISHES})
"""What the ears can tell apart; they sound unlike each other."""

LOST: Final = "I heard you, but I did not understand. You could ask me: what can you do?"

GREETING: Final = "Hello! I am listening."

STILL_THERE: Final = "Is anybody still there? I will hang up soon."

JAPANESE: Final = (
    "こんにちは。お話しできてうれしいです。",
    "はい、聞こえています。今日はどんなお話をしましょうか。",
    (
        "むかしむかし、台所の棚に小さなロボットが住んでいました。毎朝やかんの音を聞き、毎晩雨の音を聞いていました。"
        "ある日、だれかがたったひとつのボタンを押して、こんにちは、と言いました。"
    ),
    "ありがとうございます。また話しかけてくださいね。",
)
"""Answers in turn: the ears know no Japanese."""


def reply(heard: str, language: str, turn: int, now: datetime) -> str:
    """Return what to say to `heard` in the `turn`-th answer (from 0) of a conversation in `language`."""
    if language == "ja":
        return JAPANESE[turn % len(JAPANESE)]
    phrase = heard.strip(" .!?").lower()
    answer = ENGLISH.get(phrase, UNABLE if phrase in WISHES else LOST)
    return answer.format(hour=now.hour, minute=spoken_minute(now.minute))


def prompted(instructions: str) -> str:
    """Return what is said when the client tells, as the system, what to say."""
    wanted = instructions.lower()
    if "still there" in wanted:
        return STILL_THERE
    return GOODBYE if "goodbye" in wanted else GREETING


def sentence(phrase: str) -> str:
    """Return a known phrase as a person would write it."""
    question = phrase.split(maxsplit=1)[0] in {"what", "how", "who", "where"}
    return f"{phrase[0].upper()}{phrase[1:]}{'?' if question else '.'}"


def pieces(text: str) -> list[str]:
    """Cut an answer into the pieces in which its words arrive; joined they are `text`."""
    if " " not in text:
        return [text[index : index + 4] for index in range(0, len(text), 4)]
    words = text.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]
