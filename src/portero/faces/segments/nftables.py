"""nftables: a table of its own in the forward path, which one command takes away again."""

from __future__ import annotations

from portero.core.text import Text
from portero.faces.segments.target import Rules, Target

# Source: nft(8), "table", "chain", "set"; a delete after an add makes the file repeatable.


def _apply(rules: Rules) -> list[str]:
    verdict = "reject with tcp reset" if rules.deny else "accept"
    lines = ["add table inet portero_mail", "delete table inet portero_mail", "table inet portero_mail {"]
    for family, inside, permitted in (
        ("ipv4", rules.inside_4, rules.version_4),
        ("ipv6", rules.inside_6, rules.version_6),
    ):
        lines += [
            f"    set inside_{family} {{",
            f"        type {family}_addr",
            "        flags interval",
            f"        elements = {{ {', '.join(inside)} }}",
            "    }",
            f"    set permitted_{family} {{",
            f"        type {family}_addr",
            *([f"        elements = {{ {', '.join(permitted)} }}"] if permitted else []),
            "    }",
        ]
    lines += [
        "    chain forward {",
        "        type filter hook forward priority -10; policy accept;",
        "        meta l4proto != tcp accept",
        f"        tcp dport != {{ {', '.join(map(str, rules.ports))} }} accept",
        "        ct state established,related accept",
    ]
    for family, word in (("ipv4", "ip"), ("ipv6", "ip6")):
        lines += [
            f"        {word} daddr @inside_{family} accept",
            f"        {word} saddr @permitted_{family} accept",
            f'        {word} saddr @inside_{family} counter log prefix "portero-mail " {verdict}',
        ]
    return [*lines, "    }", "}"]


def _undo(_: Rules) -> list[str]:
    return ["delete table inet portero_mail"]


TARGET = Target(
    "nftables",
    "portero-mail.nft",
    "portero-mail-undo.nft",
    "#",
    _apply,
    _undo,
    (
        Text(
            "For a Linux router. Load it with nft -f; servers reached by public addresses inside need a line of their own."
        ),
    ),
)
