"""
The DKIM keys that Exchange signs with can be found, are long enough and are changed every year.

Before: the record of the active selector is missing, empty or marked as a test, or the key has 1024 bits, or is years old.

After: the active selector resolves to a key of 2048 bits, not under test, and was changed in the last 12 months.

Mend: rotate the keys to 2048 bits.

Verify: ask DNS for the selector; the next message shows the new selector and dkim=pass.

May break: nothing; the key before stays valid for days.

Exceptions: registrars that cut long TXT records (the CNAMEs avoid it).

Severity: medium: a key that cannot be found breaks DMARC where SPF does, too.
"""

from __future__ import annotations

from datetime import timedelta

from portero.core.address import a_label
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import (
    Standing,
    custom_domains,
    judge_objects,
    origins_of,
    silence,
    unanswered,
    unread,
)
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, offered
from portero.core.exchange.dates import moment
from portero.core.exchange.powershell import identity, literal, quote, run
from portero.core.exchange.settings import Absent, flag, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dkim_key import parse_key
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture,
        "Get-DkimSigningConfig",
        _standing,
        Text("The DKIM keys of every domain resolve, are long enough and recent."),
        Verdict(Outcome.NOT_APPLICABLE, Text("No domain has a DKIM configuration; DNS-06 judges that.")),
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    domain, origins = a_label(str(item.properties.get("Domain") or identity(item))), of_objects([item])
    on = flag(item, "Enabled")
    if isinstance(on, Absent):
        return unread(item, ("Enabled",), domain)
    if not on or domain not in custom_domains(posture):
        reason = Text("{domain} is not signed with keys of ours", domain=domain)
        return Standing(domain, Outcome.NOT_APPLICABLE, reason, origins)
    selector = _active(posture, item)
    answer = posture.dns.lookup(f"{selector}._domainkey.{domain}", "TXT")
    if unanswered(answer):
        return silence(domain, answer)
    origins = (*origins, *origins_of(answer))
    name = f"{selector}._domainkey.{domain}"
    keys = [key for key in map(parse_key, answer.answers) if key is not None]
    if not keys:
        return Standing(domain, Outcome.FAIL, Text("no key stands at {name}", name=name), origins)
    key = keys[0]
    if key.revoked or key.testing or not key.usable:
        reason = Text("the key at {name} cannot be used: {faults}", name=name, faults=key.faults)
        return Standing(domain, Outcome.FAIL, reason, origins)
    if key.weak:
        reason = Text("the key at {name} has {bits} bits", name=name, bits=key.bits)
        return Standing(domain, Outcome.WARN, reason, origins, changes=_rotated(domain, item))
    made = moment(prop(item, "KeyCreationTime")) or moment(prop(item, "RotateOnDate"))
    if made is None:
        return unread(item, ("KeyCreationTime",), domain)
    if posture.now - made > timedelta(days=posture.limits.key_days):
        reason = Text("the keys of {domain} date from {day}", domain=domain, day=made.date().isoformat())
        return Standing(domain, Outcome.WARN, reason, origins, changes=_rotated(domain, item))
    return Standing(domain, Outcome.PASS, Text("the key at {name} is in order", name=name), origins)


def _rotated(domain: str, item: ConfigObject) -> tuple[Change, ...]:
    """Rotate to keys of 2048 bits; no command brings the former key back. Source: Rotate-DkimSigningConfig."""
    named, turn = f"-Identity {quote(domain)}", literal(str(item.properties.get("RotateOnDate") or ""))
    return offered(
        Change(
            "DkimSigningConfig",
            do=f"Rotate-DkimSigningConfig {named} -KeySize 2048",
            verify=f"Get-DkimSigningConfig {named} | Format-List -Property 'RotateOnDate','Selector1KeySize'",
            undo="",
            read=f"Get-DkimSigningConfig {named}",
            in_effect=f"{turn} -ne $current.RotateOnDate",
            unchanged=f"{turn} -eq $prior.RotateOnDate",
            restore="",
        )
    )


def _active(posture: Posture, item: ConfigObject) -> str:
    """Give the selector in use now. Source: Get-DkimSigningConfig, Selector(Before|After)RotateOnDate."""
    turn = moment(prop(item, "RotateOnDate"))
    name = (
        "SelectorAfterRotateOnDate" if turn is None or posture.now >= turn else "SelectorBeforeRotateOnDate"
    )
    value = str(item.properties.get(name) or "selector1").strip().lower()
    return value if value in {"selector1", "selector2"} else "selector1"


CHECK = Check(
    id="DNS-07",
    title=Text("DKIM keys resolve, are 2048 bit and get rotated"),
    severity=Severity.MEDIUM,
    needs=("Get-DkimSigningConfig", "dns", "domains"),
    judge=_judge,
    fix=run(["Rotate-DkimSigningConfig -Identity 'DOMAIN' -KeySize 2048"]),
    undo=Text("A rotation cannot be undone; the key before it stays valid for days."),
    maps={
        "ORCA": "108.1",
        "365Inspect": "selector checks",
        "CIPP": "RotateDKIM",
        "NIST": "SC-12",
        "ATT&CK": "T1672",
    },
)
