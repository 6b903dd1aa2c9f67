"""Keeps ALSA and JACK from writing to the terminal whatever they did not find while PortAudio looks around.

Both libraries let a program take their messages; nothing else that is written to stderr is touched.
"""

from __future__ import annotations

import ctypes
import logging
from contextlib import suppress
from typing import Final

_log = logging.getLogger(__name__)


def _hush_alsa(_file: bytes, _line: int, function: bytes, _code: int, text: bytes) -> None:
    _log.debug("ALSA: %s: %s", function.decode(errors="replace"), text.decode(errors="replace"))


def _hush_jack(text: bytes) -> None:
    _log.debug("JACK: %s", text.decode(errors="replace"))


# snd_lib_error_handler_t has further arguments for the format `text`; the C calling conventions that Linux uses
# let a function ignore arguments that follow its own.
_ALSA: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)(_hush_alsa)  # fmt: skip
_JACK: Final = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(_hush_jack)


def hush() -> None:
    """Send what ALSA and JACK have to say to the log, at DEBUG; does nothing where they are not installed."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_ALSA)
    with suppress(OSError, AttributeError):
        jack = ctypes.CDLL("libjack.so.0")
        jack.jack_set_error_function(_JACK)
        jack.jack_set_info_function(_JACK)
