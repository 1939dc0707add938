"""custom_data of Exchange's tracking events, as columns: who connected, and what the filters called the mail."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from portero.sources.mail_rows import words

NO_ADDRESS = "255.255.255.255"  # the service's placeholder for "inside"
# The filter's categories and verdicts. Source: reference data-formats 5.3 and 10.2, exchange-online 4.5.
_CATEGORIES = {
    "MALW": "malware",
    "PHSH": "phish",
    "HPHISH": "phish",
    "HPHSH": "phish",
    "DIMP": "phish",
    "UIMP": "phish",
    "GIMP": "phish",
    "SPOOF": "spoof",
    "INTOS": "spoof",
    "SPM": "spam",
    "HSPM": "spam",
    "OSPM": "spam",
    "NONE": "",
}
_VERDICTS = {"PHSH": "phish", "SPM": "spam", "SKB": "spam", "SKS": "spam", "BLK": "spam"}


def value(data: pa.Array, key: str) -> pa.Array:
    """Give the value of one ``S:Key=Value`` out of custom_data, null where it is missing or empty."""
    return pc.struct_field(pc.extract_regex(data, rf"(?:^|;)\s*S:{key}=(?P<found>[^;]+)"), "found")


def summary(data: pa.Array, key: str) -> pa.Array:
    """Give one field of the spam filter's summary ``S:SFA=SUM|SFV=SPM|…|CIP=…|H=…|``."""
    return pc.struct_field(
        pc.extract_regex(data, rf"(?:^|;)\s*S:SFA=SUM\|(?:[^;]*\|)?{key}=(?P<found>[^|;]+)"), "found"
    )


def session(data: pa.Array) -> tuple[pa.Array, pa.Array]:
    """
    Give client address and EHLO name, null where custom_data does not tell them.

    Proxied… stand on arrivals, CIP and H in the spam filter's summary (agents separate by ``|``).
    """
    address = pc.coalesce(value(data, "ProxiedClientIPAddress"), summary(data, "CIP"))
    name = pc.coalesce(value(data, "ProxiedClientHostname"), summary(data, "H"))
    return address, name


def threats(data: pa.Array) -> pa.Array:
    """
    Give what the filters called a mail, in the words of ``mail_rows``; null where no filter's summary stands here.

    Malware found by the anti-malware agent counts before the spam filter's category, and that before its verdict.
    """
    category, verdict = summary(data, "CAT"), summary(data, "SFV")
    malware = pc.fill_null(
        pc.match_substring_regex(data, r"(?:^|;)\s*S:AMA=SUM\|(?:[^;]*\|)?v=1(?:\||;|$)"), False
    )
    asked = pc.or_kleene(pc.is_valid(category), pc.is_valid(verdict))
    pair = pc.binary_join_element_wise(pc.fill_null(category, ""), pc.fill_null(verdict, ""), "|")
    found = words(pc.if_else(asked, pair, pa.scalar(None, pa.string())), _called)
    return pc.if_else(malware, "malware", found)


def _called(pair: str) -> str:
    category, _, verdict = pair.partition("|")
    return called(category, verdict)


def called(category: str | None, verdict: str | None) -> str:
    """Give what the spam filter's category (CAT) and verdict (SFV) call a mail; ``""`` for no threat."""
    # BULK is no threat of its own: whether it was taken for spam is the verdict's word.
    word = _VERDICTS.get((verdict or "").strip().upper(), "")
    return _CATEGORIES.get((category or "").strip().upper(), word)
