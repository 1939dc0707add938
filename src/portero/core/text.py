"""Sentences for people, kept as data until a face renders them in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter

_FORMATTER = Formatter()
_set = object.__setattr__


@dataclass(frozen=True, slots=True, init=False)
class Text:
    """
    One sentence or label: an English source template and its named values.

    template:  English, with named placeholders, for example ``"SPF lists {address}."``. It is the key of the
               catalogue, so it must be a literal where the Text is made.
    context:   gettext context (msgctxt) that tells apart equal English words of different Spanish gender, or None.
    plural:    plural template, when the sentence counts something; the count is the value named ``n``.
    values:    what fills the placeholders. Numbers stay numbers and times stay times: the face formats them.
               A value may itself be a Text, or a tuple of values, which the face joins as a list.
    """

    template: str
    context: str | None
    plural: str | None
    values: tuple[tuple[str, object], ...]

    def __init__(self, template: str, /, *, context: str | None = None, **values: object) -> None:
        _set(self, "template", template)
        _set(self, "context", context)
        _set(self, "plural", None)
        _set(self, "values", tuple(sorted(values.items()) if len(values) > 1 else values.items()))

    def __str__(self) -> str:
        """Give the English sentence, for logs and tests; a face renders for readers."""
        return english(self)


def label(context: str, template: str, /) -> Text:
    """Make a short label whose Spanish depends on the noun it describes, for example ``label("risk", "high")``."""
    return Text(template, context=context)


def count(singular: str, plural: str, /, n: int, **values: object) -> Text:
    """
    Make a sentence that counts something.

    n:  the count; both templates may show it as ``{n}``. Zero takes the plural in English and in Spanish.
    """
    text = Text(singular)
    object.__setattr__(text, "plural", plural)
    object.__setattr__(text, "values", tuple(sorted({"n": n, **values}.items())))
    return text


def sentences(parts: Sequence[Text]) -> Text:
    """Put whole sentences one after the other, at least one; a tuple of values would be joined as a list instead."""
    first, *rest = parts
    return Text("{first} {rest}", first=first, rest=sentences(rest)) if rest else first


def english(value: object) -> str:
    """Fill a Text, or anything that may stand in one, in English with plain numbers."""
    if isinstance(value, Text):
        filled = {name: english(item) for name, item in value.values}
        template = value.template
        if value.plural is not None and dict(value.values)["n"] != 1:
            template = value.plural
        return template.format(**filled)
    if isinstance(value, tuple | list):
        return ", ".join(english(item) for item in value)
    return str(value)


def as_document(value: object) -> object:
    """Give a Text, and whatever stands in it, as JSON holds it; `from_document` reads it back."""
    if isinstance(value, Text):
        values = {name: as_document(item) for name, item in value.values}
        return {"text": value.template, "context": value.context, "plural": value.plural, "values": values}
    if isinstance(value, tuple | list):
        return [as_document(item) for item in value]
    return value if isinstance(value, int | float | str) or value is None else str(value)


def from_document(document: object) -> Text:
    """
    Give the Text that `as_document` wrote.

    Raises ValueError for anything else: a template that reaches into its values is no sentence of ours.
    """
    if not isinstance(document, dict) or not isinstance(document.get("values"), dict):
        raise ValueError("no sentence")
    template, context, plural = (document.get(name) for name in ("text", "context", "plural"))
    values = {name: _held(item) for name, item in document["values"].items()}
    for each in (template,) if plural is None else (template, plural):
        if not isinstance(each, str) or not isinstance(context, str | None):
            raise ValueError("no sentence")
        for _, name, form, conversion in _FORMATTER.parse(each):
            if form or conversion or name not in {None, *values}:
                raise ValueError("no sentence")
    if plural is not None and not isinstance(values.get("n"), int):
        raise ValueError("no sentence")
    text = object.__new__(Text)
    parts = {
        "template": template,
        "context": context,
        "plural": plural,
        "values": tuple(sorted(values.items())),
    }
    for name, part in parts.items():
        object.__setattr__(text, name, part)
    return text


def _held(item: object) -> object:
    if isinstance(item, dict):
        return from_document(item)
    return tuple(_held(each) for each in item) if isinstance(item, list) else item
