"""Measurements of the voice path, beside its peers; run by `make bench-voice`, never by pytest."""
