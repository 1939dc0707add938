"""Third parties that write for the organisation or carry its mail: payroll, tickets, newsletters, lists, forwarders."""

from __future__ import annotations

from datetime import datetime, timedelta

from portero.proving.draft import Draft
from portero.proving.organisation import Outside, Sender


def _service(draft: Draft, identity: str, label: str, story: str, kind: str = "service") -> str:
    return draft.enlist(Sender(identity, label, kind, "legitimate", story))


def _include(draft: Draft, name: str, address: str) -> None:
    draft.listed.append(f"{address}/32")
    draft.includes.append(name)
    draft.answers[name, "TXT"] = (f"v=spf1 ip4:{address} -all",)


def payroll(draft: Draft) -> None:
    """The payroll office: once a month to everybody within the hour, with P1 and P2 ours."""
    identity = _service(draft, "payroll", "Payroll", "monthly burst to everyone, legitimate")
    address = draft.address()
    _include(draft, "_spf.payroll-office.example", address)
    months = [day for day in _days(draft) if day.day == 25] or [draft.end - timedelta(days=2)]
    for month in months:
        for person in draft.people[: draft.axes.mails_at_most // 25]:
            when = month + timedelta(hours=8, seconds=draft.random.randint(0, 2400))
            draft.post(
                identity,
                when,
                mail_from=f"payroll@{draft.domain}",
                recipients=[person.address],
                subject=draft.subject("payroll", month),
                display_name="Payroll",
                client_ip=address,
                ehlo="out.payroll-office.example",
                by_mx=True,
                dkim_domain=draft.domain,
            )


def _days(draft: Draft) -> list[datetime]:
    midnight = draft.start.replace(hour=0, minute=0, second=0, microsecond=0)
    return [midnight + timedelta(days=number) for number in range(1, draft.days)]


def aligned_service(draft: Draft) -> None:
    """A ticket system with our domain in P1 and a DKIM signature of ours: authenticated, and still Direct Send."""
    identity = _service(draft, "tickets", "Ticket system", "P1 = ours, DKIM aligned")
    network = draft.network()
    addresses = [draft.address(network) for _ in range(4)]
    for number, address in enumerate(addresses):
        _include(draft, f"_spf{number}.tickets.example", address)
    _regular(
        draft, identity, 18, f"support@{draft.domain}", None, addresses, "mta.tickets.example", draft.domain
    )


def bounce_domain_service(draft: Draft) -> None:
    """A training portal with a bounce domain of its own and our DKIM signature."""
    identity = _service(draft, "training", "Training portal", "P1 = its own domain, DKIM ours")
    network = draft.network()
    draft.answers["bounce.training.example", "TXT"] = (f"v=spf1 ip4:{network}.0/24 -all",)
    _regular(
        draft,
        identity,
        8,
        "b-77@bounce.training.example",
        f"training@{draft.domain}",
        [draft.address(network) for _ in range(3)],
        "a1.training.example",
        draft.domain,
    )


def shared_service(draft: Draft) -> None:
    """A survey tool on shared addresses with P1 ours and no signature: every other customer has the same address."""
    identity = _service(draft, "surveys", "Survey tool", "shared addresses, P1 = ours, DKIM of the tool")
    networks = [draft.network() for _ in range(2)]
    for network in networks:
        name = f"_spf.{network.replace('.', '-')}.surveys.example"
        draft.listed.append(f"{network}.0/24")
        draft.includes.append(name)
        draft.answers[name, "TXT"] = (f"v=spf1 ip4:{network}.0/24 -all",)
    addresses = [draft.address(draft.pick(networks)) for _ in range(12)]
    _regular(
        draft,
        identity,
        7,
        f"surveys@{draft.domain}",
        None,
        addresses,
        "o1.surveys.example",
        "surveys.example",
    )


def sub_domain_sender(draft: Draft) -> None:
    """A shop that writes from a sub-domain nobody accepted, with P2 in the sub-domain or in the parent."""
    identity = _service(draft, "shop", "Web shop", "P1 on a sub-domain of an accepted domain")
    network, sub = draft.network(), f"shop.{draft.domain}"
    draft.answers[sub.encode("idna").decode("ascii"), "TXT"] = (f"v=spf1 ip4:{network}.0/24 -all",)
    _regular(
        draft,
        identity,
        9,
        f"orders@{sub}",
        f"orders@{draft.domain}",
        [draft.address(network)],
        f"www.{sub}",
        "",
    )


def _regular(
    draft: Draft,
    identity: str,
    per_week: float,
    mail_from: str,
    header_from: str | None,
    addresses: list[str],
    ehlo: str,
    dkim_domain: str,
) -> None:
    users = draft.some(draft.people, 30)
    for when in draft.times(per_week):
        draft.post(
            identity,
            when,
            mail_from=mail_from,
            header_from=header_from,
            recipients=[draft.pick(users).address],
            subject=draft.subject("service", when),
            client_ip=draft.pick(addresses),
            ehlo=ehlo,
            by_mx=True,
            dkim_domain=dkim_domain,
        )


def newsletter(draft: Draft) -> None:
    """A newsletter tool: mostly to outsiders, whose receivers report it; a few colleagues get it too."""
    identity = _service(draft, "newsletter", "Newsletter tool", "mostly to outsiders, own bounce domain")
    network = draft.network()
    draft.answers["mail.letters.example", "TXT"] = (f"v=spf1 ip4:{network}.0/24 -all",)
    address = draft.address(network)
    _regular(
        draft,
        identity,
        3,
        "bounce-9@mail.letters.example",
        f"news@{draft.domain}",
        [address],
        "s3.letters.example",
        draft.domain,
    )
    for day in _days(draft)[::7]:
        for receiver in ("google.com", "Yahoo"):
            draft.outside.append(
                Outside(
                    day,
                    receiver,
                    address,
                    "mail.letters.example",
                    draft.domain,
                    "pass",
                    "pass",
                    draft.domain,
                    draft.random.randint(40, 400),
                )
            )


def mailing_list(draft: Draft) -> None:
    """A list abroad that keeps the author's P2, puts its own P1 and breaks the signature."""
    identity = _service(draft, "list", "Trade forum", "list keeps P2, own P1", "forwarder")
    address, authors = draft.address(), draft.people[3:9]
    for when in draft.times(4, always=True):
        author = draft.pick(authors)
        draft.post(
            identity,
            when,
            mail_from="trade-forum-bounces@lists.forum.example",
            header_from=author.address,
            display_name=author.name,
            recipients=[person.address for person in draft.some(authors, 3)],
            subject=draft.subject("list", when),
            client_ip=address,
            ehlo="lists.forum.example",
            by_mx=True,
        )


def forwarder(draft: Draft, *, rewriting: bool) -> None:
    """An outside mailbox that forwards a colleague's mail back in, with SRS or without."""
    identity = _service(
        draft,
        "forwarder-srs" if rewriting else "forwarder",
        "Forwarder",
        "P1 rewritten by SRS" if rewriting else "P1 unchanged, so it is Direct Send",
        "forwarder",
    )
    host = "srs.alumni.example" if rewriting else "mx.club.example"
    address = draft.address()
    for when in draft.times(5):
        author, target = draft.random.sample(draft.people[:25], 2)
        rewritten = f"SRS0=a1b2=QX={author.address.replace('@', '=')}@alumni.example"
        draft.post(
            identity,
            when,
            mail_from=rewritten if rewriting else author.address,
            header_from=author.address,
            display_name=author.name,
            recipients=[target.address],
            subject=draft.subject("people", when),
            client_ip=address,
            ehlo=host,
            by_mx=True,
            dkim_domain=draft.domain,
        )


def null_sender(draft: Draft) -> None:
    """A fax server that reports failures with the null reverse-path and our postmaster in the From."""
    identity = _service(draft, "bounces", "Fax server bounces", "P1 <>, P2 ours", "application")
    address = draft.address()
    for when in draft.times(2, always=True):
        draft.post(
            identity,
            when,
            mail_from="",
            header_from=f"postmaster@{draft.domain}",
            recipients=[draft.pick(draft.people[:10]).address],
            subject=draft.subject("bounce", when),
            client_ip=address,
            ehlo="fax01",
            size_octets=draft.random.randint(2_000, 9_000),
        )
