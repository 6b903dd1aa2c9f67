"""Fixtures for tests of the stand-in for ImageFlux: it, and a client."""

from tests.broadcasting import http, service, stand_in

__all__ = ["http", "service", "stand_in"]
