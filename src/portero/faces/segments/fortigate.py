"""FortiGate: addresses, a service and two policies with fixed numbers, so that they can be found again."""

from __future__ import annotations

from portero.core.text import Text
from portero.faces.segments.target import Rules, Target

# Source: FortiOS CLI reference, config firewall address, address6, service custom and policy.
_PERMIT, _DENY = 64001, 64002


def _names(addresses: tuple[str, ...]) -> str:
    return " ".join(f'"portero-{each}"' for each in addresses)


def _apply(rules: Rules) -> list[str]:
    lines: list[str] = []
    for table, field, held, length in (
        ("address", "subnet", rules.version_4, 32),
        ("address6", "ip6", rules.version_6, 128),
    ):
        if held:
            lines.append(f"config firewall {table}")
            for each in held:
                lines += [f'    edit "portero-{each}"', f"        set {field} {each}/{length}", "    next"]
            lines.append("end")
    lines += [
        "config firewall service custom",
        '    edit "portero-mail-ports"',
        "        set protocol TCP/UDP/SCTP",
        f"        set tcp-portrange {' '.join(map(str, rules.ports))}",
        "    next",
        "end",
        "config firewall policy",
    ]
    if rules.addresses:
        lines += _policy(_PERMIT, "portero-mail-permit", rules.version_4, rules.version_6, "accept")
    lines += _policy(_DENY, "portero-mail-rest", ("all",), ("all",), "deny" if rules.deny else "accept")
    lines.append(f"    move {_DENY} before 1")
    if rules.addresses:
        lines.append(f"    move {_PERMIT} before {_DENY}")
    return [*lines, "end"]


def _policy(
    number: int, name: str, version_4: tuple[str, ...], version_6: tuple[str, ...], action: str
) -> list[str]:
    everybody = version_4 == ("all",)
    sources = (
        [f"        set srcaddr {chr(34) + 'all' + chr(34) if everybody else _names(version_4)}"]
        if version_4
        else []
    )
    targets = ['        set dstaddr "all"'] if version_4 else []
    if version_6:
        sources.append(
            f"        set srcaddr6 {chr(34) + 'all' + chr(34) if everybody else _names(version_6)}"
        )
        targets.append('        set dstaddr6 "all"')
    return [
        f"    edit {number}",
        f'        set name "{name}"',
        '        set srcintf "INSIDE"',
        '        set dstintf "OUTSIDE"',
        *sources,
        *targets,
        '        set schedule "always"',
        '        set service "portero-mail-ports"',
        f"        set action {action}",
        *(["        set nat enable"] if action == "accept" else []),
        "        set logtraffic all",
        "    next",
    ]


def _undo(rules: Rules) -> list[str]:
    lines = ["config firewall policy"]
    if rules.addresses:
        lines.append(f"    delete {_PERMIT}")
    lines += [
        f"    delete {_DENY}",
        "end",
        "config firewall service custom",
        '    delete "portero-mail-ports"',
        "end",
    ]
    for table, held in (("address", rules.version_4), ("address6", rules.version_6)):
        if held:
            lines += [f"config firewall {table}", *(f'    delete "portero-{each}"' for each in held), "end"]
    return lines


TARGET = Target(
    "fortigate",
    "portero-mail-fortigate.conf",
    "portero-mail-fortigate-undo.conf",
    "#",
    _apply,
    _undo,
    (
        Text(
            "Put the names of your interfaces in place of INSIDE and OUTSIDE, and your first policy's number in place of 1."
        ),
        Text("The policies 64001 and 64002 must be free, and NAT must be as in your other policies."),
    ),
)
