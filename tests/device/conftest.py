"""Fixtures for every test of the device: one broker for each test that asks, one PulseAudio for each module."""

from tests.mosquitto import fleet
from tests.pulse import pulse, pulse_environment

__all__ = ["fleet", "pulse", "pulse_environment"]
