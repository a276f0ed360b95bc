"""Images are built by the docker command: what people have."""

import subprocess
from pathlib import Path


def build(tag: str, context: Path, *options: str) -> str:
    """Build the directory `context`; returns the tag."""
    command = ["docker", "build", "-q", "-t", tag, *options, str(context)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tag
