"""Azure network security groups: two outbound rules by the command line of Azure."""

from __future__ import annotations

from portero.core.text import Text
from portero.faces.segments.target import Rules, Target

# Source: az network nsg rule create; a rule holds addresses of one family.
_START = 200


def _rules(rules: Rules) -> list[tuple[str, str, str]]:
    """Give name, sources and access of each rule, first by priority."""
    held = [
        (f"portero-mail-permit-{family}", " ".join(addresses), "Allow")
        for family, addresses in (("ipv4", rules.version_4), ("ipv6", rules.version_6))
        if addresses
    ]
    return [*held, ("portero-mail-rest", "VirtualNetwork", "Deny")]


def _apply(rules: Rules) -> list[str]:
    lines = ["set -eu", ': "${RESOURCE_GROUP:?}" "${NSG:?}"']
    ports = " ".join(map(str, rules.ports))
    for number, (name, sources, access) in enumerate(_rules(rules)):
        lines.append(
            f'az network nsg rule create --resource-group "$RESOURCE_GROUP" --nsg-name "$NSG" --name {name} '
            f"--priority {_START + number} --direction Outbound --access {access} --protocol Tcp "
            f"--source-address-prefixes {sources} --source-port-ranges '*' "
            f"--destination-address-prefixes Internet --destination-port-ranges {ports}"
        )
    return lines


def _undo(rules: Rules) -> list[str]:
    return [
        "set -eu",
        ': "${RESOURCE_GROUP:?}" "${NSG:?}"',
        *(
            f'az network nsg rule delete --resource-group "$RESOURCE_GROUP" --nsg-name "$NSG" --name {name}'
            for name, _, _ in _rules(rules)
        ),
    ]


TARGET = Target(
    "azure-nsg",
    "portero-mail-azure.sh",
    "portero-mail-azure-undo.sh",
    "#",
    _apply,
    _undo,
    (Text("Set RESOURCE_GROUP and NSG before; the priorities from 200 on must be free."),),
    logs=False,
)
