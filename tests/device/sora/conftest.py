"""Fixtures for tests of the broadcast: a service to broadcast to."""

from tests.broadcasting import http, service, stand_in

__all__ = ["http", "service", "stand_in"]
