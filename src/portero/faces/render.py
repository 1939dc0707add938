"""The one place where values become sentences: language, numbers, times, lists, and evidence made harmless to show."""

from __future__ import annotations

import gettext
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from importlib.resources import files

from babel.dates import format_datetime, format_timedelta
from babel.lists import format_list

from portero.core.evidence import Origin
from portero.core.sender import Sender, Validity
from portero.core.text import Text
from portero.faces.labels import LABELS, certainty, label_of
from portero.faces.page_text import CONTEXT

LANGUAGES = ("en", "es")

# Values under these names are commands, or lines of a zone file, one a line; their line ends are ours and stay.
_COMMANDS = frozenset({"command", "commands", "records"})
# Numbers under these names say which one, not how many, and are never grouped (reference glossary-es section 3).
_IDENTIFIERS = frozenset({"line", "port", "code", "status", "year", "step"})
_SHORT_DATE = {"en": "d MMM y", "es": "d MMM y"}
_LONG_DATE = {"en": "d MMMM y", "es": "d 'de' MMMM 'de' y"}
# Categories that a terminal or a browser obeys or hides instead of showing: controls, formats (bidirectional
# overrides, zero-width characters, tags), halves of surrogate pairs, line and paragraph separators.
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Zero-width joiners shape Persian and Indic words and emoji; they move nothing and stay.
_JOINERS = "\u200c\u200d"


def plain(text: str, limit: int | None = None) -> str:
    """
    Give evidence as text that can only be read: what a terminal or browser would obey is written as an escape.

    ESC becomes ``\\x1b``, a right-to-left override ``\\u202e``, a line feed ``\\x0a``, so one value stays on one line.
    limit:  longest result in characters; what is cut is replaced by one ellipsis.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(_shown(each) for each in text)


def _shown(each: str) -> str:
    if each.isprintable() or each in _JOINERS or unicodedata.category(each) not in _OBEYED:
        return each
    code = ord(each)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _begun(sentence: str) -> str:
    """Begin a sentence that is made of parts with a capital, unless it begins with a name: a domain, an address, a setting."""
    word = sentence.partition(" ")[0]
    return sentence[0].upper() + sentence[1:] if word.isalpha() and word.islower() else sentence


class Renderer:
    """
    Renders values in one language.

    lang:  ``en`` or ``es``; raises ValueError for another.
    html:  True where the reader is a browser: Spanish thousands are then set with a narrow no-break space.
    """

    def __init__(self, lang: str = "en", *, html: bool = False) -> None:
        if lang not in LANGUAGES:
            raise ValueError(f"{lang!r} is none of {', '.join(LANGUAGES)}")
        self.lang = lang
        self._space = "\u202f" if html else "\u00a0"
        self._catalogue = _catalogue(lang)

    def text(self, text: Text) -> str:
        """Fill a sentence or label in the reader's language; evidence in it becomes `plain`."""
        values = dict(text.values)
        if text.plural is not None:
            number = values["n"]
            # Babel and gettext decide on whole numbers; a fraction is never one.
            chooser = number if isinstance(number, int) else 2
            template = (
                self._catalogue.ngettext(text.template, text.plural, chooser)
                if text.context is None
                else self._catalogue.npgettext(text.context, text.template, text.plural, chooser)
            )
        elif text.context is not None:
            template = self._catalogue.pgettext(text.context, text.template)
        else:
            template = self._catalogue.gettext(text.template)
        filled = template.format(**{name: self.value(item, name) for name, item in values.items()})
        return _begun(filled) if text.template.startswith("{faults}") else filled

    def page(self, paragraph: str) -> str:
        """Give a paragraph of a check's page; that of a check from elsewhere stays as its author wrote it."""
        return self._catalogue.pgettext(CONTEXT, paragraph)

    def value(self, value: object, name: str = "") -> str:
        """
        Format one value of a sentence by its type.

        name:  the placeholder's name: ``share`` and names ending in ``_share`` hold a fraction shown as per cent;
               ``weight`` is shown with its sign;
               ``line``, ``port``, ``code``, ``status``, ``year`` and ``step`` are identifiers and are not grouped;
               ``command``, ``commands`` and ``records`` keep their lines.
        """
        if type(value) is str and name not in _COMMANDS:  # most values are
            return plain(value)
        if isinstance(value, Text):
            return self.text(value)
        if isinstance(value, Enum):
            known = label_of(value)
            return self.text(known) if known is not None else plain(str(value.value))
        if isinstance(value, bool) or value is None:
            return {True: "True", False: "False", None: "null"}[value]
        if isinstance(value, int | float):
            if name == "share" or name.endswith("_share"):
                return self.percent(value)
            if name == "weight":
                return self.number(value, 1, signed=True)
            return str(value) if name in _IDENTIFIERS else self.number(value)
        if isinstance(value, datetime):
            return self.time(value, prose=True)
        if isinstance(value, date):
            return self.date(value, prose=True)
        if isinstance(value, timedelta):
            return format_timedelta(value, threshold=1.5, locale=self.lang)
        if isinstance(value, tuple | list | set | frozenset):
            items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            return self.joined([self.value(item, name) for item in items])
        if name in _COMMANDS:
            return "\n".join(plain(line) for line in str(value).split("\n"))
        return plain(str(value))

    def number(self, number: float, decimals: int | None = None, *, signed: bool = False) -> str:
        """
        Write a number as the language does: 4,820 and 12,345.5 in English, 4820 and 12 345,5 in Spanish.

        decimals:  how many to show; by default none for whole numbers and up to two, without final zeros, for others.
        """
        places = decimals if decimals is not None else (0 if float(number).is_integer() else 2)
        written = f"{abs(number):,.{places}f}"
        if decimals is None and "." in written:
            written = written.rstrip("0").rstrip(".")
        if self.lang == "es":
            whole, _, rest = written.partition(".")
            # Spanish orthography groups from five digits (reference glossary-es section 3, against Babel).
            whole = whole.replace(",", self._space if len(whole) > 5 else "")
            written = f"{whole},{rest}" if rest else whole
        zero = not any(digit in written for digit in "123456789")
        sign = "" if zero else "−" if number < 0 else "+" if signed else ""
        return sign + written

    def percent(self, fraction: float) -> str:
        """Write a fraction as per cent with one decimal; what is not all is never rounded to 100, nor a little to 0."""
        shown = round(fraction * 100, 1)
        mark = ""
        if shown == 0 and fraction > 0:
            shown, mark = 0.1, "<"
        elif shown == 100 and fraction < 1:
            shown, mark = 99.9, ">"
        space = "\u00a0" if self.lang == "es" else ""
        return f"{mark}{self.number(shown, 0 if float(shown).is_integer() else 1)}{space}%"

    def date(self, day: date, *, prose: bool = False) -> str:
        """Write a day: ``24 Nov 2026`` for tables, with the month in full for sentences."""
        pattern = (_LONG_DATE if prose else _SHORT_DATE)[self.lang]
        return format_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC), pattern, locale=self.lang)

    def time(self, moment: datetime, *, prose: bool = False) -> str:
        """Write a moment in UTC with its zone, in twenty-four hours; a time without zone is taken as UTC."""
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return f"{self.date(aware.date(), prose=prose)}, {aware:%H:%M} UTC"

    def joined(self, items: Sequence[str]) -> str:
        """Write a list with *and*; in Spanish *e* before the sound of i."""
        return self._list(items, "standard", "y", "e", r"i|hi(?![ae])|í|hí")

    def alternatives(self, items: Sequence[str]) -> str:
        """Write a list with *or*; in Spanish *u* before the sound of o."""
        return self._list(items, "or", "o", "u", r"h?[oó]|8|11(?!\d)")

    def _list(self, items: Sequence[str], style: str, word: str, before: str, sound: str) -> str:
        if self.lang != "es":
            return format_list(items, style="or" if style == "or" else "standard", locale=self.lang)
        if len(items) < 2:
            return "".join(items)
        conjunction = before if re.match(sound, items[-1].lstrip("«“"), re.IGNORECASE) else word
        return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"

    def label(self, field: str, value: str) -> str:
        """Give the word for a value of a field of the contract, for example ``("risk", "high")``."""
        known = LABELS[field].get(str(value))
        return self.text(known) if known is not None else plain(str(value))

    def certainty(self, sender: Sender) -> str:
        """Say how sure a sender's judgement is, in words that match the number."""
        said = self.text(certainty(sender.judgement, sender.confidence, sender.decided_by))
        if sender.ruling is None or sender.ruling.standing is Validity.IN_FORCE:
            return said
        return f"{said}; {self.value(sender.ruling.standing)}"

    def origins(self, origins: Iterable[Origin]) -> tuple[str, ...]:
        """Write the rows behind a statement as ``document:line``."""
        return tuple(plain(str(origin)) for origin in origins)


def by_document(origins: Iterable[Origin]) -> Sequence[tuple[str, Sequence[int]]]:
    """Give the places behind a statement as readers look for them: each document once, with its lines in their order."""
    found: dict[str, list[int]] = {}
    for each in origins:
        lines = found.setdefault(each.document, [])
        if each.line is not None:
            lines.append(each.line)
    return tuple(found.items())


def _catalogue(lang: str) -> gettext.NullTranslations:
    if lang == "en":
        return gettext.NullTranslations()
    with files("portero").joinpath("locale", lang, "LC_MESSAGES", "messages.mo").open("rb") as compiled:
        return gettext.GNUTranslations(compiled)
