"""A model of tenant objects on which generated PowerShell is carried out, read with the grammar and not with patterns."""

from __future__ import annotations

import re
from typing import Any

import tree_sitter
import tree_sitter_powershell

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
_NAMES = ("Identity", "id", "Name", "DomainName", "Domain", "PrimarySmtpAddress")
_ONE = {"OrganizationConfig", "TransportConfig", "AdminAuditLogConfig", "ExternalInOutlook", "ArcConfig"}
_NO_PROPERTY = {"Identity", "Confirm", "Policy", ""}
# PowerShell ends a text at any of these, and doubles any of them to mean the sign itself.
_QUOTES = "'\u2018\u2019\u201a\u201b"
State = dict[str, list[dict[str, Any]]]


def parse(script: str) -> tree_sitter.Node:
    """Parse a script; fails the test where it is no PowerShell."""
    root = _PARSER.parse(script.encode()).root_node
    assert not root.has_error, script
    return root


def command_names(node: tree_sitter.Node) -> list[str]:
    """Name every command that a script runs."""
    return [_text(each) for each in _find_all(node, "command_name")]


def carry_out(script: str, state: State, prior: Any = None) -> None:
    """
    Carry out a script on the objects by noun; a command that fits nothing fails the test.

    prior:  what the script means by ``$prior``.
    """
    _Shell(state, {"$prior": prior}).value(parse(script))


def evaluate(expression: str, state: State, **variables: Any) -> Any:
    """Give what an expression is worth: ``current=...`` is its ``$current``."""
    return _Shell(state, {f"${name}": value for name, value in variables.items()}).value(parse(expression))


class _Shell:
    """As much of PowerShell as generated scripts use: statements, pipelines, comparisons, lists and members."""

    def __init__(self, state: State, variables: dict[str, Any]) -> None:
        self.state = state
        self.variables = {"$true": True, "$false": False, "$null": None, **variables}

    def value(self, node: tree_sitter.Node) -> Any:
        named = [child for child in node.children if child.is_named]
        handler = getattr(self, f"_{node.type}", None)
        if handler is not None:
            return handler(node, named)
        values = [self.value(child) for child in named]
        return values[0] if len(values) == 1 else values

    def _if_statement(self, _: tree_sitter.Node, named: list[tree_sitter.Node]) -> Any:
        condition, block = named
        return self.value(block) if self.value(condition) else None

    def _pipeline_chain(self, node: tree_sitter.Node, named: list[tree_sitter.Node]) -> Any:
        found = self.value(named[0])
        for command in named[1:]:
            # Format-List only shows; Where-Object is the one filter.
            if _text(command).startswith("Where-Object"):
                found = [item for item in _list(found) if self._holds(command, item)]
        return found

    def _holds(self, command: tree_sitter.Node, item: Any) -> bool:
        [block] = _find(command, "script_block")
        return bool(_Shell(self.state, {**self.variables, "$_": item}).value(block))

    def _command(self, node: tree_sitter.Node, _: list[tree_sitter.Node]) -> Any:
        name = _text(next(child for child in node.children if child.type == "command_name"))
        given = self._arguments(node)
        if name == "Compare-Object":
            one, other = (_list(each) for each in given[""])
            return [each for each in one + other if (each in one) != (each in other)]
        verb, _sep, noun = name.partition("-")
        return getattr(_Cmdlets(self.state), verb.lower())(noun, given)

    def _arguments(self, command: tree_sitter.Node) -> dict[str, Any]:
        found: dict[str, Any] = {"": []}
        name = ""
        [elements] = [child for child in command.children if child.type == "command_elements"] or [None]
        for node in elements.children if elements else ():
            if node.type == "command_parameter":
                name = _text(node).lstrip("-")
                found[name] = True
            elif node.type != "command_argument_sep":
                if name:
                    found[name] = self.value(node)
                else:
                    found[""].append(self.value(node))
        return found

    def _logical_expression(self, node: tree_sitter.Node, named: list[tree_sitter.Node]) -> Any:
        if len(named) == 1:
            return self.value(named[0])
        assert [child.type for child in node.children if not child.is_named] == ["-and"]
        return all(bool(self.value(child)) for child in named)

    def _comparison_expression(self, _: tree_sitter.Node, named: list[tree_sitter.Node]) -> Any:
        if len(named) == 1:
            return self.value(named[0])
        left, right = self.value(named[0]), self.value(named[2])
        match _text(named[1]).lower():
            case "-eq":
                return _same(left, right)
            case "-ne":
                return not _same(left, right)
            case "-contains":
                return any(_same(each, right) for each in _list(left))
            case "-notcontains":
                return not any(_same(each, right) for each in _list(left))
            case "-join":
                return right.join(map(str, _list(left)))
            case "-split":
                return left.split(right)
        raise AssertionError(_text(named[1]))

    def _expression_with_unary_operator(self, node: tree_sitter.Node, named: list[tree_sitter.Node]) -> Any:
        if node.children[0].type == "-not":
            return not self.value(named[-1])
        return self.value(named[-1])

    def _cast_expression(self, _: tree_sitter.Node, named: list[tree_sitter.Node]) -> Any:
        assert _text(named[0]) == "[bool]"
        return bool(self.value(named[1]))

    def _member_access(self, _: tree_sitter.Node, named: list[tree_sitter.Node]) -> Any:
        held = self.value(named[0])
        held = held[0] if isinstance(held, list) and len(held) == 1 else held
        name = _text(named[1]).lower()
        return None if not held else next((value for key, value in held.items() if key.lower() == name), None)

    def _variable(self, node: tree_sitter.Node, _: list[tree_sitter.Node]) -> Any:
        return self.variables[_text(node).lower()]

    def _verbatim_string_characters(self, node: tree_sitter.Node, _: list[tree_sitter.Node]) -> Any:
        return re.sub(f"([{_QUOTES}]){{2}}", r"\1", _text(node)[1:-1])

    def _decimal_integer_literal(self, node: tree_sitter.Node, _: list[tree_sitter.Node]) -> Any:
        return int(_text(node))

    def _generic_token(self, node: tree_sitter.Node, _: list[tree_sitter.Node]) -> Any:
        return _text(node)

    def _array_expression(self, _: tree_sitter.Node, named: list[tree_sitter.Node]) -> Any:
        return [each for child in named for each in _list(self.value(child))]

    def _hash_literal_expression(self, node: tree_sitter.Node, _: list[tree_sitter.Node]) -> Any:
        return {
            _text(next(child for child in entry.children if child.type == "key_expression")): self.value(
                next(child for child in entry.children if child.type == "pipeline")
            )
            for entry in _find(node, "hash_entry")
        }


def _same(left: Any, right: Any) -> bool:
    """Compare as -eq does: null equals null alone, and texts do without regard to case."""
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return str(left).casefold() == str(right).casefold()


def _text(node: tree_sitter.Node) -> str:
    return node.text.decode()


class _Cmdlets:
    """What the verbs do to objects, as far as generated commands go."""

    def __init__(self, state: State) -> None:
        self.state = state

    def get(self, noun: str, given: dict[str, Any]) -> Any:
        if set(given) == {""} or "ListType" in given:
            return list(self.state.get(noun, []))
        return self._one(noun, given)

    def set(self, noun: str, given: dict[str, Any]) -> None:
        item = self._one(noun, given)
        for name, value in given.items():
            if name in _NO_PROPERTY:
                continue
            if isinstance(value, dict):
                held = _list(item.get(name))
                added, removed = _list(value.get("Add")), _list(value.get("Remove"))
                assert all(entry in held for entry in removed), f"{noun} {name} lacks {removed}"
                item[name] = [entry for entry in held if entry not in removed] + added
            else:
                item[name] = value

    def new(self, noun: str, given: dict[str, Any]) -> None:
        made = {name: value for name, value in given.items() if name not in {"Identity", "Confirm", ""}}
        if noun == "TenantAllowBlockListItems":
            made = {"Value": given["Entries"], "ListType": given["ListType"], "Action": "Allow",
                    "RemoveAfter": given.get("RemoveAfter"), "ExpirationDate": given.get("ExpirationDate")}  # fmt: skip
        if noun == "DkimSigningConfig":
            made = {"Domain": given["DomainName"], "Enabled": given["Enabled"]}
        if noun == "TransportRule":
            made["State"] = "Enabled"
        self.state.setdefault(noun, []).append(made)

    def remove(self, noun: str, given: dict[str, Any]) -> None:
        if noun == "TenantAllowBlockListItems":
            item = next(each for each in self.state[noun] if each["Value"] == given["Entries"])
        elif noun == "TenantAllowBlockListSpoofItems":
            item = next(each for each in self.state[noun] if each["Identity"] == given["Ids"])
        else:
            item = self._one(noun, given)
        self.state[noun].remove(item)

    def update(self, noun: str, given: dict[str, Any]) -> None:
        self._one(noun, given)["state"] = given["State"]

    def rotate(self, noun: str, given: dict[str, Any]) -> None:
        self._one(noun, given)["RotateOnDate"] = "2026-11-28T00:00:00Z"

    def enable(self, noun: str, given: dict[str, Any]) -> None:
        self._one(noun, given)["State"] = "Enabled"

    def disable(self, noun: str, given: dict[str, Any]) -> None:
        self._one(noun, given)["State"] = "Disabled"

    def _one(self, noun: str, given: dict[str, Any]) -> dict[str, Any]:
        items = self.state.get(noun, [])
        if noun in _ONE:
            assert len(items) == 1, noun
            return items[0]
        wanted = given.get("Identity") or given["ConditionalAccessPolicyId"]
        found = [item for item in items if wanted in [item.get(name) for name in _NAMES]]
        assert len(found) == 1, f"{noun} {wanted}: {len(found)} objects"
        return found[0]


def normal(state: State) -> dict[str, list[Any]]:
    """
    Give a state in the form in which two are the same to Exchange.

    An empty list is null; a Boolean that was never set is false; order in lists, and ids that Exchange gives to what is
    made anew, do not count.
    """
    return {
        noun: sorted(
            (
                sorted(
                    (name, _plain(value))
                    for name, value in item.items()
                    if name not in _GIVEN and _plain(value)
                )
                for item in items
            ),
            key=repr,
        )
        for noun, items in state.items()
        if items
    }


# Set by Exchange, not by commands; and null, false and the empty list all read as "not there".
_GIVEN = {"Identity", "LastUsedDate", "Guid"}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(sorted(map(str, value)))
    if value in ("", False, None):
        return None
    return (str(value),)


def _list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def _find(node: tree_sitter.Node, kind: str) -> list[tree_sitter.Node]:
    if node.type == kind:
        return [node]
    return [found for child in node.children for found in _find(child, kind)]


def _find_all(node: tree_sitter.Node, kind: str) -> list[tree_sitter.Node]:
    own = [node] if node.type == kind else []
    return own + [found for child in node.children for found in _find_all(child, kind)]
