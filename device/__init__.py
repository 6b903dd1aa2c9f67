"""Kaiwa on the board: a robot that people press and talk to while everyone else can listen in."""

__version__ = "0.1.0"
