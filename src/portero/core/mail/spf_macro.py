"""SPF macros: their grammar and their expansion. Source: RFC 7208 section 7."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

# RFC 7208 section 7.3: a name that grows beyond this is cut from the left, label by label.
MAX_NAME = 253
# No explanation is worth more; a hostile one may ask for its macros thousands of times.
MAX_EXPLANATION = 4096

_EXPAND = re.compile(
    r"%(?:(?P<plain>[%_-])|\{(?P<letter>[a-z])(?P<keep>[0-9]{0,5})(?P<reverse>r?)(?P<delimiters>[.+,/_=-]*)\})",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"[!-$&-~]+")
_LITERAL_OR_SPACE = re.compile(r"[ -$&-~]+")
_PLAIN = {"%": "%", "_": " ", "-": "%20"}
_LETTERS = frozenset("slodiphv")
_LETTERS_OF_EXPLANATIONS = _LETTERS | frozenset("crt")
_TOP_LABEL = re.compile(r"(?=[0-9]*[a-z-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z", re.IGNORECASE)


class Macro(NamedTuple):
    """
    One ``%{...}``.

    letter:  lower case.
    keep:    how many right-hand parts to use, or None for all.
    escape:  whether the letter was upper case, which asks for URL escaping.
    """

    letter: str
    keep: int | None
    reverse: bool
    delimiters: str
    escape: bool


Parts = tuple[str | Macro, ...]


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """
    A domain-spec: its parts, or the plain name where it has no macro.

    name:  lower case, without a final dot; None where macros make it.
    """

    text: str
    parts: Parts
    name: str | None

    @property
    def letters(self) -> frozenset[str]:
        """Name the macro letters it uses."""
        return frozenset(part.letter for part in self.parts if isinstance(part, Macro))


def parse_macros(text: str, *, explanation: bool = False) -> Parts | None:
    """
    Read a macro-string, or an explain-string, which may hold spaces and the letters c, r and t; None when it is neither.

    Source: RFC 7208 sections 6.2, 7.1 and 7.2.
    """
    literal = _LITERAL_OR_SPACE if explanation else _LITERAL
    letters = _LETTERS_OF_EXPLANATIONS if explanation else _LETTERS
    parts: list[str | Macro] = []
    at = 0
    while at < len(text):
        found = literal.match(text, at)
        if found:
            parts.append(found.group())
        else:
            found = _EXPAND.match(text, at)
            if found is None:
                return None
            part = _macro(found, letters)
            if part is None:
                return None
            parts.append(part)
        at = found.end()
    return tuple(parts)


def _macro(found: re.Match[str], letters: frozenset[str]) -> str | Macro | None:
    if found["plain"]:
        return _PLAIN[found["plain"]]
    letter, keep = found["letter"], found["keep"]
    # RFC 7208 section 7.1: the number of parts MUST NOT be zero.
    if letter.lower() not in letters or (keep and int(keep) == 0):
        return None
    return Macro(
        letter.lower(),
        int(keep) if keep else None,
        bool(found["reverse"]),
        found["delimiters"] or ".",
        letter.isupper(),
    )


def parse_domain_spec(text: str) -> DomainSpec | None:
    """
    Read a domain-spec: a macro-string that ends in a macro or in a dot and a top label; None when it is none.

    Source: RFC 7208 section 7.1.
    """
    parts = parse_macros(text)
    if not parts:
        return None
    if text.endswith("}") and isinstance(parts[-1], Macro):
        pass
    elif text[-2:] not in {"%%", "%_", "%-"}:
        last = parts[-1]
        if not isinstance(last, str) or not _ends_in_top_label(last):
            return None
    plain = all(isinstance(part, str) for part in parts)
    name = fit("".join(str(part) for part in parts)) if plain else None
    return DomainSpec(text, parts, name)


def _ends_in_top_label(text: str) -> bool:
    """Tell whether a text ends in a dot and a top label, which is not all digits; a longer label is none of DNS's."""
    _, dot, label = text.removesuffix(".").rpartition(".")
    return bool(dot) and len(label) <= 63 and _TOP_LABEL.match(label) is not None


def fit(name: str) -> str:
    """Make an expanded text a name to ask for: lower case, no final dot, cut from the left to 253 characters."""
    name = name.removesuffix(".").lower()
    while len(name) > MAX_NAME:
        _, dot, rest = name.partition(".")
        if not dot:
            return ""
        name = rest
    return name


def expand_name(parts: Parts, value_of: Callable[[str], str]) -> str:
    """
    Expand a domain-spec to the name to ask for.

    value_of:  gives a macro letter's value.
    Works from the right and stops once the left can no longer matter, so a hostile record costs no more than a name.
    """
    done: list[str] = []
    length = 0
    for part in reversed(parts):
        text = part if isinstance(part, str) else _transform(part, value_of(part.letter))
        done.append(text)
        length += len(text)
        if length > 4 * MAX_NAME:
            break
    return fit("".join(reversed(done)))


def expand_text(parts: Parts, value_of: Callable[[str], str]) -> str | None:
    """Expand an explanation; None where it grows beyond all use."""
    done: list[str] = []
    length = 0
    for part in parts:
        text = part if isinstance(part, str) else _transform(part, value_of(part.letter))
        done.append(text)
        length += len(text)
        if length > MAX_EXPLANATION:
            return None
    return "".join(done)


def _transform(macro: Macro, value: str) -> str:
    if macro.reverse or macro.keep is not None or macro.delimiters != ".":
        pieces = re.split(f"[{re.escape(macro.delimiters)}]", value)
        if macro.reverse:
            pieces.reverse()
        if macro.keep is not None:
            pieces = pieces[-macro.keep :]
        value = ".".join(pieces)
    # quote() leaves exactly the unreserved characters of RFC 3986 alone, with its own safe list empty.
    return quote(value, safe="") if macro.escape else value
