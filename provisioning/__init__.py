"""Kaiwa in the cloud: claims robots, mints what a conversation needs, and shows it to observers."""
