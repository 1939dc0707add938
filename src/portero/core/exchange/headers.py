"""What Exchange Online stamps on a message: its anti-spam report, its organisation and cross-tenant headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from portero.core.address import client_address

MAX_FIELD = 65536

_COMPAUTH = re.compile(r"\bcompauth=(pass|fail|softpass|none)\b(?:\s+reason=([0-9]{3})\b)?", re.IGNORECASE)
_ATTRIBUTED = re.compile(
    r"TenantId=([0-9a-f-]{36})?;\s*Ip=\[([^\]]{0,64})\];\s*Helo=\[([^\]]{0,512})\]", re.IGNORECASE
)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True)
class AntispamReport:
    """
    X-Forefront-Antispam-Report.

    client_ip:  CIP, canonical; None where Exchange wrote none or its 255.255.255.255.
    scl:        -1 to 9, or None; it is what was stamped and not the verdict.
    values:     every key as written, also the undocumented ones.
    Source: reference exchange-online 4.5.
    """

    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def client_ip(self) -> str | None:
        """Give the connecting address."""
        return client_address(self.values.get("CIP", ""))

    @property
    def scl(self) -> int | None:
        """Give the stamped spam confidence level."""
        return _number(self.values.get("SCL"))

    @property
    def verdict(self) -> str | None:
        """Give SFV: ``NSPM``, ``SPM``, ``SKN``…; None where it is not there."""
        return self.values.get("SFV")

    @property
    def category(self) -> str | None:
        """Give CAT: ``NONE``, ``SPOOF``, ``INTOS``, ``PHSH``…"""
        return self.values.get("CAT")

    @property
    def direction(self) -> str | None:
        """Give DIR: ``INB``, ``OUT`` or ``INT``."""
        return self.values.get("DIR")

    @property
    def ehlo(self) -> str | None:
        """Give H, what the client called itself."""
        return self.values.get("H")

    @property
    def ptr(self) -> str | None:
        """Give the reverse name; ``""`` where Exchange found that there is none."""
        found = self.values.get("PTR")
        return "" if found == "InfoDomainNonexistent" else found

    @property
    def safety(self) -> str | None:
        """Give SFTY, for example ``9.25`` for a first contact."""
        return self.values.get("SFTY")

    @property
    def allowed_by_list(self) -> bool:
        """Tell whether the tenant's IP Allow List let it skip filtering (IPV:CAL)."""
        return self.values.get("IPV") == "CAL"


def parse_report(text: str) -> AntispamReport:
    """Read X-Forefront-Antispam-Report or X-Microsoft-Antispam; of a repeated key the first counts. Nothing raises."""
    values: dict[str, str] = {}
    for piece in text[:MAX_FIELD].split(";"):
        key, colon, value = piece.strip().partition(":")
        if colon and _KEY.match(key):
            values.setdefault(key, value.strip())
    return AntispamReport(values)


class CompositeReason(StrEnum):
    """What the three digits after ``compauth`` mean. Source: reference exchange-online 4.2; data-formats 10.2."""

    EXPLICIT_FAILURE = "explicit-failure"  # 000: DMARC fails under quarantine or reject
    IMPLICIT_FAILURE = "implicit-failure"  # 001 and other 0xx: nothing published, or weak
    BLOCKED_PAIR = "blocked-pair"  # 002: an administrator blocks this pair
    OWN_DOMAIN_FAILURE = (
        "own-domain-failure"  # 010 and 6xx: the claimed domain is one of the organisation's own
    )
    PASSED = "passed"  # 1xx and 7xx
    SOFT_PASS = "soft-pass"  # noqa: S105 - a meaning, not a password (2xx)
    NOT_CHECKED = "not-checked"  # 3xx
    BYPASSED = "bypassed"  # 4xx and 9xx, among them 451 and 905: complex routing
    UNDOCUMENTED = "undocumented"


@dataclass(frozen=True, slots=True)
class CompositeAuthentication:
    """
    Microsoft's composite authentication.

    reason:  three digits, or None where they are missing.
    """

    result: str
    reason: str | None

    @property
    def meaning(self) -> CompositeReason:
        """Say what the reason stands for."""
        reason = self.reason or ""
        exact = {
            "000": CompositeReason.EXPLICIT_FAILURE,
            "002": CompositeReason.BLOCKED_PAIR,
            "010": CompositeReason.OWN_DOMAIN_FAILURE,
        }
        families = {
            "0": CompositeReason.IMPLICIT_FAILURE,
            "1": CompositeReason.PASSED,
            "2": CompositeReason.SOFT_PASS,
            "3": CompositeReason.NOT_CHECKED,
            "4": CompositeReason.BYPASSED,
            "6": CompositeReason.OWN_DOMAIN_FAILURE,
            "7": CompositeReason.PASSED,
            "9": CompositeReason.BYPASSED,
        }
        return exact.get(reason) or families.get(reason[:1], CompositeReason.UNDOCUMENTED)


def composite_authentication(authentication_results: str) -> CompositeAuthentication | None:
    """Find compauth in Exchange Online's Authentication-Results; None where it is not there."""
    found = _COMPAUTH.search(authentication_results[:MAX_FIELD])
    return CompositeAuthentication(found[1].lower(), found[2]) if found else None


@dataclass(frozen=True, slots=True)
class AttributedIp:
    """Who handed a message to a tenant's OnPremises connector. Source: reference exchange-online 4.8."""

    tenant_id: str
    client_ip: str | None
    ehlo: str


@dataclass(frozen=True, slots=True)
class ExchangeHeaders:
    """
    Exchange's own headers of one message; None where a header is not there, text as stamped.

    direct_send:          X-MS-Exchange-Organization-IsAnonymousDirectSend: decisive when there, never required.
    internal_org_sender:  the sender's address belongs to the organisation; with ``Incoming`` it is a spoof or Direct Send.
    network_message_id:   lower-case GUID, the key shared with traces and hunting tables.
    destination:          where the mailbox put it: ``I`` inbox, ``J`` junk, ``C`` a folder.
    Source: reference exchange-online 4.5 to 4.8.
    """

    auth_as: str | None = None
    auth_mechanism: str | None = None
    auth_source: str | None = None
    directionality: str | None = None
    scl: int | None = None
    network_message_id: str | None = None
    internal_org_sender: bool | None = None
    direct_send: bool | None = None
    mx_points_to_us: bool | None = None
    compauth: CompositeAuthentication | None = None
    tenant_id: str | None = None
    cross_tenant_auth_as: str | None = None
    from_entity: str | None = None
    attributed: AttributedIp | None = None
    arrived: str | None = None
    originator_org: str | None = None
    skip_listed_sender: str | None = None
    original_sender: str | None = None
    report: AntispamReport | None = None
    bulk_level: int | None = None
    destination: str | None = None
    delivery_reason: str | None = None


_ORG = "x-ms-exchange-organization-"
_CROSS = "x-ms-exchange-crosstenant-"


def read_exchange_headers(fields: Iterable[tuple[str, str]]) -> ExchangeHeaders:
    """
    Read Exchange's headers from (name, value) pairs, newest first; of a repeated header the first counts.

    Only headers of the organisation's own last hop can be believed; the caller passes that block alone. Copies renamed
    ``-Untrusted`` or ``-Original`` are other headers and are never read.
    """
    held: dict[str, str] = {}
    for name, value in fields:
        held.setdefault(name.strip().lower(), " ".join(value[:MAX_FIELD].split()))
    report = held.get("x-forefront-antispam-report")
    delivery = parse_report(held.get("x-microsoft-antispam-mailbox-delivery", "")).values
    message_id = held.get(f"{_ORG}network-message-id") or held.get(f"{_CROSS}network-message-id")
    message_id = message_id or held.get("x-ms-office365-filtering-correlation-id")
    return ExchangeHeaders(
        auth_as=held.get(f"{_ORG}authas"),
        auth_mechanism=held.get(f"{_ORG}authmechanism"),
        auth_source=held.get(f"{_ORG}authsource"),
        directionality=held.get(f"{_ORG}messagedirectionality"),
        scl=_number(held.get(f"{_ORG}scl")),
        network_message_id=message_id.strip("{}").lower() if message_id else None,
        internal_org_sender=_flag(held.get(f"{_ORG}internalorgsender")),
        direct_send=_flag(held.get(f"{_ORG}isanonymousdirectsend")),
        mx_points_to_us=_flag(held.get(f"{_ORG}mxpointstous")),
        compauth=_composite(held),
        tenant_id=held.get(f"{_CROSS}id"),
        cross_tenant_auth_as=held.get(f"{_CROSS}authas"),
        from_entity=held.get(f"{_CROSS}fromentityheader"),
        attributed=_attributed(held.get(f"{_CROSS}originalattributedtenantconnectingip", "")),
        arrived=held.get(f"{_CROSS}originalarrivaltime"),
        originator_org=held.get("x-originatororg"),
        skip_listed_sender=held.get("x-ms-exchange-skiplistedinternetsender"),
        original_sender=held.get("x-ms-exchange-externaloriginalinternetsender"),
        report=parse_report(report) if report is not None else None,
        bulk_level=_number(parse_report(held.get("x-microsoft-antispam", "")).values.get("BCL")),
        destination=delivery.get("dest"),
        delivery_reason=delivery.get("OFR"),
    )


def _composite(held: Mapping[str, str]) -> CompositeAuthentication | None:
    found = composite_authentication(held.get("authentication-results", ""))
    if found is not None:
        return found
    result = held.get(f"{_ORG}compauthres")
    return CompositeAuthentication(result.lower(), held.get(f"{_ORG}compauthreason")) if result else None


def _attributed(text: str) -> AttributedIp | None:
    found = _ATTRIBUTED.search(text)
    return AttributedIp((found[1] or "").lower(), client_address(found[2]), found[3]) if found else None


def _number(text: str | None) -> int | None:
    found = re.match(r"-?[0-9]{1,3}(?![0-9])", text) if text else None
    return int(found.group()) if found else None


def _flag(text: str | None) -> bool | None:
    return {"true": True, "false": False, "1": True, "0": False}.get((text or "").lower())
