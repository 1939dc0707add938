"""PAN-OS: set commands for addresses, a service and two security rules at the top."""

from __future__ import annotations

from portero.core.text import Text
from portero.faces.segments.target import Rules, Target

# Source: PAN-OS CLI quick start, set and move commands of configuration mode.
_RULES = "rulebase security rules"


def _name(address: str) -> str:
    # Object names take letters, digits, dots, hyphens and underscores.
    return f"portero-{address.replace(':', '_')}"


def _apply(rules: Rules) -> list[str]:
    lines = ["configure"]
    for held, length in ((rules.version_4, 32), (rules.version_6, 128)):
        lines += [f"set address {_name(each)} ip-netmask {each}/{length}" for each in held]
    lines.append(f"set service portero-mail-ports protocol tcp port {rules.port_list}")
    if rules.addresses:
        members = " ".join(map(_name, rules.addresses))
        lines.append(f"set address-group portero-mail-senders static [ {members} ]")
        lines.append(_rule("portero-mail-permit", "portero-mail-senders", "allow"))
    lines.append(_rule("portero-mail-rest", "any", "deny" if rules.deny else "allow"))
    lines.append(f"move {_RULES} portero-mail-rest top")
    if rules.addresses:
        lines.append(f"move {_RULES} portero-mail-permit top")
    return [*lines, "commit"]


def _rule(name: str, source: str, action: str) -> str:
    return (
        f"set {_RULES} {name} from INSIDE to OUTSIDE source {source} destination any application any "
        f"service portero-mail-ports action {action} log-end yes"
    )


def _undo(rules: Rules) -> list[str]:
    lines = ["configure", f"delete {_RULES} portero-mail-rest"]
    if rules.addresses:
        lines += [f"delete {_RULES} portero-mail-permit", "delete address-group portero-mail-senders"]
    lines.append("delete service portero-mail-ports")
    lines += [f"delete address {_name(each)}" for each in rules.addresses]
    return [*lines, "commit"]


TARGET = Target(
    "panos",
    "portero-mail-panos.txt",
    "portero-mail-panos-undo.txt",
    "#",
    _apply,
    _undo,
    (
        Text(
            "Put the names of your zones in place of INSIDE and OUTSIDE; leave the comment lines out when you paste."
        ),
    ),
)
