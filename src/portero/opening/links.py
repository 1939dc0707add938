"""Web addresses in running text, also those that are broken up to hide them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_URL = re.compile(
    r"\b(?:https?|hxxps?|ftp)://[^\s<>\"'`{}|\\^\u00a0]{2,2048}|\bwww\.[a-z0-9-]+\.[^\s<>\"'`{}|\\^\u00a0]{2,2048}",
    re.IGNORECASE,
)
_END = re.compile(r"[.,;:!?)\]}>*_'\"»”’]+\Z")


def web_addresses(text: str, most: int = 500) -> Iterator[str]:
    """Give the web addresses in text, each as a browser would open it, at most so many."""
    for number, found in enumerate(_URL.finditer(text)):
        if number >= most:
            return
        url = found.group()
        if url.lower().startswith("www."):
            url = f"http://{url}"
        if url.lower().startswith("hxxp"):
            url = "http" + url[4:]
        yield _END.sub("", url) if "(" not in url else url.rstrip(".,;:!?>*'\"")
