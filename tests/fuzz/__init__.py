"""Decoders under fire."""
