"""
The evidence itself is sound: fresh, whole, and readable.

Before: an export was cut at its cap, a file could not be read, or the newest mail is days old, and the answers drawn from it look as
good as any other.

After: every document was read whole, and the newest mail in each kind of evidence is at most a day older than the audit.

Mend: export again what is named, in smaller windows where the cap was hit; grant the collector both the application role and the
directory role where it was denied.

Verify: run the audit again; its list of gaps and its notes on documents are empty.

May break: nothing.

Exceptions: none. An audit of the past on purpose will say that its evidence is old, and is right.

Severity: high: most wrong answers start with evidence that was cut, stale or denied.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from portero.core.checks.window import mail_documents
from portero.core.evidence import Gap, Origin
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict, cut_answers
from portero.core.text import Text

# Source: controls catalogue LOG-07.
STALE_AFTER = timedelta(hours=24)
SHOWN = 20


def _judge(posture: Posture) -> Verdict:
    if not posture.coverage and not posture.gaps and not posture.tenant.cmdlets():
        return Verdict(Outcome.UNKNOWN, Text("No evidence was read, so there is nothing to judge."))
    used = {each.document for each in posture.coverage if each.rows}
    torn = [gap for gap in posture.gaps if gap.origin.document in used]
    cut = [each.document for each in posture.coverage if each.notes]
    cut += [str(posture.tenant.origin(name) or name) for name in sorted(cut_answers(posture))]
    stale = _stale(posture)
    faults, origins = [], []
    if cut:
        faults.append(Text("cut or doubtful: {documents}", documents=tuple(dict.fromkeys(cut))))
        origins += [Origin(document) for document in dict.fromkeys(cut)]
    if torn:
        faults.append(Text("read only in part: {documents}", documents=_documents(torn)))
        origins += [gap.origin for gap in torn]
    if stale:
        faults.append(Text("older than a day at its newest record: {kinds}", kinds=stale))
    if faults:
        return Verdict(
            Outcome.FAIL,
            Text("The evidence is not sound: {faults}.", faults=tuple(faults)),
            tuple(origins[:SHOWN]),
        )
    if posture.gaps:
        return Verdict(
            Outcome.WARN,
            Text(
                "Handed over and not usable, so no answer rests on it: {documents}.",
                documents=_documents(list(posture.gaps)),
            ),
            tuple(gap.origin for gap in posture.gaps[:SHOWN]),
        )
    if not mail_documents(posture.coverage):
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Every document was read whole, yet none records mail with its time, so nobody can tell how old they are."
            ),
        )
    return Verdict(
        Outcome.PASS,
        Text("Every document was read whole, and the newest mail is less than a day old."),
        tuple(Origin(each.document) for each in posture.coverage[:SHOWN]),
    )


def _documents(gaps: list[Gap]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(gap.origin.document for gap in gaps))[:SHOWN]


def _stale(posture: Posture) -> tuple[str, ...]:
    """Name the kinds of mail evidence whose newest record is old; an older slice beside a fresh one is no fault."""
    newest: dict[str, datetime] = {}
    for each in mail_documents(posture.coverage):
        if each.last is not None:
            newest[each.kind] = max(each.last, newest.get(each.kind, each.last))
    return tuple(sorted(kind for kind, last in newest.items() if posture.now - last > STALE_AFTER))


CHECK = Check(
    id="LOG-07",
    title=Text("The evidence itself is sound"),
    severity=Severity.HIGH,
    needs=(),
    judge=_judge,
    fix=Text(
        "Export again what is named, in smaller windows where a cap was hit; a collector needs both the application role and a "
        "directory role."
    ),
    undo=Text("Nothing to undo: only evidence is read."),
    maps={"NIST": "AU-5, SI-6", "ATT&CK": "T1562.008"},
)
