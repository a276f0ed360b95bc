"""The exit code of a container. Pure.

main command  code                          container
------------  ----------------------------  ------------------------------------------
none          -                             0, or 112 if lines of a service were lost at the stop
ended         exit code n                   n, or 0 if n is one of the remapped
killed        signal n                      128 + n, or 0 if that is one of the remapped
not started   no such file                  127
not started   anything else                 126
"""

LINES_LOST = 112


def exit_code(outcome: int | None, remapped: frozenset[int] = frozenset(), has_lost: bool = False) -> int:
    """The container's code. `outcome`: the main command's, or minus the signal that killed it; None without one.

    `remapped` are the codes that count as success (`-e` of tini). `has_lost`: lines of a service could not be written.
    """
    if outcome is None:
        return LINES_LOST if has_lost else 0
    code = outcome if outcome >= 0 else 128 - outcome
    return 0 if code in remapped else code
