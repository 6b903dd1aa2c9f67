"""The physical edge of the sound: cards with two callback streams, a simulated room, and what all of them share."""
