"""
Exchange signs the mail of every custom domain that sends, with DKIM in the domain's own name.

Before: a domain of ours sends with no signature, or only with that of the initial onmicrosoft.com domain; nothing in it is
aligned, and forwarding breaks SPF.

After: Get-DkimSigningConfig shows the domain Enabled with Status Valid.

Mend: create the configuration, publish both selector CNAMEs in DNS, then enable it.

Verify: Status is Valid, and a message sent outside shows dkim=pass with d= our domain.

May break: practically nothing; footers that a third party adds after signing break the signature.

Exceptions: domains that the gateway signs instead (check its selector); coexistence domains; domains that do not send, which
SendingFromDomainDisabled makes sure of.

Severity: high: DMARC enforced without an aligned signature breaks forwarding.
"""

from __future__ import annotations

from portero.core.address import a_label, is_at_or_below
from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.standing import unsaid
from portero.core.checks.window import days_covered
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, offered, setting
from portero.core.exchange.powershell import quote, run
from portero.core.exchange.settings import Absent, flag, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Kind
from portero.core.text import Text

# Days of mail, people's own mail among it, after which a domain that was not seen counts as one that does not send.
DAYS_NEEDED = 30


def _judge(posture: Posture) -> Verdict:
    domains = _sending(posture)
    if not domains:
        return Verdict(Outcome.NOT_APPLICABLE, Text("The organisation has no custom domain that sends."))
    configured = {
        a_label(str(item.properties.get("Domain") or item.properties.get("Name") or "")): item
        for item in posture.tenant.objects("Get-DkimSigningConfig") or ()
    }
    standing = {domain: _standing(configured.get(domain)) for domain in domains}
    wrong = [domain for domain in domains if standing[domain] is Outcome.FAIL]
    if wrong:
        return _unsigned(posture, wrong, configured)
    unclear = tuple(domain for domain in domains if standing[domain] is Outcome.UNKNOWN)
    if unclear:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Whether Exchange signs for {domains} is not known: {what}.",
                domains=unclear,
                what=tuple(
                    dict.fromkeys(
                        each
                        for domain in unclear
                        for each in unsaid(configured[domain], ("Enabled", "Status"))
                    )
                ),
            ),
            of_objects(configured[domain] for domain in unclear),
        )
    return Verdict(
        Outcome.PASS,
        Text("Exchange signs for every custom domain that sends: {domains}.", domains=tuple(domains)),
        of_objects(configured[domain] for domain in domains),
    )


def _standing(item: ConfigObject | None) -> Outcome:
    if item is None or flag(item, "Enabled") is False:
        return Outcome.FAIL
    status = prop(item, "Status")
    if flag(item, "Enabled") is not True or status is None or isinstance(status, Absent):
        return Outcome.UNKNOWN
    return Outcome.PASS if str(status).lower() == "valid" else Outcome.FAIL


def _sending(posture: Posture) -> list[str]:
    """
    Name the custom domains that send or may send.

    A domain is taken for one that does not send only where its export says so, or where a month of mail that shows
    people's own mail does not show it.
    """
    exported = {
        a_label(str(item.properties.get("DomainName") or "")): item
        for item in posture.tenant.objects("Get-AcceptedDomain") or ()
    }
    seen = {
        name
        for sender in posture.senders
        for name in (*sender.mail_from_domains, *sender.header_from_domains)
    }
    sees_people = any(sender.kind is Kind.MAILBOX for sender in posture.senders)
    month = sees_people and days_covered(posture.coverage) >= DAYS_NEEDED
    found = []
    for held in posture.settings.accepted_domains:
        item = exported.get(held.name)
        # Microsoft signs for its own names, the coexistence domain among them.
        if is_at_or_below(held.name, "onmicrosoft.com") or (
            item and flag(item, "IsCoexistenceDomain") is True
        ):
            continue
        closed = item is not None and flag(item, "SendingFromDomainDisabled") is True
        if not closed and (held.name in seen or not month):
            found.append(held.name)
    return found


def _unsigned(posture: Posture, wrong: list[str], configured: dict[str, ConfigObject]) -> Verdict:
    changes = [change for domain in wrong for change in _signing(domain, configured.get(domain))]
    return Verdict(
        Outcome.FAIL,
        Text("Exchange does not sign for {domains}, or its signature is not valid.", domains=tuple(wrong)),
        of_objects(configured[domain] for domain in wrong if domain in configured)
        or of_answers(posture.tenant, "Get-DkimSigningConfig"),
        fix=Text(
            "Publish both selector CNAMEs that Get-DkimSigningConfig shows before enabling: {commands}",
            commands="\n".join(change.do for change in changes),
        ),
        changes=tuple(changes),
        subjects=tuple(wrong),
    )


def _signing(domain: str, item: ConfigObject | None) -> tuple[Change, ...]:
    """Enable signing; a configuration that did not exist is made first and, on the way back, left there switched off."""
    if item is not None:
        return setting(item, {"Enabled": True})
    named = f"-Identity {quote(domain)}"
    back = f"Set-DkimSigningConfig {named} -Enabled $false"
    return offered(
        Change(
            "DkimSigningConfig",
            do=f"New-DkimSigningConfig -DomainName {quote(domain)} -KeySize 2048 -Enabled $false; "
            f"Set-DkimSigningConfig {named} -Enabled $true",
            verify=f"Get-DkimSigningConfig {named} | Format-List -Property 'Enabled','Status'",
            undo=back,
            read=f"Get-DkimSigningConfig | Where-Object {{ $_.Domain -eq {quote(domain)} }}",
            in_effect="$true -eq $current.Enabled",
            unchanged="$null -eq $prior",
            restore=back,
        )
    )


CHECK = Check(
    id="DNS-06",
    title=Text("DKIM signing is on for every sending custom domain"),
    severity=Severity.HIGH,
    needs=("Get-DkimSigningConfig", "domains"),
    judge=_judge,
    fix=run(["Set-DkimSigningConfig -Identity 'DOMAIN' -Enabled $true"]),
    undo=run(["Set-DkimSigningConfig -Identity 'DOMAIN' -Enabled $false"]),
    maps={
        "SCuBA": "MS.EXO.3.1v1",
        "CIS": "2.1.9",
        "Maester": "CISA.MS.EXO.3.1, CIS.M365.2.1.9",
        "ORCA": "108",
        "Prowler": "defender_domain_dkim_enabled",
        "CIPP": "AddDKIM",
        "NIST": "SC-8",
        "ATT&CK": "T1672, T1656",
    },
)
