"""What every level of tests shares."""

import os

# testcontainers' own cleaner is one more image to pull; the container tests remove what they start.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
