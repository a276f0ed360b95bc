"""The log collector: one process for every service that has no log/run of its own."""
