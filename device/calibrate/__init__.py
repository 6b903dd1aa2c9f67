"""Measuring the sound of one board where it stands, and choosing the echo mode that is safe there."""
