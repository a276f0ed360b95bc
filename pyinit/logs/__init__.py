"""Logging: keeps what services write. Knows no supervision."""
