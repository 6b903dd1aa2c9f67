"""The operator's console: a page on this computer alone, for one operator, over that operator's own connection to the broker."""
