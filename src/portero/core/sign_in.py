"""Who may sign in by another's word, and what claims of theirs give them here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from portero.core.access import Role, highest


@dataclass(frozen=True, slots=True)
class Grant:
    """
    One claim value that gives a role.

    claim, value:  a claim of the identity token, a text or a list of texts, and the text it must hold.
    organisation:  name or id; None for every organisation of the installation.
    """

    role: Role
    claim: str
    value: str
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """
    An OpenID provider.

    name:       what the button says.
    issuer:     exactly as its tokens write it. Source: OpenID Connect Discovery 1.0 section 4.3.
    secret:     None for a public client, which proves itself by PKCE alone.
    grants:     who gets which role; empty where an administrator gives roles to those who have signed in once.
    """

    name: str
    issuer: str
    client_id: str
    secret: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    grants: tuple[Grant, ...] = ()

    def roles(
        self, claims: Mapping[str, object], organisations: Iterable[tuple[str, str]]
    ) -> Mapping[str, Role | None]:
        """
        Give by organisation id the highest role that claims give there; None for none.

        organisations:  ids and names.
        """
        return {
            identity: highest(
                grant.role
                for grant in self.grants
                if grant.organisation in {None, identity, name}
                and grant.value in _texts(claims.get(grant.claim))
            )
            for identity, name in organisations
        }

    def withheld(self, claims: Mapping[str, object]) -> frozenset[str]:
        """
        Name the claims that grants need and the provider left out because they were too long.

        Source: OpenID Connect Core 1.0 section 5.6.2; Microsoft Entra leaves out more than 200 groups so.
        """
        elsewhere = claims.get("_claim_names")
        held = elsewhere if isinstance(elsewhere, Mapping) else {}
        return frozenset(
            grant.claim for grant in self.grants if grant.claim in held and grant.claim not in claims
        )


def _texts(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset({value})
    return (
        frozenset(each for each in value if isinstance(each, str))
        if isinstance(value, list | tuple)
        else frozenset()
    )
