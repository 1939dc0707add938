"""The organisation's own message rules: TOML files of a folder, with the words of Sigma's metadata."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from portero.core.message.case import Case, Rule
from portero.core.message.words import plain_words
from portero.core.text import Text
from portero.errors import ConfigError

_LEVELS = ("informational", "low", "medium", "high", "critical")
_WEIGHTS = {"informational": 0.0, "low": 0.6, "medium": 1.2, "high": 2.2, "critical": 3.5}
_MOST = 2_000
_READS: dict[str, Callable[[Case], Iterable[str]]] = {
    "subject": lambda case: (case.subject,),
    "text": lambda case: (plain_words(case.content.text), plain_words(case.content.inside)),
    "from": lambda case: (case.author, plain_words(case.arrival.author.name)),
    "envelope": lambda case: (case.arrival.mail_from or "",),
    "reply_to": lambda case: (case.reply_to,),
    "link": lambda case: (each.url.lower() for each in case.content.doors),
    "attachment": lambda case: (each.name.lower() for each in case.content.attachments),
    "path": lambda case: (case.arrival.path.value,),
}


def read_rules(folder: Path) -> tuple[Rule, ...]:
    """
    Read the rules of a folder's ``*.toml`` files, in order of name. Raises ConfigError with all that is wrong.

    A rule: ``title``, ``level``, optional ``id``, ``weight``, ``falsepositives``, and ``[detection]`` with lists of
    texts under ``subject``, ``text``, ``from``, ``envelope``, ``reply_to``, ``link``, ``attachment`` and ``path``. Of
    each list one text must be there, and each list given must be met. ``*`` stands for anything within a text; case,
    accents and look-alike letters do not count.
    """
    problems: list[Text] = []
    rules: list[Rule] = []
    for path in sorted(folder.glob("*.toml"))[:_MOST]:
        try:
            held = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            problems.append(Text("{file}: this is not TOML ({reason}).", file=str(path), reason=str(error)))
            continue
        rule = _rule(path, held, problems)
        if rule is not None:
            rules.append(rule)
    if not folder.is_dir():
        problems.append(Text("There is no file or folder {path}.", path=str(folder)))
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(rules)


def _rule(path: Path, held: dict[str, object], problems: list[Text]) -> Rule | None:
    title, level, detection = held.get("title"), held.get("level"), held.get("detection")
    if not isinstance(title, str) or level not in _LEVELS or not isinstance(detection, dict) or not detection:
        problems.append(
            Text(
                "{file}: a rule needs title, level ({levels}) and a table detection.",
                file=str(path),
                levels=_LEVELS,
            )
        )
        return None
    unknown = tuple(str(name) for name in detection if name not in _READS)
    if unknown or not all(
        isinstance(each, list) and each and all(isinstance(text, str) for text in each)
        for each in detection.values()
    ):
        problems.append(
            Text("{file}: detection takes lists of texts under {names}.", file=str(path), names=tuple(_READS))
        )
        return None
    weight = held.get("weight", _WEIGHTS[str(level)])
    if not isinstance(weight, int | float) or not -6 <= weight <= 6:
        problems.append(Text("{file}: weight is a number from -6 to 6.", file=str(path)))
        return None
    patterns = tuple((name, tuple(_pattern(text) for text in texts)) for name, texts in detection.items())
    name = str(held.get("id") or path.stem)
    positives = held.get("falsepositives", [])
    return Rule(
        id=f"own-{name}",
        title=title,
        level=str(level),
        weight=float(weight),
        match=_Match(title, patterns),
        falsepositives=tuple(map(str, positives)) if isinstance(positives, list) else (),
    )


@dataclass(frozen=True)
class _Match:
    """Matches a rule's lists; a value, so that workers can be given it."""

    title: str
    patterns: tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]

    def __call__(self, case: Case) -> Text | None:
        for name, wanted in self.patterns:
            values = list(_READS[name](case))
            if not any(each.search(value) for each in wanted for value in values):
                return None
        return Text("The organisation's own rule matches: {title}.", title=self.title)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".{0,200}?".join(re.escape(piece) for piece in plain_words(text).split("*")))
