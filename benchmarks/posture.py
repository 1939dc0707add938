"""All checks, and effective protection of every mailbox, on a tenant of 50,000: seconds and peak memory.

Run it with ``python benchmarks/posture.py [MAILBOXES]``. The goal is 20 seconds and 1 GB.
Measured on 2026-11-24 on a machine with two busy cores: checks 5.2 s by the clock and 1.9 s of the processor, protection
9.9 s and 4.1 s, 178 MB.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import UTC, datetime

from portero.core.checks import checks
from portero.core.coverage import coverage, found_for, groups_of, mailboxes
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import ConfigAnswer, ConfigObject, Origin
from portero.core.exchange.settings import Tenant, read_settings
from portero.core.finding import Posture, find

DOMAINS = [f"brand{number}.example" for number in range(40)]
EMPTY = {
    "SentTo": None, "SentToMemberOf": None, "RecipientDomainIs": None, "ExceptIfSentTo": None,
    "ExceptIfSentToMemberOf": None, "ExceptIfRecipientDomainIs": None, "State": "Enabled",
}  # fmt: skip


def tenant(number: int) -> Tenant:
    """Make a tenant with that many mailboxes, and policies, rules and connectors as a large one has them."""
    people = [f"user{each}@{DOMAINS[each % len(DOMAINS)]}" for each in range(number)]
    names = [f"Policy {each}" for each in range(20)]
    rules = [
        {**EMPTY, "Name": name, "Priority": each, "SentTo": people[each * 500 : each * 500 + 500]}
        for each, name in enumerate(names)
    ]
    spam = {
        "AllowedSenderDomains": [],
        "AllowedSenders": [],
        "PhishSpamAction": "Quarantine",
        "BulkThreshold": 6,
    }
    objects: dict[str, list[dict[str, object]]] = {
        "Get-AcceptedDomain": [{"DomainName": name, "MatchSubDomains": False, "DomainType": "Authoritative"} for name in DOMAINS],
        "Get-CASMailbox": [
            {"PrimarySmtpAddress": each, "Name": each, "SmtpClientAuthenticationDisabled": False if at % 500 == 0 else None}
            for at, each in enumerate(people)
        ],
        "Get-Mailbox": [{"PrimarySmtpAddress": each, "RecipientTypeDetails": "UserMailbox"} for each in people],
        "Get-MailboxAuditBypassAssociation": [{"Identity": each, "AuditBypassEnabled": False} for each in people],
        "Get-HostedContentFilterPolicy": [{"Name": "Default", "IsDefault": True, **spam}, *({"Name": name, **spam} for name in names)],
        "Get-HostedContentFilterRule": [{**rule, "HostedContentFilterPolicy": rule["Name"]} for rule in rules],
        "Get-AntiPhishPolicy": [{"Name": "Default", "IsDefault": True}, *({"Name": name} for name in names)],
        "Get-AntiPhishRule": [{**rule, "AntiPhishPolicy": rule["Name"]} for rule in rules],
        "Get-MalwareFilterPolicy": [{"Name": "Default", "IsDefault": True}, *({"Name": name} for name in names)],
        "Get-MalwareFilterRule": [{**rule, "MalwareFilterPolicy": rule["Name"]} for rule in rules],
        "Get-EOPProtectionPolicyRule": [],
        "Get-InboundConnector": [
            {"Name": f"C{each}", "Enabled": True, "ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"],
             "SenderIPAddresses": [f"203.0.{each}.{at}" for at in range(100)]}
            for each in range(100)
        ],
        "Get-TransportRule": [{"Name": f"R{each}", "Priority": each, "State": "Enabled", "Mode": "Enforce", "SetSCL": None} for each in range(300)],
        "Get-TenantAllowBlockListItems": [{"Identity": str(each), "Value": f"x{each}.example", "Action": "Allow", "RemoveAfter": 45} for each in range(5000)],
        "Get-OrganizationConfig": [{"Name": "big", "RejectDirectSend": False, "AuditDisabled": False}],
        "Get-TransportConfig": [{"SmtpClientAuthenticationDisabled": True}],
        "Get-AdminAuditLogConfig": [{"UnifiedAuditLogIngestionEnabled": True}],
    }  # fmt: skip
    items = [
        ConfigObject(cmdlet, each, Origin(f"{cmdlet}.json", at))
        for cmdlet, found in objects.items()
        for at, each in enumerate(found, 1)
    ]
    return Tenant(items, [ConfigAnswer(cmdlet, Origin(f"{cmdlet}.json")) for cmdlet in objects])


def main() -> None:
    """Measure and print."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    held = tenant(number)
    answers = [DnsAnswer(name, "TXT", DnsStatus.NOERROR, ("v=spf1 -all",)) for name in DOMAINS]
    posture = Posture(
        tenant=held,
        settings=read_settings(held),
        dns=Dns(answers),
        senders=(),
        outside=(),
        simulations=(),
        coverage=(),
        gaps=(),
        now=datetime(2026, 11, 24, tzinfo=UTC),
        mail_seen=False,
    )
    start, working = time.perf_counter(), time.process_time()
    slowest = []
    for check in checks():
        before = time.perf_counter()
        find(check, posture)
        slowest.append((time.perf_counter() - before, check.id))
    judged, judging = time.perf_counter() - start, time.process_time() - working
    start, working = time.perf_counter(), time.process_time()
    found = found_for(held, DOMAINS)
    standings = coverage(mailboxes(held), found, groups_of(held))
    covered, covering = time.perf_counter() - start, time.process_time() - working
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(checks())} checks on {number} mailboxes: {judged:.2f} s, {judging:.2f} s of the processor")
    print(
        f"protection of every mailbox, {len(standings)} policies: {covered:.2f} s, {covering:.2f} s of the processor"
    )
    print(f"peak memory: {peak:.0f} MB, the tenant itself among it")
    print(
        "slowest: "
        + ", ".join(f"{id_} {seconds:.2f} s" for seconds, id_ in sorted(slowest, reverse=True)[:5])
    )


if __name__ == "__main__":
    main()
