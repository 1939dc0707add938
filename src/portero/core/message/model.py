"""The learned part: features of a case, a linear model over them as plain JSON, and what it says in log odds."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portero.core.message.arrival import organisational
from portero.core.message.case import ACTIVE, Case
from portero.core.message.web import CHEAP, carried, free_mail, looks_random, rented, shortened
from portero.core.message.words import plain_words, tokens

SCHEMA = "portero.model/2"
_MOST_WORDS = 350
# Words of more letters are keys, hashes and addresses: collections differ by them, crimes do not.
_LONGEST = 18
_ADDRESS = re.compile(
    r"\b(?:https?|ftp|mailto):\S*|\bwww\.\S*|[^\s@]{1,64}@[^\s@]{1,255}"
    r"|\b(?:[a-z0-9-]{2,63}\.){1,5}(?:com|org|net|edu|gov|info|io|[a-z]{2})\b(?:/\S*)?"
)


def features(case: Case, dropped: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """
    Give the features of a case, each once: words of subject and text, pairs of words, and traits of its build.

    dropped:  lines of text, as `line_key` writes them, that are left out: footers that mark a collection.
    Header stamps, addresses, also those in the text, and names of authors and recipients are never features: they tell
    where a mail was kept, not what it is.
    """
    known = _names(case)

    def words_of(text: str, most: int) -> list[str]:
        return [word for word in tokens(_ADDRESS.sub(" ", text))[:most] if _kept(word, known)]

    subject = words_of(case.subject, 40)
    lines = (
        line
        for line in case.content.text[:12_000].split("\n")
        if not dropped or line_key(line) not in dropped
    )
    words = words_of(plain_words("\n".join(lines)), _MOST_WORDS * 2)[:_MOST_WORDS]
    found = {f"s:{word}" for word in subject}
    found.update(words)
    found.update(subject)
    found.update(f"{left} {right}" for left, right in itertools.pairwise(words))
    found.update(f"{left} {right}" for left, right in itertools.pairwise(subject))
    found.update(f"i:{word}" for word in words_of(plain_words(case.content.inside[:3000]), 150))
    found.update(build(case))
    return tuple(sorted(found))


def build(case: Case) -> set[str]:
    """Give the traits of a case's build, all of which begin with ``x:``."""
    held = case.content
    doors, away = held.doors, case.away
    found = {f"x:{name}" for name in held.traits if name in {"html", "form", "hidden-text", "pictures-only"}}
    found.add(f"x:doors-{_size(len(doors))}")
    found.add(f"x:away-{_size(len({organisational(each.host) for each in away}))}")
    found.add(f"x:words-{_size(len(held.text.split()) // 20)}")
    found.add(f"x:pictures-{_size(held.pictures)}")
    if doors and not away:
        found.add("x:home-only")
    if away and not any(organisational(each.host) == case.home for each in doors):
        found.add("x:never-home")
    if any(rented(each) for each in away):
        found.add("x:rented")
    if any(shortened(each) for each in away):
        found.add("x:shortened")
    if any(carried(each) for each in doors):
        found.add("x:carried")
    if any(each.host.rpartition(".")[2] in CHEAP for each in away):
        found.add("x:cheap")
    if case.arrival.author_domain.rpartition(".")[2] in CHEAP:
        found.add("x:cheap-author")
    if free_mail(case.author):
        found.add("x:free-author")
    if looks_random(case.home.partition(".")[0]):
        found.add("x:random-author")
    if case.reply_to_stranger:
        found.add("x:reply-elsewhere")
    if case.reply:
        found.add("x:reply")
    if case.automatic:
        found.add("x:automatic")
    if held.of_kind("code"):
        found.add("x:code")
    found.update(f"x:kind-{each.kind}" for each in held.attachments)
    if held.traits_of_attachments() & ACTIVE:
        found.add("x:active")
    if case.mail.first("list-unsubscribe") is not None:
        found.add("x:leave")
    found.update(f"x:lure-{subject}" for subject in case.met)
    return found


def _size(n: int) -> str:
    return "0" if n == 0 else "1" if n == 1 else "2+" if n < 6 else "6+" if n < 20 else "20+"


def _kept(word: str, known: frozenset[str]) -> bool:
    return 1 < len(word) <= _LONGEST and not word.isdecimal() and word not in known and not _mixed(word)


def _mixed(word: str) -> bool:
    return len(word) > 6 and any(sign.isdigit() for sign in word)


def _names(case: Case) -> frozenset[str]:
    """Give the pieces of the readers' and the author's addresses: a mailbox's own name is dust."""
    pieces: set[str] = set()
    for each in (*case.recipients, case.author):
        pieces.update(re.split(r"[^a-z0-9]+", each.lower()))
    for name in ("to", "cc"):
        for box in case.mail.mailboxes(name)[:20]:
            pieces.update(tokens(plain_words(box.name)))
    return frozenset(piece for piece in pieces if len(piece) > 2) - {"com", "org", "net", "mail", "info"}


def line_key(line: str) -> str:
    """Give a line in the form by which footers are recognised: its words without digits."""
    return " ".join(word for word in tokens(plain_words(line[:300])) if not word.isdecimal())


@dataclass(frozen=True)
class Model:
    """
    A linear model.

    weights:  by feature.
    slope:    calibrates their sum to log odds beside those of prior and rules.
    cap:      the most it may say in either direction.
    dropped:  lines that are left out before words are taken.
    facts:    what it was made from and how it was measured, for people.
    """

    name: str
    weights: Mapping[str, float]
    slope: float = 1.0
    cap: float = 4.0
    dropped: frozenset[str] = frozenset()
    facts: Mapping[str, object] = field(default_factory=dict)

    def raw(self, found: Sequence[str]) -> float:
        """Give the model's sum over features, before calibration; 0 where it knows none of them."""
        if not found:
            return 0.0
        return sum(self.weights.get(each, 0.0) for each in found) / math.sqrt(len(found))

    def __call__(self, case: Case) -> tuple[float, tuple[str, ...]]:
        """Give what it says of a case in log odds, and the words that spoke most for it."""
        found = features(case, self.dropped)
        odds = max(-self.cap, min(self.cap, self.slope * self.raw(found)))
        sign = 1 if odds > 0 else -1
        said = sorted(
            ((self.weights.get(each, 0.0) * sign, each) for each in found if not each.startswith("x:")),
            reverse=True,
        )
        words = dict.fromkeys(
            each.removeprefix("s:").removeprefix("i:") for weight, each in said[:8] if weight > 0
        )
        return odds, tuple(words)[:5]


def write_model(model: Model) -> str:
    """Write a model as JSON, the same model to the same octets."""
    document = {
        "schema": SCHEMA,
        "name": model.name,
        "facts": dict(model.facts),
        "slope": round(model.slope, 5),
        "cap": model.cap,
        "dropped": sorted(model.dropped),
        "weights": {name: round(model.weights[name], 3) for name in sorted(model.weights)},
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def read_model(text: str) -> Model:
    """Read a model. Raises ValueError where it is none, or of another version."""
    try:
        held = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(held, dict) or held.get("schema") != SCHEMA:
        raise ValueError("schema")
    weights, dropped = held.get("weights"), held.get("dropped", [])
    numbers = [held.get(name) for name in ("slope", "cap")]
    if not isinstance(weights, dict) or not isinstance(dropped, list) or not all(map(_number, numbers)):
        raise ValueError("keys")
    if not all(isinstance(name, str) and _number(value) for name, value in weights.items()):
        raise ValueError("weights")
    slope, cap = (float(each) for each in numbers if each is not None)
    facts = held.get("facts")
    return Model(
        str(held.get("name", "")),
        weights,
        slope,
        cap,
        frozenset(map(str, dropped)),
        facts if isinstance(facts, dict) else {},
    )


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
