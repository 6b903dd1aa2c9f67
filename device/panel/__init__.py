"""What hands and eyes meet: button, lights, earcons."""
