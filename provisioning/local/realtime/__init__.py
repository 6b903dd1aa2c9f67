"""A stand-in for the OpenAI Realtime service: it listens, answers in a real voice, and is strict where the real one is.

It speaks the GA shapes over HTTP, WebRTC and the data channel (checked against the types of the `openai` package),
detects turns in the sound that arrives, recognises a few English questions and wishes, calls the tools that it was given,
and can be told to fail in the ways the real service has been seen to fail.
"""

from provisioning.local.realtime.faults import EventFault, Faults, HttpFault
from provisioning.local.realtime.server import RealtimeStandIn
from provisioning.local.realtime.settings import StandInSettings

__all__ = ["EventFault", "Faults", "HttpFault", "RealtimeStandIn", "StandInSettings"]
