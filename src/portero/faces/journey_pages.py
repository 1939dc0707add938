"""Writes docs/journeys from the simulator: ``python -m portero.faces.journey_pages docs/journeys``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from portero.core.controls import apply_controls, parse_control
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import Origin
from portero.core.exchange.attribution import attribute, path_of, seen_connectors
from portero.core.exchange.decision import Decision
from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings
from portero.core.flow import Facts, Flow, FlowKey
from portero.core.simulate import decide
from portero.faces.labels import label_of

_OURS = "contoso.com"
_GATEWAY = "198.51.100.0/24"
_DNS = Dns(
    [
        DnsAnswer(
            "_dmarc.contoso.com",
            "TXT",
            DnsStatus.NOERROR,
            ("v=DMARC1; p=none",),
            origin=Origin("dns.jsonl", 1),
        )
    ]
)
_OPEN = Settings(
    accepted_domains=(AcceptedDomain(_OURS, match_subdomains=False),),
    domains_exported=True,
    inbound_connectors=(),
    reject_direct_send=False,
    mx_at_microsoft=True,
    dns=_DNS,
)
_BEHIND = replace(
    _OPEN,
    mx_at_microsoft=False,
    gateway_networks=(_GATEWAY,),
    inbound_connectors=(
        InboundConnector("From the gateway", "OnPremises", sender_domains=("*",), addresses=(_GATEWAY,)),
    ),
)


@dataclass(frozen=True, slots=True)
class _Mail:
    """One mail of a journey: who sends it, the session as Exchange Online sees it, and its SPF and DMARC results."""

    who: str
    key: FlowKey
    spf: str = "pass"
    dmarc: str = "pass"


@dataclass(frozen=True, slots=True)
class _Journey:
    """
    One page.

    tries:  the controls put to each mail, one row each; () is the tenant as it is.
    end:    what follows from the rows.
    """

    name: str
    title: str
    story: str
    settings: Settings
    mails: tuple[_Mail, ...]
    tries: tuple[tuple[str, ...], ...]
    end: str


def _key(
    client_ip: str,
    mail_from: str,
    header_from: str,
    ehlo: str,
    direction: str = "incoming",
    connector: str = "",
) -> FlowKey:
    return FlowKey(
        client_ip=client_ip,
        mail_from_domain=mail_from,
        header_from=header_from,
        ehlo=ehlo,
        connector=connector,
        direction=direction,
    )


_SPOOF = _Mail(
    "Somebody at a rented server, as the managing director",
    _key("192.0.2.66", _OURS, "director@contoso.com", "WIN-3K9"),
    "fail",
    "fail",
)
_FOREIGN = _Mail(
    "The same, with an envelope sender of their own",
    _key("192.0.2.66", "attacker.example", "director@contoso.com", "WIN-3K9"),
    "fail",
    "fail",
)
_PRINTER = _Mail(
    "The printer, as it is set today", _key("203.0.113.9", _OURS, "scanner@contoso.com", "MFP-2")
)
_JOURNEYS = (
    _Journey(
        "spoof-open",
        "A spoof with the door open",
        "Exchange Online takes anonymous mail for its own recipients from anybody. A forger needs no account and no "
        "password: a connection to `contoso-com.mail.protection.outlook.com` on port 25 is enough.",
        _OPEN,
        (_SPOOF, _FOREIGN),
        ((),),
        "Nothing at the door stops either of them. Filters may, or may not.",
    ),
    _Journey(
        "spoof-closed",
        "The same spoof, closed",
        "`RejectDirectSend` looks at the envelope sender alone. DMARC looks at the visible From, which the other forgery "
        "needs.",
        _OPEN,
        (_SPOOF, _FOREIGN),
        (
            ("reject-direct-send",),
            ("dmarc=contoso.com:reject",),
            ("reject-direct-send", "dmarc=contoso.com:reject"),
        ),
        "The block alone leaves the second forgery a way in; both together leave none. That is why the plan goes on to "
        "DMARC after it has closed Direct Send.",
    ),
    _Journey(
        "printer-relay",
        "A printer through the relay",
        "To the service a printer that sends directly is the same as the forger: anonymous, with an own envelope sender. "
        "A connector by address lets it in; the relay makes it somebody.",
        _OPEN,
        (
            _PRINTER,
            _Mail(
                "The printer through the relay, which signs in",
                _key("203.0.113.9", _OURS, "scanner@contoso.com", "relay", "originating"),
            ),
            _SPOOF,
        ),
        (("reject-direct-send",), ("allow=203.0.113.9/32", "reject-direct-send")),
        "The connector keeps the printer and whoever else sends from its address. Through the relay it is kept under "
        "every row, with nobody else let in.",
    ),
    _Journey(
        "forwarder",
        "A forwarder cut off",
        "A colleague writes to a mailbox at a university that forwards to another colleague here. The mail comes back with "
        "the envelope sender it left with.",
        _OPEN,
        (
            _Mail(
                "The university's server, envelope unchanged",
                _key("192.0.2.200", _OURS, "ana@contoso.com", "mx.uni.example"),
                "fail",
            ),
            _Mail(
                "The same with a rewritten envelope (SRS)",
                _key("192.0.2.200", "uni.example", "ana@contoso.com", "mx.uni.example"),
            ),
        ),
        (("reject-direct-send",), ("reject-direct-send", "dmarc=contoso.com:reject")),
        "Rewriting the envelope saves it from the block, and the signature that survives forwarding saves it from DMARC.",
    ),
    _Journey(
        "around-gateway",
        "Mail around the gateway",
        "The MX points at a filtering gateway, yet the tenant's own name on the internet still answers. Whoever knows it "
        "goes around the gateway, with any sender at all.",
        _BEHIND,
        (
            _Mail(
                "A partner by way of the gateway",
                _key(
                    "198.51.100.7",
                    "partner.example",
                    "x@partner.example",
                    "gw1",
                    connector="From the gateway",
                ),
            ),
            _Mail(
                "A stranger straight to the tenant",
                _key("192.0.2.66", "attacker.example", "director@contoso.com", "x"),
            ),
            _SPOOF,
        ),
        ((), ("reject-direct-send",), ("lock-gateway",)),
        "The block stops only who writes with an own envelope sender. The lock stops whoever does not come from the "
        "gateway, so every source that stays direct has to be in its list first.",
    ),
)


def journey_pages() -> Mapping[str, str]:
    """Give the pages by file name, the index among them."""
    pages = {f"{each.name}.md": _page(each) for each in _JOURNEYS}
    return {"README.md": _index(), **pages}


def _index() -> str:
    lines = [
        "# Journeys",
        "",
        "How mail meets the door, told by the simulator: each table is what `portero simulate` answers for that mail.",
        "",
        *(f"- [{each.title}]({each.name}.md)" for each in _JOURNEYS),
    ]
    return "\n".join(lines) + "\n"


def _page(journey: _Journey) -> str:
    lines = [
        f"# {journey.title}",
        "",
        "Printed by the simulator (`src/portero/faces/journey_pages.py`); change that, not this page.",
        "",
        journey.story,
        "",
    ]
    for mail in journey.mails:
        lines += _told(journey, mail)
    return "\n".join([*lines, journey.end]) + "\n"


def _told(journey: _Journey, mail: _Mail) -> Iterator[str]:
    key, flow = mail.key, _flow(mail)
    seen = seen_connectors([flow])
    attribution = attribute(flow, journey.settings, seen)
    path = path_of(flow, journey.settings, attribution)
    yield f"## {mail.who}"
    yield ""
    yield "```text"
    yield f"connects from   {key.client_ip}"
    yield f"EHLO            {key.ehlo}"
    yield f"MAIL FROM       anybody@{key.mail_from_domain}"
    yield f"From:           {key.header_from}"
    yield f"way in          {label_of(path)}"
    yield "```"
    yield ""
    yield f"{attribution.why}"
    yield ""
    yield "| controls | effect | answer | why |"
    yield "|---|---|---|---|"
    for controls in journey.tries:
        parsed = tuple(parse_control(each) for each in controls)
        decision: Decision = decide(flow, apply_controls(journey.settings, parsed), seen)
        named = " + ".join(f"`{each}`" for each in controls) or "none"
        answer = f"`{decision.reply}`" if decision.reply else "–"
        yield f"| {named} | {label_of(decision.effect)} | {answer} | {decision.why} |"
    yield ""


def _flow(mail: _Mail) -> Flow:
    signed = mail.dmarc == "pass"
    return Flow(
        mail.key,
        Facts(
            mails=1,
            witnessed={"email-events": 1},
            spf={mail.spf: 1},
            dkim={"pass" if signed else "none": 1},
            dmarc={mail.dmarc: 1},
            dkim_domains={_OURS: 1} if signed else {},
            inside=1,
        ),
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, page in journey_pages().items():
        (folder / name).write_text(page, "utf-8")
