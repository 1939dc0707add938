"""`portero policy`: the security policy that the decided inventory amounts to, as a document to sign."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.acceptance import Standing
from portero.core.audit import Audit
from portero.core.decision import judgements
from portero.core.sender import DecidedBy, Judgement, Sender, Validity
from portero.core.text import Text, count
from portero.faces.desk import Desk, free_folder
from portero.faces.options import Options, may_ask
from portero.faces.plan_markdown import escaped
from portero.faces.render import Renderer, plain

# A decision without an end is looked at again after this long; the policy says so.
_REVIEW = timedelta(days=365)


def add_policy(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero policy`."""
    say = desk.renderer.text

    @face.command(cls=cls)
    def policy(
        evidence: Annotated[list[Path], options.evidence],
        out: Annotated[
            Path, typer.Option("--out", metavar="FILE", help=say(Text("The Markdown file to write.")))
        ],
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
    ) -> None:
        place = free_folder(out.parent)
        held = desk.audit(evidence, config=config, asking=may_ask(resolve, resolver, record))
        document = security_policy(held, desk.renderer)
        desk.write_files(place, {out.name: document.encode()})


def security_policy(audit: Audit, renderer: Renderer) -> str:
    """
    Write the policy as Markdown in which no value of the evidence means anything but itself.

    Approved is only what a person or the register decided; what evidence alone calls legitimate waits for an approval.
    """
    say = renderer.text
    approved = [each for each in audit.senders if each.legitimate and _by_people(each) and not each.to_decide]
    waiting = [each for each in audit.senders if each.legitimate and not (_by_people(each) or each.to_decide)]
    undecided = [each for each in audit.senders if each.to_decide]
    refused = [each for each in audit.senders if each.judgement is Judgement.ABUSE]
    parts = [
        _heading(1, say(Text("Who may send mail in our name"))),
        _preamble(audit, renderer),
        _heading(2, say(Text("Rules"))),
        *(f"{number}. {escaped(say(each))}" for number, each in enumerate(_RULES, 1)),
        "",
        _heading(2, say(Text("Approved senders"))),
        *_approved(approved, audit, renderer),
        _heading(2, say(Text("Legitimate by the evidence, approved by nobody yet"))),
        *_table(
            (Text("Sender"), Text("Way in"), Text("From then on"), Text("Owner"), Text("Messages")),
            [
                (
                    say(each.label),
                    renderer.value(each.path),
                    _road(each, audit, renderer),
                    each.owner or say(_NOBODY),
                    renderer.number(each.mails),
                )
                for each in waiting
            ],
            renderer,
        ),
        _heading(2, say(Text("Not decided"))),
        *_undecided(undecided, audit, renderer),
        _heading(2, say(Text("Refused"))),
        escaped(
            say(
                count(
                    "{n} sender is judged to be abuse and may not send.",
                    "{n} senders are judged to be abuse and may not send.",
                    len(refused),
                )
            )
        ),
        "",
        _heading(2, say(Text("Exceptions"))),
        *_exceptions(audit, renderer),
        _heading(2, say(Text("Controls"))),
        *_controls(audit, renderer),
        _heading(2, say(Text("Signed"))),
        f"{escaped(say(Text('Name, office, date:')))} \\_\\_\\_\\_\\_\\_\\_\\_",
    ]
    return "\n".join(parts) + "\n"


_RULES = (
    Text(
        "Only the approved senders below may send mail in the name of our domains, each in the way its row names."
    ),
    Text("Every sender has an owner, who answers for it and takes part in its review."),
    Text(
        "A new device, program or service is approved before it sends; its owner and purpose are recorded with it."
    ),
    Text(
        "Mail that enters without authentication and matches no approved way is refused as soon as the plan allows it."
    ),
    Text("Basic authentication is no approved way for anything new."),
    Text("An exception has an owner, a reason and an end; after its end the rule holds again."),
    Text("A changed behaviour of an approved sender opens its approval again."),
)
_NOBODY = Text("nobody")
_UNSAID = Text("not said")


def _heading(level: int, words: str) -> str:
    return f"{'#' * level} {escaped(words)}\n"


def _preamble(audit: Audit, renderer: Renderer) -> str:
    said = [
        Text("Organisation: {name}", name=audit.organisation or _NOT_NAMED),
        Text("Domains: {domains}", domains=audit.accepted_domains or (_NOT_NAMED,)),
        Text("Written on {day} from evidence", day=audit.generated_at.date()),
    ]
    if audit.first is not None and audit.last is not None:
        said[-1] = Text(
            "Written on {day} from evidence of {first} to {last}",
            day=audit.generated_at.date(),
            first=audit.first.date(),
            last=audit.last.date(),
        )
    return "\n".join(f"- {escaped(renderer.text(each))}" for each in said) + "\n"


_NOT_NAMED = Text("not named")


def _by_people(sender: Sender) -> bool:
    return sender.decided_by is not DecidedBy.EVIDENCE


def _approved(approved: Sequence[Sender], audit: Audit, renderer: Renderer) -> list[str]:
    decided = judgements(audit.decisions)
    rows = []
    for sender in approved:
        held = decided.get(sender.id)
        by = (
            renderer.value(sender.decided_by)
            if held is None
            else f"{held.decided_by}, {renderer.date(held.decided_at.date())}"
        )
        review = _review(audit) if held is None else held.expires_on or held.decided_at.date() + _REVIEW
        rows.append(
            (
                renderer.text(sender.label),
                renderer.value(sender.path),
                _road(sender, audit, renderer),
                sender.owner or renderer.text(_NOBODY),
                by,
                sender.purpose or (held.note if held is not None else ""),
                renderer.value(sender.criticality) if sender.criticality else renderer.text(_UNSAID),
                renderer.date(review),
            )
        )
    heads = ("Sender", "Way in", "From then on", "Owner", "Approved by", "Purpose", "Criticality", "Review")
    return _table(tuple(_HEADS[each] for each in heads), rows, renderer)


_HEADS = {
    "Sender": Text("Sender"),
    "Way in": Text("Way in"),
    "From then on": Text("From then on"),
    "Owner": Text("Owner"),
    "Approved by": Text("Approved by"),
    "Purpose": Text("Purpose"),
    "Criticality": Text("Criticality"),
    "Review": Text("Review"),
}


def _review(audit: Audit) -> date:
    return audit.generated_at.date() + _REVIEW


def _road(sender: Sender, audit: Audit, renderer: Renderer) -> str:
    held = audit.migrations.get(sender.id)
    return "" if held is None else renderer.value(held.road)


def _undecided(undecided: Sequence[Sender], audit: Audit, renderer: Renderer) -> list[str]:
    asked = {sender.id: each for each in audit.questions for sender in each.senders}
    rows = []
    for sender in undecided:
        question = asked.get(sender.id)
        to = "" if question is None else question.to.address or renderer.text(question.to.role)
        before = ""
        if sender.ruling is not None and sender.ruling.standing is not Validity.IN_FORCE:
            before = f"{sender.ruling.by}, {renderer.date(sender.ruling.at.date())}: " + renderer.value(
                sender.ruling.standing
            )
        rows.append((renderer.text(sender.label), to, renderer.number(sender.mails), before))
    heads = (Text("Sender"), Text("Asked"), Text("Messages"), Text("Decided before"))
    return _table(heads, rows, renderer)


def _exceptions(audit: Audit, renderer: Renderer) -> list[str]:
    rows = [
        (
            each.id,
            accepted.acceptance.subject or renderer.text(each.title),
            accepted.acceptance.owner,
            accepted.acceptance.reason,
            renderer.date(accepted.acceptance.until),
        )
        for each in audit.findings
        for accepted in each.accepted
        if accepted.standing is Standing.IN_FORCE
    ]
    rows += [
        (
            each.sender,
            renderer.value(each.judgement),
            each.owner or each.decided_by,
            each.note,
            renderer.date(each.expires_on),
        )
        for each in judgements(audit.decisions).values()
        if each.expires_on is not None and each.judgement is not None and each.holds(audit.generated_at)
    ]
    return _table((Text("Rule"), Text("What"), Text("Owner"), Text("Reason"), Text("Until")), rows, renderer)


def _controls(audit: Audit, renderer: Renderer) -> list[str]:
    held = [each for each in audit.plan if each.controls]
    rows = [
        (str(each.n), renderer.text(each.title), ", ".join(each.controls), renderer.text(each.owner))
        for each in held
    ]
    return _table((Text("Step"), Text("Title"), Text("Control"), Text("Owner")), rows, renderer)


def _table(heads: Sequence[Text], rows: Sequence[Sequence[str]], renderer: Renderer) -> list[str]:
    if not rows:
        return [escaped(renderer.text(Text("None."))), ""]
    lines = [
        "| " + " | ".join(escaped(renderer.text(each)) for each in heads) + " |",
        "|" + "---|" * len(heads),
    ]
    lines += ["| " + " | ".join(escaped(plain(each)) for each in row) + " |" for row in rows]
    return [*lines, ""]
