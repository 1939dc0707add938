"""Campaigns: mails that are near-duplicates of one another, so that no measurement trains on a mail's twin."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from portero.core.message.case import Case
from portero.core.message.words import plain_words, tokens

_PERMUTATIONS = 24
_BAND = 3
_SHINGLE = 4
_PRIME = (1 << 61) - 1
# Fixed multipliers, so that the same mail always has the same campaign.
_FACTORS = tuple(
    int.from_bytes(hashlib.sha256(b"portero campaign %d" % number).digest()[:7], "big") | 1
    for number in range(_PERMUTATIONS)
)


def signature(case: Case) -> tuple[str, ...]:
    """
    Give the marks by which mails of one campaign find one another: any mark in common joins two mails.

    Marks: the subject without numbers and names, and bands of a MinHash over the text's four-word pieces, so that texts
    that share about half of their pieces usually meet.
    """
    marks: list[str] = []
    subject = [
        word
        for word in tokens(re.sub(r"^(?:(?:re|fw|fwd|aw|rv|enc|tr)\s*:\s*)+", "", case.subject))
        if word.isalpha()
    ]
    if len(subject) > 2:
        marks.append("s " + " ".join(subject))
    words = [word for word in tokens(plain_words(case.content.text[:6000])) if word.isalpha()]
    if len(words) < _SHINGLE + 4:
        return (*marks, "t " + " ".join(words)) if len(words) > 2 else tuple(marks)
    pieces = {
        int.from_bytes(
            hashlib.blake2b(" ".join(words[at : at + _SHINGLE]).encode(), digest_size=7).digest(), "big"
        )
        for at in range(len(words) - _SHINGLE + 1)
    }
    lowest = [min(piece * factor % _PRIME for piece in pieces) for factor in _FACTORS]
    marks += [
        f"b{at} " + " ".join(str(each) for each in lowest[at : at + _BAND])
        for at in range(0, _PERMUTATIONS, _BAND)
    ]
    return tuple(marks)


def campaigns(signatures: Sequence[tuple[str, ...]]) -> list[int]:
    """Give for each mail the number of its campaign: the smallest index among the mails it is joined with."""
    parent = list(range(len(signatures)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[str, int] = {}
    for number, marks in enumerate(signatures):
        for mark in marks:
            other = root(first.setdefault(mark, number))
            mine = root(number)
            parent[max(mine, other)] = min(mine, other)
    return [root(at) for at in range(len(signatures))]
