"""Playlists and segments over HTTP, for players of any origin."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Final

from aiohttp import web

from provisioning.channels import floored_audio_bps
from provisioning.local.imageflux.captions import webvtt
from provisioning.local.imageflux.channels import Channel, Programme
from provisioning.local.imageflux.playlist import CAPTIONS, as_captions, as_served, captioned, spans
from provisioning.local.imageflux.segments import PLAYLIST, PRIMING, RATE

ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}
NO_STORE: Final = ANY_ORIGIN | {"Cache-Control": "no-store"}
FOR_EVER: Final = ANY_ORIGIN | {"Cache-Control": "public, max-age=31536000, immutable"}
"""A segment's name is never used twice."""

_CONNECTION: Final = re.compile(r"[0-9A-Z]{26}")
CAPTIONED: Final = "captioned.m3u8"
"""A master playlist that names the captions, for players that look for them in HLS."""

_FILE: Final = re.compile(
    rf"^(?:(?P<rendition>\d)/)?(?:(?P<playlist>{re.escape(PLAYLIST)})|(?P<segment>\d+\.ts)"
    rf"|(?P<captions>{re.escape(CAPTIONS)})|(?P<captioned>{re.escape(CAPTIONED)})|(?P<words>\d+)\.vtt)$"
)
MPEGURL: Final = "application/vnd.apple.mpegurl"


class Files:
    """Serves what the streams wrote below `root`, as `{channel}/{connection}/[{rendition}/]{file}`."""

    def __init__(self, root: Path, channels: dict[str, Channel]) -> None:
        self._root, self._channels = root, channels

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with one file, or 404."""
        named, connection, file = (request.match_info[part] for part in ("channel", "connection", "file"))
        channel, name = self._channels.get(named), _FILE.match(file)
        if channel is None or name is None or not _CONNECTION.fullmatch(connection):
            return _missing()
        folder = self._root / named / connection / (name["rendition"] or "")
        if name["segment"]:
            return _segment(channel, folder / name["segment"])
        programme = channel.programmes.get(connection)
        if programme is None or not (folder / PLAYLIST).is_file():
            return _missing()
        return _made(channel, programme, name, (folder / PLAYLIST).read_text())

    async def preflight(self, _request: web.Request) -> web.Response:
        """Answer a browser that asks first."""
        return web.Response(status=204, headers=ANY_ORIGIN | {"Access-Control-Allow-Headers": "*"})


def _segment(channel: Channel, path: Path) -> web.StreamResponse:
    headers = FOR_EVER | {"Content-Type": "video/mp2t"}
    if not path.is_file():
        return _missing()
    if channel.encryption is None:
        return web.FileResponse(path, headers=headers)
    return web.Response(body=channel.encryption.encrypted(path.read_bytes(), int(path.stem)), headers=headers)


def _made(channel: Channel, programme: Programme, name: re.Match[str], written: str) -> web.Response:
    wish = channel.renditions[int(name["rendition"] or 0)]
    if name["words"]:
        return _words(channel, programme, written, name["words"])
    if name["captioned"]:
        written = captioned(PLAYLIST, floored_audio_bps(wish.audio.bps), programme.codecs[int(name["rendition"] or 0)])
    elif name["captions"]:
        written = as_captions(written, programme.date_shift)
    elif "#EXTINF" in written:
        key = channel.encryption.tag() if channel.encryption else ""
        written = as_served(written, wish.startTimeOffset, programme.date_shift, key)
    return web.Response(text=written, content_type=MPEGURL, headers=NO_STORE)


def _words(channel: Channel, programme: Programme, written: str, number: str) -> web.Response:
    span = spans(written, programme.date_shift).get(number)
    if span is None:
        return _missing()
    position = span[0] - programme.began + PRIMING / RATE
    text = webvtt(channel.captions.within(*span), *span, position)
    return web.Response(text=text, content_type="text/vtt", headers=NO_STORE)


def _missing() -> web.Response:
    return web.Response(status=404, headers=NO_STORE, text="no such file\n")


def sweep(root: Path, seconds: float) -> None:
    """Delete the folders of streams that have ended at least `seconds` ago; a live one is written to all the time."""
    oldest = time.time() - seconds
    for folder in root.glob("*/*"):
        if max(map(_touched, (folder, *folder.rglob("*")))) < oldest:
            shutil.rmtree(folder, ignore_errors=True)


def forget_deleted(root: Path, channels: dict[str, Channel]) -> None:
    """Drop the deleted ones of `channels` of which nothing can be downloaded any more."""
    for name, channel in tuple(channels.items()):
        if channel.deleted and not channel.members and not any((root / name).glob("*")):
            shutil.rmtree(root / name, ignore_errors=True)
            del channels[name]


def _touched(path: Path) -> float:
    """Return when a file was last written to; one that was deleted meanwhile tells nothing."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
