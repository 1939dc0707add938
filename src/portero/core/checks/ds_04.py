"""
Anonymous mail with our visible From and a foreign envelope sender does not reach inboxes unless it passes DMARC.

Before: Reject Direct Send looks at the envelope sender (MAIL FROM) alone. A spoofer who writes a foreign envelope and our name
in From walks past it; this is the obvious next move once DS-01 is on.

After: such mail passes DMARC, as an aligned mailing service does, or is not delivered to an inbox.

Mend: raise the DMARC policy of our domains to quarantine or reject (DNS-09) and have Exchange honour it (SPOOF-02).

Verify: a later trace shows no delivered mail of that kind that fails DMARC.

May break: mail of services that sign with DKIM in our domain passes and must stay; the DMARC results by sender tell which do not.

Exceptions: mailing lists and forwarders that rewrite the envelope rely on DKIM or on a trusted ARC sealer (SPOOF-09).

Severity: high: it is the attacker's next move once DS-01 is on.
"""

from __future__ import annotations

from portero.core.checks.origins import of_senders
from portero.core.exchange.powershell import run
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.flow import Flow
from portero.core.records import Records
from portero.core.sender import Path, Sender
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    records = Records(posture.settings)
    foreign = [sender for sender in posture.senders if sender.path is Path.FOREIGN_ENVELOPE]
    reached = [sender for sender in foreign if any(_reached(flow, records) for flow in sender.flows)]
    if reached:
        return Verdict(
            Outcome.FAIL,
            Text(
                "Mail with our From and a foreign envelope reached inboxes without passing DMARC: {senders}.",
                senders=tuple(sender.label for sender in reached),
            ),
            of_senders(reached),
        )
    unclear = [sender for sender in foreign if not _settled(sender, records)]
    unclear += [
        sender
        for sender in posture.senders
        if sender.path is Path.UNDETERMINED
        and any(map(posture.settings.names_us, sender.header_from_domains))
    ]
    if unclear:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Envelope sender, DMARC result or outcome of some mail is not known: {senders}. EmailEvents from advanced "
                "hunting holds all three.",
                senders=tuple(sender.label for sender in unclear),
            ),
            of_senders(unclear),
        )
    if not any(_both_known(flow) for sender in posture.senders for flow in sender.flows):
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "No witness knows both the envelope sender and the visible From. EmailEvents from advanced hunting, or a "
                "trace with details, does."
            ),
        )
    return Verdict(
        Outcome.PASS,
        Text("All mail seen with our From and a foreign envelope passed DMARC or reached no inbox."),
        of_senders(foreign),
    )


def _both_known(flow: Flow) -> bool:
    return flow.key.mail_from_domain is not None and flow.key.header_from is not None


def _reached(flow: Flow, records: Records) -> bool:
    """Tell whether at least one mail surely was delivered without passing DMARC, whichever mails they were."""
    facts = flow.facts
    passes = records.passed(flow)
    failing = facts.mails if passes is False else facts.dmarc.get("fail", 0)
    return failing + facts.outcomes.get("delivered", 0) > facts.mails and failing > 0


def _settled(sender: Sender, records: Records) -> bool:
    """Tell whether all mail surely passed DMARC or surely reached no inbox."""
    return bool(sender.flows) and all(
        records.passed(flow) is True
        or (
            sum(flow.facts.outcomes.values()) >= flow.facts.mails and not flow.facts.outcomes.get("delivered")
        )
        for flow in sender.flows
    )


CHECK = Check(
    id="DS-04",
    title=Text("Anonymous mail with our visible From and a foreign envelope is covered elsewhere"),
    severity=Severity.HIGH,
    needs=("mail", "domains"),
    judge=_judge,
    fix=Text(
        "Publish p=quarantine, then p=reject for our domains (DNS-09), and have Exchange honour it (SPOOF-02): {command}",
        command="Set-AntiPhishPolicy -Identity 'POLICY' -HonorDmarcPolicy $true -DmarcRejectAction Reject "
        "-DmarcQuarantineAction Quarantine",
    ),
    undo=run(["Set-AntiPhishPolicy -Identity 'POLICY' -HonorDmarcPolicy PREVIOUS-VALUE"]),
    maps={
        "CIS": "2.1.7, 2.1.10",
        "ORCA": "180, 244",
        "SCuBA": "MS.EXO.4.2v1",
        "NIST": "SI-8",
        "ATT&CK": "T1672, T1656",
    },
)
