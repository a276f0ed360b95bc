"""The log collector: one process for every service without a log/run of its own."""
