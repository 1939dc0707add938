"""Microsoft365DSC exports: the tenant's settings written as a PowerShell configuration, read without running it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from portero.core.evidence import ConfigAnswer, ConfigObject, Gap, Origin
from portero.core.text import Text, count
from portero.sources.cmdlets import cmdlet_named
from portero.sources.document import Document, Head, Item, Source
from portero.sources.text import utf8_blocks

_OCTETS = 64 << 20
_RESOURCE = re.compile(r"^[ \t]*(EXO\w{1,80})[ \t]+(?:\"[^\"\n]{0,500}\"|'[^'\n]{0,500}')\s*\{", re.MULTILINE)
_TOKEN = re.compile(
    r"""(?P<skip>\s+|<\#.*?\#>|\#[^\n]*)|(?P<single>'(?:[^']|'')*')|(?P<double>"(?:[^"`]|`.|"")*")|(?P<list>@\()"""
    r"""|(?P<sign>[(){};=,])|(?P<variable>\$[\w.:]+)|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))|(?P<word>[^\s(){};=,'"]+)""",
    re.DOTALL,
)
# Resources that are named otherwise than their cmdlet.
_CMDLETS = {"CASMailboxSettings": "Get-CASMailbox", "CASMailboxPlan": None, "MailboxSettings": None}
_MISSING = object()
_VALUES = {"$true": True, "$false": False, "$null": None}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def recognise(head: Head) -> bool:
    """Tell by an Exchange Online resource, or by the module that such a configuration imports."""
    text = head.text
    if not re.search(r"^\s*configuration\s+\w+", text, re.IGNORECASE | re.MULTILINE):
        return False
    return (
        _RESOURCE.search(text) is not None or re.search(r"Microsoft365DSC", text, re.IGNORECASE) is not None
    )


def read(document: Document) -> Iterator[Item]:
    """
    Give each Exchange Online resource as the object of its cmdlet.

    The export leaves out what has no value, so that a property that is not there stays unknown.
    """
    blocks, size = [], 0
    for block in utf8_blocks(document.open(), document.head.encoding):
        size += len(block)
        if size > _OCTETS:
            yield Gap(Origin(document.name), Text("The file is larger than 64 MiB; only its start was read."))
            break
        blocks.append(block)
    text = b"".join(blocks).decode("utf-8", "replace")
    asked: dict[str, None] = {}
    other: Counter[str] = Counter()
    line, counted, end = 1, 0, 0
    for found in _RESOURCE.finditer(text):
        if found.start() < end:
            continue  # inside the block before
        line += text.count("\n", counted, found.start(1))
        counted = found.start(1)
        origin = Origin(document.name, line)
        kind = found[1].removeprefix("EXO")
        properties, end = _block(text, found.end())
        if properties is None:
            yield Gap(origin, Text("This resource is cut or damaged and was not read. Export it again."))
            end = found.end()
            continue
        cmdlet = _CMDLETS.get(kind, cmdlet_named(kind))
        if cmdlet is None:
            other[kind] += 1
        elif properties.pop("Ensure", "Present") == "Present":
            asked[cmdlet] = None
            yield ConfigObject(cmdlet, _named(cmdlet, properties), origin)
    for cmdlet in asked:
        yield ConfigAnswer(cmdlet, Origin(document.name))
    if other:
        n = other.total()
        one = "{n} resource is of a kind that is not used: {kinds}."
        many = "{n} resources are of kinds that are not used: {kinds}."
        yield Gap(Origin(document.name), count(one, many, n, kinds=tuple(sorted(other))[:20]), n)


def _named(cmdlet: str, properties: dict[str, object]) -> dict[str, object]:
    """Give the properties the cmdlet's names: the resource keeps an object's name in its key."""
    name = properties.get("Identity") or properties.get("Name")
    if isinstance(name, str):
        properties.setdefault("Name", name)
        properties.setdefault("Identity", name)
        if cmdlet in {"Get-AcceptedDomain", "Get-DkimSigningConfig"}:
            properties.setdefault("DomainName" if cmdlet == "Get-AcceptedDomain" else "Domain", name)
        if cmdlet == "Get-CASMailbox":
            properties.setdefault("PrimarySmtpAddress", name)
    return properties


def _block(text: str, at: int) -> tuple[dict[str, object] | None, int]:
    """Read ``Name = value;`` up to the brace that closes; None where the end of the text comes first."""
    properties: dict[str, object] = {}
    name, value, seen = "", _MISSING, False
    for kind, piece, end in (tokens := _Tokens(text, at)):
        if kind == "sign" and piece in {";", "}"}:
            if name and seen and value is not _MISSING:
                properties[name] = value
            name, value, seen = "", _MISSING, False
            if piece == "}":
                return properties, end
        elif kind == "sign" and piece == "=":
            seen = True
        elif kind == "sign" and piece in {"{", "("}:
            if not tokens.pass_over(piece):
                return None, end
            value = _MISSING
        elif not seen and kind == "word":
            name = piece
        elif seen and value is _MISSING:
            value = tokens.values() if kind == "list" else _value(kind, piece)
            if value is None and kind == "list":
                return None, end
        elif seen and kind == "word" and "\n" in text[tokens.before : end]:
            # The next line began without a semicolon.
            properties[name] = value
            name, value, seen = piece, _MISSING, False
    return None, len(text)


class _Tokens:
    """Gives a text's tokens one after another, blanks and comments left out."""

    def __init__(self, text: str, at: int) -> None:
        self._text, self._at = text, at
        self.before = at

    def __iter__(self) -> _Tokens:
        return self

    def __next__(self) -> tuple[str, str, int]:
        self.before = self._at
        while True:
            found = _TOKEN.match(self._text, self._at)
            if found is None:
                if self._at >= len(self._text):
                    raise StopIteration
                self._at += 1  # a quotation mark that is never closed
                continue
            self._at = found.end()
            if found.lastgroup != "skip":
                return str(found.lastgroup), found.group(), self._at

    def values(self) -> list[object] | None:
        """Read the rest of a list; None where it is never closed."""
        found: list[object] = []
        for kind, piece, _ in self:
            if piece == ")" and kind == "sign":
                return found
            if piece in {"(", "{"} and kind == "sign":
                if not self.pass_over(piece):
                    return None
            elif kind == "list":
                if not self.pass_over("("):
                    return None
            elif (value := _value(kind, piece)) is not _MISSING:
                found.append(value)
        return None

    def pass_over(self, opened: str) -> bool:
        """Go behind the bracket that closes what was opened."""
        waiting = [opened]
        for kind, piece, _ in self:
            if kind == "list" or (kind == "sign" and piece in "({"):
                waiting.append("(" if kind == "list" else piece)
            elif kind == "sign" and piece in ")}":
                waiting.pop()
                if not waiting:
                    return True
        return False


def _value(kind: str, piece: str) -> object:
    """Give a literal; _MISSING for what only running the file would tell."""
    if kind == "single":
        return piece[1:-1].replace("''", "'")
    if kind == "double":
        plain = piece[1:-1].replace('""', '"')
        return re.sub(r"`(.)", lambda found: _ESCAPES.get(found[1], found[1]), plain, flags=re.DOTALL)
    if kind == "variable":
        return _VALUES.get(piece.lower(), _MISSING)
    if kind == "number" and len(piece) < 19:
        return float(piece) if "." in piece else int(piece)
    return _MISSING


SOURCE = Source("dsc-export", Text("Microsoft365DSC export"), recognise, read)
