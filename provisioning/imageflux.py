"""ImageFlux Live Streaming over HTTP: a channel for each broadcast, the playlists in it, and its end.

Always `POST /` with JSON, the action in the header `X-Sora-Target` and a bearer token. Actions, fields and ranges are
those of the public documentation (console.imageflux.jp/docs/live/api; imageflux-jp/livestreaming-beta-doc, api.md).
The service documents no error body, so any answer but 200 is told as its status and first bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import aiohttp
import msgspec

from device.errors import UpstreamError
from device.messages.secret import MASK, Secret
from provisioning.bounded import whole_body
from provisioning.channels import ChannelOptions

CREATE_WITH_HLS: Final = "ImageFlux_20200316.CreateMultistreamChannelWithHLS"
CREATE: Final = "ImageFlux_20200316.CreateMultistreamChannel"
LIST_PLAYLISTS: Final = "ImageFlux_20200207.ListPlaylistURLs"
LIST_CHANNELS: Final = "ImageFlux_20200729.ListChannelIDs"
PUSH: Final = "Sora_20160711.PushChannel"
GET_KEY: Final = "ImageFlux_20200707.GetEncryptKey"
DELETE: Final = "ImageFlux_20180501.DeleteChannel"

_ERROR_BYTES: Final = 500

A = TypeVar("A")


class ImageFluxError(UpstreamError):
    """ImageFlux did not do what was asked; the root of its family."""

    def __init__(self, status: int | None, code: str, text: str) -> None:
        super().__init__("ImageFlux", status, code, text)


class ImageFluxRequestError(ImageFluxError):
    """The request breaks a documented rule and was not sent."""


class ImageFluxRefusedError(ImageFluxError):
    """It answered with another status than 200; the text is at most 500 bytes of its body."""


class ImageFluxUnreachableError(ImageFluxError):
    """It gave no answer in time, or the connection failed."""


class ImageFluxAnswerError(ImageFluxError):
    """It answered 200 with something that is not the documented answer."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it was created: its id, and where a publisher connects to."""

    channel_id: str
    signalling_url: str


@dataclass(frozen=True, slots=True)
class Playlist:
    """The HLS playlist of one publisher's connection."""

    connection_id: str
    url: str


class _Created(msgspec.Struct):
    channel_id: str
    sora_url: str


class _Key(msgspec.Struct):
    encrypt_key: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{32}$")]


class _Listed(msgspec.Struct):
    connection_id: str
    playlist_url: str


class _Playlists(msgspec.Struct):
    hls: list[_Listed] = []


class _Channels(msgspec.Struct):
    channel_ids: list[str] = []


def checked(options: ChannelOptions) -> ChannelOptions:
    """Return `options` as they are.

    Raises:
        ImageFluxRequestError: a field is out of its documented range; the text names it.
    """
    if options.encrypt_key_uri and not options.renditions:
        raise ImageFluxRequestError(None, "REQUEST", "encrypt_key_uri needs HLS: give at least one rendition")
    try:
        return msgspec.convert(msgspec.to_builtins(options), type=ChannelOptions)
    except msgspec.ValidationError as error:
        raise ImageFluxRequestError(None, "REQUEST", str(error)) from None


class ImageFlux:
    """The service, as one account sees it.

    Args:
        http: the session that carries the requests; owned by the caller.
        url: the endpoint, `https://live-api.imageflux.jp/` or a stand-in.
        token: the encoded token with Live Streaming permission; it is in no message, error or repr of ours.
        timeout: seconds that each call may take.

    Every method raises `ImageFluxError` (one of its four kinds).
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, token: Secret, *, timeout: float = 10.0) -> None:
        self._http, self._url, self._token = http, url, token
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def create_channel(self, options: ChannelOptions | None = None) -> Channel:
        """Make a new channel, with HLS when `options` name a rendition; make one for every broadcast."""
        sent = checked(options or ChannelOptions()).as_sent()
        made = await self._ask(CREATE_WITH_HLS if "hls" in sent else CREATE, sent, _Created)
        return Channel(made.channel_id, made.sora_url)

    async def playlists(self, channel_id: str) -> list[Playlist]:
        """Return the playlists there are: none before somebody publishes, one a publisher some seconds after."""
        found = await self._ask(LIST_PLAYLISTS, {"channel_id": channel_id}, _Playlists)
        return [Playlist(entry.connection_id, entry.playlist_url) for entry in found.hls]

    async def encrypt_key(self, kid: str) -> bytes:
        """Return the 16 bytes of a key: what a key server gives to players that may play an encrypted playlist."""
        return bytes.fromhex((await self._ask(GET_KEY, {"kid": kid}, _Key)).encrypt_key)

    async def delete(self, channel_id: str) -> None:
        """End the channel: everybody is disconnected, HLS ends, and nobody can connect again."""
        await self._post(DELETE, {"channel_id": channel_id})

    async def push(self, channel_id: str, data: Any) -> None:
        """Send `data` (any JSON) to everybody who is connected to the channel; one of Sora's own calls."""
        await self._post(PUSH, {"channel_id": channel_id, "data": data})

    async def channels(self) -> Sequence[str]:
        """Return the ids of all channels of this account, to find what a crash left behind."""
        return (await self._ask(LIST_CHANNELS, {}, _Channels)).channel_ids

    async def _ask(self, action: str, body: dict[str, Any], kind: type[A]) -> A:
        answer = await self._post(action, body)
        try:
            return msgspec.json.decode(answer, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ImageFluxAnswerError(200, "ANSWER", f"{action}: {error}") from None

    async def _post(self, action: str, body: dict[str, Any]) -> bytes:
        headers = {
            "X-Sora-Target": action,
            "Authorization": f"Bearer {self._token.reveal()}",
            "Content-Type": "application/json",
        }
        try:
            async with self._http.post(
                self._url, data=msgspec.json.encode(body), headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                answer = await whole_body(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ImageFluxUnreachableError(None, "UNREACHABLE", f"{action}: {self._masked(repr(error))}") from None
        if response.status != 200:
            raise ImageFluxRefusedError(response.status, "REFUSED", f"{action}: {self._beginning(answer)}")
        return answer

    def _beginning(self, answer: bytes) -> str:
        masked = self._masked(answer.decode(errors="replace"))
        return masked.encode()[:_ERROR_BYTES].decode(errors="ignore")

    def _masked(self, text: str) -> str:
        return text.replace(self._token.reveal(), MASK) if self._token else text
