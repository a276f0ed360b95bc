"""Who asks about services: a process forked from PID 1, only where some service wants to be asked about."""
