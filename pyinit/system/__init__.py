"""The floor: the only code that forks, execs, signals, waits and selects. It knows no service and no log."""
