"""A call that is a Live session: full duplex, without turns; experimental, and tried against the stand-in only."""
