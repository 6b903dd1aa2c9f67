"""Fixtures for every test of the cloud."""

from tests.mosquitto import fleet
from tests.postgresql import postgresql, store_template, store_url

__all__ = ["fleet", "postgresql", "store_template", "store_url"]
