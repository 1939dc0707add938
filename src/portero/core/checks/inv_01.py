"""
Every source that delivers mail as one of our domains is known and owned.

Before: nobody can say what the addresses are that mail in our name. An unknown sender is either the attack or the next outage.

After: every sender that carries at least five mails, or one delivered mail that failed composite authentication, stands in the
register or was decided by a person, with an owner.

Mend: ask who runs each sender, then record owner and answer; nothing in the tenant changes.

Verify: run the audit again; the inventory shows an owner beside each sender.

May break: nothing. Yearly and quarterly jobs fall outside the 90 days that Microsoft keeps: ask owners and look at calendars
(payroll, year end, fire alarm tests).

Exceptions: senders below the threshold; senders expired by date, with the name of whoever approved it.

Severity: high: every later control depends on it; an unknown sender is either the attack or the next outage.
"""

from __future__ import annotations

from portero.core.checks.origins import of_senders
from portero.core.checks.window import days_covered, mail_documents
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import DecidedBy, Kind, Sender
from portero.core.text import Text, count

# Mails from which a sender must be owned, and days that silence must cover. Source: controls catalogue INV-01.
MAILS_THAT_MATTER = 5
DAYS_NEEDED = 30


def _judge(posture: Posture) -> Verdict:
    loose = [sender for sender in posture.senders if sender.kind is not Kind.MAILBOX and not _owned(sender)]
    weighty = [sender for sender in loose if _weighty(sender)]
    if weighty:
        return Verdict(
            Outcome.FAIL,
            count(
                "Nobody owns {n} sender of mail in our name: {senders}.",
                "Nobody owns {n} senders of mail in our name: {senders}.",
                len(weighty),
                senders=tuple(sender.label for sender in weighty),
            ),
            of_senders(weighty),
            fix=_record(weighty),
        )
    days = days_covered(posture.coverage)
    if days < DAYS_NEEDED:
        return Verdict(
            Outcome.UNKNOWN,
            count(
                "The mail evidence covers {n} day; what mails once a month shows only in {needed}.",
                "The mail evidence covers {n} days; what mails once a month shows only in {needed}.",
                days,
                needed=DAYS_NEEDED,
            ),
        )
    cut = [each for each in mail_documents(posture.coverage) if each.notes]
    if cut:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Part of the mail evidence is doubtful, so a sender may be missing: {documents}.",
                documents=tuple(each.document for each in cut),
            ),
        )
    if loose:
        return Verdict(
            Outcome.WARN,
            Text(
                "Nobody owns these senders, each of fewer than {threshold} mails: {senders}.",
                threshold=MAILS_THAT_MATTER,
                senders=tuple(sender.label for sender in loose),
            ),
            of_senders(loose),
            fix=_record(loose),
        )
    return Verdict(
        Outcome.PASS, Text("Every sender of mail in our name has an owner."), of_senders(posture.senders)
    )


def _owned(sender: Sender) -> bool:
    return sender.decided_by in {DecidedBy.REGISTER, DecidedBy.PERSON} and bool(sender.owner)


def _weighty(sender: Sender) -> bool:
    """A sender below the threshold counts too when mail of it failed authentication and mail of it was delivered."""
    failed = any(result.startswith("fail") for result in sender.facts.compauth)
    return sender.mails >= MAILS_THAT_MATTER or (failed and bool(sender.facts.outcomes.get("delivered")))


def _record(senders: list[Sender]) -> Text:
    return Text(
        "Ask who runs each sender, then record the answer: {commands}",
        commands="\n".join(
            f"portero decide {sender.id} legitimate|abuse --owner ADDRESS --note PURPOSE"
            for sender in senders
        ),
    )


CHECK = Check(
    id="INV-01",
    title=Text("Every source that delivers mail as one of our domains is known and owned"),
    severity=Severity.HIGH,
    needs=("mail", "domains"),
    judge=_judge,
    fix=Text("Record an owner and a purpose for each sender, in portero.toml or with portero decide."),
    undo=Text("Delete the sender's entry from the register."),
    maps={
        "CIS": "2.1.8",
        "SCuBA before 2026": "MS.EXO.2.1v1 (retired)",
        "Maester": "CISA.MS.EXO.2.1",
        "NIST": "CM-8, PM-5",
        "ATT&CK": "T1672, T1566",
    },
)
