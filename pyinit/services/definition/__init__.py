"""What a service directory says."""
