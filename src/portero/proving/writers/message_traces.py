"""Message traces in their four forms: Get-MessageTraceV2, Graph, Enhanced summary and Extended.

Source: reference data-formats 3.1, 4, 5.2, 5.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from portero.proving import truth
from portero.proving.organisation import Mail, Organisation, Session
from portero.proving.writers.text_forms import culture, iso, json_bytes, powershell_csv, service_csv

_PAGE = 1000
_ADDRESS_KEPT = timedelta(days=10)
_STATUS = {"delivered": "Delivered", "junked": "FilteredAsSpam", "quarantined": "Quarantined"}
_GRAPH_STATUS = {"delivered": "delivered", "junked": "filteredAsSpam", "quarantined": "quarantined"}
_V2 = [
    "MessageId",
    "Received",
    "SenderAddress",
    "RecipientAddress",
    "Subject",
    "Status",
    "ToIP",
    "FromIP",
    "Size",
    "MessageTraceId",
]
_ENHANCED = [
    "origin_timestamp_utc",
    "sender_address",
    "recipient_status",
    "message_subject",
    "total_bytes",
    "message_id",
    "network_message_id",
    "original_client_ip",
    "directionality",
    "connector_id",
    "delivery_priority",
]
_EXTENDED = [
    "date_time_utc",
    "client_ip",
    "client_hostname",
    "server_ip",
    "server_hostname",
    "source_context",
    "connector_id",
    "source",
    "event_id",
    "internal_message_id",
    "message_id",
    "network_message_id",
    "recipient_address",
    "recipient_status",
    "total_bytes",
    "recipient_count",
    "related_recipient_address",
    "reference",
    "message_subject",
    "sender_address",
    "return_path",
    "message_info",
    "directionality",
    "tenant_id",
    "original_client_ip",
    "original_server_ip",
    "custom_data",
]
_SERVER = "AM9PR01MB7421"
_TENANT = "5f1c9f0e-6b0f-4c55-9a0e-0d3f3f6b7a10"


def traced_sender(organisation: Organisation, mail: Mail) -> str:
    """Give what the summary's one sender column holds; no page says whether it is P1 or P2."""
    return mail.mail_from or "<>" if organisation.axes.get("trace_sender") == "p1" else mail.header_from


def v2(organisation: Organisation, mails: Sequence[Mail]) -> bytes:
    """Give the CSV of Get-MessageTraceV2: newest first, a row for each recipient, FromIP only for mail from outside."""

    def rows() -> Iterator[list[object]]:
        for mail in reversed(mails):
            when = (
                culture(mail.sent_at, organisation.language)
                if organisation.axes.get("dates") == "culture"
                else iso(mail.sent_at)
            )
            sender, from_ip = traced_sender(organisation, mail), _from_ip(organisation, mail)
            for recipient in mail.recipients:
                yield [
                    f"<{mail.message_id}>", when, sender, recipient, mail.subject, _STATUS[mail.outcome],
                    None, from_ip, mail.size_octets, mail.id,
                ]  # fmt: skip

    return powershell_csv(_V2, rows())


def graph(organisation: Organisation, mails: Sequence[Mail]) -> list[bytes]:
    """Give the pages of Graph's messageTraces, a thousand entries each."""
    entries: list[dict[str, object]] = [
        {
            "id": mail.id,
            "senderAddress": traced_sender(organisation, mail),
            "recipientAddress": recipient,
            "messageId": f"<{mail.message_id}>",
            "receivedDateTime": iso(mail.sent_at),
            "subject": mail.subject,
            "size": mail.size_octets,
            "fromIP": _from_ip(organisation, mail),
            "toIP": None,
            "status": _GRAPH_STATUS[mail.outcome],
        }
        for mail in reversed(mails)
        for recipient in mail.recipients
    ]
    root = "https://graph.microsoft.com/v1.0"
    pages = []
    for first in range(0, max(len(entries), 1), _PAGE):
        page: dict[str, object] = {"@odata.context": f"{root}/$metadata#admin/exchange/tracing/messageTraces"}
        if first + _PAGE < len(entries):
            page["@odata.nextLink"] = (
                f"{root}/admin/exchange/tracing/messageTraces?$skiptoken={first + _PAGE}"
            )
        page["value"] = entries[first : first + _PAGE]
        pages.append(json_bytes(page, indent=None))
    return pages


def enhanced(organisation: Organisation, mails: Sequence[Mail]) -> bytes:
    """Give the Enhanced summary: one row a mail, P2 as sender, UTF-16LE without BOM, addresses gone after ten days."""

    def rows() -> Iterator[list[object]]:
        for mail in reversed(mails):
            verb = "Deliver" if mail.outcome != "quarantined" else "Fail"
            fresh = organisation.end - mail.sent_at < _ADDRESS_KEPT
            yield [
                iso(mail.sent_at),
                mail.header_from,
                ";".join(f"{recipient}##Receive, {verb}" for recipient in mail.recipients),
                mail.subject,
                mail.size_octets,
                f"<{mail.message_id}>",
                mail.id,
                _client_ip(organisation, mail) if fresh else "",
                direction(organisation, mail),
                _connector(organisation, mail),
                "Normal",
            ]

    return service_csv(_ENHANCED, rows())


def extended(organisation: Organisation, mails: Sequence[Mail]) -> bytes:
    """Give the Extended report: a row for each event, with P1 in return_path and the session in custom_data."""
    events = (row for number, mail in enumerate(mails) for row in _events(organisation, mail, number))
    return service_csv(_EXTENDED, events, bom=True)


def _events(organisation: Organisation, mail: Mail, number: int) -> Iterator[list[object]]:
    anonymous = mail.session is Session.ANONYMOUS
    client = _client_ip(organisation, mail)
    connector = _connector(organisation, mail) or (f"{_SERVER}\\Default {_SERVER}" if anonymous else "")
    session = (
        f"S:ProxyHop1=AMS0EPF00000A1.eurprd05.prod.outlook.com(10.167.16.1);S:FirstForestHop={_SERVER}.eurprd01;"
        f"S:FromEntity=Internet;S:ProxiedClientIPAddress={client};S:ProxiedClientHostname={mail.ehlo or ''};"
        "S:DeliveryPriority=Normal"
        if anonymous
        else "S:FromEntity=Hosted;S:DeliveryPriority=Normal"
    )
    verdict = "SPM" if mail.outcome != "delivered" else "NSPM"
    agents = (
        f"S:AMA=SUM|v=0|action=|error=|atch=0;S:SFA=SUM|SFV={verdict}|IPV=NLI|SRV=|SCL=1|CIP={client}|"
        f"H={mail.ehlo or ''}|CTRY=|LANG={organisation.language}"
    )
    arrived = "STOREDRIVER" if mail.session is Session.MAILBOX else "SMTP"
    for seconds, source, event, detail, peer in (
        (0, arrived, "RECEIVE", session, client),
        (1, "AGENT", "AGENTINFO", agents, ""),
        (3, "STOREDRIVER", "DELIVER", "S:E2ELatency=3", ""),
    ):
        yield [
            iso(mail.sent_at + timedelta(seconds=seconds)),
            peer,
            mail.ehlo if event == "RECEIVE" else "",
            "10.167.16.9",
            f"{_SERVER}.eurprd01.prod.outlook.com",
            "",
            connector if event == "RECEIVE" else "",
            source,
            event,
            700_000_000 + number,
            f"<{mail.message_id}>",
            mail.id,
            ";".join(mail.recipients),
            "",
            mail.size_octets,
            len(mail.recipients),
            "",
            "",
            mail.subject,
            mail.header_from,
            mail.mail_from or "<>",
            iso(mail.sent_at),
            direction(organisation, mail),
            _TENANT,
            client,
            "",
            detail,
        ]


def direction(organisation: Organisation, mail: Mail) -> str:
    """Give Exchange's directionality: an OnPremises connector's mail is Originating too (reference 1.5)."""
    return (
        "Originating"
        if truth.on_premises(organisation, mail) or mail.session is not Session.ANONYMOUS
        else "Incoming"
    )


def _connector(organisation: Organisation, mail: Mail) -> str:
    named = truth.connector_of(organisation, mail)
    if named or mail.session is not Session.ANONYMOUS or not organisation.axes.get("default_receive_name"):
        return named or ""
    return f"{_SERVER}\\Default {_SERVER}"


def _client_ip(organisation: Organisation, mail: Mail) -> str:
    return "" if organisation.axes.get("addresses_lost") else mail.client_ip or ""


def _from_ip(organisation: Organisation, mail: Mail) -> str | None:
    """FromIP is empty for submissions. Source: reference data-formats 3.2."""
    return _client_ip(organisation, mail) or None if mail.session is Session.ANONYMOUS else None
