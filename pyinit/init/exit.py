"""The exit code of a container. Pure.

main command  code                          container
------------  ----------------------------  ------------------------------------------
none          -                             0
ended         exit code n                   n, or 0 if n is one of the remapped
killed        signal n                      128 + n, or 0 if that is one of the remapped
not started   no such file                  127
not started   anything else                 126
"""


def exit_code(outcome: int | None, remapped: frozenset[int] = frozenset()) -> int:
    """The container's code. `outcome`: the main command's, or minus the signal that killed it; None without one.

    `remapped` are the codes that count as success (`-e` of tini).
    """
    if outcome is None:
        return 0
    code = outcome if outcome >= 0 else 128 - outcome
    return 0 if code in remapped else code
