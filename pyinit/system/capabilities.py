"""What root may not do here: a container may take capabilities away from it."""

from pyinit.system import files

DAC_OVERRIDE = 1
"""The bit of CAP_DAC_OVERRIDE (capabilities(7)): modes and owners of files mean nothing to a process that has it."""


def lacks_override(status: bytes = b"/proc/self/status") -> bool:
    """Whether this process has no CAP_DAC_OVERRIDE; False where that cannot be told. `status`: as in proc(5)."""
    try:
        words = files.read(status, most=65536).split()
        return not int(words[words.index(b"CapEff:") + 1], 16) >> DAC_OVERRIDE & 1
    except (OSError, ValueError, IndexError):
        return False
