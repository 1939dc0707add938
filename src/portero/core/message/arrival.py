"""How one mail came in: its boundary, its path by the contract's words, and what authentication said about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from portero.core.address import a_label, client_address, domain_of, is_at_or_below, mailbox_key
from portero.core.dns import Dns
from portero.core.evidence import Origin
from portero.core.exchange.attribution import Attribution, By, Seen, attribute
from portero.core.exchange.headers import CompositeReason, ExchangeHeaders
from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.flow import Facts, Flow, FlowKey
from portero.core.mail.authres import MethodResult, parse_received_spf
from portero.core.mail.dmarc_discovery import registrable_domain
from portero.core.mail.mime import Mail, Mailbox
from portero.core.mail.received import Hop
from portero.core.mail.spf import SpfResult, evaluate
from portero.core.message.boundary import Boundary, EntryKind, find_boundary
from portero.core.register import Configuration
from portero.core.sender import Path, Sender
from portero.core.text import Text

_LIST_NAME = re.compile(r"<([^<>]{1,255})>")
_LIST_SENDER = re.compile(r"(?:^owner-|-owner\b|[-+.]bounces?\b|-return-|-admin\b|-errors?\b)", re.IGNORECASE)
_RCPT = re.compile(r"smtp\.rcpttodomain=([\w.-]{1,253})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TracedMail:
    """
    What a trace says of one mail; None where it does not say.

    connector:  "" where it says that there was none.
    direction:  incoming | originating.
    """

    connector: str | None
    direction: str | None
    mail_from: str | None
    client_ip: str | None
    outcome: str | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Known:
    """
    What the organisation knows besides the mail: its settings, its inventory, its places, its traces.

    settings:       accepted domains empty where nobody named any.
    configuration:  portero.toml: the register of senders and the known places.
    senders:        the inventory of an audit of the same evidence.
    traced:         by lower-case network message id, and by Message-ID without its angles.
    people:         display names of the organisation's people as `portero.core.message.words.plain_words` writes them, with
                    their mailboxes.
    dns:            DNS answers that were handed over, None for none.
    """

    settings: Settings = field(default_factory=Settings)
    configuration: Configuration = field(default_factory=Configuration)
    senders: tuple[Sender, ...] = ()
    traced: Mapping[str, TracedMail] = field(default_factory=dict)
    people: Mapping[str, frozenset[str]] = field(default_factory=dict)
    dns: Dns | None = None

    def spf(self, address: str, domain: str) -> str | None:
        """Evaluate a domain's published record for an address: RFC 7208 result, None where DNS is not known."""
        if self.dns is None:
            return None
        result = evaluate(self.dns, address, domain, f"postmaster@{domain}", domain).result
        return None if result is SpfResult.UNKNOWN else result.value


@dataclass(frozen=True, slots=True)
class TimedHop:
    """
    One hop of the timeline.

    delay:  since the hop before it; None for the first and where a time is missing. Negative where clocks disagree.
    ours:   whether the line stands at or above the boundary, so that nobody outside wrote it.
    """

    hop: Hop
    delay: timedelta | None
    ours: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    How a mail came in.

    path, why:       the contract's word, and the reason in one sentence.
    notes:           further sentences about what the path rests on, doubts among them.
    anonymous:       whether it came without credentials and by no connector; None where that is not known.
    own:             the organisation's domains that were used, and ``own_said``: whether anybody named them.
    mail_from:       P1, ``@domain`` where only the domain is known; "" is the null path, None unknown.
    author:          P2.
    claims_us:       whether P1 or P2 is under the organisation's domains; None where they are not known.
    spf, dkim, dmarc: Exchange's words, None where it did not say.
    authenticated:   whether the author's domain is authenticated: DMARC, or an aligned SPF or DKIM pass.
    signed_once:     the author's domain signed the mail and a change on the way broke the signature.
    list_domain:     of the mailing list that passed it on, where the envelope sender is the list's too.
    sender:          the inventory's sender this mail is of, or None.
    """

    boundary: Boundary
    path: Path
    why: Text
    notes: tuple[Text, ...]
    anonymous: bool | None
    own: tuple[str, ...]
    own_said: bool
    mail_from: str | None
    author: Mailbox
    client_ip: str | None
    claims_us: bool | None
    spf: str | None
    dkim: str | None
    dmarc: str | None
    authenticated: bool | None
    signed_once: bool
    list_domain: str | None
    connector: str | None = None
    sender: Sender | None = None
    traced: TracedMail | None = None

    @property
    def stamps(self) -> ExchangeHeaders:
        """Give Exchange's headers."""
        return self.boundary.stamps

    @property
    def author_domain(self) -> str:
        """Give P2's domain as A-labels."""
        return domain_of(self.author.address)

    @property
    def author_is_ours(self) -> bool | None:
        """Tell whether P2 is under the organisation's domains; None where they are not known."""
        return under(self.author_domain, self.own) if self.own else None

    @property
    def own_domain_failure(self) -> bool:
        """Tell whether Exchange itself called it a forgery of the organisation's own domain."""
        held = self.stamps.compauth
        return held is not None and held.meaning is CompositeReason.OWN_DOMAIN_FAILURE

    @property
    def timeline(self) -> tuple[TimedHop, ...]:
        """Give the hops, oldest first, with the delay of each."""
        return timeline(self.boundary)


def under(domain: str, parents: Sequence[str]) -> bool:
    """Tell whether a domain is one of some domains or lies below one."""
    return bool(domain) and any(is_at_or_below(domain, parent) for parent in parents)


def organisational(domain: str) -> str:
    """Give the registrable domain, by the public suffix list; the domain itself where there is none."""
    return registrable_domain(domain) or domain


def find_arrival(mail: Mail, known: Known) -> Arrival:
    """
    Tell how a mail came in. Nothing raises.

    Source: contract section 5; reference exchange-online 1.2 to 1.5, 2.1 to 2.3, 4.2, 4.9.
    """
    boundary = find_boundary(mail)
    stamps = boundary.stamps
    traced = _traced(mail, stamps, known)
    author = _author(mail)
    client_ip = _client_ip(boundary, traced)
    mail_from = _envelope(mail, boundary, traced)
    own, said = _own(mail, boundary, known, author)
    results = boundary.results
    spf, dmarc = (results.first(name) if results else None for name in ("spf", "dmarc"))
    passing = results.all("dkim") if results else ()
    settings = known.settings if said else replace(known.settings, accepted_domains=_presumed(own))
    facts = Arrival(
        boundary=boundary,
        path=Path.UNDETERMINED,
        why=Text("The header does not say how it came in."),
        notes=(),
        anonymous=None,
        own=own,
        own_said=said,
        mail_from=mail_from,
        author=author,
        client_ip=client_ip,
        claims_us=None,
        spf=spf.result if spf else _received_spf(mail, boundary),
        dkim=_best(passing),
        dmarc=dmarc.result if dmarc else None,
        authenticated=None,
        signed_once=_signed_once(passing, domain_of(author.address)),
        list_domain=_list(mail, mail_from),
        traced=traced,
    )
    facts = replace(facts, claims_us=_claims_us(facts), authenticated=_authenticated(facts, passing))
    facts = _with_path(facts, settings)
    return replace(facts, sender=_inventoried(facts, known.senders))


def _presumed(own: tuple[str, ...]) -> tuple[AcceptedDomain, ...]:
    return tuple(AcceptedDomain(name, match_subdomains=False) for name in own)


def _traced(mail: Mail, stamps: ExchangeHeaders, known: Known) -> TracedMail | None:
    if not known.traced:
        return None
    if stamps.network_message_id:
        return known.traced.get(stamps.network_message_id.lower())
    # A Message-ID is its author's to choose, so it joins only where Exchange's own id is not there.
    return known.traced.get((mail.first("message-id") or "").strip("<> "))


def _client_ip(boundary: Boundary, traced: TracedMail | None) -> str | None:
    stamps = boundary.stamps
    if boundary.entry is not None and boundary.kind in {EntryKind.FRONT_DOOR, EntryKind.SUBMISSION}:
        return boundary.entry.client_ip
    if boundary.entry is not None:
        return None
    if stamps.attributed is not None and boundary.attributed:
        return stamps.attributed.client_ip
    if boundary.results is not None and boundary.results.client_ip:
        return boundary.results.client_ip
    if stamps.report is not None and stamps.report.client_ip:
        return stamps.report.client_ip
    if traced is not None and traced.client_ip:
        return client_address(traced.client_ip)
    return boundary.hops[0].client_ip if boundary.hops else None


def _envelope(mail: Mail, boundary: Boundary, traced: TracedMail | None) -> str | None:
    """Give P1: the Return-Path where it agrees with what Exchange evaluated, else that domain, else what a trace says."""
    path = mail.first("return-path")
    address = mailbox_key(path) if path is not None else None
    evaluated: str | None = None
    spf = boundary.results.first("spf") if boundary.results else None
    if spf is not None:
        named = spf.named("smtp.mailfrom")
        if named:
            evaluated = mailbox_key(named) if "@" in named else f"@{a_label(named)}"
        elif spf.named("smtp.helo") is not None or named == "":
            evaluated = ""
    if evaluated is None:
        if address is None and traced is not None:
            return traced.mail_from
        return address
    if address is not None and domain_of(address) == domain_of(evaluated):
        return address
    return evaluated


def _own(mail: Mail, boundary: Boundary, known: Known, author: Mailbox) -> tuple[tuple[str, ...], bool]:
    """
    Give the organisation's domains, and whether somebody named them.

    Where nobody did, only what Exchange stamped counts: the recipient's domain it served, and the author's where it says
    that the author belongs to the organisation. A To field proves nothing.
    """
    named = tuple(held.name for held in known.settings.accepted_domains)
    if named:
        return named, True
    if boundary.entry is None and boundary.hops:
        return (), False
    found: list[str] = []
    stamps = boundary.stamps
    domain = domain_of(author.address)
    if domain and (
        stamps.internal_org_sender is True
        or (stamps.compauth and stamps.compauth.meaning is CompositeReason.OWN_DOMAIN_FAILURE)
    ):
        found.append(domain)
    if boundary.after == 0:
        served = next(iter(mail.all("arc-authentication-results")), "")
        rcpt = _RCPT.search(served) if "mx.microsoft.com" in served[:200] else None
        if rcpt:
            found.append(a_label(rcpt[1]))
        if boundary.entry is not None and "@" in boundary.entry.rcpt_to:
            found.append(domain_of(boundary.entry.rcpt_to))
    return tuple(dict.fromkeys(name for name in found if name)), False


def _claims_us(facts: Arrival) -> bool | None:
    if not facts.own or (facts.mail_from is None and not facts.author_domain):
        return None
    envelope = domain_of(facts.mail_from or "")
    return under(facts.author_domain, facts.own) or under(envelope, facts.own)


def _best(results: Sequence[MethodResult]) -> str | None:
    """Give the result of several signatures: a pass, else the first."""
    if any(each.result == "pass" for each in results):
        return "pass"
    return results[0].result if results else None


def _received_spf(mail: Mail, boundary: Boundary) -> str | None:
    """Give Exchange's Received-SPF where it wrote no Authentication-Results."""
    for value in mail.all("received-spf")[:5]:
        held = parse_received_spf(value)
        if "protection.outlook.com" in value[:300] and held.client_ip in (
            None,
            boundary.entry.client_ip if boundary.entry else None,
        ):
            return held.result
    return None


def _authenticated(facts: Arrival, signatures: Sequence[MethodResult]) -> bool | None:
    if facts.boundary.results is None:
        return None
    if facts.dmarc in {"pass", "bestguesspass"}:
        return True
    author = organisational(facts.author_domain)
    if not author:
        return False
    envelope = organisational(domain_of(facts.mail_from or ""))
    if facts.spf == "pass" and envelope == author:
        return True
    return any(
        each.result == "pass" and organisational(a_label(each.named("header.d") or "")) == author
        for each in signatures
    )


def _signed_once(signatures: Sequence[MethodResult], author: str) -> bool:
    return any(
        each.result == "fail"
        and under(author, [organisational(a_label(each.named("header.d") or "-"))])
        and any("body hash" in comment or "did not verify" in comment for comment in each.comments)
        for each in signatures
    )


def _list(mail: Mail, mail_from: str | None) -> str | None:
    """
    Give the domain of the mailing list that passed a mail on, where the envelope sender is that list's.

    The list's name is below the envelope's domain; or the mail is written to an address of that domain and carries a
    mark that only passing on leaves. Source: RFC 2919; RFC 5322 section 3.6.2 (Sender); RFC 2076 section 3.9 (Precedence).
    """
    if not mail_from:
        return None
    envelope = domain_of(mail_from)
    domain = organisational(envelope)
    if not domain:
        return None
    for value in mail.all("list-id")[:5]:
        found = _LIST_NAME.search(value)
        if under(a_label((found[1] if found else value).strip()), [domain]):
            return envelope
    marked = (
        (mail.first("precedence") or "").strip().lower() in {"list", "bulk"}
        or mail.first("list-post") is not None
        or mail.first("x-mailing-list") is not None
        or _LIST_SENDER.search(mail_from.partition("@")[0]) is not None
    )
    recipients = (*mail.mailboxes("to"), *mail.mailboxes("cc"))
    written_to = any(under(domain_of(each.address), [domain]) for each in recipients)
    return envelope if marked and written_to else None


def _author(mail: Mail) -> Mailbox:
    """
    Give P2: the first mailbox of From that has an address, with what stands before it as its name.

    A name with a comma that nobody quoted (``Payroll, HR <a@b>``) reads as two mailboxes, of which programs show the
    second's address.
    """
    names: list[str] = []
    for each in mail.mailboxes("from"):
        names.append(each.name)
        if each.address:
            return replace(each, name=", ".join(name for name in names if name))
    return Mailbox(", ".join(name for name in names if name), "")


def _with_path(facts: Arrival, settings: Settings) -> Arrival:
    stamps, kind, traced = facts.stamps, facts.boundary.kind, facts.traced
    # What a stamp of trust says counts only where nobody outside could have written it.
    believed = not facts.boundary.forged
    internal = believed and (stamps.auth_as or "").lower() == "internal"
    entity = (stamps.from_entity or "").lower()
    if traced is not None and traced.connector:
        return _by_connector(facts, settings, traced.connector)
    if kind in {EntryKind.MAILBOX, EntryKind.SUBMISSION} or (internal and kind is EntryKind.INSIDE):
        another = _perhaps_another_organisation(facts)
        if another is not None:
            return another
    if kind is EntryKind.MAILBOX:
        return replace(
            facts,
            path=Path.INTERNAL,
            anonymous=False,
            why=Text("A mailbox program handed it in, as its first line at Exchange Online shows."),
        )
    if kind is EntryKind.SUBMISSION:
        return replace(
            facts,
            path=Path.AUTHENTICATED,
            anonymous=False,
            why=Text(
                "A client handed it in with credentials: a mailbox server took it, not the public door."
            ),
        )
    if believed and (entity == "hybridonprem" or facts.boundary.attributed):
        return _by_connector(facts, settings, None)
    if kind is EntryKind.NONE and facts.boundary.hops:
        if internal:
            return replace(
                facts,
                path=Path.INTERNAL,
                anonymous=False,
                why=Text("An Exchange server of the organisation took it as mail from inside."),
            )
        return _unseen(facts)
    if internal and kind is not EntryKind.FRONT_DOOR:
        mechanism = (stamps.auth_mechanism or "").lstrip("0")
        path = Path.AUTHENTICATED if mechanism == "6" else Path.INTERNAL
        return replace(
            facts, path=path, anonymous=False, why=Text("Exchange stamped it as sent from inside.")
        )
    originating = (stamps.directionality or "").lower() == "originating"
    if internal or (believed and originating and kind is EntryKind.FRONT_DOOR):
        return _by_connector(facts, settings, None)
    said_anonymous = (stamps.auth_as or "").lower() == "anonymous" or stamps.direct_send
    incoming = (stamps.directionality or "").lower() == "incoming"
    if kind is EntryKind.NONE and not (said_anonymous or incoming or facts.boundary.results is not None):
        return _unseen(facts)
    if kind is EntryKind.INSIDE and stamps.auth_as is None and stamps.directionality is None and not entity:
        return _unseen(facts)
    return _anonymous(facts, settings)


def _perhaps_another_organisation(facts: Arrival) -> Arrival | None:
    """
    Judge mail that somebody handed in at Exchange Online, where that need not have been this organisation's tenant.

    Every tenant has mailboxes, and an attacker may rent one; what a server elsewhere took later, anybody may have
    written below its line. None where nothing speaks against this organisation.
    """
    strange = bool(facts.own) and facts.claims_us is False
    if facts.boundary.after == 0:
        if not strange:
            return None
        why = Text(
            "A mailbox or client of Exchange Online handed it in, yet neither its envelope sender nor its From is the organisation's: it may be another organisation's."
        )
        return replace(facts, path=Path.UNDETERMINED, why=why)
    if strange:
        why = Text("Neither its envelope sender nor its From is the organisation's.")
        return replace(facts, path=Path.EXTERNAL, why=why)
    why = Text(
        "It was handed in at Exchange Online, but a server elsewhere ({server}) took it later: those lines may be another organisation's, or made up.",
        server=facts.boundary.hops[0].by,
    )
    return replace(facts, path=Path.UNDETERMINED, why=why)


def _unseen(facts: Arrival) -> Arrival:
    if facts.own and facts.claims_us is False and facts.mail_from is not None:
        return replace(
            facts,
            path=Path.EXTERNAL,
            why=Text("Neither its envelope sender nor its From is the organisation's."),
        )
    return replace(
        facts,
        path=Path.UNDETERMINED,
        why=Text("No line of Exchange Online's is in the header, so it does not say how it came in."),
    )


def _by_connector(facts: Arrival, settings: Settings, name: str | None) -> Arrival:
    attributed = facts.stamps.attributed if facts.boundary.attributed else None
    address = attributed.client_ip if attributed and attributed.client_ip else facts.client_ip
    facts = replace(facts, client_ip=address)
    if name is None:
        matched = _attributed(facts, settings)
        name = matched.connector.name if matched.exempts and matched.connector else None
    if (
        facts.own
        and facts.claims_us is False
        and facts.traced is None
        and name is None
        and attributed is None
    ):
        why = Text("It came through a connector of another organisation or of this one, as its stamps show.")
    elif name:
        why = Text("Connector “{name}” took it.", name=name)
    else:
        why = Text("It came through an OnPremises connector, as Exchange's stamps show.")
    return replace(facts, path=Path.CONNECTOR, anonymous=False, connector=name, why=why)


def _attributed(facts: Arrival, settings: Settings) -> Attribution:
    envelope = facts.mail_from
    key = FlowKey(
        client_ip=facts.client_ip,
        mail_from_domain=None if envelope is None else domain_of(envelope),
        header_from=mailbox_key(facts.author.address),
        ehlo=facts.boundary.entry.helo if facts.boundary.entry else None,
        connector=facts.traced.connector if facts.traced else None,
        direction="incoming",
    )
    return attribute(Flow(key, Facts()), settings, Seen())


def _anonymous(facts: Arrival, settings: Settings) -> Arrival:
    facts = replace(facts, anonymous=True)
    envelope = facts.mail_from
    notes: list[Text] = []
    if facts.stamps.direct_send:
        notes.append(Text("Exchange itself marked it as Direct Send (IsAnonymousDirectSend)."))
    attribution = _attributed(facts, settings)
    if attribution.exempts and attribution.connector is not None:
        return _by_connector(facts, settings, attribution.connector.name)
    doubt = _doubt(attribution, facts, settings)
    if not facts.own:
        if facts.stamps.internal_org_sender is False:
            why = Text("Exchange says that its sender does not belong to the organisation.")
            return replace(facts, path=Path.EXTERNAL, why=why)
        why = Text("Which domains are the organisation's is not known: name them with --own-domain.")
        return replace(facts, why=why)
    accepted = settings.accepted(domain_of(envelope)) if envelope else False
    if envelope is None:
        if facts.stamps.direct_send:
            return replace(facts, path=Path.DIRECT_SEND, why=notes[0])
        if not facts.author_is_ours:
            why = Text("Its From is not the organisation's, and its envelope sender is not in the header.")
            return replace(facts, path=Path.EXTERNAL, why=why)
        why = Text(
            "Its envelope sender is not in the header, by which Direct Send is told from a foreign envelope."
        )
        return replace(facts, why=why)
    if accepted is False:
        if facts.author_is_ours:
            why = Text("It is anonymous, its From is the organisation's and its envelope sender is not.")
            return replace(facts, path=Path.FOREIGN_ENVELOPE, why=why, notes=tuple(notes))
        why = Text("Neither its envelope sender nor its From is the organisation's.")
        return replace(facts, path=Path.EXTERNAL, why=why)
    if facts.stamps.direct_send:
        return replace(facts, path=Path.DIRECT_SEND, why=notes[0])
    if doubt is not None:
        return replace(facts, why=doubt, anonymous=None)
    if accepted is None:
        why = Text(
            "Its envelope domain {domain} lies below an accepted domain; whether it counts as one is not known.",
            domain=domain_of(envelope),
        )
        return replace(facts, why=why)
    if settings.inbound_connectors is None:
        notes.append(
            Text(
                "Whether a Partner connector matches its address is not known: hand over Get-InboundConnector with --with."
            )
        )
    why = Text(
        "It is anonymous, its envelope sender is the organisation's and no connector is seen to match it."
    )
    if attribution.by is By.DOMAIN or _names_domains(settings, domain_of(envelope)):
        notes.append(
            Text(
                "A Partner connector that names only sender domains covers it; that makes it no less Direct Send."
            )
        )
    return replace(facts, path=Path.DIRECT_SEND, why=why, notes=tuple(notes))


def _names_domains(settings: Settings, domain: str) -> bool:
    return any(
        held.enabled is not False and held.partner and not held.identifies and held.covers(domain)
        for held in settings.connectors
    )


def _doubt(attribution: Attribution, facts: Arrival, settings: Settings) -> Text | None:
    """Give what keeps a mail without a matching address from being Direct Send for certain, or None."""
    if attribution.by is not By.UNKNOWN or settings.inbound_connectors is None:
        return None
    held, entry = attribution.connector, facts.boundary.entry
    if held is None or not held.certificate:
        return attribution.why
    if held.addresses and facts.client_ip and attribution.why.template.startswith("Partner"):
        return attribution.why
    if entry is not None and entry.tls is False:
        return None  # without TLS there is no certificate to match
    wanted = held.certificate.removeprefix("*.").lower()
    names = (entry.helo, entry.client_name) if entry else ()
    if any(under(a_label(name), [organisational(a_label(wanted))]) for name in names if name):
        return Text(
            "Its client calls itself by a name of connector “{name}”'s certificate; whether it presented that certificate is "
            "not in the header.",
            name=held.name,
        )
    return None


def _inventoried(facts: Arrival, senders: Sequence[Sender]) -> Sender | None:
    """Find the sender of the inventory that sends from this address in this name, else from this address alone."""
    if not facts.client_ip:
        return None
    author = mailbox_key(facts.author.address)
    near: Sender | None = None
    for sender in senders:
        for flow in sender.flows:
            if client_address(flow.key.client_ip or "") != facts.client_ip:
                continue
            held = flow.key.header_from or flow.key.sender
            if held == author or held == f"@{facts.author_domain}":
                return sender
            near = near or sender
    return near


def timeline(boundary: Boundary) -> tuple[TimedHop, ...]:
    """Give the hops, oldest first, with the delay of each since the last one that has a time."""
    entry = next((n for n, hop in enumerate(boundary.hops) if hop is boundary.entry), -1)
    found: list[TimedHop] = []
    before: datetime | None = None
    for number in range(len(boundary.hops) - 1, -1, -1):
        hop = boundary.hops[number]
        now = hop.observed_at
        delay = now - before if now is not None and before is not None else None
        found.append(TimedHop(hop, delay, boundary.after <= number <= entry))
        before = now or before
    return tuple(found)
