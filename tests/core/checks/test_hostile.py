"""An export may hold anything under any name: a check answers, and never raises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import portero.core.checks as checks_package
from portero.core.checks import checks
from portero.core.checks.rule_01 import CHECK as RULE_01
from portero.core.finding import Outcome, find

NAMES = [
    "Name",
    "Identity",
    "Enabled",
    "ConnectorType",
    "SenderDomains",
    "SenderIPAddresses",
    "TlsSenderCertificateName",
    "ConnectorSource",
    "RestrictDomainsToIPAddresses",
    "RestrictDomainsToCertificate",
    "CloudServicesMailEnabled",
    "TreatMessagesAsInternal",
    "State",
    "Mode",
    "Priority",
    "SetSCL",
    "SenderDomainIs",
    "From",
    "SenderIpRanges",
    "HeaderContainsMessageHeader",
    "HeaderContainsWords",
    "StopRuleProcessing",
    "IsDefault",
    "EnableSpoofIntelligence",
    "HonorDmarcPolicy",
    "DmarcRejectAction",
    "AllowedSenderDomains",
    "IPAllowList",
    "SpoofType",
    "Action",
    "SpoofedUser",
    "SendingInfrastructure",
    "Domain",
    "Status",
    "DomainName",
    "RejectDirectSend",
    "AntiPhishPolicy",
    "HostedContentFilterPolicy",
    "SentTo",
    "RecipientDomainIs",
    "PrimarySmtpAddress",
    "AuditBypassEnabled",
    "SmtpClientAuthenticationDisabled",
    "UnifiedAuditLogIngestionEnabled",
    "AuditDisabled",
    "RecipientTypeDetails",
]
# Every word in the checks that may be a property's name: more than they read, and never less.
NAMES += sorted(
    {
        name
        for path in Path(checks_package.__file__ or "").parent.glob("*.py")
        for name in re.findall(r'"([A-Z][A-Za-z]{3,40})"', path.read_text("utf-8"))
    }
    - set(NAMES)
)
WORDS = [
    "-1",
    "Internal",
    "Allow",
    "Partner",
    "Enabled",
    "Enforce",
    "*",
    "contoso.com",
    "1.2.3.4/99",
    "a@@b",
    "",
    "²",
    "9" * 5000,
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Domain", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
OBJECTS = st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=60), max_size=3)
CMDLETS = sorted(
    {need for check in checks() for need in check.needs if need.startswith("Get-")}
    | {
        "Get-AcceptedDomain",
        "Get-AntiPhishRule",
        "Get-HostedContentFilterRule",
        "Get-EOPProtectionPolicyRule",
        "Get-Mailbox",
        "Get-MailboxAuditBypassAssociation",
        "Get-OutboundConnector",
    }
)


# A few cmdlets at a time: all of them at once make examples too large to print, which Hypothesis takes for a fault.
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(exported=st.dictionaries(st.sampled_from(sorted(CMDLETS)), OBJECTS, max_size=6))
def test_whatever_an_export_holds_every_check_answers(
    posture: Any, sender: Any, tenant: Any, exported: dict[str, Any]
) -> None:
    built = posture(exported, senders=(sender(),), approved=tenant({"Get-InboundConnector": []}))

    for check in checks():
        found = find(check, built)
        assert isinstance(found.outcome, Outcome)
        assert all(map(str, (found.because, found.fix, found.undo)))


def test_a_spam_level_in_digits_that_are_no_number_is_no_level(posture: Any) -> None:
    rules = [
        {
            "Name": "a",
            "State": "Enabled",
            "Mode": "Enforce",
            "Priority": 0,
            "SetSCL": None,
            "StopRuleProcessing": True,
        },
        {"Name": "b", "State": "Enabled", "Mode": "Enforce", "Priority": 1, "SetSCL": "²"},
    ]

    assert find(RULE_01, posture({"Get-TransportRule": rules})).outcome is Outcome.PASS
