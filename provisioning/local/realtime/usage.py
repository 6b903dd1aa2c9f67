"""PURE. What a conversation is billed: audio by the second, text by the letter, and all that was said again each time.

Audio tokens: one per 100 ms of the user, one per 50 ms of the assistant (developers.openai.com, "Realtime costs").
"""

from __future__ import annotations

from typing import Any, Final

USER_TOKENS_PER_SECOND: Final = 10
ASSISTANT_TOKENS_PER_SECOND: Final = 20
LETTERS_PER_TOKEN: Final = 4


class Ledger:
    """The tokens of one conversation."""

    def __init__(self, instructions: str) -> None:
        self._text = len(instructions) // LETTERS_PER_TOKEN
        self._audio = 0
        self._billed = 0

    def heard(self, seconds: float) -> None:
        """The user talked for `seconds`."""
        self._audio += round(seconds * USER_TOKENS_PER_SECOND)

    def read(self, text: str) -> None:
        """Somebody wrote `text`."""
        self._text += len(text) // LETTERS_PER_TOKEN

    def answered(self, text: str, seconds: float) -> dict[str, Any]:
        """Return the usage of a response that said `text` in `seconds` of sound."""
        made_text, made_audio = len(text) // LETTERS_PER_TOKEN, round(seconds * ASSISTANT_TOKENS_PER_SECOND)
        given, made = self._text + self._audio, made_text + made_audio
        usage = {
            "total_tokens": given + made,
            "input_tokens": given,
            "output_tokens": made,
            "input_token_details": {
                "text_tokens": self._text,
                "audio_tokens": self._audio,
                "image_tokens": 0,
                "cached_tokens": min(self._billed, given),
                "cached_tokens_details": self._cached(min(self._billed, given)),
            },
            "output_token_details": {"text_tokens": made_text, "audio_tokens": made_audio},
        }
        self._billed = given
        self._text += made_text
        self._audio += made_audio
        return usage

    def _cached(self, cached: int) -> dict[str, int]:
        text = min(cached, self._text)
        return {"text_tokens": text, "audio_tokens": cached - text, "image_tokens": 0}
