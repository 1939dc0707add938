"""EmailEvents of Defender XDR in its three forms, and the ConnectorReport. Source: reference data-formats 5.4, 8."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from portero.proving import truth
from portero.proving.organisation import Mail, Organisation, Session
from portero.proving.writers.text_forms import iso, json_bytes, plain_csv, service_csv

_TENANT = "5f1c9f0e-6b0f-4c55-9a0e-0d3f3f6b7a10"
_TYPES = {"Timestamp": "DateTime", "EmailSize": "Int32"}
_PLACES = {
    "delivered": ("Delivered", "Inbox/folder", None),
    "junked": ("Junked", "Junk folder", "Phish, Spoof"),
    "quarantined": ("Blocked", "Quarantine", "Phish"),
}


def email_events(organisation: Organisation, mails: Sequence[Mail]) -> tuple[str, bytes]:
    """Give file ending and bytes in the form that the axis ``hunting_form`` names."""
    rows = list(_rows(organisation, mails))
    form = organisation.axes.get("hunting_form", "csv")
    if form == "answer":
        schema = [{"name": name, "type": _TYPES.get(name, "String")} for name in (rows[0] if rows else ())]
        return "json", json_bytes({"schema": schema, "results": rows}, indent=None)
    if form == "stream":
        return "jsonl", b"".join(json_bytes(_envelope(row), indent=None) + b"\n" for row in rows)
    header = (
        list(rows[0])
        if rows
        else ["Timestamp", "NetworkMessageId", "SenderMailFromAddress", "SenderFromAddress"]
    )
    return "csv", plain_csv(header, ([row[name] for name in header] for row in rows))


def _envelope(row: dict[str, object]) -> dict[str, object]:
    return {
        "time": row["Timestamp"],
        "tenantId": _TENANT,
        "operationName": "Publish",
        "category": "AdvancedHunting-EmailEvents",
        "_TimeReceivedBySvc": row["Timestamp"],
        "properties": {**row, "To": [row["RecipientEmailAddress"]], "Cc": []},
        "Tenant": "DefaultTenant",
    }


def _rows(organisation: Organisation, mails: Sequence[Mail]) -> Iterator[dict[str, object]]:
    for mail in mails:
        v4, v6 = _addresses(organisation, mail)
        action, location, threat = _PLACES[mail.outcome]
        for recipient in mail.recipients:
            yield {
                "Timestamp": iso(mail.sent_at, 0),
                "NetworkMessageId": mail.id,
                "InternetMessageId": f"<{mail.message_id}>",
                "SenderMailFromAddress": mail.mail_from,
                "SenderMailFromDomain": truth.ascii_domain(mail.mail_from),
                "SenderFromAddress": mail.header_from,
                "SenderFromDomain": truth.ascii_domain(mail.header_from),
                "SenderDisplayName": mail.display_name or None,
                "SenderIPv4": v4,
                "SenderIPv6": v6,
                "RecipientEmailAddress": recipient,
                "Subject": mail.subject,
                "EmailDirection": _direction(organisation, mail, recipient),
                "DeliveryAction": action,
                "DeliveryLocation": location,
                "ThreatTypes": threat,
                "AuthenticationDetails": _authentication(organisation, mail),
                "Connectors": truth.connector_of(organisation, mail),
                "EmailSize": mail.size_octets,
            }


def _addresses(organisation: Organisation, mail: Mail) -> tuple[str | None, str | None]:
    address = None if organisation.axes.get("addresses_lost") else mail.client_ip
    if address is None or ":" in address:
        return None, address
    return address, None


def _direction(organisation: Organisation, mail: Mail, recipient: str) -> str:
    if mail.session is Session.ANONYMOUS and not truth.connector_of(organisation, mail):
        return "Inbound"
    inside = any(truth.ascii_domain(recipient) == held.ascii_name for held in organisation.domains)
    ours = any(truth.ascii_domain(mail.mail_from) == held.ascii_name for held in organisation.domains)
    if not inside:
        return "Outbound"
    return "Intra-org" if ours else "Inbound"


def _authentication(organisation: Organisation, mail: Mail) -> str | None:
    if mail.session is not Session.ANONYMOUS:
        return None
    passes = truth.dmarc_passes(mail)
    published = any(held.policy for held in organisation.domains) or not truth.names_us(organisation, mail)
    composite = "pass" if passes else "none" if organisation.mx == "gateway" else "fail"
    dmarc = ("pass" if passes else "fail") if published else ("bestguesspass" if passes else "none")
    return json.dumps(
        {"SPF": mail.spf, "DKIM": mail.dkim, "DMARC": dmarc, "CompAuth": composite}, separators=(",", ":")
    )


def connector_report(organisation: Organisation, mails: Sequence[Mail]) -> bytes:
    """Give the ConnectorReport of mail that no connector took; its sender column is the fourth, the rest is a guess."""
    header = "date_time_utc message_id network_message_id sender_address recipient_address client_ip direction tls_version"
    return service_csv(
        header.split(),
        (
            [
                iso(mail.sent_at), f"<{mail.message_id}>", mail.id, mail.mail_from or "<>", ";".join(mail.recipients),
                mail.client_ip or "", "Received", "TLS1.2",
            ]
            for mail in mails
            if in_connector_report(organisation, mail)
        ),
    )  # fmt: skip


def in_connector_report(organisation: Organisation, mail: Mail) -> bool:
    """Tell whether the ConnectorReport holds a mail."""
    return mail.session is Session.ANONYMOUS and not truth.connector_of(organisation, mail)
