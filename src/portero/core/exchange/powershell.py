"""PowerShell that names real objects and values: quoted so that no value can end its text and become a command."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from portero.core.evidence import ConfigObject
from portero.core.text import Text

# PowerShell ends a single-quoted text at any of these, and doubles any of them to mean the sign itself.
# Source: about_Quoting_Rules; PowerShell's tokenizer (CharTraits, IsSingleQuote).
_QUOTES = "'\u2018\u2019\u201a\u201b"


def quote(value: object) -> str:
    """Write a value as a single-quoted text, in which PowerShell expands nothing."""
    return "'" + "".join(sign * 2 if sign in _QUOTES else sign for sign in str(value)) + "'"


def shows_itself(script: str) -> bool:
    """Tell whether a script holds nothing that a reviewer cannot see: other lines, controls, text direction."""
    return not any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in script)


def literal(value: object) -> str:
    """Write an exported value as PowerShell: ``$null``, ``$true``, ``$false``, a number, a list or a text."""
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return "@(" + ",".join(map(literal, value)) + ")"
    return quote(value)


def listed(values: Iterable[object]) -> str:
    """Write the values of a list parameter: ``'a','b'``."""
    return ",".join(map(quote, values))


def removing(values: Iterable[object]) -> str:
    """Write a change of a list that takes values out and leaves the others alone."""
    return "@{Remove=" + listed(values) + "}"


def adding(values: Iterable[object]) -> str:
    """Write a change of a list that puts values in and leaves the others alone."""
    return "@{Add=" + listed(values) + "}"


def identity(item: ConfigObject) -> str:
    """Give the name by which people and ``-Identity`` know an object; ``""`` where the export has none."""
    for name in ("Name", "Identity", "DomainName", "Domain", "Guid"):
        value = item.properties.get(name)
        if value:
            return str(value)
    return ""


def run(commands: Iterable[str]) -> Text:
    """Ask the reader to run commands in Exchange Online PowerShell, one a line."""
    return Text("In Exchange Online PowerShell: {commands}", commands="\n".join(commands))
