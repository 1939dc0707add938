"""Mail flow rules: which are in force, what they do, and whether what they ask for can be forged."""

from __future__ import annotations

from collections.abc import Iterator

from portero.core.evidence import ConfigObject
from portero.core.exchange.settings import flag, prop, texts

# Headers that Exchange itself writes at the border and strips from outside. Source: reference exchange-online 4.7.
OWN_HEADERS = {"authentication-results", "x-ms-exchange-organization-authas"}
_PROOFS = ("dmarc=pass", "dmarc=fail", "compauth=pass", "compauth=fail", "internal", "anonymous")


def live(rule: ConfigObject) -> bool | None:
    """Tell whether a rule is in force; None where the export does not say."""
    state, mode = prop(rule, "State"), prop(rule, "Mode")
    words = (str(state).lower(), str(mode).lower())
    if words[0] == "disabled" or words[1] in {"audit", "auditandnotify"}:
        return False
    return True if words == ("enabled", "enforce") else None


# What keeps a mail from its reader, or marks it as spam.
ACTIONS = (
    "Quarantine",
    "DeleteMessage",
    "RejectMessageReasonText",
    "RejectMessageEnhancedStatusCode",
    "SetSCL",
)


def protects(rule: ConfigObject) -> bool:
    level = str(prop(rule, "SetSCL")).strip()
    return (
        any(flag(rule, name) is True for name in ("Quarantine", "DeleteMessage"))
        or bool(texts(rule, "RejectMessageReasonText") or texts(rule, "RejectMessageEnhancedStatusCode"))
        or level in {"5", "6", "7", "8", "9"}
    )


def order(rule: ConfigObject) -> int:
    value = str(rule.properties.get("Priority"))
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def bound(rule: ConfigObject) -> bool:
    """Tell whether a rule asks for something that a sender cannot write: an address, or what Exchange found out."""
    if texts(rule, "SenderIpRanges") or str(prop(rule, "FromScope")).lower() == "inorganization":
        return True
    return any(
        (header or "").strip().lower() in OWN_HEADERS
        and any(proof in word.lower().replace("\\", "") for word in words for proof in _PROOFS)
        for header, words in header_tests(rule)
    )


def marks(rule: ConfigObject) -> bool:
    """Tell whether a rule puts a mark on mail that its reader sees."""
    return bool(texts(rule, "PrependSubject") or texts(rule, "ApplyHtmlDisclaimerText"))


def by_origin(rule: ConfigObject) -> bool:
    """Tell whether a rule goes by what Exchange found out about the origin of a mail."""
    return any(
        header and header.strip().lower() in OWN_HEADERS for header, words in header_tests(rule) if words
    )


def header_tests(rule: ConfigObject) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    """Give conditions and exceptions on headers; an exception for dmarc=fail binds as a condition on dmarc=pass does."""
    for prefix in ("", "ExceptIf"):
        for kind, what in (("HeaderContains", "Words"), ("HeaderMatches", "Patterns")):
            name = prop(rule, f"{prefix}{kind}MessageHeader")
            yield (name if isinstance(name, str) else None), texts(rule, f"{prefix}{kind}{what}") or ()
