"""One stream through one multilog script, into rotated directories."""
