"""What people decide about senders: each act is a line of one record, dated and owned, and none is ever overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from portero.core.register import Criteria, Criticality
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
class Basis:
    """
    How a sender behaved when it was decided about, so that a later change shows.

    networks:    neighbourhoods of its client addresses, as CIDR text.
    domains:     those of its envelopes and of its names.
    names:       mailboxes it wrote as.
    passes:      whether it passed authentication, or None where no witness said.
    weekly:      mails in its busiest week.
    recipients:  how many people it reached, or None where that is not known for then.
    """

    networks: tuple[str, ...]
    domains: tuple[str, ...]
    names: tuple[str, ...]
    passes: bool | None
    weekly: int
    recipients: int | None

    def document(self) -> dict[str, object]:
        """Give it as JSON holds it."""
        return {
            "networks": [*self.networks],
            "domains": [*self.domains],
            "names": [*self.names],
            "passes": self.passes,
            "weekly": self.weekly,
            "recipients": self.recipients,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Basis:
        """Read what `document` gives. Raises ValueError, KeyError or TypeError for what is none."""
        lists = [document[name] for name in ("networks", "domains", "names")]
        passes, recipients = document["passes"], document["recipients"]
        if not all(isinstance(each, list) for each in lists) or not isinstance(passes, bool | None):
            raise TypeError("basis")
        networks, domains, names = (tuple(map(str, each)) for each in lists)
        return cls(
            networks, domains, names, passes, int(document["weekly"]),
            None if recipients is None else int(recipients),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What somebody decided about one sender.

    sender:      the sender's id.
    judgement:   whether it is wanted; None where the act says nothing about that.
    owner:       who answers for the sender, or None.
    expires_on:  last day on which the judgement holds, or None: until somebody decides otherwise.
    purpose:     what its mail is for, or None.
    criticality: what its silence would cost, or None.
    name:        what it is called from now on, or None.
    merge:       ids of the senders that are it, too.
    split:       what its mail must show to be a sender of its own.
    of:          the kind of act that a take-back undoes.
    basis:       how the sender behaved when it was judged, or None where that was not recorded.
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
    purpose: str | None = None
    criticality: Criticality | None = None
    basis: Basis | None = None

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
            "purpose": self.purpose,
            "criticality": self.criticality.value if self.criticality else None,
            "merge": [*self.merge],
            "split": self.split.document() if self.split else None,
            "of": self.of.value if self.of else None,
            "basis": self.basis.document() if self.basis else None,
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
        held = {
            name: document.get(name)
            for name in ("judgement", "owner", "expires_on", "name", "purpose", "criticality", "of")
        }
        text = {name: None if value is None else str(value) for name, value in held.items()}
        merge, split, basis = document.get("merge") or [], document.get("split"), document.get("basis")
        if not (
            isinstance(merge, list) and isinstance(split, dict | None) and isinstance(basis, dict | None)
        ):
            raise TypeError("merge, split, basis")
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
            purpose=text["purpose"],
            criticality=Criticality(text["criticality"]) if text["criticality"] else None,
            merge=tuple(map(str, merge)),
            split=None if split is None else Criteria.read(split),
            of=Act(text["of"]) if text["of"] else None,
            basis=None if basis is None else Basis.read(basis),
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
    """Give a sender by the name and with the owner, purpose and criticality that people gave it, the newest of each."""
    for each in decisions:
        sender = replace(
            sender,
            owner=each.owner or sender.owner,
            purpose=each.purpose or sender.purpose,
            criticality=each.criticality or sender.criticality,
        )
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
