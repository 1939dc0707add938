"""Reads the arguments of SMTP commands: paths and parameters, strict where it guards, lenient where old devices err."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

# RFC 5321 section 4.5.3.1.3: 256 octets of path, the brackets among them.
PATH_OCTETS = 254
_COMMON = re.compile(
    rb"<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9][A-Za-z0-9-]*\.)*[A-Za-z0-9-]*[A-Za-z0-9])>\Z"
)
_PATH = re.compile(
    rb"""<(?P<angle>[^<>"]*(?:"(?:[^"\\]|\\.)*"[^<>"]*)?)>   # as the standard has it; a quoted local part may hold brackets
       | (?P<bare>[^\s<>"]+)                                  # some scanners leave the brackets out
    """,
    re.VERBOSE,
)
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z")
_SOURCE_ROUTE = re.compile(r"@[^:]*:")
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9_\u0080-\U0010ffff-]+(?:\.[A-Za-z0-9_\u0080-\U0010ffff-]+)*\.?|\[[0-9A-Za-z.:]+\])\Z"
)
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]+\Z")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"\Z')


class SyntaxFault(Exception):  # noqa: N818  (the protocol's word: a syntax fault, answered with 501)
    """An argument that cannot be understood; the text is the reply's words."""


@dataclass(frozen=True, slots=True)
class Path:
    """
    One path with its parameters.

    address:     the mailbox, "" for the null reverse-path.
    parameters:  keywords in capitals to their value, "" where there is none; not to be changed, others share them.
    """

    address: str
    parameters: dict[str, str] = field(default_factory=dict)


# A device says the same few lines all its life.
@lru_cache(maxsize=1024)
def parse_path(argument: bytes, word: bytes, *, null: bool) -> Path:
    """
    Read what follows MAIL or RCPT.

    word:  ``FROM`` or ``TO``, in any case on the wire.
    null:  True where ``<>`` is allowed.
    Raises SyntaxFault. Source: RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2; a space after the colon and missing
    brackets are taken too, since devices send them.
    """
    size = len(word)
    if argument[:size].upper() != word or argument[size : size + 1] != b":":
        raise SyntaxFault(f"5.5.4 Syntax: {word.decode()}:<address>")
    rest = argument[size + 1 :].strip()
    if found := _COMMON.match(rest):
        return Path(found[1].decode("ascii"))
    path = _PATH.match(rest)
    if path is None:
        raise SyntaxFault(f"5.5.4 Syntax: {word.decode()}:<address>")
    after = rest[path.end() :]
    if after and not after[:1].isspace():
        raise SyntaxFault("5.5.4 Syntax: a space is missing behind the address")
    raw = path["angle"] if path["angle"] is not None else path["bare"]
    try:
        text = raw.decode("utf-8")
        words = after.decode("utf-8").split()
    except UnicodeDecodeError:
        raise SyntaxFault("5.6.7 The command is not UTF-8") from None
    return Path(_mailbox(text.strip(" \t"), null=null), _parameters(words))


def _mailbox(text: str, *, null: bool) -> str:
    if not text:
        if null:
            return ""
        raise SyntaxFault("5.1.3 The null address cannot stand here")
    if text.startswith("@"):
        # RFC 5321 appendix C: a source route is read and ignored.
        text = _SOURCE_ROUTE.sub("", text, count=1)
    if len(text.encode()) > PATH_OCTETS:
        raise SyntaxFault("5.1.3 The address is too long")
    local, at, domain = text.rpartition("@")
    if not at and not null and text.lower() == "postmaster":
        return text
    if not at or not _DOMAIN.match(domain) or not (_ATOM.match(local) or _QUOTED.match(local)):
        raise SyntaxFault("5.1.3 The address cannot be understood")
    return text


def _parameters(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in words:
        keyword, _, value = each.partition("=")
        name = keyword.upper()
        if not _KEYWORD.match(keyword) or name in found:
            raise SyntaxFault("5.5.4 The parameters cannot be understood")
        found[name] = value
    return found


def xtext(value: str) -> str:
    """Decode xtext; text that is none is given as it stands. Source: RFC 3461 section 4."""
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), value)
