"""A client made of sora_sdk, in a process of its own because that library does not survive the interpreter's end.

`python -m tests.provisioning.local.imageflux.sora_sdk_child URL CHANNEL ROLE [HERTZ]`: prints one JSON object a line
for everything that happens, disconnects when its standard input ends. A sender sends a tone, a receiver tells the
level and the frequency of each second it hears.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import numpy as np
from sora_sdk import Sora, SoraAudioSink

RATE = 48_000
CHUNK = 480


def tell(event: str, **details: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **details}) + "\n")
    sys.stdout.flush()


class Ear:
    """Measures what a track plays, second by second."""

    def __init__(self) -> None:
        self._heard = np.zeros(0, np.int16)

    def __call__(self, samples: Any) -> None:
        self._heard = np.concatenate([self._heard, samples.reshape(-1)])
        if self._heard.size >= RATE:
            second, self._heard = self._heard[:RATE].astype(float), self._heard[RATE:]
            spectrum = np.abs(np.fft.rfft(second))
            tell("heard", rms=float(np.sqrt(np.mean(second**2))), hertz=int(spectrum.argmax()))


def send_tone(source: Any, hertz: float, stop: threading.Event) -> None:
    began, number = time.monotonic(), 0
    while not stop.is_set():
        at = (np.arange(CHUNK) + number * CHUNK) / RATE
        source.on_data((11_627 * np.sin(2 * np.pi * hertz * at)).astype(np.int16).reshape(-1, 1))  # -12 dBFS
        number += 1
        time.sleep(max(0.0, began + number * CHUNK / RATE - time.monotonic()))


def main(url: str, channel: str, role: str, hertz: float = 0.0) -> None:
    sora = Sora()
    source = sora.create_audio_source(1, RATE) if role == "sendonly" else None
    params = {"maxplaybackrate": 16_000, "stereo": False, "sprop_stereo": False, "usedtx": True} if source else None
    sinks: list[Any] = []
    connection = sora.create_connection(
        signaling_urls=[url],
        role=role,
        channel_id=channel,
        audio=True,
        video=False,
        audio_source=source,
        audio_opus_params=params,
    )

    def on_track(track: Any) -> None:
        sink: Any = SoraAudioSink(track, RATE, 1)  # type: ignore[no-untyped-call]  # the library has no types
        sink.on_data = Ear()
        sinks.append((track, sink))

    connection.on_track = on_track
    connection.on_set_offer = lambda text: tell("offer", message=json.loads(text))
    connection.on_notify = lambda text: tell("notify", message=json.loads(text))
    connection.on_push = lambda text: tell("push", message=json.loads(text))
    connection.on_ws_close = lambda code, reason: tell("ws_close", code=code, reason=reason)
    connection.on_disconnect = lambda code, reason: tell("disconnect", code=str(code), reason=reason)
    stop = threading.Event()
    connection.connect()
    if source is not None:
        threading.Thread(target=send_tone, args=(source, hertz, stop), daemon=True).start()
    sys.stdin.read()
    tell("stats", stats=json.loads(connection.get_stats()))
    connection.disconnect()
    stop.set()
    tell("done")
    os._exit(0)  # its threads crash when the interpreter is taken down


if __name__ == "__main__":
    address, channel_id, wanted_role, *tone = sys.argv[1:]
    main(address, channel_id, wanted_role, *map(float, tone))
