"""Packages that need not be installed."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def imported(name: str) -> "Any":
    """The module, also from where site has it when this interpreter was isolated from that; None if there is none."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        import site

        site.main()
    try:
        return import_module(name)
    except ImportError:
        return None
