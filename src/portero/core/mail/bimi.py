"""BIMI records: the logo a domain asks mailbox providers to show, and whether its DMARC policy lets them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from portero.core.mail.dmarc_record import DmarcRecord, Policy
from portero.core.text import Text

MAX_RECORD = 65535


@dataclass(frozen=True, slots=True)
class BimiRecord:
    """
    One record; the draft may still change.

    location:   URL of the logo; ``""`` where the domain declines to have one shown.
    authority:  URL of the evidence that the logo is the domain's, or ``""``.
    """

    location: str
    authority: str
    faults: tuple[Text, ...]

    @property
    def declined(self) -> bool:
        """Tell whether the domain says that no logo is to be shown."""
        return not self.location and not self.authority and not self.faults


@lru_cache(maxsize=1024)
def parse_bimi(text: str) -> BimiRecord | None:
    """
    Read a TXT record at ``default._bimi.domain``; None where it is none. Nothing raises.

    Source: draft-brand-indicators-for-message-identification sections 4.2 and 4.3.
    """
    first, *rest = text[:MAX_RECORD].split(";")
    name, _, version = first.partition("=")
    if name.strip().lower() != "v" or version.strip() != "BIMI1":
        return None
    tags: dict[str, str] = {}
    for piece in rest:
        key, equals, value = piece.partition("=")
        if equals:
            tags.setdefault(key.strip().lower(), value.strip())
    location, authority = tags.get("l", ""), tags.get("a", "")
    faults = []
    if "l" not in tags:
        faults.append(Text("l is missing"))
    elif location and not location.lower().startswith("https://"):
        faults.append(Text("the logo is not at an https address"))
    if authority and not authority.lower().startswith("https://"):
        faults.append(Text("the evidence is not at an https address"))
    return BimiRecord(location, authority, tuple(faults))


def lets_logo(record: DmarcRecord | None, exact: Policy | None) -> bool:
    """
    Tell whether a domain's DMARC policy lets a logo be shown: it enforces, for all mail, and below it too.

    Source: draft-brand-indicators-for-message-identification section 7.1.
    """
    if record is None or exact in {None, Policy.NONE} or record.testing or record.percent < 100:
        return False
    return record.sp is not Policy.NONE
