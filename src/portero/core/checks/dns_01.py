"""
Every domain of ours publishes exactly one SPF record, and it can be read.

Before: a domain publishes no record beginning with v=spf1, or several, or one with a syntax error; receivers then have nothing
to go by, or answer permerror, and SPF protects nobody.

After: the TXT records of the domain hold exactly one beginning with v=spf1, and every term of it is valid.

Mend: publish one record with Exchange Online's include and the terms of every registered sender; join several into one.

Verify: ask DNS for the domain's TXT records from two places, after the old ones' time to live; exactly one begins with v=spf1.

May break: senders left out of the record fail SPF; look in the DMARC reports and the trace for their addresses first.

Exceptions: the coexistence domain below mail.onmicrosoft.com and the initial domain, whose records Microsoft keeps.

Severity: high: without one valid record SPF protects nobody.
"""

from __future__ import annotations

from portero.core.checks.standing import (
    Standing,
    judge_domains,
    origins_of,
    silence,
    txt_line,
    unanswered,
)
from portero.core.dns import DnsStatus
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.spf_record import is_spf, parse_record
from portero.core.text import Text

# What Microsoft asks of a domain that sends through Exchange Online alone. Source: controls catalogue DNS-01.
STARTING_RECORD = "v=spf1 include:spf.protection.outlook.com ~all"


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text(
            "Each domain publishes exactly one valid SPF record: {domains}.", domains=domains
        ),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    answer = posture.dns.lookup(domain, "TXT")
    if unanswered(answer):
        return silence(domain, answer)
    origins = origins_of(answer)
    records = [text for text in answer.answers if is_spf(text)]
    previous = tuple(txt_line(domain, text) for text in records)
    if not records:
        reason = (
            Text("{domain} does not exist in DNS", domain=domain)
            if answer.status is DnsStatus.NXDOMAIN
            else Text("{domain} publishes no SPF record", domain=domain)
        )
        return Standing(domain, Outcome.FAIL, reason, origins, wanted=(txt_line(domain, STARTING_RECORD),))
    if len(records) > 1:
        reason = Text("{domain} publishes {number} SPF records", domain=domain, number=len(records))
        return Standing(
            domain,
            Outcome.FAIL,
            reason,
            origins,
            wanted=(txt_line(domain, _joined(records)),),
            previous=previous,
        )
    faults = parse_record(records[0]).faults
    if faults:
        reason = Text(
            "the SPF record of {domain} is invalid at {term}: {reason}",
            domain=domain,
            term=faults[0].term,
            reason=faults[0].reason,
        )
        return Standing(domain, Outcome.FAIL, reason, origins)
    return Standing(
        domain, Outcome.PASS, Text("{domain} publishes one valid SPF record", domain=domain), origins
    )


def _joined(records: list[str]) -> str:
    """Join records: each term once, and the gentler end, so that no sender of either is cut off by the joining."""
    terms: dict[str, None] = {}
    for text in records:
        record = parse_record(text)
        terms.update(dict.fromkeys(each.text for each in record.mechanisms if each.kind != "all"))
    return " ".join(["v=spf1", *terms, "~all"])


CHECK = Check(
    id="DNS-01",
    title=Text("One valid SPF record per domain"),
    severity=Severity.HIGH,
    needs=("dns", "domains"),
    judge=_judge,
    fix=Text(
        "Publish one TXT record that begins with v=spf1 and names every registered sender: {record}",
        record=STARTING_RECORD,
    ),
    undo=Text("Publish the previous TXT record with its previous time to live."),
    maps={
        "SCuBA": "MS.EXO.2.2v3",
        "CIS": "2.1.8",
        "Maester": "CISA.MS.EXO.2.2",
        "ORCA": "235",
        "NIST": "SI-8",
        "ATT&CK": "T1672, T1656",
    },
)
