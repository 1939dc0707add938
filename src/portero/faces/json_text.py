"""Documents as JSON text that is safe to print."""

from __future__ import annotations

import json
import re

from pydantic_core import PydanticSerializationError, to_json

from portero.faces.render import plain

# Printable for JSON, yet obeyed or hidden by whoever prints the file: see `portero.faces.render.plain`.
_UNSAFE = re.compile(r"[^\x20-\x7e\n]")


def as_json(document: object) -> str:
    """
    Write a document as JSON that is safe to print: letters stay readable, what a terminal would obey is escaped.

    The values are unchanged: a parser gives back exactly what went in, halves of surrogate pairs included.
    """
    try:
        # Writes the same as json does, in a fifth of the time.
        text = to_json(document, indent=1).decode()
    except PydanticSerializationError:
        # It refuses halves of surrogate pairs, which evidence may hold.
        text = json.dumps(document, ensure_ascii=False, indent=1)
    return _UNSAFE.sub(_escaped, text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    each = match.group()
    if plain(each) == each:
        return each
    # json escapes everything beyond ASCII here, as a surrogate pair where it must; DEL alone it leaves as it is.
    return "\\u007f" if each == "\x7f" else json.dumps(each)[1:-1]
