"""PURE. How long the session machine waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the machine waits, in seconds."""

    announce: float = 3.0
    """Between a remote start's chime and the open microphone: the time to press and reject it."""
    prepare: float = 40.0
    """More than the waits for broker, cloud, offer and media together, each of which has its own, clearer fault."""
    release: float = 15.0
    fault: float = 8.0
    """Long enough to count the blinks twice, and to hear the words to their end."""
    standstill: float = 6.0
    """How long a robot that only a new process mends shows it: its words are short, and systemd's patience is 20 s."""
    tap: float = 0.4
    """By push-to-talk, a shorter press is no speech: it ends the conversation, or only what the robot is saying."""
    renew: float = 3300.0
    """From the beginning of a call until a second one is brought up beside it: 55 minutes."""
    retry: float = 60.0
    """After a second call could not be had, while the first goes on."""
    reconnect: float = 30.0
    """How long a session may be without a call."""
