"""The tests mirror the modules they test."""
