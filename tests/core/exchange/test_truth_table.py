"""The truth table of what Exchange Online does with mail in the own name, one row a case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portero.core.controls import apply_controls, parse_control
from portero.core.exchange.attribution import Seen, attribute, path_of, seen_connectors
from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings
from portero.core.flow import Flow
from portero.core.simulate import decide
from portero.core.simulation import Effect
from support.flows import flow

OURS = "contoso.com"
DEVICES = InboundConnector(
    "Devices",
    "Partner",
    sender_domains=("*",),
    addresses=("198.51.100.10/32",),
    restrict_to_addresses=False,
    presumed=True,
)
RELAY = InboundConnector("Relay", "OnPremises", sender_domains=("*",), addresses=("198.51.100.20/32",))
HYBRID = InboundConnector(
    "Inbound from hybrid",
    "OnPremises",
    sender_domains=("*",),
    certificate="mail.contoso.com",
    cloud_services_mail=True,
)
LOOSE = InboundConnector("Loose", "Partner", sender_domains=("*",), addresses=("198.51.100.40/32",))
NAMES = InboundConnector("Names", "Partner", sender_domains=(OURS,))
SETTINGS = Settings(
    accepted_domains=(
        AcceptedDomain(OURS, match_subdomains=False),
        AcceptedDomain("wide.example", match_subdomains=True),
    ),
    inbound_connectors=(RELAY, HYBRID, LOOSE, NAMES),
)


def mail(**given: object) -> Flow:
    known = {"client_ip": "203.0.113.7", "connector": "", "direction": "incoming"}
    return flow(**{**known, **given})


def under(control: str, what: Flow, settings: Settings = SETTINGS) -> Effect:
    return decide(what, apply_controls(settings, (parse_control(control),)), Seen()).effect


CASES = {
    "a scanner, authenticated or not": (
        mail(mail_from_domain=OURS, header_from=f"scan@{OURS}"),
        "refused",
        "direct-send",
    ),
    "a scanner that passes SPF": (
        mail(mail_from_domain=OURS, header_from=f"s@{OURS}", spf={"pass": 1}),
        "refused",
        "direct-send",
    ),
    "a spoof over a foreign envelope": (
        mail(mail_from_domain="evil.example", header_from=f"ceo@{OURS}"),
        "kept",
        "foreign-envelope",
    ),
    "a vendor with its own bounce domain": (
        mail(mail_from_domain="bounce.saas.example", header_from=f"n@{OURS}", dkim={"pass": 1}),
        "kept",
        "foreign-envelope",
    ),
    "a vendor with our envelope": (
        mail(mail_from_domain=OURS, header_from=f"crm@{OURS}", dkim={"pass": 1}),
        "refused",
        "direct-send",
    ),
    "a sub-domain that is not accepted": (
        mail(mail_from_domain=f"mail.{OURS}", header_from=f"n@mail.{OURS}"),
        "kept",
        "foreign-envelope",
    ),
    "a sub-domain below MatchSubDomains": (
        mail(mail_from_domain="a.wide.example", header_from="n@a.wide.example"),
        "undetermined",
        "undetermined",
    ),
    "a null envelope": (
        mail(mail_from_domain="", header_from=f"postmaster@{OURS}"),
        "undetermined",
        "foreign-envelope",
    ),
    "a relay by its address": (
        mail(
            client_ip="198.51.100.20",
            connector="Relay",
            direction="originating",
            mail_from_domain=OURS,
            header_from=f"erp@{OURS}",
        ),
        "kept",
        "connector",
    ),
    "hybrid by its certificate": (
        mail(
            client_ip="198.51.100.30",
            connector="Inbound from hybrid",
            direction="originating",
            mail_from_domain=OURS,
            header_from=f"a@{OURS}",
        ),
        "kept",
        "connector",
    ),
    "a connector of sender domains alone": (
        mail(connector="Names", mail_from_domain=OURS, header_from=f"pay@{OURS}"),
        "refused",
        "direct-send",
    ),
    "a Partner connector without a Restrict flag": (
        mail(client_ip="198.51.100.40", connector="Loose", mail_from_domain=OURS, header_from=f"x@{OURS}"),
        "undetermined",
        "connector",
    ),
    "SMTP AUTH": (
        mail(direction="originating", mail_from_domain=OURS, header_from=f"ups@{OURS}"),
        "kept",
        "authenticated",
    ),
    "a mailbox": (
        mail(client_ip="", direction="originating", mail_from_domain=OURS, header_from=f"@{OURS}"),
        "kept",
        "internal",
    ),
    "a summary alone, by its sender": (mail(sender=f"scan@{OURS}"), "refused", "direct-send"),
}


@pytest.mark.parametrize("name", CASES)
def test_reject_direct_send(name: str) -> None:
    what, effect, path = CASES[name]
    assert under("reject-direct-send", what) == effect
    assert path_of(what, SETTINGS, attribute(what, SETTINGS, Seen())) == path


def test_without_the_connectors_export_a_summary_settles_nothing() -> None:
    blind = Settings(accepted_domains=SETTINGS.accepted_domains)
    what = flow(client_ip="203.0.113.7", sender=f"scan@{OURS}")
    assert under("reject-direct-send", what, blind) == Effect.UNDETERMINED


SCOPED = InboundConnector(
    "Relay of wide.example",
    "OnPremises",
    sender_domains=("*",),
    addresses=("198.51.100.50/32",),
    associated_domains=("wide.example",),
)


@pytest.mark.parametrize("witness", ["mail_from_domain", "sender"])
def test_a_connector_for_one_domain_takes_no_mail_of_another_whoever_saw_it(witness: str) -> None:
    settings = Settings(accepted_domains=SETTINGS.accepted_domains, inbound_connectors=(SCOPED,))

    def under_reject(domain: str) -> Effect:
        name = domain if witness == "mail_from_domain" else f"scan@{domain}"
        return under(
            "reject-direct-send",
            flow(client_ip="198.51.100.50", **{witness: name}),
            settings,
        )

    assert under_reject("wide.example") == Effect.KEPT
    assert under_reject(OURS) == Effect.REFUSED


def test_what_a_better_witness_saw_of_one_domain_says_nothing_of_another_domains_mail() -> None:
    settings = Settings(accepted_domains=SETTINGS.accepted_domains, inbound_connectors=(SCOPED,))
    known = flow(
        client_ip="198.51.100.50",
        connector=SCOPED.name,
        direction="originating",
        mail_from_domain="wide.example",
        header_from="scan@wide.example",
    )
    seen = seen_connectors([known])
    other = flow(client_ip="198.51.100.50", sender=f"scan@{OURS}")
    same = flow(client_ip="198.51.100.50", sender="scan@wide.example")
    changed = apply_controls(settings, (parse_control("reject-direct-send"),))
    assert [decide(each, changed, seen).effect for each in (known, same, other)] == [
        "kept",
        "kept",
        "refused",
    ]


def test_the_lock_refuses_what_does_not_come_through_the_gateway() -> None:
    lock = "lock-gateway=192.0.2.0/24"
    assert under(lock, mail(mail_from_domain=OURS, header_from=f"scan@{OURS}")) == Effect.REFUSED
    assert under(lock, mail(mail_from_domain="evil.example", header_from=f"ceo@{OURS}")) == Effect.REFUSED
    assert (
        under(lock, mail(client_ip="192.0.2.9", mail_from_domain=OURS, header_from=f"n@{OURS}"))
        == Effect.KEPT
    )


@pytest.mark.parametrize("nowhere", [None, ""], ids=["no witness has an address", "the trace blanked it"])
def test_neither_a_lock_nor_a_new_connector_is_settled_for_mail_whose_address_nobody_recorded(
    nowhere: str | None,
) -> None:
    # An Enhanced trace blanks original_client_ip after ten days.
    blanked = mail(client_ip=nowhere, mail_from_domain=OURS, header_from=f"scan@{OURS}")
    foreign = mail(client_ip=nowhere, mail_from_domain="evil.example", header_from=f"ceo@{OURS}")
    assert under("reject-direct-send", blanked) == Effect.REFUSED
    assert under("lock-gateway=192.0.2.0/24", blanked) == Effect.UNDETERMINED
    assert under("lock-gateway=192.0.2.0/24", foreign) == Effect.UNDETERMINED
    both = apply_controls(SETTINGS, tuple(map(parse_control, ("allow=198.51.100.10", "reject-direct-send"))))
    assert decide(blanked, both, Seen()).effect == Effect.UNDETERMINED
    assert decide(foreign, both, Seen()).effect == Effect.KEPT


def test_the_lock_and_what_no_document_settles() -> None:
    lock = "lock-gateway=192.0.2.0/24"
    for name in ("hybrid by its certificate", "a relay by its address", "a null envelope"):
        assert under(lock, CASES[name][0]) == Effect.UNDETERMINED, name


def test_a_lock_with_nothing_known_to_lock_to_settles_nothing() -> None:
    assert (
        under("lock-gateway", mail(mail_from_domain=OURS, header_from=f"scan@{OURS}")) == Effect.UNDETERMINED
    )


def test_allow_then_reject_keeps_the_device_and_refuses_the_stranger() -> None:
    controls = tuple(map(parse_control, ("allow=198.51.100.10", "reject-direct-send")))
    changed = apply_controls(SETTINGS, controls)
    device = mail(client_ip="198.51.100.10", mail_from_domain=OURS, header_from=f"scan@{OURS}")
    stranger = mail(mail_from_domain=OURS, header_from=f"scan@{OURS}")
    assert decide(device, changed, Seen()).effect == Effect.KEPT
    assert decide(stranger, changed, Seen()).effect == Effect.REFUSED


def test_removing_the_relays_connector_strands_the_relay() -> None:
    controls = tuple(map(parse_control, ("remove-connector=relay", "reject-direct-send")))
    assert (
        decide(CASES["a relay by its address"][0], apply_controls(SETTINGS, controls), Seen()).effect
        == Effect.REFUSED
    )


def test_basic_off_is_undetermined_until_a_report_tells_basic_from_oauth() -> None:
    assert under("smtp-basic-off", CASES["SMTP AUTH"][0]) == Effect.UNDETERMINED
    assert under("smtp-basic-off", CASES["a mailbox"][0]) == Effect.KEPT


def test_dmarc_reject_keeps_what_passes_and_refuses_what_fails() -> None:
    control = f"dmarc={OURS}:reject"
    passes = mail(mail_from_domain=OURS, header_from=f"crm@{OURS}", dmarc={"pass": 1})
    fails = mail(mail_from_domain="evil.example", header_from=f"ceo@{OURS}", dmarc={"fail": 1})
    silent = mail(mail_from_domain=OURS, header_from=f"scan@{OURS}")
    assert [under(control, each) for each in (passes, fails, silent)] == ["kept", "refused", "undetermined"]


def test_a_summary_with_an_address_of_exchange_onlines_own_servers_settles_nothing() -> None:
    seen = {"connector": None, "direction": None, "sender": f"ann@{OURS}"}
    bare = replace(SETTINGS, inbound_connectors=())
    for address in ("40.107.22.10", "2603:10a6:102:33::12"):
        assert under("reject-direct-send", flow(client_ip=address, **seen), bare) == Effect.UNDETERMINED
        sent = flow(client_ip=address, **{**seen, "direction": "originating"})
        assert path_of(sent, SETTINGS, attribute(sent, SETTINGS, Seen())) == "internal"
    assert under("reject-direct-send", flow(client_ip="203.0.113.7", **seen), bare) == Effect.REFUSED


def test_dmarc_reject_leaves_open_what_an_unseen_certificate_may_have_brought_in() -> None:
    control = f"dmarc={OURS}:reject"
    # A report shows neither connector nor direction; mail through an OnPremises connector is not judged by DMARC.
    reported = mail(
        connector=None, direction=None, mail_from_domain=OURS, header_from=f"@{OURS}", dmarc={"fail": 1}
    )
    assert under(control, reported) == Effect.UNDETERMINED
    without = Settings(accepted_domains=SETTINGS.accepted_domains, inbound_connectors=(RELAY, LOOSE, NAMES))
    assert under(control, reported, without) == Effect.REFUSED
