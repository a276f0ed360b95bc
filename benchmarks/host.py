"""What the numbers were measured on: processor, memory, kernel, distribution, versions. No names."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

from benchmarks.workshop import Workshop


def describe(workshop: Workshop) -> str:
    """A list in Markdown."""
    python = subprocess.run([workshop.python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    lines = [
        f"processor: {_processor()}, {os.cpu_count()} of them",
        f"memory: {memory:.0f} GB",
        f"kernel: Linux {platform.release().partition('-')[0]}",
        f"system: {platform.freedesktop_os_release().get('PRETTY_NAME', 'unknown')}",
        f"interpreter of pyinit: {python}",
        f"file system: {_file_system(workshop.directory)}",
        "peers: " + ", ".join(f"{name} {_version(name)}" for name in workshop.peers),
    ]
    if workshop.missing:
        lines.append("not here, so not measured: " + ", ".join(workshop.missing))
    return "".join(f"- {line}\n" for line in lines)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(path: Path) -> str:
    best = ("", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, kind = line.split()[:3]
        if str(path).startswith(point) and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def _version(package: str) -> str:
    if not shutil.which("dpkg-query"):
        return ""
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
