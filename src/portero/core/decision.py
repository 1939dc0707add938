"""What people decide about senders: each act is a line of one record, dated and owned, and none is ever overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from hashlib import sha256

from portero.core.register import Criteria
from portero.core.sender import WORD_ODDS, DecidedBy, Judgement, Kind, Reason, Sender
from portero.core.text import Text

# What the record of decisions is called wherever it lies: one JSON object a line, each as `Decision.document` gives it.
RECORD = "portero.decisions.jsonl"


class Act(StrEnum):
    """What somebody did to a sender."""

    JUDGE = "judge"  # said whether it is wanted
    DESCRIBE = "describe"  # said what it is called and who answers for it
    MERGE = "merge"  # joined others to it
    SPLIT = "split"  # set a part of it apart
    TAKE_BACK = "take-back"  # undid all acts of one kind


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What somebody decided about one sender.

    sender:      the sender's id.
    judgement:   whether it is wanted; None where the act says nothing about that.
    owner:       who answers for the sender, or None.
    expires_on:  last day on which the judgement holds, or None: until somebody decides otherwise.
    name:        what it is called from now on, or None.
    merge:       ids of the senders that are it, too.
    split:       what its mail must show to be a sender of its own.
    of:          the kind of act that a take-back undoes.
    """

    sender: str
    judgement: Judgement | None
    decided_by: str
    decided_at: datetime
    owner: str | None = None
    note: str = ""
    expires_on: date | None = None
    act: Act = Act.JUDGE
    name: str | None = None
    merge: tuple[str, ...] = ()
    split: Criteria | None = None
    of: Act | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether the decision has not run out."""
        return self.expires_on is None or now.date() <= self.expires_on

    @property
    def part(self) -> str:
        """Give the id of the sender that a split makes: the same as long as the same is set apart from the same."""
        held = (self.split or Criteria()).document()
        text = "|".join(f"{kind}={','.join(sorted(values))}" for kind, values in sorted(held.items()))
        return "s-" + sha256(f"split|{self.sender}|{text}".encode()).hexdigest()[:12]

    @property
    def said(self) -> Mapping[str, object]:
        """Give what the act says beyond a judgement, as JSON holds it; nothing of a plain judgement."""
        held = {
            "act": None if self.act is Act.JUDGE else self.act.value,
            "name": self.name,
            "merge": [*self.merge],
            "split": self.split.document() if self.split else None,
            "of": self.of.value if self.of else None,
        }
        return {key: value for key, value in held.items() if value}

    def document(self) -> dict[str, object]:
        """Give the decision as JSON holds it; times in ISO 8601."""
        return {
            "sender": self.sender,
            "judgement": self.judgement.value if self.judgement else None,
            "decided_by": self.decided_by,
            "decided_at": self.decided_at.isoformat(),
            "owner": self.owner,
            "note": self.note,
            "expires_on": self.expires_on.isoformat() if self.expires_on else None,
            **self.said,
        }

    @classmethod
    def read(cls, document: Mapping[str, object]) -> Decision:
        """Read what `document` gives. Raises ValueError, KeyError or TypeError for what is no decision."""
        decided_at = datetime.fromisoformat(str(document["decided_at"]))
        if decided_at.tzinfo is None:
            raise ValueError("zone")
        held = {name: document.get(name) for name in ("judgement", "owner", "expires_on", "name", "of")}
        text = {name: None if value is None else str(value) for name, value in held.items()}
        merge, split = document.get("merge") or [], document.get("split")
        if not isinstance(merge, list) or not isinstance(split, dict | None):
            raise TypeError("merge, split")
        made = cls(
            sender=str(document["sender"]),
            judgement=Judgement(text["judgement"]) if text["judgement"] else None,
            decided_by=str(document["decided_by"]),
            decided_at=decided_at.astimezone(UTC),
            owner=text["owner"],
            note=str(document.get("note") or ""),
            expires_on=date.fromisoformat(text["expires_on"]) if text["expires_on"] else None,
            act=Act(str(document.get("act") or Act.JUDGE)),
            name=text["name"],
            merge=tuple(map(str, merge)),
            split=None if split is None else Criteria.read(split),
            of=Act(text["of"]) if text["of"] else None,
        )
        # An act that leaves out what it is about is none.
        about = {
            Act.JUDGE: made.judgement,
            Act.MERGE: made.merge,
            Act.SPLIT: made.split,
            Act.TAKE_BACK: made.of,
        }
        if not about.get(made.act, True) or made.of is Act.TAKE_BACK:
            raise ValueError("act")
        return made

    def sentence(self) -> Text:
        """Say what was done, for a history."""
        if self.act is Act.MERGE:
            return Text("joined with {senders}", senders=self.merge)
        if self.act is Act.SPLIT:
            return Text("{what} set apart as {sender}", what=shown(self.split), sender=self.part)
        if self.act is Act.TAKE_BACK:
            return _TAKEN_BACK[self.of or Act.JUDGE]
        if self.act is Act.DESCRIBE and self.name:
            return Text("named “{name}”", name=self.name)
        if self.act is Act.DESCRIBE:
            return Text("described")
        return Text("{judgement}", judgement=self.judgement or Judgement.UNDECIDED)


_TAKEN_BACK = {
    Act.JUDGE: Text("decision taken back"),
    Act.DESCRIBE: Text("name and description taken back"),
    Act.MERGE: Text("taken apart again"),
    Act.SPLIT: Text("put together again"),
}


def shown(criteria: Criteria | None) -> tuple[str, ...]:
    """Write criteria as a command takes them, ``kind=value`` each."""
    held = (criteria or Criteria()).document()
    return tuple(f"{kind}={value}" for kind, values in held.items() for value in values)


def effective(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """
    Give the acts that still count, in the order given: the last judgement of each sender, and what was not taken back.

    decisions:  in the order in which they came to be.
    """
    held: dict[tuple[str, Act], list[tuple[int, Decision]]] = {}
    for number, each in enumerate(decisions):
        if each.act is Act.TAKE_BACK:
            held.pop((each.sender, each.of or Act.JUDGE), None)
        elif each.act is Act.JUDGE:
            held[each.sender, each.act] = [(number, each)]
        else:
            held.setdefault((each.sender, each.act), []).append((number, each))
    return tuple(
        each
        for _, each in sorted((pair for acts in held.values() for pair in acts), key=lambda pair: pair[0])
    )


def judgements(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Give the judgement that people passed on each sender, by id."""
    return {each.sender: each for each in effective(decisions) if each.act is Act.JUDGE}


def spoken(sender: Sender, decision: Decision) -> Sender:
    """Give a sender judged as a person decided; what people did to its shape stays among its reasons."""
    judgement = decision.judgement or Judgement.UNDECIDED
    undecided = judgement is Judgement.UNDECIDED
    kind = sender.kind
    if judgement is Judgement.ABUSE:
        kind = Kind.SPOOFER
    elif kind is Kind.SPOOFER:
        # It was called so for its judgement alone; what it is instead, its mail did not show.
        kind = Kind.UNKNOWN
    said = Text("{person} decided so on {day}.", person=decision.decided_by, day=decision.decided_at.date())
    return replace(
        sender,
        kind=kind,
        judgement=judgement,
        confidence=0.5 if undecided else 0.999,
        decided_by=DecidedBy.PERSON,
        owner=decision.owner or sender.owner,
        because=(Reason("person", said, WORD_ODDS[judgement]), *shape_reasons(sender)),
    )


SHAPE_CODES = frozenset({"named", "joined", "kept-apart", "set-apart"})


def shape_reasons(sender: Sender) -> tuple[Reason, ...]:
    """Give those of a sender's reasons that tell what people did to its shape; they weigh nothing."""
    return tuple(each for each in sender.because if each.code in SHAPE_CODES)


def described(sender: Sender, decisions: Iterable[Decision]) -> Sender:
    """Give a sender by the name and with the owner that people gave it, the newest of each."""
    for each in decisions:
        if each.owner:
            sender = replace(sender, owner=each.owner)
        if each.name:
            why = Text(
                "{person} named it so on {day}; its mail shows it as: {label}.",
                person=each.decided_by,
                day=each.decided_at.date(),
                label=sender.label,
            )
            kept = tuple(reason for reason in sender.because if reason.code != "named")
            sender = replace(
                sender, label=Text("{name}", name=each.name), because=(*kept, Reason("named", why, 0.0))
            )
    return sender
