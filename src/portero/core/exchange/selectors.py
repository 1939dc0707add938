"""Where the DKIM selectors of a domain that Exchange Online signs for point to, in Microsoft's old form and the new."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from portero.core.address import a_label

# Exchange Online signs with one of these two and rotates between them. Source: Microsoft, Set up DKIM.
SELECTORS = ("selector1", "selector2")
_OLD = re.compile(r"(selector[12])-([a-z0-9-]+)\._domainkey\.([a-z0-9-]+)\.onmicrosoft\.com\Z")
_NEW = re.compile(
    r"(selector[12])-([a-z0-9-]+)\._domainkey\.([a-z0-9-]+)\.([a-z0-9-]+)-v[0-9]+\.dkim\.mail\.microsoft\Z"
)


class AliasForm(StrEnum):
    """Which form a selector's CNAME has."""

    OLD = "old"  # below the tenant's onmicrosoft.com domain
    NEW = "new"  # below dkim.mail.microsoft, for domains added since May 2025
    OTHER = "other"  # not Microsoft's


@dataclass(frozen=True, slots=True)
class SelectorAlias:
    """
    What a selector's CNAME says.

    tenant:    the first label of the tenant's initial domain, ``""`` where the form is not Microsoft's.
    matches:   whether it is the alias of this selector and this domain, rather than of another.
    """

    form: AliasForm
    tenant: str
    matches: bool


def read_alias(domain: str, selector: str, target: str) -> SelectorAlias:
    """
    Read the CNAME of ``selector._domainkey.domain``.

    Microsoft writes the domain with dashes for its dots. Source: Microsoft, Set up DKIM (syntax of the CNAME records).
    """
    name = a_label(target)
    dashed = a_label(domain).replace(".", "-")
    for form, pattern in ((AliasForm.OLD, _OLD), (AliasForm.NEW, _NEW)):
        found = pattern.match(name)
        if found is not None:
            return SelectorAlias(form, found[3], (found[1], found[2]) == (selector.lower(), dashed))
    return SelectorAlias(AliasForm.OTHER, "", False)
