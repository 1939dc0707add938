"""
A session from outside shows that the front door really refuses our own name.

Before: the setting says on, and nobody has seen it work; it takes half an hour, and a connector may let the tester in.

After: an SMTP session from an address that matches no connector, to the tenant's own endpoint, with an own domain in MAIL FROM, was answered
550 5.7.68 with TenantInboundAttribution.

Mend: DS-01; then probe again.

Verify: record the probe as evidence: a JSON object with the members host, mail_from, rcpt_to, reply and at.

May break: a probe that is accepted is real mail: mark its subject and use a test mailbox. Probe the tenant's endpoint, not an MX that is a
gateway's.

Exceptions: networks without port 25 to outside: probe from a small host elsewhere.

Severity: medium: what is configured and what happens differ for half an hour or more.
"""

from __future__ import annotations

import re

from portero.core.address import domain_of
from portero.core.checks.origins import of_objects
from portero.core.exchange.dates import moment
from portero.core.exchange.settings import prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_REFUSED = re.compile(r"^550[ -]5\.7\.68\b")


def _judge(posture: Posture) -> Verdict:
    probes = sorted(
        posture.tenant.objects("smtp-probe") or (),
        key=lambda item: str(moment(prop(item, "at")) or ""),
        reverse=True,
    )
    named = [item for item in probes if posture.settings.names_us(domain_of(str(prop(item, "mail_from"))))]
    if not named:
        return Verdict(Outcome.UNKNOWN, Text("No probe wrote as a domain of ours."), of_objects(probes))
    reply, origins = str(prop(named[0], "reply")).strip(), of_objects(named[:1])
    if _REFUSED.match(reply):
        return Verdict(
            Outcome.PASS,
            Text("The front door refused our own name from outside: {reply}", reply=reply[:200]),
            origins,
        )
    if reply.startswith("250"):
        return Verdict(
            Outcome.FAIL,
            Text("The front door took mail in our name from outside: {reply}", reply=reply[:200]),
            origins,
        )
    return Verdict(
        Outcome.UNKNOWN,
        Text("The probe met something else than Reject Direct Send: {reply}", reply=reply[:200]),
        origins,
    )


CHECK = Check(
    id="DS-05",
    title=Text("The refusal is proven from outside"),
    severity=Severity.MEDIUM,
    needs=("smtp-probe",),
    judge=_judge,
    fix=Text("Switch Reject Direct Send on (DS-01), wait half an hour, probe again."),
    undo=Text("Nothing to undo: a probe changes nothing."),
    maps={"NIST": "CA-8, SI-6", "ATT&CK": "T1672"},
)
