"""A simulated day: hundreds of sessions with random faults, after which everything is as it was before."""
