"""Everything aiortc needs to be a good voice endpoint; each mend is documented and tested."""
