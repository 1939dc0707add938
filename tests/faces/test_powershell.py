"""The scripts an administrator reviews: they parse, hold hostile names as text, and what they do they can undo."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest
import tree_sitter
import tree_sitter_powershell
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from portero.core import commands
from portero.core.commands import UnquotableError, connector_blocks, new_connector, quoted
from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.settings import AcceptedDomain, Settings, Tenant
from portero.core.step import Command, Risk, Step
from portero.core.text import Text
from portero.faces.powershell import scripts
from portero.faces.render import Renderer

SETTINGS = Settings(accepted_domains=(AcceptedDomain("contoso.com"),))
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
UNDO = re.compile(r"^@\((@\(.*\)) \| Where-Object \{ @\(\$prior\.(\w+)\) -contains \$_ \}\)$")


def parse(script: str) -> tree_sitter.Node:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    return parser.parse(script.encode()).root_node


def command_names(node: tree_sitter.Node) -> list[str]:
    found = [node.text.decode()] if node.type == "command_name" and node.text else []
    return found + [name for child in node.children for name in command_names(child)]


def policy(cmdlet: str, **properties: object) -> ConfigObject:
    return ConfigObject(cmdlet, properties, Origin("tenant.json", 1))


def tenant(name: str) -> Tenant:
    return Tenant(
        [
            policy("Get-OrganizationConfig", Name="contoso", RejectDirectSend=None),
            policy("Get-HostedConnectionFilterPolicy", Name=name, IPAllowList=["203.0.113.10", "192.0.2.1"]),
            policy(
                "Get-HostedContentFilterPolicy",
                Name=name,
                AllowedSenderDomains=["contoso.com", "partner.example"],
                AllowedSenders=["boss@contoso.com"],
            ),
            policy(
                "Get-InboundConnector",
                Name=name,
                TreatMessagesAsInternal=True,
                CloudServicesMailEnabled=True,
                ConnectorSource="AdminUI",
            ),
        ]
    )


def all_commands(name: str) -> tuple[Command, ...]:
    held = tenant(name)
    made = [
        *commands.reject_direct_send(held),
        *new_connector("portero " + name, ["203.0.113.0/28"], lock=False),
    ]
    for check in ("SPAM-01", "SPAM-02", "SPAM-03", "CON-05", "CON-06"):
        made += commands.remove_permission(check, held, SETTINGS)
    return tuple(made)


def a_step(name: str, made: tuple[Command, ...]) -> Step:
    said = Text("About {name}.", name=name)
    return Step(4, said, said, said, said, said, (1, 2), (), Risk.LOW, said, commands=made)


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("name", HOSTILE)
def test_every_script_parses_and_runs_no_command_of_a_hostile_name(name: str, lang: str) -> None:
    for script in scripts([a_step(name, all_commands(name))], Renderer(lang).text).values():
        tree = parse(script.decode("utf-8-sig"))

        assert not tree.has_error
        assert "Remove-Mailbox" not in command_names(tree)


@pytest.mark.parametrize("breaking", ["\nRemove-Mailbox x\n", "\r", "\u2028", "\x00", "\u202e", "\x85"])
def test_a_title_never_leaves_its_comment(breaking: str) -> None:
    for script in scripts([a_step(f"a{breaking}b", all_commands("x"))], str).values():
        tree = parse(script.decode("utf-8-sig"))

        assert not tree.has_error
        assert "Remove-Mailbox" not in command_names(tree)


@given(st.text() | st.text("'‘’‚‛\"`$;a"))
def test_a_quoted_value_reads_back_as_itself_or_is_refused(value: str) -> None:
    try:
        written = quoted(value)
    except UnquotableError:
        assert not value.isprintable()
        return

    assert read_text(written) == (value, len(written))


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\u2028b", "a\x00b", "a\u202eb", "a\x1bb"])
def test_a_name_whose_reading_would_deceive_gets_no_command(value: str) -> None:
    with pytest.raises(UnquotableError):
        quoted(value)
    assert commands.remove_permission("SPAM-03", tenant(value), SETTINGS) == ()


@examples(max_examples=60, deadline=None)
@given(NAMES)
def test_undoing_the_changes_gives_back_the_tenant(name: str) -> None:
    before = state_of(tenant(name))
    state = deepcopy(before)
    priors = []
    for command in all_commands(name):
        priors.append((command, deepcopy(state)))
        run(command.apply, state, state)

    assert state != before
    for command, prior in reversed(priors):
        run(command.undo, state, prior)
    assert state == before


def test_taking_an_entry_out_leaves_the_others() -> None:
    state = state_of(tenant("Default"))
    for command in commands.remove_permission("SPAM-01", tenant("Default"), SETTINGS):
        run(command.apply, state, state)

    assert state["HostedContentFilterPolicy", "Default"]["AllowedSenderDomains"] == ["partner.example"]


def test_a_connector_by_address_never_restricts_everybody_and_a_lock_does() -> None:
    (way_in,) = new_connector("x", ["203.0.113.10"], lock=False)
    (lock,) = new_connector("x", ["203.0.113.10"], lock=True)

    assert "-RestrictDomainsToIPAddresses $false" in way_in.apply
    assert "-RestrictDomainsToIPAddresses $true" in lock.apply


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
    [(None, "$null -eq $prior.RejectDirectSend"), (False, "$false -eq $prior.RejectDirectSend")],
)
def test_drift_tells_null_from_false(value: object, guard: str) -> None:
    held = Tenant([policy("Get-OrganizationConfig", Name="contoso", RejectDirectSend=value)])

    assert commands.reject_direct_send(held)[0].unchanged == guard


def test_the_prior_state_is_saved_and_drift_refused_before_the_change() -> None:
    apply = scripts([a_step("x", all_commands("x"))], str)["apply.ps1"].decode("utf-8-sig")
    body = apply[apply.index("function Invoke-Change") :]

    order = [body.index(text) for text in ("throw", "ShouldProcess", "Set-Content", "& $Apply\n")]
    assert order == sorted(order)


def test_rollback_goes_backwards_and_verify_changes_nothing() -> None:
    made = scripts([a_step("x", all_commands("x"))], str)
    ids = re.findall(r"^ +Undo-Change '4\.(\d+)'", made["rollback.ps1"].decode("utf-8-sig"), re.MULTILINE)

    assert [int(each) for each in ids] == list(range(len(all_commands("x")), 0, -1))
    names = command_names(parse(made["verify.ps1"].decode("utf-8-sig")))
    assert not [name for name in names if name.startswith(("Set-", "Remove-", "New-Inbound"))]


# A model of the tenant: the handful of statements the scripts hold, read as PowerShell reads them.

State = dict[tuple[str, str], dict[str, object]]


def state_of(held: Tenant) -> State:
    return {
        (cmdlet.removeprefix("Get-"), "" if "Organization" in cmdlet else str(item.properties["Name"])): {
            # Null and false mean the same for this Boolean, and only false can be written.
            key: False if key == "RejectDirectSend" and value is None else deepcopy(value)
            for key, value in item.properties.items()
        }
        for cmdlet in held.cmdlets()
        for item in held.objects(cmdlet) or ()
    }


def run(statement: str, state: State, prior: State) -> None:
    verb, _, rest = statement.partition(" ")
    action, _, noun = verb.partition("-")
    given = parameters(rest)
    key = noun, str(given.pop("Identity", given.get("Name", "")))
    if action == "New":
        assert key not in state
        state[key] = dict(given)
    elif action == "Remove":
        del state[key]
    else:
        assert key in state
        for name, value in given.items():
            state[key][name] = changed(state[key][name], value, prior[key])


def changed(now: object, value: object, prior: dict[str, object]) -> object:
    if not isinstance(value, str) or value[:1] not in "$@(":
        return value
    if cast := re.fullmatch(r"\(\[bool\]\$prior\.(\w+)\)", value):
        return bool(prior[cast.group(1)])
    if value in {"$true", "$false"}:
        return value == "$true"
    assert isinstance(now, list)
    change = re.fullmatch(r"@\{ (Add|Remove) = (.*) \}", value)
    assert change is not None
    if change.group(1) == "Remove":
        return [entry for entry in now if entry not in read_list(change.group(2))]
    undo = UNDO.fullmatch(change.group(2))
    assert undo is not None
    held = prior[undo.group(2)]
    assert isinstance(held, list)
    added = [entry for entry in read_list(undo.group(1)) if entry in held]
    # Exchange keeps these lists as sets; the order is the export's.
    return sorted([*now, *added], key=held.index)


def parameters(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    while text:
        name = re.match(r"-(\w+)[ :]", text)
        assert name is not None
        text = text[name.end() :]
        if text.startswith("'"):
            value, end = read_text(text)
        else:
            end = end_of(text)
            value = text[:end]
        if name.group(1) != "Confirm":
            found[name.group(1)] = value
        text = text[end:].lstrip(" ")
    return found


def end_of(text: str) -> int:
    """Find where a parameter's value ends: at a space outside brackets and quotes."""
    depth = position = 0
    while position < len(text):
        if text[position] == "'":
            position += read_text(text[position:])[1]
            continue
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(text[position], 0)
        if text[position] == " " and depth == 0:
            return position
        position += 1
    return position


def read_text(text: str) -> tuple[str, int]:
    """Read a single-quoted text as PowerShell's tokenizer does; gives it and how many characters it took."""
    assert text[0] == "'"
    position, value = 1, ""
    while True:
        if text[position] in "'‘’‚‛":
            if text[position + 1 : position + 2] not in tuple("'‘’‚‛"):
                return value, position + 1
            position += 1
            value += text[position - 1]
        else:
            value += text[position]
        position += 1


def read_list(text: str) -> list[str]:
    assert text.startswith("@(")
    position, found = 2, []
    while text[position] == "'":
        value, taken = read_text(text[position:])
        found.append(value)
        position += taken + (2 if text[position + taken] == "," else 0)
    return found
