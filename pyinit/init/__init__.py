"""Process 1 of a container."""
