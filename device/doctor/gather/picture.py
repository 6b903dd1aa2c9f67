"""Looks at the picture of the broadcast: what drawing and encoding it costs."""

from __future__ import annotations

import time
from itertools import cycle
from typing import Final

from device.messages.reports import Levels, Speaker
from device.phase import Phase
from device.picture.skin import HEIGHT, WIDTH
from device.realtime.captions import Captioned
from device.rtc.h264 import CLOCK, KEY_SECONDS, H264Encoder
from device.sora.picture import studio
from device.sora.settings import BroadcastSettings

SECONDS: Final = 2.0
"""How long the trial conversation is, by its own clock."""

_LOUD: Final = (-50.0, -30.0, -22.0, -17.0, -25.0, -40.0, -20.0)
"""dBFS, one for each picture: a mouth that never stands still."""
_WORDS: Final = ("What can you tell me about this exhibit, please? ", "この展示について、何か教えてもらえますか。")


def gather_picture(settings: BroadcastSettings) -> float:
    """Return the share of one core that the picture takes in a lively conversation; 0 where there is none.

    Fonts are opened before, as they are when the robot starts. Takes some tenths of a second on a server.

    Raises:
        SettingsError: skin or font cannot be used.
        CodecError: there is no such encoder.
    """
    levels = cycle(_LOUD)
    shown = studio(settings, "trial", lambda: Levels(user=next(levels), assistant=next(levels)))
    if shown is None:
        return 0.0
    rate, encoder = settings.picture_rate, settings.picture_encoder
    h264 = H264Encoder(WIDTH, HEIGHT, rate=rate, bit_rate=settings.picture_bit_rate, encoder=encoder)
    shown.scene.stand(Phase.SPEAKING, on_air=True, muted=False)
    began = time.process_time()
    for number in range(round(SECONDS * rate)):
        now = number / rate
        words = _WORDS[number // rate % len(_WORDS)]
        text = words[: 3 * (number % rate + 1)]
        shown.scene.caption(Captioned(str(number // rate), Speaker.ASSISTANT, text, now, now + 0.1, final=False), now)
        whole = number % round(KEY_SECONDS * rate) == 0
        h264.encode(shown.draw(shown.look(now)), round(now * CLOCK), whole=whole)
    return (time.process_time() - began) / SECONDS
