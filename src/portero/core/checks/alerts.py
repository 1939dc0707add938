"""Alert policies by name, as exports spell it."""

from __future__ import annotations

import unicodedata

from portero.core.evidence import ConfigObject
from portero.core.exchange.settings import Tenant


def alert_named(tenant: Tenant, name: str) -> ConfigObject | None:
    """Give the alert policy of a name; None where no such policy was exported."""
    return next(
        (
            item
            for item in tenant.objects("Get-ProtectionAlert") or ()
            if plain_name(str(item.properties.get("Name") or "")) == plain_name(name)
        ),
        None,
    )


def plain_name(text: str) -> str:
    """Give a name without the invisible signs that some of Microsoft's bear. Source: controls catalogue LOG-02."""
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip().casefold()
