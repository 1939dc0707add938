"""Make an organisation from a seed: the same seed and end give the same organisation, mail by mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from portero.proving import attacks, background, devices, services, truth
from portero.proving.axes import Axes, draw
from portero.proving.draft import Draft
from portero.proving.organisation import Connector, Domain, Organisation

END = datetime(2026, 11, 24, tzinfo=UTC)
_NAMES = ("alder", "birch", "cedar", "larch", "maple", "rowan", "sorrel", "tamarind")


def generate(seed: int, axes: Axes | None = None, end: datetime = END) -> Organisation:
    """
    Make one organisation.

    seed:  chooses everything that `axes` leaves open, and the axes too when none are given.
    end:   aware UTC; the evidence covers the `axes.days` before it.
    """
    random = Random(seed)  # noqa: S311 - a repeatable world is the point, and it guards no secret
    chosen = axes or draw(random)
    name = f"{random.choice(_NAMES)}{seed}"
    draft = Draft(random, chosen, end - timedelta(days=chosen.days), end, name, _domains(name, chosen))
    _people_it(draft)
    return finish(draft)


def _domains(name: str, axes: Axes) -> list[Domain]:
    default = f"{name}-münchen.example" if axes.idn else f"{name}.example"
    domains = [
        Domain(f"{name}.onmicrosoft.com", initial=True),
        Domain(default, default=True, match_subdomains=axes.match_subdomains, policy=axes.policy),
    ]
    if axes.second_domain:
        domains.append(Domain(f"{name}-group.example", policy="reject", spf="v=spf1 -all"))
    if axes.partner == "restrict":
        # A Partner connector that restricts the main domain would itself refuse every other device.
        domains.append(Domain(f"branch.{default}"))
    return domains


def _people_it(draft: Draft) -> None:
    axes = draft.axes
    draft.hire()
    if axes.mx == "gateway":
        _gateway(draft)
    egress = devices.settle(draft)
    devices.scanners(draft, egress)
    for wanted, add in (
        (axes.scan_to_self, devices.scan_to_self),
        (axes.small_devices, devices.small_devices),
        (axes.new_device, devices.new_device),
    ):
        if wanted:
            add(draft, egress)
    for chosen, enlist in (
        (axes.erp, devices.erp),
        (axes.on_premises_relay, devices.on_premises_relay),
        (axes.hybrid, devices.hybrid),
        (axes.partner != "none", devices.branch),
        (axes.smtp_auth, devices.smtp_auth),
        (axes.payroll, services.payroll),
        (axes.aligned_service, services.aligned_service),
        (axes.bounce_domain_service, services.bounce_domain_service),
        (axes.shared_service, services.shared_service),
        (axes.sub_domain_sender, services.sub_domain_sender),
        (axes.newsletter, services.newsletter),
        (axes.mailing_list, services.mailing_list),
        (axes.null_sender, services.null_sender),
    ):
        if chosen:
            enlist(draft)
    for chosen, rewriting in ((axes.forwarder, False), (axes.rewriting_forwarder, True)):
        if chosen:
            services.forwarder(draft, rewriting=rewriting)
    for campaign in axes.campaigns:
        attacks.attack(draft, campaign)
    background.mailboxes(draft)
    background.inbound(draft)


def _gateway(draft: Draft) -> None:
    draft.gateway_networks = [draft.network() for _ in range(2)]
    ranges = tuple(f"{network}.0/24" for network in draft.gateway_networks)
    draft.answers["_spf.sieve.example", "TXT"] = (
        f"v=spf1 {' '.join(f'ip4:{text}' for text in ranges)} -all",
    )
    if draft.axes.gateway == "connector":
        draft.connectors.append(Connector("From Sieve gateway", "OnPremises", ("*",), addresses=ranges))
    elif draft.axes.gateway == "lock":
        draft.connectors.append(
            Connector("Only via Sieve", "Partner", ("*",), addresses=ranges, restrict_to_addresses=True)
        )


def finish(draft: Draft) -> Organisation:
    """Close a draft: derive SPF, drop what is refused as things stand, sort the mails."""
    axes = draft.axes
    organisation = Organisation(
        name=draft.name,
        start=draft.start,
        end=draft.end,
        language=axes.language,
        mx=axes.mx,
        domains=tuple(_with_spf(draft, domain) for domain in draft.domains),
        connectors=tuple(draft.connectors),
        gateway_networks=tuple(f"{network}.0/24" for network in draft.gateway_networks),
        reject_direct_send=axes.reject_direct_send,
        honours_dmarc=axes.honours_dmarc,
        senders=(),
        mails=(),
        outside=tuple(draft.outside),
        answers=draft.answers,
        axes={name: getattr(axes, name) for name in axes.__slots__},
    )
    # What is refused today is in nobody's trace, so it is no part of what evidence can show.
    mails = sorted(
        (mail for mail in draft.mails if not truth.refused_today(organisation, mail)),
        key=lambda mail: (mail.sent_at, mail.id),
    )
    heard = {mail.sender for mail in mails}
    return Organisation(
        **{
            name: getattr(organisation, name)
            for name in organisation.__slots__
            if name not in ("senders", "mails")
        },
        senders=tuple(sender for sender in draft.senders if sender.id in heard),
        mails=tuple(mails),
    )


def _with_spf(draft: Draft, domain: Domain) -> Domain:
    if not domain.default:
        return domain
    included = {text for name in draft.includes for text in draft.answers[name, "TXT"]}
    terms = [
        f"ip{'6' if ':' in network else '4'}:{network.removesuffix('/32').removesuffix('/128')}"
        for network in draft.listed
        if not any(network.removesuffix("/32") in text for text in included)
    ]
    terms += [f"include:{name}" for name in draft.includes]
    record = " ".join(["v=spf1", *terms, "include:spf.protection.outlook.com", "~all"])
    return Domain(domain.name, False, True, domain.match_subdomains, record, domain.policy)
