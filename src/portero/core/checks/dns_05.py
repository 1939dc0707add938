"""
The senders we keep pass SPF or come by a connector, and SPF names no address that nobody uses any more.

Before: a legitimate sender fails SPF and its mail goes to junk; or the record still names an address given back to its provider.

After: every legitimate sender with an address of its own passes SPF or is attributed to a connector; every ip4 and ip6 term was seen in 90
days.

Mend: prefer a connector; else add the address; take out dead terms.

Verify: the next audit finds each sender passing.

May break: an office address in SPF lets everybody behind it write as us anywhere; prefer a connector.

Exceptions: senders that never leave the tenant need no entry once they have a connector.

Severity: medium: until Reject Direct Send is on, a failed SPF is what sends scans to junk.
"""

from __future__ import annotations

from portero.core.address import parse_network
from portero.core.checks.origins import of_senders
from portero.core.checks.standing import Standing, conclude, custom_domains, txt_line
from portero.core.checks.window import days_covered
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.spf import SpfResult, evaluate
from portero.core.mail.spf_record import is_spf, parse_record
from portero.core.sender import Path, Sender
from portero.core.text import Text

# Days of evidence after which an address that was not seen counts as unused. Source: controls catalogue DNS-05.
_DAYS = 90


def _judge(posture: Posture) -> Verdict:
    standings = [
        standing
        for sender in posture.senders
        if sender.legitimate and sender.path is Path.DIRECT_SEND
        for standing in _of_sender(posture, sender)
    ]
    standings += [standing for domain in custom_domains(posture) for standing in _dead_terms(posture, domain)]
    if not standings:
        return Verdict(Outcome.NOT_APPLICABLE, Text("No legitimate sender delivers directly."))
    return conclude(
        standings,
        Text("Every legitimate direct sender passes SPF, and no term of SPF is known to be unused."),
        Text("No legitimate sender delivers directly."),
    )


def _of_sender(posture: Posture, sender: Sender) -> list[Standing]:
    found: list[Standing] = []
    for text in sender.client_networks:
        network = parse_network(text)
        if network.num_addresses > 1:
            continue
        ours = filter(posture.settings.names_us, sender.mail_from_domains)
        found += [_result(posture, sender, str(network.network_address), domain) for domain in ours]
    return found


def _result(posture: Posture, sender: Sender, address: str, domain: str) -> Standing:
    verdict = evaluate(posture.dns, address, domain, f"postmaster@{domain}", domain)
    origins = of_senders([sender])
    if verdict.result is SpfResult.PASS:
        reason = Text("{sender} passes SPF of {domain}", sender=sender.label, domain=domain)
        return Standing(str(sender.label), Outcome.PASS, reason, origins)
    if verdict.result in {SpfResult.UNKNOWN, SpfResult.TEMPERROR}:
        reason = Text(
            "whether {sender} passes SPF of {domain} is not in the evidence",
            sender=sender.label,
            domain=domain,
        )
        return Standing(str(sender.label), Outcome.UNKNOWN, reason, origins)
    reason = Text(
        "{sender} sends from {address}, for which SPF of {domain} says {result}",
        sender=sender.label,
        address=address,
        domain=domain,
        result=verdict.result.value,
    )
    return Standing(str(sender.label), Outcome.FAIL, reason, origins)


def _dead_terms(posture: Posture, domain: str) -> list[Standing]:
    """Warn of addresses in the record from which nothing came, where the evidence reaches far enough."""
    if days_covered(posture.coverage) < _DAYS:
        return []
    answer = posture.dns.lookup(domain, "TXT")
    records = [parse_record(text) for text in answer.answers if is_spf(text)]
    if len(records) != 1:
        return []
    seen = [parse_network(text) for sender in posture.senders for text in sender.client_networks]
    seen += [parse_network(row.source_ip) for row in posture.outside if _address(row.source_ip)]
    dead = [
        each
        for each in records[0].mechanisms
        if each.network
        and not any(
            parse_network(each.network).overlaps(net)
            for net in seen
            if net.version == parse_network(each.network).version
        )
    ]
    if not dead:
        return []
    reason = Text(
        "the SPF record of {domain} names {terms}, from which nothing came in {days} days",
        domain=domain,
        terms=tuple(each.text for each in dead),
        days=_DAYS,
    )
    gone = {each.text for each in dead}
    kept = " ".join(word for word in records[0].text.split() if word not in gone)
    origins = () if answer.origin is None else (answer.origin,)
    before = (txt_line(domain, records[0].text),)
    return [Standing(domain, Outcome.WARN, reason, origins, None, (txt_line(domain, kept),), before)]


def _address(text: str) -> bool:
    try:
        parse_network(text)
    except ValueError:
        return False
    return True


CHECK = Check(
    id="DNS-05",
    title=Text("Registered direct senders are in SPF, retired ones are not"),
    severity=Severity.MEDIUM,
    needs=("dns", "domains", "mail"),
    judge=_judge,
    fix=Text(
        "Add the sender's address to the SPF record, or give it a connector; take out terms that nobody uses."
    ),
    undo=Text("Publish the previous TXT record."),
    maps={"CIS": "2.1.8 (rationale)", "NIST": "CM-8", "ATT&CK": "T1672"},
)
