"""What single messages are judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from portero.app.evidence import Case, Evidence, Tables
from portero.app.inventory import inventory
from portero.core.exchange.settings import Tenant, read_settings, texts
from portero.core.message.arrival import Known
from portero.core.message.words import plain_words, tokens
from portero.core.sender import Sender
from portero.core.text import Text


def known(
    evidence: Evidence,
    tables: Tables,
    own: Sequence[str],
    keys: Sequence[str],
    progress: Callable[[Text], None],
) -> Known:
    """
    Give what single messages are judged by: settings, inventory, people and the traces of those messages.

    own:   the organisation's domains as the caller names them, added to those exported and configured; where there are
           none, no domain is guessed from traces, for one message is judged by them.
    keys:  network message ids and Message-IDs of the messages.
    """
    configured = (*evidence.configuration.accepted_domains, *own)
    settings = read_settings(evidence.tenant, configured)
    senders: tuple[Sender, ...] = ()
    if settings.accepted_domains and any(each.rows for each in evidence.coverage):
        register = replace(evidence.configuration, accepted_domains=configured)
        held = inventory(replace(evidence, configuration=register), tables, progress)
        settings, senders = held.settings, held.senders
    return Known(
        settings=settings,
        configuration=evidence.configuration,
        senders=senders,
        traced=tables.traced(keys) if keys else {},
        people=people(evidence.tenant),
        dns=evidence.dns,
    )


def known_of(case: Case, senders: Sequence[Sender]) -> Known:
    """
    Give what single messages are judged by, of evidence whose rows are gone: all but the traces of those messages.

    senders:  as they are judged now; they count only where domains were exported or configured, as in `known`.
    """
    evidence = case.evidence
    settings = read_settings(evidence.tenant, evidence.configuration.accepted_domains)
    return Known(
        settings=replace(settings, dns=evidence.dns),
        configuration=evidence.configuration,
        senders=tuple(senders) if settings.accepted_domains else (),
        people=people(evidence.tenant),
        dns=evidence.dns,
    )


def people(tenant: Tenant) -> dict[str, frozenset[str]]:
    """
    Give the organisation's people by the words of their display names, with their mailboxes.

    Source: Get-Mailbox, Get-EXOMailbox, Get-User; TargetedUsersToProtect of Get-AntiPhishPolicy, ``Name;mailbox``.
    """
    found: dict[str, set[str]] = {}

    def add(name: object, address: object) -> None:
        words = tokens(plain_words(str(name or "")))
        if len(words) > 1 and isinstance(address, str) and "@" in address:
            found.setdefault(" ".join(words), set()).add(address.strip().lower().removeprefix("smtp:"))

    for cmdlet in ("Get-Mailbox", "Get-EXOMailbox", "Get-User", "Get-Recipient", "Get-MailUser"):
        for item in tenant.objects(cmdlet) or ():
            for address in (
                item.properties.get("PrimarySmtpAddress"),
                *(texts(item, "EmailAddresses") or ()),
            ):
                add(item.properties.get("DisplayName"), address)
    for item in tenant.objects("Get-AntiPhishPolicy") or ():
        for entry in texts(item, "TargetedUsersToProtect") or ():
            name, _, address = entry.partition(";")
            add(name, address)
    return {name: frozenset(addresses) for name, addresses in found.items()}
