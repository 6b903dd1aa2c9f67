"""PURE. What an ImageFlux channel is made with, and the documented ranges of it.

Fields and ranges are those of the public documentation (console.imageflux.jp/docs/live/api;
imageflux-jp/livestreaming-beta-doc, api.md).
"""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec

from device.messages.settings import Settings

AUDIO_RATES: Final = tuple(
    1000 * kbps for kbps in (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
)  # fmt: skip
"""The bit rates of HLS audio, bit/s; every other one is floored to the next lower by the service."""


class VideoCodec(StrEnum):
    """The H.264 profiles of HLS video."""

    HIGH = "h264_high"
    MAIN = "h264_main"
    BASELINE = "h264_baseline"


Pixels = Annotated[int, msgspec.Meta(ge=36, le=4096)]


class HlsVideo(Settings, frozen=True):
    """The picture of one rendition; the service transcodes to it whatever is published."""

    width: Pixels = 640
    height: Pixels = 360
    fps: Annotated[int, msgspec.Meta(ge=1)] = 15
    bps: Annotated[int, msgspec.Meta(ge=1)] = 500_000
    codec: VideoCodec = VideoCodec.HIGH


class HlsRendition(Settings, frozen=True):
    """One rendition; several make an adaptive playlist.

    Whether the service makes a playlist of a broadcast without a picture is documented nowhere, so `video` is sent
    always unless it is switched off; `audio_bps` is floored to `AUDIO_RATES` by the service.
    """

    segment_seconds: Annotated[int, msgspec.Meta(ge=1)] = 1
    start_offset: float = -2.0
    """`EXT-X-START:TIME-OFFSET` of the playlist, seconds; negative counts from the live edge."""
    audio_bps: Annotated[int, msgspec.Meta(ge=1, le=AUDIO_RATES[-1])] = 96_000
    video: HlsVideo | Literal[False] = HlsVideo()
    archive_destination: Annotated[str, msgspec.Meta(max_length=255)] = ""
    """Where the service keeps this rendition, by the id that it gave the destination; nowhere when empty. Only sessions at
    robots whose visitors have agreed to a recording are kept."""

    def as_sent(self) -> dict[str, Any]:
        """Return the element of the request's `hls` list."""
        element: dict[str, Any] = {
            "durationSeconds": self.segment_seconds,
            "startTimeOffset": self.start_offset,
            "audio": {"bps": self.audio_bps},
        }
        if self.video:
            element["video"] = msgspec.to_builtins(self.video)
        if self.archive_destination:
            element["archive"] = {"archive_destination_id": self.archive_destination}
        return element


class ChannelOptions(Settings, frozen=True):
    """What a channel is made with: renditions (none: no HLS), webhooks, and the key server of encrypted playlists."""

    renditions: Annotated[list[HlsRendition], msgspec.Meta(max_length=8)] = msgspec.field(
        default_factory=lambda: [HlsRendition()]
    )
    auth_webhook_url: Annotated[str, msgspec.Meta(pattern="^(https?://.*)?$")] = ""
    event_webhook_url: Annotated[str, msgspec.Meta(pattern="^(https?://.*)?$")] = ""
    encrypt_key_uri: Annotated[str, msgspec.Meta(pattern="^(https://.*)?$")] = ""
    push_captions: bool = False
    """Push captions to the channel (Sora's PushChannel), for those who join it by other means than our page."""
    low_delay: bool = False
    """Tell observers how to join the channel themselves, by WebRTC. Whoever knows that can also try to speak in it."""

    @property
    def unarchived(self) -> ChannelOptions:
        """The same, with nothing kept."""
        renditions = [msgspec.structs.replace(each, archive_destination="") for each in self.renditions]
        return msgspec.structs.replace(self, renditions=renditions)

    def as_sent(self) -> dict[str, Any]:
        """Return the request body; what is empty is left out."""
        links = ("auth_webhook_url", "event_webhook_url", "encrypt_key_uri")
        body: dict[str, Any] = {name: getattr(self, name) for name in links if getattr(self, name)}
        if self.renditions:
            body["hls"] = [rendition.as_sent() for rendition in self.renditions]
        return body


def floored_audio_bps(bps: int) -> int:
    """Return the audio bit rate the service will use for `bps`: the next lower of `AUDIO_RATES`, or the lowest."""
    return AUDIO_RATES[max(0, bisect_right(AUDIO_RATES, bps) - 1)]
