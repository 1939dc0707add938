"""Who uses SMTP AUTH, by the admin centre's report and by sign-ins: kept like the answers of cmdlets, for it has none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from portero.core.address import client_address, mailbox_key
from portero.core.evidence import ConfigObject, Origin

# Names under which the two stand among the cmdlets' answers.
REPORT = "SMTP AUTH clients report"
SIGN_INS = "Sign-ins by SMTP"


def use_object(
    kind: str,
    mailbox: str,
    protocol: str | None,
    client_ip: str | None,
    uses: int | None,
    last: datetime | None,
    origin: Origin,
) -> ConfigObject:
    """
    Make one use.

    kind:       REPORT or SIGN_INS.
    protocol:   ``basic`` or ``oauth``, None where the evidence does not tell.
    client_ip:  None where the evidence does not tell.
    uses:       mails or sign-ins, None for not told.
    """
    mailbox = mailbox_key(mailbox)
    properties: dict[str, object] = {
        "Identity": "|".join((mailbox, protocol or "", client_ip or "")),
        "Mailbox": mailbox,
        "Protocol": protocol,
        "ClientAddress": client_ip,
        "Uses": uses,
        "LastSeen": last,
    }
    return ConfigObject(kind, properties, origin)


def protocols(uses: tuple[ConfigObject, ...]) -> Mapping[str, str]:
    """Give the authentication of each mailbox of which all evidence tells the same one."""
    found: dict[str, set[object]] = {}
    for each in uses:
        found.setdefault(str(each.properties["Mailbox"]), set()).add(each.properties["Protocol"])
    return {
        mailbox: only
        for mailbox, held in found.items()
        if len(held) == 1 and isinstance(only := next(iter(held)), str)
    }


def clients(uses: tuple[ConfigObject, ...]) -> Mapping[str, Mapping[str, str | None]]:
    """
    Give, by mailbox, the client addresses it submits from, with the authentication; None where that is not told, or both are.

    A mailbox whose addresses nobody told is there with none.
    """
    found: dict[str, dict[str, set[object]]] = {}
    for each in uses:
        held = found.setdefault(str(each.properties["Mailbox"]), {})
        address = client_address(str(each.properties["ClientAddress"] or ""))
        if address is not None:
            held.setdefault(address, set()).add(each.properties["Protocol"])
    return {
        mailbox: {address: _only(told) for address, told in held.items()} for mailbox, held in found.items()
    }


def _only(told: set[object]) -> str | None:
    word = next(iter(told)) if len(told) == 1 else None
    return word if isinstance(word, str) else None
