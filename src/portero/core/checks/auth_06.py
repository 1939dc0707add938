"""
The password in a printer opens nothing but the printer's mail.

Before: an account that submits by SMTP holds an administrator's role, or signs in from anywhere.

After: such accounts hold no role, serve one purpose, and submit from registered addresses alone.

Mend: a Conditional Access policy with named locations for them; take roles away.

Verify: sign-ins of these accounts over 30 days come from registered addresses only.

May break: devices whose address changes; their sign-ins show it.

Exceptions: cloud applications with published ranges.

Severity: high: the password stands in a device that anybody in the corridor can open.
"""

from __future__ import annotations

from portero.core.address import mailbox_key, parse_network
from portero.core.checks.origins import of_answers, of_objects, of_senders
from portero.core.checks.ranges import places_of
from portero.core.exchange.settings import flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Path, Sender
from portero.core.text import Text

_ROLES = "Get-RoleGroupMember"


def _judge(posture: Posture) -> Verdict:
    items = posture.tenant.objects("Get-CASMailbox") or ()
    excepted = {
        mailbox_key(str(item.properties.get("PrimarySmtpAddress") or "")): item
        for item in items
        if flag(item, "SmtpClientAuthenticationDisabled") is False
    }
    if not excepted:
        return Verdict(
            Outcome.NOT_APPLICABLE,
            Text("No mailbox may submit by SMTP by an exception of its own."),
            of_answers(posture.tenant, "Get-CASMailbox"),
        )
    members = {
        mailbox_key(str(item.properties.get("PrimarySmtpAddress") or ""))
        for item in posture.tenant.objects(_ROLES) or ()
    } - {""}
    powerful = tuple(sorted(members & excepted.keys()))
    if powerful:
        return Verdict(
            Outcome.FAIL,
            Text("These submit by SMTP and hold administrators' roles: {names}.", names=powerful),
            of_objects(excepted[name] for name in powerful),
            subjects=powerful,
        )
    using = [
        sender
        for sender in posture.senders
        if sender.path is Path.AUTHENTICATED
        and any(mailbox_key(name) in excepted for name in sender.header_from)
    ]
    strange = [
        sender for sender in using if posture.configuration.networks and not _registered(sender, posture)
    ]
    if strange:
        return Verdict(
            Outcome.FAIL,
            Text(
                "These submit from addresses that nobody registered: {senders}.",
                senders=tuple(each.label for each in strange),
            ),
            of_senders(strange),
            subjects=tuple(str(each.label) for each in strange),
        )
    if not posture.tenant.complete(_ROLES) or not using or not posture.configuration.networks:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "From where these submit, and whether they hold roles, is not whole in the evidence: {names}.",
                names=tuple(sorted(excepted))[:20],
            ),
            of_objects(list(excepted.values())[:20]),
        )
    return Verdict(
        Outcome.PASS,
        Text("Accounts that submit by SMTP hold no role and submit from registered addresses."),
        of_senders(using),
    )


def _registered(sender: Sender, posture: Posture) -> bool:
    networks = [parse_network(text) for text in sender.client_networks]
    return bool(networks) and all(places_of(network, posture) for network in networks)


CHECK = Check(
    id="AUTH-06",
    title=Text("Accounts that submit by SMTP cannot be reused elsewhere"),
    severity=Severity.HIGH,
    needs=("Get-CASMailbox",),
    judge=_judge,
    fix=Text(
        "In Entra, make a Conditional Access policy that lets these accounts sign in from named locations only; take their roles away."
    ),
    undo=Text("Disable that policy; give the roles back."),
    maps={"CIS": "1.2.2 (related)", "NIST": "AC-6, IA-5", "ATT&CK": "T1078.004"},
)
