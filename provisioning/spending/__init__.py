"""What conversations cost, what may be spent on them, and when they may take place."""
