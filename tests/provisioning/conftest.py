"""Fixtures for every test of the cloud."""

from tests.mosquitto import fleet

__all__ = ["fleet"]
