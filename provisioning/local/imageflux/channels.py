"""PURE. Channels, who is in them, and what they are told of each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from provisioning.local.imageflux.captions import CaptionPush, CaptionTrack
from provisioning.local.imageflux.encryption import Encryption
from provisioning.local.imageflux.requests import CreateRequest, CreateWithHlsRequest, HlsRequest

ENDED_BY_API: Final = "DISCONNECTED-API"
"""Close reason of Sora when an API call ends a connection (with code 1000)."""

P_co = TypeVar("P_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Card:
    """Who a connection is, as notifications name it."""

    role: str
    session_id: str
    client_id: str
    bundle_id: str
    connection_id: str
    audio: bool
    video: bool
    metadata: Any = None

    def as_told(self) -> dict[str, Any]:
        """Return the fields of a notification; `metadata` only when there is some."""
        told = {name: getattr(self, name) for name in self.__slots__ if name != "metadata"}
        return told | ({"metadata": self.metadata} if self.metadata is not None else {})


class Programme(Protocol):
    """What a channel knows of a publisher's HLS stream."""

    began: float
    """Unix seconds of its first sample."""
    date_shift: float
    """Seconds to add to the dates in its playlists."""
    codecs: list[str]
    """Of each rendition, as RFC 6381 has it."""

    def say(self, caption: CaptionPush) -> None:
        """Put a caption into it."""


class Member(Protocol[P_co]):
    """What a channel knows of a connection in it; `P_co` is what it publishes."""

    @property
    def card(self) -> Card:
        """Who it is."""

    @property
    def publications(self) -> tuple[P_co, ...]:
        """What it publishes."""

    def tell(self, message: dict[str, Any]) -> None:
        """Send it one signalling message, in order."""

    def hear(self, label: str, data: bytes, sender: str) -> None:
        """Hand it a message of another member, if it listens on that label."""

    def refresh(self) -> None:
        """Let it know that what is published in the channel has changed."""

    def kick(self, reason: str) -> None:
        """Disconnect it with code 1000 and `reason`."""

    def abort(self) -> None:
        """Cut its signalling connection as a dead network would."""


@dataclass(eq=False, slots=True)
class Channel:
    """One channel; nobody is in it until `enter`."""

    channel_id: str
    created: CreateRequest
    encryption: Encryption | None = None
    """Of its segments; None for segments in the clear."""
    members: dict[str, Member[Any]] = field(default_factory=dict)
    """By connection id, in order of arrival."""
    playlists: dict[str, str] = field(default_factory=dict)
    """Connection id -> address, of those that are being written."""
    programmes: dict[str, Programme] = field(default_factory=dict)
    """By connection id, the ended ones as well."""
    captions: CaptionTrack = field(default_factory=CaptionTrack)
    session_id: str = ""
    """The same for all connections until the channel is empty again."""
    deleted: bool = False
    """Its playlists can still be downloaded for a while, nothing else."""

    @property
    def renditions(self) -> list[HlsRequest]:
        """The HLS renditions asked for; none when the channel has no HLS."""
        return self.created.hls if isinstance(self.created, CreateWithHlsRequest) else []

    def enter(self, member: Member[Any], timestamp: str) -> None:
        """Let a member in and tell everybody; it alone is told who was there before."""
        present = [other.card.as_told() for other in self.members.values()]
        self.members[member.card.connection_id] = member
        created = self._event("connection.created", member.card, timestamp)
        for other in self._others(member):
            other.tell(created)
        member.tell(created | {"data": present})
        self._refresh(member)

    def leave(self, member: Member[Any], timestamp: str) -> None:
        """Let a member out and tell the others; nothing happens when it was not in."""
        if self.members.pop(member.card.connection_id, None) is None:
            return
        destroyed = self._event("connection.destroyed", member.card, timestamp)
        for other in self._others(member):
            other.tell(destroyed)
        self._refresh(member)
        if not self.members:
            self.session_id = ""

    def say(self, caption: CaptionPush) -> None:
        """Take a caption for the playlists."""
        self.captions.put(caption)
        for connection_id in self.playlists:
            self.programmes[connection_id].say(caption)

    def message(self, member: Member[Any], label: str, data: bytes) -> None:
        """Hand a message of `member` to the others who listen on its label."""
        for other in self._others(member):
            other.hear(label, data, member.card.connection_id)

    def delete(self) -> None:
        """End the channel: everybody is disconnected."""
        self.deleted = True
        for member in tuple(self.members.values()):
            member.kick(ENDED_BY_API)

    def published(self, apart_from: Member[P_co]) -> Iterator[P_co]:
        """Yield what the other members publish."""
        for other in self._others(apart_from):
            yield from other.publications

    def _others(self, member: Member[Any]) -> list[Member[Any]]:
        return [other for other in self.members.values() if other is not member]

    def _refresh(self, member: Member[Any]) -> None:
        if member.publications:
            for other in self._others(member):
                other.refresh()

    def _event(self, event_type: str, card: Card, timestamp: str) -> dict[str, Any]:
        roles = [member.card.role for member in self.members.values()]
        counts = {f"channel_{role}_connections": roles.count(role) for role in ("sendrecv", "sendonly", "recvonly")}
        return {
            "type": "notify",
            "event_type": event_type,
            "timestamp": timestamp,
            "minutes": 0,
            "channel_id": self.channel_id,
            "channel_connections": len(roles),
            "turn_transport_type": "udp",
            **counts,
            **card.as_told(),
        }
