"""
Reports on mail in our name arrive, and somebody reads them.

Before: the DMARC record asks for no reports, or sends them to a domain that never agreed, or nobody has read one in weeks; every change in
DNS is blind.

After: at least one address takes reports, its domain agrees, and a report was read in the last 7 days.

Mend: add the address; publish the agreement at the domain that takes the reports.

Verify: a report is among the evidence within two days.

May break: nothing.

Exceptions: federal agencies add the address of CISA.

Severity: medium: without reports nobody knows whom a stricter policy would hit.
"""

from __future__ import annotations

from datetime import timedelta

from portero.core.checks.standing import Standing, judge_domains, txt_line
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.conversation import converse
from portero.core.mail.dmarc import effective_policy
from portero.core.mail.dmarc_discovery import Site
from portero.core.mail.dmarc_reports import report_targets
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text("DMARC reports on each domain arrive and are read: {domains}.", domains=domains),
        Text("No domain has a DMARC record; DNS-08 says why."),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    found = effective_policy(posture.dns, domain)
    record, origins = found.own.record, found.own.origins
    if found.own.site in {Site.UNKNOWN, Site.FAILED}:
        reason = Text("which DMARC record applies to {domain} is not in the evidence", domain=domain)
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    if record is None:
        reason = Text("no DMARC record applies to {domain}", domain=domain)
        return Standing(domain, Outcome.NOT_APPLICABLE, reason, origins)
    home = found.own.found_at or domain
    if not record.rua:
        reason = Text("the DMARC record for {domain} asks for no reports", domain=domain)
        name = f"_dmarc.{home}"
        wanted = (txt_line(name, f"{record.text.rstrip('; ')}; rua=mailto:dmarc@{domain}"),)
        return Standing(domain, Outcome.FAIL, reason, origins, None, wanted, (txt_line(name, record.text),))
    targets = converse(posture.dns, report_targets(home, record.rua))
    if targets and not any(each.authorised for each in targets):
        refused = tuple(each.domain for each in targets if each.authorised is False)
        if len(refused) == len(targets):
            reason = Text(
                "reports on {domain} go to {targets}, which never agreed", domain=domain, targets=refused
            )
            return Standing(domain, Outcome.FAIL, reason, origins)
        reason = Text(
            "whether {targets} agreed to take reports on {domain} is not in the evidence",
            targets=tuple(each.domain for each in targets),
            domain=domain,
        )
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    if not targets:
        reason = Text("the report addresses of {domain} are none that mail can reach", domain=domain)
        return Standing(domain, Outcome.FAIL, reason, origins)
    rows = [
        row for row in posture.outside if row.header_from == domain or row.header_from.endswith(f".{domain}")
    ]
    if not rows:
        reason = Text("no DMARC report on {domain} is among the evidence", domain=domain)
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    newest = max(row.last_seen for row in rows)
    if posture.now - newest > timedelta(days=posture.limits.report_days):
        reason = Text(
            "the newest DMARC report on {domain} is of {day}", domain=domain, day=newest.date().isoformat()
        )
        return Standing(domain, Outcome.WARN, reason, origins)
    return Standing(domain, Outcome.PASS, Text("reports on {domain} arrive", domain=domain), origins)


CHECK = Check(
    id="DNS-10",
    title=Text("DMARC aggregate reports arrive and are read"),
    severity=Severity.MEDIUM,
    needs=("dns", "domains"),
    judge=_judge,
    fix=Text(
        "Add rua=mailto:MAILBOX to the DMARC record; where the mailbox is elsewhere, its domain must publish DOMAIN._report._dmarc."
    ),
    undo=Text("Publish the previous TXT record."),
    maps={
        "SCuBA": "MS.EXO.4.3v1, MS.EXO.4.4v1",
        "Maester": "CISA.MS.EXO.4.3",
        "NIST": "SI-4(5)",
        "ATT&CK": "T1562.006",
    },
)
