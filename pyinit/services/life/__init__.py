"""What follows from what happens to a service. Pure."""
