"""What every level of tests shares."""

import os
import signal

# testcontainers' own cleaner is one more image to pull; the container tests remove what they start.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

# A shell's background job and nohup ignore these, and what ignores a signal hands that on to all that it starts.
for number in (signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
