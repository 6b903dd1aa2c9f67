"""PURE. The checks: each takes facts that somebody else gathered, and returns what is to be said about them."""
