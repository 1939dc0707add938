"""Trace header fields as words, comments and parts: the tolerant ground under Received and Authentication-Results."""

from __future__ import annotations

import re

# Longer than any such field seen in mail; what lies beyond is cut before it is looked at.
MAX_FIELD = 65536

_FOLD = re.compile(r"\r?\n[ \t]*|\r")
_SIGN = re.compile(r'[();"\\]')


def unfold(text: str) -> str:
    """Give a field's value on one line, within bounds. Source: RFC 5322 section 2.2.3."""
    return _FOLD.sub(" ", text[:MAX_FIELD]).strip()


def parts(text: str) -> list[tuple[str, list[str]]]:
    """
    Cut a value at its semicolons into (words, comments); semicolons in comments and quoted texts do not cut.

    Comments may nest; one that is never closed ends with the value. Quoted texts keep their quotes in the words.
    Source: RFC 5322 section 3.2.2; RFC 8601 section 2.2.
    """
    found: list[tuple[str, list[str]]] = []
    words: list[str] = []
    comments: list[str] = []
    comment: list[str] = []
    depth, quoted, at = 0, False, 0

    def keep(piece: str) -> None:
        (comment if depth else words).append(piece)

    while at < len(text):
        sign = _SIGN.search(text, at)
        if sign is None:
            keep(text[at:])
            break
        keep(text[at : sign.start()])
        at = sign.end()
        mark = sign.group()
        if mark == "\\":
            keep(text[sign.start() : at + 1])
            at += 1
        elif mark == '"' and not depth:
            quoted = not quoted
            keep(mark)
        elif quoted or mark == '"' or (depth and mark == ";"):
            keep(mark)
        elif mark == "(":
            if depth:
                comment.append(mark)
            depth += 1
        elif mark == ")" and depth:
            depth -= 1
            if depth:
                comment.append(mark)
            else:
                comments.append("".join(comment).strip())
                comment.clear()
                words.append(" ")
        elif mark == ";":
            found.append((" ".join("".join(words).split()), comments))
            words, comments = [], []
        else:
            keep(mark)
    if comment:
        comments.append("".join(comment).strip())
    if words or comments:
        found.append((" ".join("".join(words).split()), comments))
    return found
