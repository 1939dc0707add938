"""The scripts an administrator reviews: they parse, hold hostile names as text, and what they do they can undo."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.change import Change, setting, switching_off, taking_out
from portero.core.exchange.new_connector import connector_blocks, new_connector
from portero.core.exchange.powershell import quote
from portero.core.step import Risk, Step
from portero.core.text import Text
from portero.faces.powershell import scripts
from portero.faces.render import Renderer
from support.powershell_model import State, carry_out, command_names, evaluate, parse

HOSTILE = [
    "O'Neil",
    "a’; Remove-Mailbox x; ‘",
    "$(Remove-Mailbox x)",
    'back`tick "double" $env:PATH',
    "#> } ; Remove-Mailbox x # <#",
    "‚low‛ ‘high’",
    "mañana 印刷 {0} %s",
]
# Names that a person can see whole; the others are refused, which a test of its own holds.
NAMES = st.text("'‘’‚‛$ab", min_size=1, max_size=6) | st.text(
    st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1, max_size=12
)


def policy(cmdlet: str, **properties: object) -> ConfigObject:
    return ConfigObject(cmdlet, properties, Origin("tenant.json", 1))


def tenant(name: str) -> list[ConfigObject]:
    return [
        policy("Get-OrganizationConfig", Name="contoso", RejectDirectSend=False),
        policy("Get-HostedConnectionFilterPolicy", Name=name, IPAllowList=["203.0.113.10", "192.0.2.1"]),
        policy("Get-TransportRule", Name=name, State="Enabled"),
        policy(
            "Get-InboundConnector",
            Name=name,
            TreatMessagesAsInternal=True,
            CloudServicesMailEnabled=True,
            ConnectorSource="AdminUI",
        ),
    ]


def all_changes(name: str) -> tuple[Change, ...]:
    organisation, allowed, rule, connector = tenant(name)
    return (
        *setting(organisation, {"RejectDirectSend": True}),
        *new_connector("portero " + name, ["203.0.113.0/28"]),
        *taking_out(allowed, "IPAllowList", ["203.0.113.10"]),
        *switching_off(rule),
        *setting(connector, {"TreatMessagesAsInternal": False, "CloudServicesMailEnabled": False}),
    )


def a_step(name: str, made: tuple[Change, ...]) -> Step:
    said = Text("About {name}.", name=name)
    return Step(4, said, said, said, said, said, (1, 2), (), Risk.LOW, said, commands=made)


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("name", HOSTILE)
def test_every_script_parses_and_runs_no_command_of_a_hostile_name(name: str, lang: str) -> None:
    for script in scripts([a_step(name, all_changes(name))], Renderer(lang).text).values():
        tree = parse(script.decode("utf-8-sig"))

        assert "Remove-Mailbox" not in command_names(tree)


@pytest.mark.parametrize("breaking", ["\nRemove-Mailbox x\n", "\r", "\u2028", "\x00", "\u202e", "\x85"])
def test_a_title_never_leaves_its_comment(breaking: str) -> None:
    for script in scripts([a_step(f"a{breaking}b", all_changes("x"))], str).values():
        tree = parse(script.decode("utf-8-sig"))

        assert "Remove-Mailbox" not in command_names(tree)


@given(NAMES | st.text("'‘’‚‛\"`$;a"))
def test_a_quoted_value_that_can_be_seen_reads_back_as_itself(value: str) -> None:
    assert evaluate(quote(value), {}) == value


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\u2028b", "a\x00b", "a\u202eb", "a\x1bb"])
def test_a_name_whose_reading_would_deceive_gets_no_command(value: str) -> None:
    assert [change.noun for change in all_changes(value)] == ["OrganizationConfig"]


@examples(max_examples=60, deadline=None)
@given(NAMES)
def test_undoing_the_changes_gives_back_the_tenant(name: str) -> None:
    before = state_of(tenant(name))
    state = deepcopy(before)
    priors = []
    for change in all_changes(name):
        prior = evaluate(change.read, state)
        priors.append((change, deepcopy(prior)))
        carry_out(change.do, state)

    assert state != before
    for change, prior in reversed(priors):
        carry_out(change.restore, state, prior)
    for item in state["HostedConnectionFilterPolicy"]:
        # Exchange keeps these lists as sets; the order is the export's.
        item["IPAllowList"] = sorted(item["IPAllowList"], key=["203.0.113.10", "192.0.2.1"].index)
    assert state == before


def state_of(items: list[ConfigObject]) -> State:
    return {item.cmdlet.removeprefix("Get-"): [deepcopy(dict(item.properties))] for item in items}


def test_a_connector_by_address_never_restricts_everybody_and_a_lock_does() -> None:
    (way_in,) = new_connector("x", ["203.0.113.10"])
    (lock,) = new_connector("x", ["203.0.113.10"], lock=True)

    assert "-RestrictDomainsToIPAddresses $false" in way_in.do
    assert "-RestrictDomainsToIPAddresses $true" in lock.do


def test_networks_are_split_into_what_a_connector_takes() -> None:
    assert connector_blocks(["203.0.112.0/23", "192.0.2.7/32"]) == (
        "192.0.2.7",
        "203.0.112.0/24",
        "203.0.113.0/24",
    )
    assert connector_blocks(["2001:db8::/64"]) is None
    assert connector_blocks(["10.0.0.0/8"]) is None


@pytest.mark.parametrize(
    ("value", "guard"),
    [(None, "($null -eq $prior.RejectDirectSend)"), (False, "($false -eq $prior.RejectDirectSend)")],
)
def test_drift_tells_null_from_false(value: object, guard: str) -> None:
    held = policy("Get-OrganizationConfig", Name="contoso", RejectDirectSend=value)
    [change] = setting(held, {"RejectDirectSend": True})

    assert change.unchanged == guard


def test_the_prior_state_is_saved_and_drift_refused_before_the_change() -> None:
    apply = scripts([a_step("x", all_changes("x"))], str)["apply.ps1"].decode("utf-8-sig")
    body = apply[apply.index("function Invoke-Change") :]

    order = [body.index(text) for text in ("throw", "ShouldProcess", "Set-Content", "& $Apply\n")]
    assert order == sorted(order)


def test_rollback_goes_backwards_and_verify_changes_nothing() -> None:
    made = scripts([a_step("x", all_changes("x"))], str)
    ids = re.findall(r"^ +Undo-Change '4\.(\d+)'", made["rollback.ps1"].decode("utf-8-sig"), re.MULTILINE)

    assert [int(each) for each in ids] == list(range(len(all_changes("x")), 0, -1))
    names = command_names(parse(made["verify.ps1"].decode("utf-8-sig")))
    assert not [name for name in names if name.startswith(("Set-", "Remove-", "New-Inbound"))]
