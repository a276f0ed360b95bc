"""pyinit: a container's PID 1 that supervises and logs like daemontools."""

__version__ = "0.1.0"
