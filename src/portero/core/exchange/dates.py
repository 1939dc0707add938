"""Times as exports write them: ISO 8601, or milliseconds since 1970 as Windows PowerShell writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# Source: reference exchange-online 5.1.
_MILLISECONDS = re.compile(r"/Date\((-?\d{1,15})\)/")


def moment(value: object) -> datetime | None:
    """
    Read a time as aware UTC; None for null, for what is absent, and for what is no time.

    A time without a zone is taken as UTC, which is what Exchange's properties named UTC and its REST interface hold.
    """
    if not isinstance(value, str):
        return None
    found = _MILLISECONDS.fullmatch(value.strip())
    try:
        if found:
            return datetime.fromtimestamp(int(found[1]) / 1000, UTC)
        read = datetime.fromisoformat(value.strip())
    except (ValueError, OverflowError, OSError):
        return None
    if read.year < 1971:
        # Exchange writes the year 1 for "never".
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
