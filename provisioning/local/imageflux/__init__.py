"""ImageFlux on this computer: its HTTP API, Sora signalling for senders and receivers, and HLS.

A stand-in on aiohttp, aiortc and PyAV. It forwards RTP payloads without decoding them, writes AAC playlists, and is
strict where the real service is known to be strict. What nobody outside knows of the real service (close codes,
error bodies, ping interval) is ours and said so where it is decided. Pictures are forwarded but not in the playlists.
"""

from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.local.imageflux.settings import Faults, StandInSettings

__all__ = ["Faults", "ImageFluxStandIn", "StandInSettings"]
