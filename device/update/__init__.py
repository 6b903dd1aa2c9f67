"""How a robot becomes another version of itself, and the one before again when that one is no good (docs/updating.md)."""
