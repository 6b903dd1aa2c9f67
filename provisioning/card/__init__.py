"""The first boot of a board without keyboard and screen: files on its card that make it a robot of this fleet."""
