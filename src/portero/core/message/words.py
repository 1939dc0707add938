"""Words as a reader sees them: look-alike letters, accents and invisible signs folded away, and phrases found among them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

# Letters of other scripts that readers take for Latin ones; a few dozen carry nearly all homograph attacks.
# Source: Unicode Technical Standard 39, confusables.
_LOOKALIKES = str.maketrans(
    {
        **dict(zip("аеорсухіјѕԁһԛԝӏɡьвкмнтпгз", "aeopcyxijsdhqwlgbbkmhtnr3", strict=True)),
        **dict(zip("αοντρικυχβεηγω", "aovtpikuxbenyw", strict=True)),
        "ı": "i",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
    }
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_MARKS = re.compile(r"[\u0300-\u036f]+")
_TOKEN = re.compile(r"[a-z0-9]+|[^\W\d_a-z]+")
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_OTHER = re.compile(r"[\u0370-\u03ff\u0400-\u04ff]")
MOST = 20_000


def has_lookalikes(word: str) -> bool:
    """Tell whether a word mixes Latin letters with Greek or Cyrillic ones, which no language does."""
    return bool(_LATIN.search(word) and _OTHER.search(word))


def plain_words(text: str) -> str:
    """
    Give text as a reader takes it: lower case, accents and invisible signs gone, look-alike letters as Latin ones.

    A word all of Greek or Cyrillic letters stays as it is: it is no disguise.
    """
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKD", text[:MOST])).lower()
    if not folded.isascii():
        folded = _MARKS.sub("", folded)
        if _OTHER.search(folded):
            folded = " ".join(
                word.translate(_LOOKALIKES) if has_lookalikes(word) else word for word in folded.split(" ")
            )
        folded = (
            folded.replace("ß", "ss")
            .replace("æ", "ae")
            .replace("œ", "oe")
            .replace("ø", "o")
            .replace("ı", "i")
        )
    return folded


def tokens(text: str) -> list[str]:
    """Give the words of text that `plain_words` gave."""
    return _TOKEN.findall(text)


class Phrases:
    """
    Finds phrases of many subjects in one pass over the words.

    Phrases are words separated by blanks; ``*`` at a word's end lets it go on.
    """

    def __init__(self, subjects: Mapping[str, Iterable[str]]) -> None:
        self._index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for subject, phrases in subjects.items():
            for phrase in phrases:
                words = tuple(plain_words(phrase).split())
                self._index.setdefault(words[0][:3].rstrip("*"), []).append((words, subject))
        self._short = {key for key in self._index if len(key) < 3}

    def find(self, words: Sequence[str]) -> dict[str, list[str]]:
        """Give by subject the phrases met, as the text has them, each once."""
        found: dict[str, list[str]] = {}
        for at, word in enumerate(words):
            for candidates in self._candidates(word):
                for phrase, subject in candidates:
                    if _matches(phrase, words, at):
                        met = " ".join(words[at : at + len(phrase)])
                        held = found.setdefault(subject, [])
                        if met not in held:
                            held.append(met)
        return found

    def _candidates(self, word: str) -> Iterable[list[tuple[tuple[str, ...], str]]]:
        key = word[:3]
        if key in self._index:
            yield self._index[key]
        for length in (1, 2):
            if len(key) > length and key[:length] in self._short:
                yield self._index[key[:length]]


def _matches(phrase: tuple[str, ...], words: Sequence[str], at: int) -> bool:
    if at + len(phrase) > len(words):
        return False
    for wanted, word in zip(phrase, words[at : at + len(phrase)], strict=True):
        if wanted.endswith("*"):
            if not word.startswith(wanted[:-1]):
                return False
        elif word != wanted:
            return False
    return True


@lru_cache(maxsize=4096)
def skeleton(name: str) -> str:
    """Give a name for comparison: `plain_words`, digits that stand for letters as those, and only letters left."""
    folded = plain_words(name).translate(_LOOKALIKES)
    folded = (
        folded.replace("rn", "m")
        .replace("vv", "w")
        .replace("0", "o")
        .replace("1", "l")
        .replace("5", "s")
        .replace("3", "e")
    )
    return "".join(sign for sign in folded if sign.isalnum())
