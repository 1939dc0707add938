"""The axes along which organisations differ, each a parameter, drawn together by one seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

LANGUAGES = ("en", "es", "de", "pt")
CAMPAIGNS = (
    "burst",  # one lure to many people within the hour, from one rented server
    "slow",  # a few mails a day over weeks, one address
    "rotating",  # the same, a new address in another network every few mails
    "self-addressed",  # From and To are the victim
    "foreign-envelope",  # P1 of the attacker, P2 ours
    "device-copy",  # P2, EHLO and subjects of one of our devices, few mails, from another network
    "through-gateway",  # delivered by way of the MX, like any other mail
    "executive",  # a handful of mails in the manager's name
)
TRACES = ("v2", "enhanced", "enhanced+v2", "extended", "email-events+v2", "graph", "dmarc")


@dataclass(frozen=True, slots=True)
class Axes:
    """
    How one organisation differs from another.

    people:         mailboxes; mail grows with them up to `mails_at_most`.
    days:           length of the window that the evidence covers; a thin organisation has a few.
    mx:             ``microsoft`` or ``gateway``.
    gateway:        ``connector`` (OnPremises by address), ``lock`` (Partner `*`, restricted) or ``none``.
    device_address: ``fixed``, ``weekly`` (moves inside the provider's range) or ``roaming`` (across ranges).
    partner:        the branch's Partner connector: ``restrict``, ``without``, ``domain-only`` or ``none``.
    trace_sender:   what the summary's sender column holds; nobody documents it: ``p1`` or ``p2``.
    traces, configuration, dns:  which evidence the administrator exported, see `writers.export`.
    dates:          V2's dates as ISO 8601, or in the culture of the computer that exported them.
    hunting_form:   EmailEvents as the portal's CSV, as Graph's answer, or as streamed lines.
    honours_dmarc:  whether the organisation's own policy is applied to what comes in.
    """

    people: int = 120
    days: int = 90
    language: str = "en"
    mx: str = "microsoft"
    gateway: str = "none"
    second_domain: bool = False
    idn: bool = False
    match_subdomains: bool = False
    hybrid: bool = False
    on_premises_relay: bool = False
    partner: str = "none"
    ipv6: bool = False
    device_address: str = "fixed"
    scanners: int = 2
    scan_to_self: bool = True
    scanners_in_spf: bool = True
    small_devices: bool = True
    erp: bool = True
    payroll: bool = True
    aligned_service: bool = True
    bounce_domain_service: bool = True
    shared_service: bool = False
    sub_domain_sender: bool = False
    newsletter: bool = True
    mailing_list: bool = False
    forwarder: bool = False
    rewriting_forwarder: bool = False
    null_sender: bool = False
    smtp_auth: bool = True
    new_device: bool = False
    campaigns: tuple[str, ...] = ("burst",)
    policy: str | None = "none"
    reject_direct_send: bool | None = None
    traces: str = "enhanced"
    configuration: str = "full"
    configuration_shape: str = "powershell-7"
    dns: str = "zone"
    reports: bool = True
    trace_sender: str = "p2"
    addresses_lost: bool = False
    default_receive_name: bool = False
    dates: str = "iso"
    hunting_form: str = "csv"
    connector_report: bool = False
    honours_dmarc: bool = True
    mails_at_most: int = 6000


def draw(random: Random) -> Axes:
    """Draw axes; every combination that makes sense can come up."""

    def often(probability: float) -> bool:
        return random.random() < probability

    mx = random.choice(("microsoft", "microsoft", "gateway"))
    available = (
        CAMPAIGNS if mx == "gateway" else tuple(name for name in CAMPAIGNS if name != "through-gateway")
    )
    return Axes(
        people=random.choice((30, 60, 120, 250, 600, 1500, 5000)),
        days=random.choice((5, 14, 30, 60, 90, 90)),
        language=random.choice(LANGUAGES),
        mx=mx,
        gateway=random.choice(("connector", "lock", "none")) if mx == "gateway" else "none",
        second_domain=often(0.5),
        idn=often(0.2),
        match_subdomains=often(0.2),
        hybrid=often(0.3),
        on_premises_relay=often(0.4),
        partner=random.choice(("none", "restrict", "without", "domain-only")),
        ipv6=often(0.25),
        device_address=random.choice(("fixed", "fixed", "weekly", "roaming")),
        scanners=random.randint(1, 6),
        scan_to_self=often(0.6),
        scanners_in_spf=often(0.6),
        small_devices=often(0.7),
        erp=often(0.7),
        payroll=often(0.6),
        aligned_service=often(0.5),
        bounce_domain_service=often(0.6),
        shared_service=often(0.4),
        sub_domain_sender=often(0.4),
        newsletter=often(0.6),
        mailing_list=often(0.4),
        forwarder=often(0.4),
        rewriting_forwarder=often(0.3),
        null_sender=often(0.4),
        smtp_auth=often(0.6),
        new_device=often(0.4),
        campaigns=tuple(sorted(random.sample(available, random.randint(0, 3)))),
        policy=random.choice((None, "none", "none", "quarantine", "reject")),
        reject_direct_send=random.choice((None, False)),
        traces=random.choice(TRACES[:5] + TRACES),
        configuration=random.choice(("full", "full", "full", "without-connectors", "none")),
        configuration_shape=random.choice(("powershell-7", "windows-powershell")),
        dns=random.choice(("zone", "json-lines", "none")),
        reports=often(0.6),
        trace_sender=random.choice(("p1", "p2")),
        addresses_lost=often(0.08),
        default_receive_name=often(0.5),
        dates=random.choice(("iso", "iso", "culture")),
        hunting_form=random.choice(("csv", "answer", "stream")),
        connector_report=often(0.3),
        honours_dmarc=often(0.7),
    )


def draw_ordinary(random: Random) -> Axes:
    """
    Draw an organisation whose administrator followed docs/collect-evidence.md.

    Two or three months of traces with their addresses, the whole configuration, and the DNS answers with those of the
    records that SPF includes; everything else, attackers included, differs as in `draw`.
    """
    return replace(
        draw(random),
        days=random.choice((60, 90)),
        traces=random.choice(("enhanced+v2", "extended", "email-events+v2")),
        configuration="full",
        dns="json-lines",
        addresses_lost=False,
    )
