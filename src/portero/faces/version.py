"""Which version of the program this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed() -> str:
    """Give the installed version; a checkout that was never installed has none."""
    try:
        return version("portero")
    except PackageNotFoundError:
        return "0+checkout"
