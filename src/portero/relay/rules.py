"""Writes device rules for `relay.toml`: from the inventory of senders, or from what the relay has learnt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from portero.core.sender import Judgement, Kind, Path, Sender
from portero.core.text import Text, count
from portero.relay.habit import Learnt

# Who needs the relay: what sends for us and cannot log in. A mailbox or a spoofer needs none.
_KINDS = frozenset({Kind.DEVICE, Kind.APPLICATION, Kind.UNKNOWN})
_PATHS = frozenset({Path.DIRECT_SEND, Path.FOREIGN_ENVELOPE, Path.UNDETERMINED})


def from_senders(senders: Iterable[Sender], say: Callable[[Text], str]) -> str:
    """
    Give TOML with a rule for each sender that will need the relay.

    A sender that nobody has decided about stands there as a comment: whoever takes the mark away decides.
    say:  renders the comments.
    """
    parts: list[str] = []
    for each in sorted(senders, key=lambda sender: (-sender.mails, sender.id)):
        if each.kind not in _KINDS or each.path not in _PATHS or each.judgement is Judgement.ABUSE:
            continue
        if not each.client_networks:
            continue
        domains = sorted(dict.fromkeys(each.mail_from_domains or each.header_from_domains))
        rule = _rule(
            say(each.label),
            each.client_networks,
            [f"@{domain}" for domain in domains],
            each.header_from or [f"@{domain}" for domain in each.header_from_domains],
            each.owner,
        )
        comments = [
            say(
                count(
                    "{n} message in the evidence, sender {id}.",
                    "{n} messages in the evidence, sender {id}.",
                    each.mails,
                    id=each.id,
                )
            )
        ]
        if not each.legitimate:
            comments.append(
                say(Text("Nobody has decided yet whether this is legitimate. If it is, take the marks away."))
            )
            rule = "\n".join(f"# {line}" for line in rule.split("\n"))
        parts.append("\n".join([*(f"# {line}" for line in comments), rule]))
    return "\n\n".join(parts) + "\n" if parts else ""


def from_learnt(learnt: Iterable[Learnt], say: Callable[[Text], str]) -> str:
    """Give TOML with a rule for each address that sent while the relay was learning, as comments to decide about."""
    parts = []
    for each in sorted(learnt, key=lambda held: (-held.messages, held.client)):
        name = next(iter(sorted(each.ehlo - {""})), each.client)
        rule = _rule(
            f"{name} ({each.client})", [each.client], sorted(each.mail_from), sorted(each.header_from - {""}), None
        )  # fmt: skip
        comment = say(
            count(
                "{n} message while learning, to {recipients}.",
                "{n} messages while learning, to {recipients}.",
                each.messages,
                recipients=tuple(sorted(each.recipients)[:5]),
            )
        )
        parts.append("\n".join([f"# {comment}", *(f"# {line}" for line in rule.split("\n"))]))
    return "\n\n".join(parts) + "\n" if parts else ""


def _rule(
    name: str,
    networks: Sequence[str],
    mail_from: Sequence[str],
    header_from: Sequence[str],
    owner: str | None,
) -> str:
    lines = [
        "[[device]]",
        f"name = {_text(name)}",
        f"cidr = {_list(networks)}",
        f"mail_from = {_list(mail_from)}",
    ]
    if header_from:
        lines.append(f"header_from = {_list(header_from)}")
    lines.append('recipients = "inside"')
    if owner and "@" in owner:
        lines.append(f"owner = {_text(owner)}")
    return "\n".join(lines)


def _text(value: str) -> str:
    # A JSON string without surrogates is a TOML basic string; evidence must not end the line it stands in.
    return json.dumps("".join(each if each.isprintable() else " " for each in value), ensure_ascii=False)


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(_text(each) for each in dict.fromkeys(values)) + "]"
