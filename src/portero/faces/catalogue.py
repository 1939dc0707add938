"""The catalogue of sentences: found in the code and the templates, merged with the Spanish, compiled."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

PACKAGE = Path(__file__).resolve().parent.parent
LOCALE = PACKAGE / "locale"
# The catalogue's history is the repository's: with fixed dates equal sentences give equal bytes.
_DATED = datetime(2026, 11, 24, tzinfo=UTC)
_TEXT = "portero.core.text"
_MAKERS = frozenset({"Text", "label", "count"})
_NO_PLACEHOLDERS = frozenset({"python-format", "python-brace-format"})


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """A sentence of the source: its context or "", its English, its English plural or "", the file that says it."""

    context: str
    singular: str
    plural: str
    file: str


def find_messages(package: Path = PACKAGE) -> list[Message]:
    """
    Find every sentence of the package: ``Text``, ``label`` and ``count`` in code, ``_`` and ``ngettext`` in templates.

    Raises ValueError naming file and line where a template is not a literal, for such a sentence has no translation.
    """
    found: set[Message] = set()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        found.update(_in_code(path.read_text("utf-8"), name))
    for path in sorted(package.rglob("*.html")):
        name = path.relative_to(package).as_posix()
        found.update(_in_template(path.read_text("utf-8"), name))
    return sorted(found)


def _in_code(source: str, file: str) -> Iterator[Message]:
    tree = ast.parse(source, file)
    makers = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == _TEXT
        for alias in node.names
        if alias.name in _MAKERS
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers:
            yield from _in_call(node, makers[node.func.id], file)


def _in_call(call: ast.Call, maker: str, file: str) -> Iterator[Message]:
    where = f"{file}:{call.lineno}"
    if maker == "label":
        for context in _literals(call.args[0], where):
            for word in _literals(call.args[1], where):
                yield Message(context, word, "", file)
    elif maker == "count":
        for singular, plural in zip(
            _literals(call.args[0], where), _literals(call.args[1], where), strict=True
        ):
            yield Message("", singular, plural, file)
    else:
        contexts = [
            context
            for keyword in call.keywords
            if keyword.arg == "context"
            for context in _literals(keyword.value, where)
        ]
        for template in _literals(call.args[0], where):
            for context in contexts or [""]:
                yield Message(context, template, "", file)


def _literals(node: ast.expr, where: str) -> list[str]:
    """Give the texts an expression may be: a literal, or a choice between literals."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _literals(node.body, where) + _literals(node.orelse, where)
    raise ValueError(
        f"{where}: a sentence must be written out where it is made, so that it can be translated"
    )


def _in_template(source: str, file: str) -> Iterator[Message]:
    # Only parsed, never rendered: escaping plays no part here.
    tree = Environment(autoescape=True).parse(source)
    for line, function, words in extract_from_ast(tree, babel_style=False):
        texts = [words] if isinstance(words, str) else list(words or ())
        if not texts or any(not isinstance(text, str) for text in texts[:2]):
            raise ValueError(f"{file}:{line}: {function} needs its sentence written out")
        plural = texts[1] if function == "ngettext" else ""
        yield Message("", texts[0] or "", plural or "", file)


def template(messages: list[Message]) -> Catalog:
    """Make the catalogue without translations."""
    catalogue = Catalog(
        project="portero",
        version="1",
        copyright_holder="the portero authors",
        creation_date=_DATED,
        revision_date=_DATED,
        fuzzy=False,
    )
    catalogue.header_comment = "# Sentences of portero, found by python -m portero.faces.catalogue update."
    for message in messages:
        identity = (message.singular, message.plural) if message.plural else message.singular
        catalogue.add(identity, locations=[(message.file, 1)], context=message.context or None)
    for entry in catalogue:
        # Percent signs are only percent signs here; values stand in braces.
        entry.flags -= _NO_PLACEHOLDERS
    return catalogue


def read_spanish(path: Path = LOCALE / "es" / "LC_MESSAGES" / "messages.po") -> Catalog:
    """Read the Spanish catalogue; an empty one where there is none yet."""
    if not path.exists():
        return Catalog(locale="es")
    with path.open("rb") as file:
        return read_po(file, locale="es")


def merge(source: Catalog, translated: Catalog) -> Catalog:
    """Give the source's sentences with the translations that are there; sentences no longer said are dropped."""
    merged = Catalog(
        locale="es",
        project="portero",
        version="1",
        copyright_holder="the portero authors",
        creation_date=_DATED,
        revision_date=_DATED,
        fuzzy=False,
        language_team="es",
        last_translator="the portero authors",
    )
    merged.header_comment = "# Spanish of portero."
    for entry in source:
        if not entry.id:
            continue
        held = translated.get(entry.id, entry.context)
        string = held.string if held is not None and not held.fuzzy else None
        if isinstance(entry.id, tuple) and not isinstance(string, tuple | list):
            string = None
        merged.add(entry.id, string or "", locations=entry.locations, context=entry.context)
    for entry in merged:
        entry.flags -= _NO_PLACEHOLDERS
    return merged


def as_po(catalogue: Catalog) -> bytes:
    """Write a catalogue as text, without line numbers, so that only changed sentences change the file."""
    out = BytesIO()
    write_po(out, catalogue, width=110, sort_output=True, include_lineno=False)
    return out.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """Compile a catalogue."""
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def update() -> int:
    """Find, merge and compile; returns how many sentences lack their Spanish."""
    source = template(find_messages())
    spanish = merge(source, read_spanish())
    folder = LOCALE / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    (LOCALE / "messages.pot").write_bytes(as_po(source))
    (folder / "messages.po").write_bytes(as_po(spanish))
    (folder / "messages.mo").write_bytes(as_mo(read_spanish()))
    return len(untranslated(spanish))


def untranslated(catalogue: Catalog) -> list[str]:
    """Name the sentences without a translation."""
    missing = []
    for entry in catalogue:
        strings = entry.string if isinstance(entry.string, tuple | list) else [entry.string]
        if entry.id and not all(strings):
            missing.append(entry.id if isinstance(entry.id, str) else entry.id[0])
    return missing


def main(arguments: list[str]) -> int:
    """Run ``update`` from the command line; 1 when sentences still lack their Spanish, 2 for a wrong call."""
    if arguments != ["update"]:
        sys.stderr.write("python -m portero.faces.catalogue update\n")
        return 2
    missing = update()
    sys.stderr.write(f"{missing} sentences without Spanish\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
