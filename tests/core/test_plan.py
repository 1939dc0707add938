"""The plan: no step of it refuses mail that must be kept, whatever mix of senders an organisation has."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import ConfigAnswer, ConfigObject, Origin
from portero.core.exchange.author_policy import judged_in_front
from portero.core.exchange.change import setting
from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings, Tenant, read_settings
from portero.core.finding import Finding, Outcome, Severity
from portero.core.flow import Flow
from portero.core.plan import make_plan, moved_by, plan_controls, replay_prefixes, simulate_plan
from portero.core.plan_order import WATCHED
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Reason, Sender
from portero.core.simulate import Replay
from portero.core.simulation import Effect
from portero.core.step import Risk, Step
from portero.core.text import Text
from portero.core.waves import duration
from portero.core.ways_in import must_keep
from support.organisations import GATEWAY, OPEN, SETTINGS, organisations
from support.senders import OURS, a_sender, anonymous

REFUSING = ("lock-gateway", "reject-direct-send", "dmarc=", "smtp-basic-off")


def plan_for(*senders: Sender, settings: Settings = OPEN) -> tuple[Step, ...]:
    return make_plan(Replay(senders, settings), Tenant(), ())


def registered(sender: Sender) -> Sender:
    return replace(sender, decided_by=DecidedBy.REGISTER)


def refusing(steps: tuple[Step, ...]) -> list[Step]:
    return [step for step in steps if any(text.startswith(REFUSING) for text in step.controls)]


def step_for(steps: tuple[Step, ...], sender: str, control: str = "") -> Step:
    return next(
        step
        for step in steps
        if sender in step.senders and (not control or any(text.startswith(control) for text in step.controls))
    )


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_no_prefix_refuses_mail_that_must_be_kept(senders: tuple[Sender, ...], settings: Settings) -> None:
    steps = plan_for(*senders, settings=settings)

    assert [each.refused for each in replay_prefixes(steps, Replay(senders, settings))] == [0] * len(steps)


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_steps_are_numbered_and_wait_only_for_earlier_ones(
    senders: tuple[Sender, ...], settings: Settings
) -> None:
    steps = plan_for(*senders, settings=settings)

    assert [step.n for step in steps] == list(range(1, len(steps) + 1))
    assert all(number < step.n for step in steps for number in step.after)
    assert steps == plan_for(*senders, settings=settings)


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_refusing_direct_send_waits_for_every_step_that_moves_a_sender(
    senders: tuple[Sender, ...], settings: Settings
) -> None:
    steps = plan_for(*senders, settings=settings)

    for step in steps:
        if "reject-direct-send" in step.controls:
            ways_in = [
                each.n for each in steps if each.moved or any("allow=" in text for text in each.controls)
            ]
            assert {number for number in ways_in if number < step.n} <= set(step.after)
            refused = {text for each in steps[: step.n - 1] for text in each.controls}
            assert all(text in refused for text in step.controls if text.startswith("lock-gateway"))


def curve(order: tuple[Step, ...], replay: Replay) -> int:
    """Sum the abuse still open over the days in which an order of steps is carried out."""
    ways = [step for step in order if not refusing((step,)) and (step.moved or step.controls)]
    total, waited, done = 0, False, list[Step]()
    for step in refusing(order):
        before = still_open(done, replay)
        if not waited and {each.n for each in ways} & set(step.after):
            total, waited, done = total + before * duration(ways, replay.senders), True, [*done, *ways]
        done.append(step)
        total += still_open(done, replay) * WATCHED
    return total


def still_open(done: list[Step], replay: Replay) -> int:
    found = replay.of(plan_controls(done))
    return -found.refused_by_judgement()[Judgement.ABUSE]


DOMAINS = ("contoso.com", "fabrikam.com")
TWO = Settings(
    accepted_domains=tuple(AcceptedDomain(name, match_subdomains=False) for name in DOMAINS),
    inbound_connectors=(),
    mx_at_microsoft=True,
)
SENDING = st.builds(
    lambda address, mails, domain, foreign, passes: anonymous(
        address,
        mails,
        mail_from_domain="vendor.example" if foreign else domain,
        header_from=f"x@{domain}",
        dmarc={"pass" if passes else "fail": mails},
    ),
    st.sampled_from(["203.0.113.10", "203.0.113.11", "198.51.100.5", "2001:db8::5", None]),
    st.integers(1, 90),
    st.sampled_from(DOMAINS),
    st.booleans(),
    st.booleans(),
)


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(Kind), st.sampled_from(Judgement), SENDING), max_size=7),
    st.sampled_from([TWO, replace(TWO, gateway_networks=GATEWAY, mx_at_microsoft=False)]),
)
def test_no_order_as_safe_closes_more_abuse_earlier(
    drawn: list[tuple[Kind, Judgement, Flow]], settings: Settings
) -> None:
    senders = tuple(
        replace(
            a_sender(f"s{number}", kind, judgement, held),
            header_from_domains=((held.key.header_from or "").partition("@")[2],),
        )
        for number, (kind, judgement, held) in enumerate(drawn)
    )
    replay = Replay(senders, settings)
    steps = make_plan(replay, Tenant(), ())
    closing = refusing(steps)
    others = [step for step in steps if step not in closing]

    for order in permutations(closing):
        names = [text.partition("=")[0] for step in order for text in step.controls]
        if "lock-gateway" in names and names.index("lock-gateway") > names.index("reject-direct-send"):
            continue
        assert curve(steps, replay) <= curve((*others, *order), replay)


def test_what_closes_much_and_waits_for_nothing_stands_before_the_ways_in() -> None:
    printer = a_sender(
        "printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10", dmarc={"pass": 7})
    )
    forger = a_sender(
        "forger",
        Kind.SPOOFER,
        Judgement.ABUSE,
        anonymous("198.51.100.5", 90, mail_from_domain="evil.example", dmarc={"fail": 90}),
    )

    steps = plan_for(printer, forger, settings=replace(OPEN, mx_at_microsoft=True))

    assert [text.partition("=")[0] for text in map(str, (c.text for c in plan_controls(steps)))] == [
        "dmarc",
        "allow",
        "reject-direct-send",
    ]


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_abuse_is_never_given_a_way_in(senders: tuple[Sender, ...], settings: Settings) -> None:
    steps = plan_for(*senders, settings=settings)
    abuse = {sender.id for sender in senders if not must_keep(sender)}

    assert not abuse & {identity for step in steps for identity in (*step.moved, *step.senders)}


def test_a_printer_at_an_address_of_its_own_gets_a_connector_and_is_not_merely_declared_moved() -> None:
    printer = registered(a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10")))

    steps = plan_for(printer)

    assert step_for(steps, "printer").controls == ("allow=203.0.113.10/32",)
    assert moved_by(steps) == frozenset()
    assert "reject-direct-send" in {text for step in steps for text in step.controls}
    assert simulate_plan(Replay([printer], OPEN), steps).refused == 0


@pytest.mark.parametrize("address", ["2001:db8::5", "10.0.0.9", None])
def test_an_address_no_connector_can_list_moves_to_authenticated_sending(address: str | None) -> None:
    steps = plan_for(a_sender("ups", Kind.DEVICE, Judgement.LEGITIMATE, anonymous(address)))

    assert step_for(steps, "ups").moved == ("ups",)
    assert not any(text.startswith("allow=") for step in steps for text in step.controls)


def test_a_network_that_also_sends_abuse_gets_no_connector() -> None:
    app = a_sender("app", Kind.APPLICATION, Judgement.LEGITIMATE, anonymous("203.0.113.10"))
    forger = a_sender("forger", Kind.SPOOFER, Judgement.ABUSE, anonymous("203.0.113.99"))

    steps = plan_for(app, forger)

    assert not any(text.startswith("allow=") for step in steps for text in step.controls)
    assert {
        each.sender: each.effect for each in simulate_plan(Replay([app, forger], OPEN), steps).senders
    } == {
        "app": Effect.KEPT,
        "forger": Effect.REFUSED,
    }


def test_a_dynamic_address_gets_no_connector() -> None:
    branch = anonymous("203.0.113.10", ptr={"host-10.dyn.isp.example": 4})

    steps = plan_for(a_sender("branch", Kind.DEVICE, Judgement.LEGITIMATE, branch))

    assert step_for(steps, "branch").moved == ("branch",)


def test_an_undecided_sender_is_asked_about_and_gets_no_standing_permission() -> None:
    unknown = a_sender("unknown", Kind.UNKNOWN, Judgement.UNDECIDED, anonymous("203.0.113.10"))

    steps = plan_for(unknown)

    asked = step_for(steps, "unknown")
    reject = next(step for step in steps if "reject-direct-send" in step.controls)
    assert asked.n in reject.after
    assert not any(text.startswith("allow=") for step in steps for text in step.controls)


def test_the_lock_lists_the_direct_sources_with_the_gateway_and_stands_before_the_switch() -> None:
    printer = a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10"))
    locked = Settings(
        accepted_domains=OPEN.accepted_domains,
        inbound_connectors=(),
        gateway_networks=GATEWAY,
        mx_at_microsoft=False,
    )

    steps = plan_for(printer, settings=locked)

    assert [text for step in refusing(steps) for text in step.controls][:2] == [
        "lock-gateway=192.0.2.0/24,203.0.113.10/32",
        "reject-direct-send",
    ]


def test_a_vendor_is_asked_for_a_return_path_instead_of_opening_its_shared_servers() -> None:
    vendor = a_sender("vendor", Kind.SERVICE, Judgement.LEGITIMATE, anonymous("198.51.100.5"))

    steps = plan_for(vendor)

    assert step_for(steps, "vendor").moved == ("vendor",)
    assert "return-path" in str(step_for(steps, "vendor").do)


def test_a_service_is_asked_once_for_all_that_comes_through_it() -> None:
    shops = [
        replace(
            a_sender(f"shop{n}", Kind.SERVICE, Judgement.LEGITIMATE, anonymous(f"198.51.100.{n}")),
            service="Shop",
        )
        for n in (5, 6)
    ]
    other = a_sender("other", Kind.SERVICE, Judgement.LEGITIMATE, anonymous("198.51.100.9"))

    steps = plan_for(*shops, other)

    assert step_for(steps, "shop5").senders == ("shop5", "shop6")
    assert str(step_for(steps, "shop5").title) == "Have Shop use a return-path of its own"
    assert step_for(steps, "other").senders == ("other",)


def test_where_only_automatic_replies_are_in_doubt_no_vendor_is_asked_and_nothing_is_said_to_have_moved() -> (
    None
):
    club = a_sender(
        "club",
        Kind.SERVICE,
        Judgement.LEGITIMATE,
        anonymous("198.51.100.5", 60, mail_from_domain="club.example"),
        anonymous("198.51.100.5", 3, mail_from_domain=""),
    )

    steps = plan_for(club)
    step, reject = step_for(steps, "club"), refusing(steps)[0]

    assert (step.name, step.moved, step.n in reject.after) == ("try", (), True)
    assert simulate_plan(Replay([club], OPEN), steps).undetermined == 3


def test_people_whose_mailboxes_are_in_another_system_are_one_step_and_no_vendors() -> None:
    people = [
        a_sender(f"p{n}", Kind.SERVICE, Judgement.LEGITIMATE, anonymous(f"198.51.100.{n}")) for n in (5, 6, 7)
    ]
    here = a_sender("here", Kind.MAILBOX, Judgement.LEGITIMATE, anonymous(""))
    moved = replace(OPEN, dns=Dns([DnsAnswer(OURS, "MX", DnsStatus.NOERROR, ("10 mx.other.example.",))]))

    steps = plan_for(*people, settings=moved)
    assert step_for(steps, "p5").senders == ("p5", "p6", "p7")
    assert "return-path" not in str(step_for(steps, "p5").do)
    # Behind a gateway the MX points elsewhere too, and the mailboxes are here.
    assert step_for(plan_for(*people, here, settings=moved), "p5").senders == ("p5",)


def test_a_domain_shared_with_another_system_lets_its_people_in_together_and_asks_vendors_apart() -> None:
    people = [
        a_sender(f"p{n}", Kind.SERVICE, Judgement.LEGITIMATE, anonymous("198.51.100.5")) for n in range(3)
    ]
    vendor = a_sender("vendor", Kind.SERVICE, Judgement.LEGITIMATE, anonymous("198.51.100.9"))
    here = a_sender("here", Kind.MAILBOX, Judgement.LEGITIMATE, anonymous(""))
    relay = ConfigObject(
        "Get-AcceptedDomain",
        {"DomainName": OURS, "DomainType": "InternalRelay", "MatchSubDomains": False},
        Origin("domains.json"),
    )
    shared = replace(OPEN, accepted_domains=read_settings(Tenant([relay])).accepted_domains)

    steps = plan_for(*people, vendor, here, settings=shared)
    assert step_for(steps, "p0").senders == ("p0", "p1", "p2")
    assert "shared with another system" in str(step_for(steps, "p0").why)
    assert "return-path" in str(step_for(steps, "vendor").do)
    # Of an authoritative domain all mailboxes are here, and what writes under many names is a service.
    assert step_for(plan_for(*people, here), "p0").senders == ("p0",)


def test_direct_send_refused_already_is_not_refused_again() -> None:
    printer = a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10"))
    settings = Settings(
        accepted_domains=OPEN.accepted_domains, inbound_connectors=(), reject_direct_send=True
    )

    steps = plan_for(printer, settings=settings)

    assert "reject-direct-send" not in {control.text for control in plan_controls(steps)}


def test_whom_direct_send_refused_already_cuts_off_is_asked_about_and_let_in_again() -> None:
    printer = registered(
        a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10", 24))
    )
    vendor = a_sender("vendor", Kind.SERVICE, Judgement.LEGITIMATE, anonymous("198.51.100.5", 3))
    closed = replace(OPEN, reject_direct_send=True)

    steps = plan_for(printer, vendor, settings=closed)
    asked, opened, *_ = (step for step in steps if "printer" in step.senders)

    assert (asked.name, opened.controls, opened.after) == ("confirm", ("allow=203.0.113.10/32",), (asked.n,))
    assert "refuse 24 recorded mails that must be kept, should their like still be sent" in str(opened.why)
    assert "Direct Send is refused already" in str(asked.why)
    assert opened.commands == ()
    assert "return-path" in str(step_for(steps, "vendor").do)
    assert simulate_plan(Replay([printer, vendor], closed), steps).refused == 0
    # A door that is open cuts nobody off before the plan shuts it.
    assert not [step for step in plan_for(printer) if "should their like" in str(step.why)]


def test_the_replay_finds_a_plan_that_refuses_too_early() -> None:
    printer = a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10", 7))
    steps = plan_for(printer)
    unsafe = [step for step in steps if not any(text.startswith("allow=") for text in step.controls)]

    assert 7 in {each.refused for each in replay_prefixes(unsafe, Replay([printer], OPEN))}


def test_without_any_recorded_mail_the_plan_refuses_nothing_and_says_why() -> None:
    reported = a_sender("reported", Kind.DEVICE, Judgement.LEGITIMATE)

    for steps in (plan_for(), plan_for(reported), plan_for(settings=replace(OPEN, gateway_networks=GATEWAY))):
        assert [step.controls for step in steps] == [()]
        assert "No mail in the organisation's name was recorded" in str(steps[0].why)


def test_a_machine_for_which_only_behaviour_speaks_waits_for_its_owner_and_no_script_lets_it_in() -> None:
    forger = a_sender("forger", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10"))
    behaving = replace(forger, because=(Reason("weeks-8", Text("It was active."), -2.6, ()),))
    known = registered(a_sender("known", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("198.51.100.5")))

    steps = plan_for(behaving, known)
    asked = next(step for step in steps if step.name == "confirm")
    connector = step_for(steps, "forger", "allow=")
    reject = next(step for step in steps if "reject-direct-send" in step.controls)

    assert asked.senders == ("forger",)
    assert connector.after == (asked.n,)
    assert connector.risk is Risk.HIGH
    assert not connector.commands
    assert {asked.n, connector.n} <= set(reject.after)
    assert step_for(steps, "known", "allow=").commands
    passing = replace(forger, because=(Reason("dmarc-pass", Text("It passes."), -3.0, ()),))
    assert "confirm" not in {step.name for step in plan_for(passing)}


def test_a_connector_is_called_by_what_it_lists() -> None:
    held = [
        registered(a_sender(f"p{n}", Kind.DEVICE, Judgement.LEGITIMATE, anonymous(address)))
        for n, address in enumerate(("203.0.113.10", "203.0.113.77", "198.51.100.5"))
    ]
    said = [
        str(step.do) for step in plan_for(*held) if any(each.startswith("allow=") for each in step.controls)
    ]

    assert any("“portero 198.51.100.5”" in each for each in said)
    assert any("“portero 203.0.113.10 +1”" in each for each in said)


def test_a_step_names_the_addresses_it_lets_in_and_not_their_network() -> None:
    def titles(*last: int) -> list[str]:
        machines = [
            registered(a_sender(f"m{n}", Kind.DEVICE, Judgement.LEGITIMATE, anonymous(f"203.0.113.{n}")))
            for n in last
        ]
        return [
            str(step.title)
            for step in plan_for(*machines)
            if step.controls[:1] and "allow" in step.controls[0]
        ]

    assert titles(11, 12) == ["Give the machines at 203.0.113.11, 203.0.113.12 a connector by address"]
    assert titles(11, 12, 13, 14) == [
        "Give the machines at 203.0.113.11 and 3 other addresses a connector by address"
    ]


def test_a_step_counts_what_it_refuses_of_its_own() -> None:
    forger = a_sender("forger", Kind.SPOOFER, Judgement.ABUSE, anonymous("203.0.113.99", 12))
    submits = replace(
        a_sender(
            "s", Kind.DEVICE, Judgement.LEGITIMATE,
            anonymous("198.51.100.7", direction="originating", connector=None),
        ),
        path=Path.AUTHENTICATED,
    )  # fmt: skip
    why = {control: str(step.why) for step in plan_for(forger, submits) for control in step.controls}

    assert "refuses 12 mails" in why["reject-direct-send"]
    assert "holds no abuse that it would refuse beyond the steps before it" in why["smtp-basic-off"]


def test_mail_that_a_domain_only_connector_took_gets_a_connector_by_address_before_it_is_refused() -> None:
    named = InboundConnector("Our domain", "Partner", sender_domains=(OURS,))
    settings = replace(OPEN, inbound_connectors=(named,))
    erp = registered(
        a_sender("erp", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10", connector="Our domain"))
    )

    steps = plan_for(erp, settings=settings)
    found = simulate_plan(Replay([erp], settings), steps)

    assert step_for(steps, "erp", "allow=203.0.113.10/32").n < refusing(steps)[0].n
    assert "reject-direct-send" in found.controls
    assert (found.refused, found.undetermined, found.kept) == (0, 0, 7)


def test_an_envelope_that_only_a_summary_shows_is_looked_at_before_anything_is_made_for_its_sender() -> None:
    seen = anonymous("203.0.113.10", 60, mail_from_domain="vendor.example")
    summed = anonymous("203.0.113.10", 50, mail_from_domain=None, header_from=None, sender=f"shop@{OURS}")
    shop = a_sender("shop", Kind.SERVICE, Judgement.LEGITIMATE, seen, summed)

    steps = plan_for(shop)
    step = step_for(steps, "shop")

    assert step.name == "prove"
    assert not any(each.controls for each in steps if "shop" in each.senders)
    assert not step.moved
    assert "Of 50 recorded mails" in str(step.why)
    assert "would refuse 50" not in str(step.why)
    assert step.n in next(each for each in steps if "reject-direct-send" in each.controls).after


def failing(check: str, fix: str, undo: str) -> Finding:
    said = Text("About {check}.", check=check)
    return Finding(
        check,
        said,
        Outcome.FAIL,
        Severity.HIGH,
        said,
        (),
        Text("{fix}", fix=fix),
        Text("{undo}", undo=undo),
        {},
    )


def test_a_permission_that_carries_mail_of_own_servers_is_asked_about_and_not_taken_back() -> None:
    servers = replace(
        a_sender("servers", Kind.HYBRID, Judgement.LEGITIMATE, anonymous("198.51.100.10")), connector="Hybrid"
    )
    finding = replace(failing("CON-06", "Switch it off.", "Switch it on."), subjects=("Hybrid",))
    origin = Origin("connectors.json")
    changes = setting(
        ConfigObject("Get-InboundConnector", {"Name": "Hybrid", "CloudServicesMailEnabled": True}, origin),
        {"CloudServicesMailEnabled": False},
    )
    finding = replace(finding, changes=changes)

    steps = make_plan(Replay([servers], OPEN), Tenant(), (finding,))
    assert "own hybrid servers" in steps[1].title.template
    assert not any(each.commands == changes for each in steps)
    idle = make_plan(Replay([replace(servers, connector="Other")], OPEN), Tenant(), (finding,))
    assert any(each.commands == changes for each in idle)


def test_records_are_mended_one_sentence_each_and_the_policy_waits_for_its_own_step() -> None:
    findings = (
        failing("DNS-02", "End it in ~all.", "Publish the former record."),
        failing("DNS-05", "Add the address.", "Publish the former record."),
        failing("DNS-09", "Publish p=quarantine.", "Publish p=none."),
    )
    mail = a_sender("known", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("198.51.100.5"))

    step = next(
        each for each in make_plan(Replay([mail], OPEN), Tenant(), findings) if each.name == "authentication"
    )

    assert str(step.do) == (
        "DNS-02: End it in ~all. DNS-05: Add the address. Leave the DMARC policy as it is: later steps raise it."
    )
    assert str(step.undo) == "Publish the former record."


def test_the_exports_that_would_answer_most_checks_are_named_first() -> None:
    said = Text("Unknown.")
    findings = tuple(
        Finding(f"X-0{n}", said, Outcome.UNKNOWN, Severity.LOW, said, (), said, said, {}, lacking=lacking)
        for n, lacking in enumerate([("Get-B",), ("Get-A", "dns"), ("Get-A",)])
    )

    first = make_plan(Replay([], OPEN), Tenant(), findings)[0]

    assert str(first.do).endswith("Get-A (2 checks), Get-B (1 check), DNS answers (1 check).")


BEHIND = replace(OPEN, gateway_networks=GATEWAY, gateway_seen=GATEWAY, mx_at_microsoft=False)


def an_export(connector: InboundConnector) -> Tenant:
    """Give the export of one connector, as far as the plan edits it."""
    values = {
        "Name": connector.name,
        "Enabled": connector.enabled,
        "SenderIPAddresses": list(connector.addresses),
    }
    return Tenant([ConfigObject("Get-InboundConnector", values, Origin("connectors.json"))])


def test_the_lock_is_drawn_up_switched_off_and_no_script_switches_on_what_nobody_has_proven() -> None:
    printer = registered(a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10")))

    steps = plan_for(printer, settings=BEHIND)
    proof = next(step for step in steps if step.name == "prove-lock")
    lock = next(step for step in steps if step.name == "lock")

    [made] = proof.commands
    assert "-Enabled $false" in made.do
    assert "192.0.2.0/24" in made.do
    assert not proof.controls
    assert "192.0.2.0/24 is only the network of gateway servers that were seen" in str(proof.do)
    assert proof.n in lock.after
    assert not lock.commands


def test_a_lock_that_is_off_is_taken_over_completed_and_switched_on() -> None:
    proven = ("192.0.2.0/25", "198.51.100.0/24")
    off = InboundConnector("Only via gateway", "Partner", False, ("*",), proven, restrict_to_addresses=True)
    settings = replace(BEHIND, inbound_connectors=(off,))
    printer = registered(a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10")))

    steps = make_plan(Replay([printer], settings), an_export(off), ())
    proof = next(step for step in steps if step.name == "prove-lock")
    lock = next(step for step in steps if step.name == "lock")

    assert lock.controls == ("lock-gateway=192.0.2.0/25,198.51.100.0/24,203.0.113.10/32",)
    assert [each.do for each in proof.commands] == [
        "Set-InboundConnector -Identity 'Only via gateway' -SenderIPAddresses @{Add='203.0.113.10'}"
    ]
    assert [each.do for each in lock.commands] == [
        "Set-InboundConnector -Identity 'Only via gateway' -Enabled $true"
    ]
    assert "only the network" not in str(proof.do)


def test_a_machine_that_only_behaves_is_in_the_lock_but_in_no_script_of_it() -> None:
    forger = a_sender("forger", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10"))

    steps = plan_for(forger, settings=BEHIND)
    asked = next(step for step in steps if step.name == "confirm")
    proof = next(step for step in steps if step.name == "prove-lock")
    lock = next(step for step in steps if step.name == "lock")

    assert asked.senders == ("forger",)
    assert asked.n in lock.after
    assert all("203.0.113.10" not in each.do for each in proof.commands)
    assert "Add 203.0.113.10/32 once the owners have confirmed" in str(proof.do)
    assert "203.0.113.10/32" in lock.controls[0]
    assert not lock.commands


def test_a_machine_part_of_whose_mail_is_unlike_it_waits_for_its_owner_too() -> None:
    said = (Reason("dmarc-pass", Text("It passes."), -3.0), Reason("unlike-itself", Text("A burst."), 0.0))
    printer = replace(
        a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10")), because=said
    )

    steps = plan_for(printer)
    asked = next(step for step in steps if step.name == "confirm")

    assert "Part of the mail from printer is unlike it" in str(asked.why)
    assert "patient forger" not in str(asked.why)
    assert not step_for(steps, "printer", "allow=").commands
    assert "confirm" not in {step.name for step in plan_for(registered(printer))}


def test_a_sender_of_which_only_other_receivers_reported_mail_gets_its_step_too() -> None:
    printer = registered(a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10")))
    reported = a_sender("shop", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("2001:db8::5", 0))

    said = str(step_for(plan_for(printer, reported), "shop").why)

    assert said.startswith("Only other receivers reported mail of theirs")


def test_a_gateways_ipv6_servers_stand_in_no_connector_and_are_proven_otherwise() -> None:
    networks = ("192.0.2.0/24", "2001:db8::/64")
    settings = replace(OPEN, gateway_networks=networks, mx_at_microsoft=True)
    four = a_sender("four", Kind.GATEWAY, Judgement.LEGITIMATE, anonymous("192.0.2.9"))
    six = a_sender("six", Kind.GATEWAY, Judgement.LEGITIMATE, anonymous("2001:db8::5"))

    steps = plan_for(four, six, settings=settings)
    step = step_for(steps, "six")

    assert step.controls == ("allow=192.0.2.0/24",)
    assert step.moved == ("six",)
    assert all("2001:db8" not in each.do for each in step.commands)


def test_an_owner_is_asked_once_about_a_machine_that_needs_a_connector_and_stands_in_the_lock() -> None:
    settings = replace(
        BEHIND, inbound_connectors=(InboundConnector("Ours", "Partner", sender_domains=(OURS,)),)
    )
    forger = a_sender(
        "forger", Kind.DEVICE, Judgement.LEGITIMATE,
        anonymous("203.0.113.10"), anonymous("203.0.113.11", mail_from_domain=""),
    )  # fmt: skip

    for held in (settings, replace(settings, inbound_connectors=None)):
        for step in plan_for(forger, settings=held):
            assert len(step.senders) == len(set(step.senders))


@pytest.mark.parametrize(
    ("seen", "waits"),
    [
        ({"dkim": {"fail": 7}, "dmarc": {"fail": 7}}, True),
        ({"dkim": {"none": 7}}, True),
        ({}, True),
        ({"dkim": {"pass": 7}, "dkim_domains": {"contoso.com": 7}}, False),
        ({"dmarc": {"pass": 7}}, False),
    ],
)
def test_dmarc_waits_for_mail_that_the_gateway_may_refuse_though_exchange_keeps_it(
    seen: dict[str, dict[str, int]], waits: bool
) -> None:
    """Of another's envelope only an own signature passes; at the gateway as at Exchange Online, which enforces nothing here."""
    through = anonymous("192.0.2.7", mail_from_domain="mail.vendor.example", connector="From gateway")
    through = replace(through, facts=replace(through.facts, **seen))
    news = registered(a_sender("news", Kind.SERVICE, Judgement.LEGITIMATE, through))
    settings = replace(
        BEHIND, dns=Dns([DnsAnswer("_dmarc.contoso.com", "TXT", DnsStatus.NOERROR, ("v=DMARC1; p=none",))])
    )
    steps = plan_for(news, settings=settings)
    raised = [step for step in steps if "dmarc=contoso.com:reject" in step.controls]
    cleared = [step for step in steps if str(step.title).startswith("Clear the way for DMARC")]
    assert (bool(raised), bool(cleared)) == (not waits, waits)
    assert all(step.senders == ("news",) for step in cleared)
    # Exchange itself judges where it knows the clients; then the replay alone decides.
    filtering = InboundConnector(
        "From gateway", "Partner", True, ("*",), ("192.0.2.0/24",), skip_last_ip=True
    )
    assert not judged_in_front(replace(settings, inbound_connectors=(filtering,)))
    assert judged_in_front(settings)


def test_what_may_be_anonymous_is_reported_by_a_rule_before_anything_is_refused() -> None:
    doubtful = a_sender(
        "mfp", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.9", 9, connector="Unheard of")
    )
    spoofer = a_sender("spoof", Kind.SPOOFER, Judgement.ABUSE, anonymous("198.51.100.9", 5))

    steps = plan_for(doubtful, spoofer)

    (watched,) = [step for step in steps if step.name == "dry-run"]
    assert watched.senders == ("mfp",)
    assert dict(watched.why.values)["n"] == 9
    assert not watched.refuses
    assert not watched.moved
    (change,) = watched.commands
    assert "-Mode 'Audit'" in change.do
    assert "Quarantine" not in change.do
    assert change.undo.startswith("Remove-TransportRule")
    (reject,) = [step for step in steps if "reject-direct-send" in step.controls]
    assert watched.n in reject.after

    # Where nothing is in doubt, or nothing will be refused, there is nothing to watch.
    assert not [step for step in plan_for(spoofer) if step.name == "dry-run"]
    refused = replace(OPEN, reject_direct_send=True)
    assert not [step for step in plan_for(doubtful, spoofer, settings=refused) if step.name == "dry-run"]


def test_the_watching_rule_leaves_the_gateway_alone_and_is_not_made_twice() -> None:
    doubtful = a_sender(
        "mfp", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.9", 9, connector="Unheard of")
    )
    gated = replace(OPEN, gateway_networks=("192.0.2.0/24", "2001:db8::/64"))

    def watched(tenant: Tenant) -> Step:
        steps = make_plan(Replay((doubtful,), gated), tenant, ())
        return next(step for step in steps if step.name == "dry-run")

    (change,) = watched(Tenant()).commands
    assert "-ExceptIfSenderIpRanges @('192.0.2.0/24')" in change.do
    rule = ConfigObject("Get-TransportRule", {"Name": "portero anonymous own name"}, Origin("rules.json"))
    standing = Tenant((rule,), (ConfigAnswer("Get-TransportRule", Origin("rules.json")),))
    assert watched(standing).commands == ()
