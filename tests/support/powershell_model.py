"""A model of tenant objects on which generated PowerShell is carried out, read with the grammar and not with patterns."""

from __future__ import annotations

from typing import Any

import tree_sitter
import tree_sitter_powershell

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
_NAMES = ("Identity", "Name", "DomainName", "Domain", "PrimarySmtpAddress")
_ONE = {"OrganizationConfig", "TransportConfig", "AdminAuditLogConfig", "ExternalInOutlook", "ArcConfig"}
_NO_PROPERTY = {"Identity", "Confirm", "Policy"}
State = dict[str, list[dict[str, Any]]]


def parse(script: str) -> tree_sitter.Node:
    """Parse a script; fails the test where it is no PowerShell."""
    root = _PARSER.parse(script.encode()).root_node
    assert not root.has_error, script
    return root


def carry_out(script: str, state: State) -> None:
    """Carry out every command of a script on the objects by noun; a command that fits nothing fails the test."""
    for command in _find(parse(script), "command"):
        name = next(node for node in command.children if node.type == "command_name").text.decode()
        verb, _, noun = name.partition("-")
        arguments = _arguments(command)
        getattr(_Cmdlets(state), verb.lower())(noun, arguments)


class _Cmdlets:
    """What the verbs do to objects, as far as generated commands go."""

    def __init__(self, state: State) -> None:
        self.state = state

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
        made = {name: value for name, value in given.items() if name not in {"Identity", "Confirm"}}
        if noun == "TenantAllowBlockListItems":
            made = {"Value": given["Entries"], "ListType": given["ListType"], "Action": "Allow",
                    "RemoveAfter": given.get("RemoveAfter"), "ExpirationDate": given.get("ExpirationDate")}  # fmt: skip
        if noun == "DkimSigningConfig":
            made = {"Domain": given["DomainName"], "Enabled": given["Enabled"]}
        self.state.setdefault(noun, []).append(made)

    def remove(self, noun: str, given: dict[str, Any]) -> None:
        if noun == "TenantAllowBlockListItems":
            item = next(each for each in self.state[noun] if each["Value"] == given["Entries"])
        elif noun == "TenantAllowBlockListSpoofItems":
            item = next(each for each in self.state[noun] if each["Identity"] == given["Ids"])
        else:
            item = self._one(noun, given)
        self.state[noun].remove(item)

    def enable(self, noun: str, given: dict[str, Any]) -> None:
        self._one(noun, given)["State"] = "Enabled"

    def disable(self, noun: str, given: dict[str, Any]) -> None:
        self._one(noun, given)["State"] = "Disabled"

    def _one(self, noun: str, given: dict[str, Any]) -> dict[str, Any]:
        items = self.state.get(noun, [])
        if noun in _ONE:
            assert len(items) == 1, noun
            return items[0]
        found = [item for item in items if given["Identity"] in [item.get(name) for name in _NAMES]]
        assert len(found) == 1, f"{noun} {given['Identity']}: {len(found)} objects"
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
    if value in {"", False, None}:
        return None
    return (str(value),)


def _list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def _arguments(command: tree_sitter.Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    name = ""
    for element in _find(command, "command_elements"):
        for node in element.children:
            if node.type == "command_parameter":
                name = node.text.decode().lstrip("-")
                found[name] = True
            elif node.type != "command_argument_sep":
                found[name] = _value(node)
    return found


def _value(node: tree_sitter.Node) -> Any:
    named = [child for child in node.children if child.is_named]
    match node.type:
        case "string_literal" | "verbatim_string_characters":
            return node.text.decode()[1:-1].replace("''", "'")
        case "variable":
            return {"$true": True, "$false": False, "$null": None}[node.text.decode().lower()]
        case "integer_literal" | "decimal_integer_literal":
            return int(node.text)
        case "generic_token":
            return node.text.decode()
        case "array_expression":
            inner = [_value(child) for child in named]
            return inner[0] if inner and isinstance(inner[0], list) else inner
        case "hash_literal_expression":
            return {
                next(n for n in entry.children if n.type == "key_expression").text.decode(): _value(
                    next(n for n in entry.children if n.type == "pipeline")
                )
                for entry in _find(node, "hash_entry")
            }
        case _:
            values = [_value(child) for child in named]
            return values[0] if len(values) == 1 else values


def _find(node: tree_sitter.Node, kind: str) -> list[tree_sitter.Node]:
    if node.type == kind:
        return [node]
    return [found for child in node.children for found in _find(child, kind)]
