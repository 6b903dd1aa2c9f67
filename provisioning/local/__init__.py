"""The cloud on this computer: broker, and stand-ins for the two services."""
