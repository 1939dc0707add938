"""The truth agrees, row by row, with the truth table of the reference (exchange-online 2.3) and with R1."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portero.proving import truth
from portero.proving.organisation import Connector, Domain, Mail, Organisation, Session

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
OURS = "ours.example"
LISTED, UNLISTED, GATEWAY, RELAY = "198.18.1.10", "198.18.2.20", "198.18.9.9", "198.18.3.30"
DMARC = f"dmarc={OURS}:reject"
HYBRID = Connector("Hybrid", "OnPremises", certificate="mail.ours.example", cloud_services_mail=True)


def organisation(
    *connectors: Connector,
    mx: str = "microsoft",
    match_subdomains: bool = False,
    policy: str | None = "reject",
) -> Organisation:
    return Organisation(
        name="ours", start=AT, end=AT, language="en", mx=mx,
        domains=(Domain(OURS, default=True, match_subdomains=match_subdomains, policy=policy),),
        connectors=connectors, gateway_networks=("198.18.9.0/24",) if mx == "gateway" else (),
        reject_direct_send=None, honours_dmarc=True, senders=(), mails=(),
    )  # fmt: skip


def mail(**fields: object) -> Mail:
    plain = Mail(
        id="1", message_id="1@x", sent_at=AT, sender="s", session=Session.ANONYMOUS,
        mail_from=f"scanner@{OURS}", header_from=f"scanner@{OURS}", display_name="", recipients=(f"ana@{OURS}",),
        subject="", size_octets=1, client_ip=LISTED, ehlo="x", spf="pass",
    )  # fmt: skip
    return replace(plain, **fields)  # type: ignore[arg-type]


def partner(*addresses: str, restrict: bool = True, domains: tuple[str, ...] = (OURS,)) -> Connector:
    return Connector("Devices", "Partner", domains, addresses=addresses, restrict_to_addresses=restrict)


SPOOF = {"client_ip": UNLISTED, "spf": "softfail"}
ROWS: list[tuple[str, dict[str, object], tuple[Connector, ...], str, str | None, str]] = [
    # row of the table; the mail; connectors; RejectDirectSend; Partner * restricted; own p=reject, MX at Microsoft
    ("scanner in SPF", {}, (), "refused", "refused", "kept"),
    ("scanner not in SPF", SPOOF, (), "refused", "refused", "refused"),
    ("scanner behind Partner by address", {}, (partner(LISTED),), "kept", "unknowable", "kept"),
    ("the same, not in SPF", {"spf": "softfail"}, (partner(LISTED),), "kept", "unknowable", "refused"),
    ("classic spoof", SPOOF, (), "refused", "refused", "refused"),
    ("foreign P1", {**SPOOF, "mail_from": "x@evil.example", "spf": "pass"}, (), "kept", "refused", "refused"),
    (
        "sub-domain that is not accepted",
        {**SPOOF, "mail_from": f"x@sub.{OURS}", "header_from": f"x@sub.{OURS}"},
        (),
        "kept",
        "refused",
        "refused",
    ),
    ("SaaS, P1 ours, DKIM aligned", {**SPOOF, "dkim": "pass", "dkim_domain": OURS}, (), "refused", "refused", "kept"),
    (
        "SaaS, own bounce domain, DKIM ours",
        {"mail_from": "b@saas.example", "dkim": "pass", "dkim_domain": OURS},
        (),
        "kept",
        "refused",
        "kept",
    ),
    ("forwarder without SRS", {**SPOOF, "dkim": "pass", "dkim_domain": OURS}, (), "refused", "refused", "kept"),
    (
        "forwarder with SRS",
        {"mail_from": "SRS0=x@fwd.example", "dkim": "pass", "dkim_domain": OURS},
        (),
        "kept",
        "refused",
        "kept",
    ),
    ("bounce from outside", {"mail_from": "", "header_from": "postmaster@x.example"}, (), "unknowable", "refused", "kept"),
    ("list that keeps P2", {"mail_from": "l@list.example"}, (), "kept", "refused", "refused"),
    (
        "hybrid by certificate",
        {"client_ip": UNLISTED, "spf": "none", "certificate": "mail.ours.example"},
        (HYBRID,),
        "kept",
        "unknowable",
        "kept",
    ),
    (
        "hybrid whose certificate changed",
        {"client_ip": UNLISTED, "spf": "none", "certificate": "new.ours.example"},
        (HYBRID,),
        "refused",
        "refused",
        "refused",
    ),
    ("SMTP AUTH", {"session": Session.SMTP_AUTH_OAUTH}, (), "kept", "kept", "kept"),
    ("mailbox", {"session": Session.MAILBOX, "client_ip": None}, (), "kept", "kept", "kept"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "fields", "connectors", "reject", "lock", "dmarc"), ROWS, ids=lambda v: str(v)[:40]
)
def test_each_row_of_the_table(
    row: str, fields: dict[str, object], connectors: tuple[Connector, ...], reject: str, lock: str, dmarc: str
) -> None:
    del row
    one = mail(**fields)
    # A null P1 passes by inference only (table 2.3), and R1 step 4 says "verify": so it is unknowable here.
    assert truth.fate(organisation(*connectors), one, truth.REJECT) == reject
    assert truth.fate(organisation(*connectors, mx="gateway"), one, truth.LOCK) == lock
    assert truth.fate(organisation(*connectors), one, DMARC) == dmarc


def test_a_foreign_mx_leaves_the_own_policy_unapplied_so_nobody_knows() -> None:
    assert truth.fate(organisation(mx="gateway"), mail(**SPOOF), DMARC) == "unknowable"


def test_mail_by_the_gateway_passes_the_lock() -> None:
    one = mail(client_ip=GATEWAY, spf="softfail", through_gateway=True)
    assert truth.fate(organisation(mx="gateway"), one, truth.LOCK) == "kept"


def test_a_connector_that_names_domains_alone_exempts_nobody() -> None:
    assert truth.fate(organisation(partner(restrict=False)), mail(), truth.REJECT) == "refused"


def test_a_partner_list_without_the_flag_is_disputed() -> None:
    tenant = organisation(partner(LISTED, restrict=False))
    assert truth.fate(tenant, mail(), truth.REJECT) == "unknowable"
    assert truth.path(tenant, mail()) is None


def test_a_disabled_connector_matches_nothing() -> None:
    off = replace(partner(LISTED), enabled=False)
    assert truth.fate(organisation(off), mail(), truth.REJECT) == "refused"


@pytest.mark.parametrize(("matching", "fate"), [(True, "unknowable"), (False, "kept")])
def test_a_sub_domain_counts_as_ours_only_perhaps(matching: bool, fate: str) -> None:
    one = mail(mail_from=f"x@sub.{OURS}")
    assert truth.fate(organisation(match_subdomains=matching), one, truth.REJECT) == fate


def test_only_passwords_fall_when_basic_is_closed() -> None:
    for session in Session:
        fate = truth.fate(organisation(), mail(session=session), truth.BASIC_OFF)
        assert (fate == "refused") == (session is Session.SMTP_AUTH_BASIC)


def test_an_unknown_control_is_refused_an_answer() -> None:
    with pytest.raises(ValueError, match="no-such"):
        truth.fate(organisation(), mail(), "no-such")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "direct-send"),
        ({"mail_from": "b@saas.example"}, "foreign-envelope"),
        ({"mail_from": "b@saas.example", "header_from": "b@saas.example"}, "external"),
        ({"session": Session.MAILBOX}, "internal"),
        ({"session": Session.SMTP_AUTH_BASIC}, "authenticated"),
        ({"mail_from": ""}, None),
        ({"mail_from": f"x@sub.{OURS}"}, None),
    ],
)
def test_how_exchange_took_a_mail(fields: dict[str, object], path: str | None) -> None:
    assert truth.path(organisation(), mail(**fields)) == path


def test_an_on_premises_connector_takes_mail_and_makes_it_originating() -> None:
    tenant = organisation(Connector("Relay", "OnPremises", addresses=(RELAY,)))
    one = mail(client_ip=RELAY)
    assert truth.path(tenant, one) == "connector"
    assert truth.connector_of(tenant, one) == "Relay"
    assert truth.on_premises(tenant, one)


def test_a_restricting_partner_connector_refuses_everybody_else_today() -> None:
    tenant = organisation(partner(LISTED), policy=None)
    assert not truth.refused_today(tenant, mail())
    assert truth.refused_today(tenant, mail(client_ip=UNLISTED))
    assert not truth.refused_today(tenant, mail(client_ip=UNLISTED, mail_from="x@evil.example"))


def test_an_internationalised_domain_is_compared_by_its_a_labels() -> None:
    assert truth.ascii_domain("x@MÜNCHEN.example") == "xn--mnchen-3ya.example"


def test_the_truth_shares_no_line_with_the_judge() -> None:
    modules = {
        name
        for name, value in vars(truth).items()
        if getattr(value, "__module__", "").startswith("portero.core")
    }
    assert not modules
