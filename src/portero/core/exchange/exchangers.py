"""Mail exchangers: which are Microsoft's, and what a domain's MX set as a whole amounts to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from portero.core.address import a_label, is_at_or_below

# Names below which Microsoft takes a tenant's mail. Source: reference exchange-online 1.1; data-formats 12.
MICROSOFT_MX = ("mail.protection.outlook.com", "mx.microsoft", "mail.protection.office365.us")


class MxPosture(StrEnum):
    """Where the mail of a domain enters."""

    MICROSOFT = "microsoft"
    GATEWAY = "gateway"  # only elsewhere
    MIXED = "mixed"  # at Microsoft and elsewhere, or a null MX beside others
    NULL = "null"  # the domain says that it takes no mail
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Exchanger:
    """
    One MX record.

    preference:  lower is tried first; None where the record shows no number.
    host:        as A-labels; ``""`` is the null MX of RFC 7505.
    """

    host: str
    preference: int | None
    text: str

    @property
    def at_microsoft(self) -> bool:
        """Tell whether it is Exchange Online's."""
        return any(is_at_or_below(self.host, name) for name in MICROSOFT_MX)


def read_exchangers(answers: Iterable[str]) -> tuple[Exchanger, ...]:
    """Read MX answers, ``preference host`` each, in the order of preference."""
    found = []
    for text in answers:
        words = text.split()
        if words:
            first = words[0]
            number = int(first) if len(words) > 1 and first.isascii() and first.isdigit() else None
            found.append(Exchanger(a_label(words[-1]), number, text))
    return tuple(sorted(found, key=lambda each: (each.preference is None, each.preference or 0, each.host)))


def mx_posture(exchangers: tuple[Exchanger, ...]) -> MxPosture:
    """Classify a domain's MX set. Source: controls catalogue DNS-13; RFC 7505 section 3."""
    if not exchangers:
        return MxPosture.NONE
    null = [each for each in exchangers if not each.host]
    if null:
        return MxPosture.NULL if len(null) == len(exchangers) else MxPosture.MIXED
    microsofts = sum(each.at_microsoft for each in exchangers)
    if microsofts == len(exchangers):
        return MxPosture.MICROSOFT
    return MxPosture.MIXED if microsofts else MxPosture.GATEWAY
