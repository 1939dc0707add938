"""Who may do what to an organisation: roles for people, and the same actions as scopes for tokens."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Action(StrEnum):
    """Something done to an organisation; as a token's scope, what the token may do at most."""

    READ = "read"  # look at everything but members, tokens and settings
    UPLOAD = "upload"  # hand over evidence and have it read
    DECIDE = "decide"  # judge senders, save scenarios, work on steps
    SIGN = "sign"  # approve a step that somebody else prepared
    ADMINISTER = "administer"  # members, tokens, settings, the audit trail


class Role(StrEnum):
    """What a person is to one organisation; each may do what the one before may, and more."""

    READER = "reader"
    ANALYST = "analyst"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"


_MAY: dict[Role, frozenset[Action]] = {
    Role.READER: frozenset({Action.READ}),
    Role.ANALYST: frozenset({Action.READ, Action.UPLOAD, Action.DECIDE}),
    Role.APPROVER: frozenset({Action.READ, Action.UPLOAD, Action.DECIDE, Action.SIGN}),
    Role.ADMINISTRATOR: frozenset(Action),
}


def actions_of(role: Role | None) -> frozenset[Action]:
    """Give what a role may do; nothing for somebody without one."""
    return _MAY[role] if role is not None else frozenset()


def highest(roles: Iterable[Role]) -> Role | None:
    """Give the role that may do most; None among none."""
    order = tuple(Role)
    return max(roles, key=order.index, default=None)
