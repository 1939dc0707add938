"""The organisation's own machines: scanners, small devices, business programs, relays and hybrid servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from portero.proving.draft import Draft
from portero.proving.organisation import Connector, Sender, Session


def _egress(draft: Draft) -> Callable[[datetime], str]:
    """Give the office's public address as a function of time: fixed, moving weekly, or moving between ranges."""
    if draft.axes.ipv6:
        return lambda _: f"2001:db8:{draft.axes.people:x}::25"
    fixed = f"{draft.office}.10"
    if draft.axes.device_address == "fixed":
        return lambda _: fixed
    ranges = [draft.office]
    if draft.axes.device_address == "roaming":
        ranges += [draft.network() for _ in range(2)]
    weeks = draft.days // 7 + 2
    weekly = [draft.address(draft.pick(ranges)) for _ in range(weeks)]
    return lambda when: weekly[(when - draft.start).days // 7]


def settle(draft: Draft) -> Callable[[datetime], str]:
    """Choose the office's addresses, list them in SPF when the axes say so, and give the egress."""
    draft.office = draft.network()
    egress = _egress(draft)
    if draft.axes.scanners_in_spf:
        weeks = (draft.start + timedelta(days=7 * number) for number in range(draft.days // 7 + 1))
        for address in dict.fromkeys(map(egress, weeks)):
            draft.listed.append(f"{address}/{'128' if ':' in address else '32'}")
    return egress


def scanners(draft: Draft, egress: Callable[[datetime], str]) -> None:
    """Multifunction printers behind one address: each with its own name and regulars."""
    for number in range(1, draft.axes.scanners + 1):
        identity = draft.enlist(
            Sender(f"mfp-{number}", f"MFP {number}", "device", "legitimate", "scanner behind the office NAT")
        )
        sender = f"mfp{number}@{draft.domain}"
        ehlo = f"[10.0.{number}.20]" if number % 2 else f"KMC{number:04d}"
        regulars = draft.some(draft.people, 12)
        for when in draft.times(5 + min(draft.axes.people / 40, 12)):
            draft.post(
                identity,
                when,
                mail_from=sender,
                recipients=[draft.pick(regulars).address],
                subject=draft.subject("scan", when),
                display_name=f"MFP {number}",
                client_ip=egress(when),
                ehlo=ehlo,
            )


def scan_to_self(draft: Draft, egress: Callable[[datetime], str]) -> None:
    """A scanner that writes as whoever stands before it: From and To are the same person, and it is no attack."""
    identity = draft.enlist(
        Sender(
            "scan-to-self", "Follow-me scanner", "device", "legitimate", "From = To = the user, legitimate"
        )
    )
    users = draft.some(draft.people, 25)
    for when in draft.times(8):
        person = draft.pick(users)
        draft.post(
            identity,
            when,
            mail_from=person.address,
            recipients=[person.address],
            subject=draft.subject("scan", when),
            display_name=person.name,
            client_ip=egress(when),
            ehlo="[10.0.9.30]",
        )


def small_devices(draft: Draft, egress: Callable[[datetime], str]) -> None:
    """A UPS, a NAS and a monitoring server: rare mails, at any hour, to the same few people."""
    admins = [person.address for person in draft.people[:2]]
    for family, kind, rate, ehlo in (
        ("ups", "device", 0.4, "ups01"),
        ("nas", "device", 1.5, "nas01.local"),
        ("monitoring", "application", 6.0, f"mon01.{draft.domain}"),
    ):
        identity = draft.enlist(Sender(family, family.upper(), kind, "legitimate", "rare mails to IT"))
        for when in draft.times(rate, always=True):
            draft.post(
                identity,
                when,
                mail_from=f"{family}@{draft.domain}",
                recipients=admins,
                subject=draft.subject(family, when),
                client_ip=egress(when),
                ehlo=ehlo,
                size_octets=draft.random.randint(1_500, 4_000),
            )


def erp(draft: Draft) -> None:
    """The business program in a data centre of its own, daily, to the departments that use it."""
    identity = draft.enlist(
        Sender("erp", "ERP", "application", "legitimate", "hosted ERP with P1 = P2 = ours")
    )
    address = draft.address()
    draft.listed.append(f"{address}/32")
    users = draft.some(draft.people, 20)
    for when in draft.times(25):
        draft.post(
            identity,
            when,
            mail_from=f"erp@{draft.domain}",
            recipients=[person.address for person in draft.some(users, 3)],
            subject=draft.subject("erp", when),
            display_name="ERP",
            client_ip=address,
            ehlo="erp-app1.hosting.example",
        )


def new_device(draft: Draft, egress: Callable[[datetime], str]) -> None:
    """A scanner installed in the last week: young, and legitimate."""
    identity = draft.enlist(
        Sender("mfp-new", "New MFP", "device", "legitimate", "installed days before the window ends")
    )
    since = draft.end - timedelta(days=min(6, max(1, draft.days // 2)))
    regulars = draft.some(draft.people, 6)
    for when in draft.times(14, since=since):
        draft.post(
            identity,
            when,
            mail_from=f"mfp-reception@{draft.domain}",
            recipients=[draft.pick(regulars).address],
            subject=draft.subject("scan", when),
            display_name="Reception",
            client_ip=egress(when),
            ehlo="[10.0.40.20]",
        )


def on_premises_relay(draft: Draft) -> None:
    """A relay that an OnPremises connector knows by its address."""
    identity = draft.enlist(
        Sender("relay", "Postfix relay", "application", "legitimate", "OnPremises connector by address")
    )
    address = draft.address()
    draft.connectors.append(Connector("On-premises relay", "OnPremises", ("*",), addresses=(address,)))
    for when in draft.times(20, always=True):
        draft.post(
            identity,
            when,
            mail_from=f"jobs@{draft.domain}",
            recipients=[person.address for person in draft.people[:3]],
            subject=draft.subject("monitoring", when),
            client_ip=address,
            ehlo=f"relay1.{draft.domain}",
        )


def hybrid(draft: Draft) -> None:
    """An Exchange server whose certificate a hybrid connector names; its people still have mailboxes there."""
    identity = draft.enlist(
        Sender("hybrid", "Exchange server", "hybrid", "legitimate", "OnPremises connector by certificate")
    )
    ascii_domain = draft.domain.encode("idna").decode("ascii")
    name, address = f"mail.{ascii_domain}", draft.address()
    draft.connectors.append(
        Connector("Inbound from 7f3c", "OnPremises", ("*",), certificate=name, cloud_services_mail=True)
    )
    for when in draft.times(15 + min(draft.axes.people / 20, 25)):
        author = draft.pick(draft.people[-15:])
        draft.post(
            identity,
            when,
            mail_from=author.address,
            recipients=[person.address for person in draft.some(draft.people, 3)],
            subject=draft.subject("people", when),
            display_name=author.name,
            client_ip=address,
            ehlo=name,
            certificate=name,
        )


def branch(draft: Draft) -> None:
    """A branch whose scanner a Partner connector is meant to know: rightly, without the flag, or not at all."""
    mode = draft.axes.partner
    identity = draft.enlist(
        Sender("branch-mfp", "Branch MFP", "device", "legitimate", f"Partner connector: {mode}")
    )
    address = draft.address()
    domain = next((held.name for held in draft.domains if held.name.startswith("branch.")), draft.domain)
    draft.connectors.append(
        Connector(
            "Branch office",
            "Partner",
            (domain,),
            addresses=() if mode == "domain-only" else (address,),
            restrict_to_addresses=mode == "restrict",
        )
    )
    for when in draft.times(9):
        draft.post(
            identity,
            when,
            mail_from=f"branch-mfp@{domain}",
            recipients=[draft.pick(draft.people[:8]).address],
            subject=draft.subject("scan", when),
            display_name="Branch MFP",
            client_ip=address,
            ehlo="BRN001BA9",
        )


def smtp_auth(draft: Draft, addresses: Sequence[str] = ()) -> None:
    """Two devices that submit with credentials, one with a password and one with a token."""
    for name, session in (("alarm", Session.SMTP_AUTH_BASIC), ("crm", Session.SMTP_AUTH_OAUTH)):
        kind = "device" if name == "alarm" else "application"
        identity = draft.enlist(Sender(f"auth-{name}", name, kind, "legitimate", session.value))
        at_office = f"{draft.office}.10" if name == "alarm" else ""
        address = (addresses[name == "crm"] if addresses else at_office) or draft.address()
        for when in draft.times(4, always=True):
            draft.post(
                identity,
                when,
                mail_from=f"{name}@{draft.domain}",
                recipients=[person.address for person in draft.some(draft.people, 2)],
                subject=draft.subject("monitoring", when),
                session=session,
                client_ip=address,
                ehlo=name,
            )
