"""Profiles: who a robot is, how it listens, what it knows and may do; kept in versions, and bound into each secret."""
