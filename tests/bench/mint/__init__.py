"""What minting costs and how long it takes, over a real broker: `make bench-mint`."""
