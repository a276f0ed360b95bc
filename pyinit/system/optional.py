"""Packages of others that need not be installed."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def imported(name: str) -> "Any":
    """The module, or None if there is none. An interpreter that was isolated from site looks there as well."""
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
