"""A case: one mail with how it came in and what it holds, as rules see it; and what a rule is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from portero.core.address import domain_of, mailbox_key
from portero.core.mail.mime import Mail
from portero.core.message.arrival import Arrival, Known, organisational, under
from portero.core.message.content import Content, Link
from portero.core.message.lures import PHRASES
from portero.core.message.web import (
    any_brand_owns,
    brand_in,
    carried,
    free_mail,
    imitates,
    social,
    speaks_for,
)
from portero.core.message.words import plain_words, tokens
from portero.core.text import Text

_OF_TEXT = 8_000
_INITIAL = ".onmicrosoft.com"
_ANSWER = re.compile(
    r"(?:\[[^\]]{1,40}\]\s*)?(?:re|aw|rv|sv|res|antw|odp|r|vs|ref|回复|答复)\s*(?:\[\d+\])?\s*[:：]"
)
_QUOTED = re.compile(
    r"-----\s*original|_{10,}\s*from"
    r"|\n\s*(?:from|de|von|da|发件人)\s*:[^\n]{1,200}\n[^\n]{0,40}\n?\s*(?:sent|date|enviado|gesendet|envoyé|inviato|to|发送时间)\b"
    r"|\bon [^\n]{4,80}\bwrote:|\bescribió:|\bschrieb [^\n]{2,80}:|\ba écrit\s*:|\bha scritto:|\bescreveu:",
    re.IGNORECASE,
)
_MACHINES = frozenset(
    [
        "scan",
        "scanner",
        "scanning",
        "copier",
        "copy",
        "mfp",
        "mfd",
        "printer",
        "print",
        "fax",
        "noreply",
        "no-reply",
        "donotreply",
        "do-not-reply",
        "alert",
        "alerts",
        "alarm",
        "monitor",
        "monitoring",
        "nagios",
        "zabbix",
        "ups",
        "backup",
        "backups",
        "report",
        "reports",
        "system",
        "service",
        "services",
        "app",
        "erp",
        "crm",
        "sap",
        "ticket",
        "tickets",
        "notification",
        "notifications",
        "notify",
        "info",
        "avisos",
        "alertas",
        "escaner",
        "escaneo",
        "impresora",
        "copiadora",
        "sistema",
        "informes",
        "mailer",
        "server",
        "servidor",
        "root",
        "admin",
        "devices",
        "device",
        "dispositivo",
        "jira",
        "jenkins",
        "gitlab",
        "invoices",
        "facturas",
        "facturacion",
        "billing",
        "newsletter",
        "nas",
        "veeam",
        "vmware",
        "switch",
        "firewall",
        "camera",
        "cctv",
        "door",
        "access",
        "idrac",
        "ilo",
        "sharepoint",
        "quarantine",
        "cuarentena",
        "postmaster",
    ]
)


@dataclass(frozen=True)
class Case:
    """
    What rules look at.

    mail, arrival, content, known:  see their modules.
    """

    mail: Mail
    arrival: Arrival
    content: Content
    known: Known

    @cached_property
    def subject(self) -> str:
        """Give the subject as a reader takes it."""
        return plain_words(self.mail.text("subject"))

    @cached_property
    def met(self) -> dict[str, list[str]]:
        """Give the subjects of lures that the mail touches anywhere a reader looks, with the words met."""
        held = self.content
        text = " \n ".join(
            (
                self.subject,
                plain_words(held.text[:_OF_TEXT]),
                plain_words(held.inside[: _OF_TEXT // 2]),
                self.names,
            )
        )
        return PHRASES.find(tokens(text))

    @cached_property
    def met_early(self) -> dict[str, list[str]]:
        """Give the same for the subject line, the author's name and the attachments' names."""
        return PHRASES.find(
            tokens(f"{self.subject} \n {plain_words(self.arrival.author.name)} \n {self.names}")
        )

    @cached_property
    def names(self) -> str:
        """Give the attachments' names as words."""
        return (
            plain_words(" ".join(each.name for each in self.content.attachments))
            .replace("_", " ")
            .replace("-", " ")
        )

    @cached_property
    def recipients(self) -> tuple[str, ...]:
        """Give the mailboxes of To and Cc in the form used for comparison."""
        held = (*self.mail.mailboxes("to"), *self.mail.mailboxes("cc"))
        return tuple(dict.fromkeys(mailbox_key(each.address) for each in held if each.address))

    @cached_property
    def author(self) -> str:
        """Give P2's address in the form used for comparison."""
        return mailbox_key(self.arrival.author.address)

    @property
    def home(self) -> str:
        """Give the author's registrable domain."""
        return organisational(self.arrival.author_domain)

    @cached_property
    def borrowed(self) -> str | None:
        """
        Give the brand whose name the author bears over a domain that is not the brand's, or what that domain imitates.

        What anybody can register and authenticate is then no home: its links lead away from whom it claims to be. None
        where the author bears a name of its own.
        """
        held = self.arrival
        if not held.author_domain or self.domain_is_ours:
            return None
        if self.reply or held.list_domain or self.mail.first("list-id"):
            return None
        brand = brand_in(held.author.name)
        if brand is not None and not speaks_for(brand, held.author_domain):
            return brand
        return imitates(held.author_domain, held.own, brands=False)

    @cached_property
    def away(self) -> tuple[Link, ...]:
        """
        Give the doors that lead neither to the author's domain nor to the organisation's.

        Carriers of bulk mail and social networks are left out. Whoever bears a borrowed name has no domain of its own.
        """
        own, home = self.arrival.own, None if self.borrowed else self.home
        return tuple(
            each
            for each in self.content.doors
            if organisational(each.host) != home
            and not under(each.host, own)
            and each.host not in self.own_libraries
            and not carried(each)
            and not social(each)
        )

    @cached_property
    def own_libraries(self) -> frozenset[str]:
        """Give the hosts of the organisation's own files at SharePoint, which bear the name of its initial domain."""
        tenants = [name.removesuffix(_INITIAL) for name in self.arrival.own if name.endswith(_INITIAL)]
        return frozenset(f"{each}{kind}.sharepoint.com" for each in tenants for kind in ("", "-my"))

    @property
    def proven_brand(self) -> bool:
        """Tell whether a known brand's own domain sent it, authenticated; where anybody gets a mailbox, no brand wrote."""
        held = self.arrival
        return (
            held.authenticated is True and any_brand_owns(held.author_domain) and not free_mail(self.author)
        )

    @property
    def leads_to_strangers(self) -> bool:
        """Tell whether it holds a door to anybody but the organisation, be it the author's own."""
        return any(not under(each.host, self.arrival.own) for each in self.content.doors)

    @property
    def leads_away(self) -> bool:
        """Tell whether a reader can be led to somebody else's page: by a link, a code, a form or an active attachment."""
        return bool(self.away or self.content.traits_of_attachments() & ACTIVE)

    @property
    def unauthenticated_own(self) -> bool:
        """Tell whether it claims to be the organisation's and nothing shows that it is."""
        held = self.arrival
        return bool(
            held.claims_us
            and held.author_is_ours
            and held.anonymous is not False
            and held.authenticated is not True
            and not self.passed_on
        )

    @property
    def passed_on(self) -> bool:
        """Tell whether a mailing list passed it on that names itself and sends with its own envelope."""
        held = self.arrival
        return (
            held.list_domain is not None
            and not under(held.list_domain, held.own)
            and held.spf not in {"fail", "softfail"}
        )

    @cached_property
    def reply(self) -> bool:
        """Tell whether it goes on with a conversation: it names one and quotes it."""
        named = bool(self.mail.first("in-reply-to") or self.mail.first("references"))
        text = self.content.text
        answers = bool(_ANSWER.match(self.subject))
        quoted = "\n>" in text or bool(_QUOTED.search(text[:50_000]))
        return (named and (quoted or answers)) or (answers and quoted) or text.count("\n>") >= 3

    @cached_property
    def automatic(self) -> bool:
        """Tell whether it is a notice of a mail system: a bounce, a receipt, an absence."""
        kind = (self.mail.first("content-type") or "").lower()
        said = (self.mail.first("from") or "").lower()
        return (
            "multipart/report" in kind
            or (self.mail.first("auto-submitted") or "no").lower().startswith("auto-replied")
            or self.mail.first("x-failed-recipients") is not None
            or self.author.partition("@")[0] in {"mailer-daemon", "postmaster", "mail-daemon"}
            or any(name in said for name in ("mailer-daemon", "mail delivery s", "postmaster"))
        )

    @cached_property
    def from_machine(self) -> bool:
        """Tell whether the author's mailbox is named after a device or a program rather than a person."""
        local = self.author.partition("@")[0]
        pieces = [
            piece.rstrip("0123456789") for piece in local.replace("_", "-").replace(".", "-").split("-")
        ]
        return local in _MACHINES or any(piece in _MACHINES for piece in pieces)

    @property
    def domain_is_ours(self) -> bool:
        """Tell whether P2 is known to be the organisation's."""
        return bool(self.arrival.author_is_ours)

    def domain_in_use_safely(self, domain: str) -> bool:
        """Tell whether a domain is the organisation's, or an authenticated author's."""
        if under(domain, self.arrival.own):
            return True
        return bool(self.arrival.authenticated) and organisational(domain) == self.home

    @cached_property
    def reply_to(self) -> str:
        """Give the first address of Reply-To, ``""`` for none."""
        boxes = self.mail.mailboxes("reply-to")
        return mailbox_key(boxes[0].address) if boxes else ""

    @property
    def reply_to_stranger(self) -> bool:
        """Tell whether an answer goes to a free mailbox of another domain than the author's."""
        return (
            bool(self.reply_to)
            and free_mail(self.reply_to)
            and organisational(domain_of(self.reply_to)) != self.home
        )


# Traits of attachments that act, or lead on, once they are opened.
ACTIVE = frozenset(
    [
        "javascript",
        "launch",
        "macro",
        "external-template",
        "script",
        "smuggling",
        "password-field",
        "form",
        "program",
    ]
)


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One message rule, with the words of Sigma's metadata.

    id:              kebab-case, equal to its file's name.
    title:           what it finds, in a few words.
    level:           informational | low | medium | high | critical.
    weight:          natural-log odds towards phish when it matches; negative speaks for the mail.
    falsepositives:  who else looks like this.
    match:           gives the reason for a reader where the rule matches, else None. Pure, and never raises.
    Source: Sigma rules specification 2.0.
    """

    id: str
    title: str
    level: str
    weight: float
    match: Callable[[Case], Text | None]
    status: str = "stable"
    falsepositives: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ("attack.initial-access", "attack.t1566")


def domains_of(addresses: tuple[str, ...]) -> frozenset[str]:
    """Give the domains of some mailboxes."""
    return frozenset(domain_of(each) for each in addresses)
