"""Logs read back, for svlog."""
