"""Supervision: keeps the services of a directory running. Knows no log format."""
