"""Senders built by hand, for tests of what is made of an inventory."""

from __future__ import annotations

from portero.core.flow import Flow, merge_facts
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Sender
from portero.core.text import Text
from support.flows import flow

OURS = "contoso.com"


def a_sender(identity: str, kind: Kind, judgement: Judgement, *flows: Flow) -> Sender:
    """Give a sender that writes as its id, with its flows and their mails."""
    facts = merge_facts(each.facts for each in flows)
    return Sender(
        id=identity,
        label=Text("{name}", name=identity),
        kind=kind,
        judgement=judgement,
        confidence=0.9,
        decided_by=DecidedBy.EVIDENCE,
        path=Path.DIRECT_SEND,
        connector=None,
        client_networks=(),
        mail_from_domains=(OURS,),
        header_from_domains=(OURS,),
        header_from=(f"{identity}@{OURS}",),
        ehlo=(),
        mails=facts.mails,
        outside=0,
        witnesses={},
        recipients=1,
        first_seen=None,
        last_seen=None,
        because=(),
        flows=flows,
        facts=facts,
    )


def anonymous(address: str | None, mails: int = 7, **given: object) -> Flow:
    """Give anonymous mail in the own name from an address."""
    known = {"mail_from_domain": OURS, "header_from": f"x@{OURS}", "connector": "", "direction": "incoming"}
    return flow(mails, client_ip=address, **{**known, **given})
