"""A record played back on the page that observers know, for the operator's own browser."""
