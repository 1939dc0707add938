"""The catalogue of sentences: found in the code and the templates, merged with the Spanish, compiled."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from portero.faces.page_text import CONTEXT, paragraphs

PACKAGE = Path(__file__).resolve().parent.parent
LOCALE = PACKAGE / "locale"
# The catalogue's history is the repository's: with fixed dates equal sentences give equal bytes.
_DATED = datetime(2026, 11, 24, tzinfo=UTC)
_TEXT = "portero.core.text"
_MAKERS = frozenset({"Text", "label", "count"})
_NO_PLACEHOLDERS = frozenset({"python-format", "python-brace-format"})

# What each name is assigned, from the module inwards.
Scopes = tuple[Mapping[str, list[ast.expr]], ...]


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """A sentence of the source: its context or "", its English, its English plural or "", the file that says it."""

    context: str
    singular: str
    plural: str
    file: str


def find_messages(package: Path = PACKAGE) -> tuple[list[Message], list[str]]:
    """
    Find every sentence of the package: ``Text``, ``label`` and ``count`` in code, the pages of checks, ``_`` and
    ``ngettext`` in templates.

    Returns the sentences, and the places, as ``file:line: why``, whose sentence is not a literal and so has no
    translation.
    """
    found: set[Message] = set()
    problems: list[str] = []
    for path in sorted((*package.rglob("*.py"), *package.rglob("*.html"))):
        read = _in_code if path.suffix == ".py" else _in_template
        for each in read(path.read_text("utf-8"), path.relative_to(package).as_posix()):
            if isinstance(each, Message):
                found.add(each)
            else:
                problems.append(each)
    return sorted(found), problems


def _in_code(source: str, file: str) -> Iterator[Message | str]:
    tree = ast.parse(source, file)
    if "CHECK" in _assigned(tree.body):
        # A check's docstring is its page.
        yield from (Message(CONTEXT, text, "", file) for _, text in paragraphs(ast.get_docstring(tree)))
    makers = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == _TEXT
        for alias in node.names
        if alias.name in _MAKERS
    }
    for call, scopes in _calls(tree, (_assigned(tree.body),)):
        if isinstance(call.func, ast.Name) and call.func.id in makers:
            try:
                yield from [Message(*words, file) for words in _said(call, makers[call.func.id], scopes)]
            except ValueError as error:
                yield f"{file}:{call.lineno}: {error}"


def _calls(node: ast.AST, scopes: Scopes) -> Iterator[tuple[ast.Call, Scopes]]:
    """Give every call with the assignments it can see: of the module, then of each function around it."""
    for child in ast.iter_child_nodes(node):
        inside = scopes
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = (*scopes, _assigned(child.body))
        if isinstance(child, ast.Call):
            yield child, inside
        yield from _calls(child, inside)


def _assigned(body: list[ast.stmt]) -> Mapping[str, list[ast.expr]]:
    """Give what each name is assigned anywhere in a body, one by one or as ``one, many = "...", "..."``."""
    found: dict[str, list[ast.expr]] = {}
    for node in (node for statement in body for node in ast.walk(statement)):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        pairs = [(node.targets[0], node.value)]
        if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(node.targets[0].elts, node.value.elts, strict=False))
        for target, value in pairs:
            if isinstance(target, ast.Name):
                found.setdefault(target.id, []).append(value)
    return found


def _said(call: ast.Call, maker: str, scopes: Scopes) -> list[tuple[str, str, str]]:
    """Give what a call says as context, singular and plural; raises ValueError where that is not written out."""
    words = [_literals(argument, scopes) for argument in call.args[: 1 if maker == "Text" else 2]]
    if maker == "label":
        return [(context, word, "") for context in words[0] for word in words[1]]
    if maker == "count":
        return [("", singular, plural) for singular, plural in zip(*words, strict=True)]
    contexts = [
        text for each in call.keywords if each.arg == "context" for text in _literals(each.value, scopes)
    ]
    return [(context, text, "") for text in words[0] for context in contexts or [""]]


def _literals(node: ast.expr, scopes: Scopes) -> list[str]:
    """Give the texts an expression may be: a literal, a choice between literals, a name for literals nearby."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | None):
        return [node.value or ""]
    if isinstance(node, ast.IfExp):
        return _literals(node.body, scopes) + _literals(node.orelse, scopes)
    if isinstance(node, ast.Name):
        for scope in reversed(scopes):
            if node.id in scope:
                return [text for value in scope[node.id] for text in _literals(value, ())]
    raise ValueError("a sentence must be written out where it is made, so that it can be translated")


def _in_template(source: str, file: str) -> Iterator[Message | str]:
    # Only parsed, never rendered: escaping plays no part here.
    tree = Environment(autoescape=True).parse(source)
    for call in tree.find_all(nodes.Call):
        function = call.node.name if isinstance(call.node, nodes.Name) else ""
        wanted = {"_": 1, "ngettext": 2}.get(function)
        if wanted is None:
            continue
        texts = [each.value for each in call.args[:wanted] if isinstance(each, nodes.Const)]
        if len(texts) == wanted:
            yield Message("", texts[0], texts[1] if wanted == 2 else "", file)
        else:
            yield f"{file}:{call.lineno}: {function} needs its sentence written out"


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
        if isinstance(entry.id, str) and not any(map(str.isalpha, re.sub(r"\{\w+\}", "", entry.id))):
            # Nothing but placeholders and signs: both languages say it alike.
            string = entry.id
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


def update() -> list[str]:
    """Find, merge and compile; returns what is left to do: sentences not written out, sentences without Spanish."""
    messages, problems = find_messages()
    source = template(messages)
    spanish = merge(source, read_spanish())
    folder = LOCALE / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    (LOCALE / "messages.pot").write_bytes(as_po(source))
    (folder / "messages.po").write_bytes(as_po(spanish))
    (folder / "messages.mo").write_bytes(as_mo(read_spanish()))
    return [*problems, *(f"no Spanish: {sentence}" for sentence in untranslated(spanish))]


def untranslated(catalogue: Catalog) -> list[str]:
    """Name the sentences without a translation."""
    missing = []
    for entry in catalogue:
        strings = entry.string if isinstance(entry.string, tuple | list) else [entry.string]
        if entry.id and not all(strings):
            missing.append(entry.id if isinstance(entry.id, str) else entry.id[0])
    return missing


def main(arguments: list[str]) -> int:
    """Run ``update`` from the command line; 1 when something is left to do, 2 for a wrong call."""
    if arguments != ["update"]:
        sys.stderr.write("python -m portero.faces.catalogue update\n")
        return 2
    left = update()
    sys.stderr.writelines(f"{line}\n" for line in left)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
