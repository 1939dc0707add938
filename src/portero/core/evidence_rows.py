"""The evidence tables: the columns that every source writes its rows in."""

from __future__ import annotations

import pyarrow as pa

# One row per witness, mail and (where the source has one row per recipient) recipient.
# null = the source does not know; "" = the source knows that there is none.
MAIL_ROWS = pa.schema(
    [
        pa.field("document", pa.int32()),  # index of the document within the run
        pa.field("line", pa.int64()),  # see Origin.line
        pa.field("witness", pa.string()),  # id of the source, e.g. message-trace-v2
        pa.field("network_message_id", pa.string()),  # Exchange's own id: lower-case GUID without braces
        pa.field("message_id", pa.string()),  # the header, chosen by the sender: unescaped, without <>
        pa.field("observed_at", pa.timestamp("us")),  # UTC, without zone
        pa.field("sender", pa.string()),  # "sender as traced", of which nobody says whether it is P1 or P2
        pa.field("mail_from", pa.string()),  # P1; "" is the null reverse-path
        pa.field("header_from", pa.string()),  # P2, the mailbox only
        pa.field("display_name", pa.string()),  # P2's display name
        pa.field("recipients", pa.string()),  # mailboxes joined by ";"
        pa.field("client_ip", pa.string()),  # as written; "" = the source says there was none
        pa.field("ehlo", pa.string()),
        pa.field("ptr", pa.string()),
        pa.field(
            "connector", pa.string()
        ),  # inbound connector's name; "" = none; default receive paths give ""
        pa.field("direction", pa.string()),  # incoming | originating
        pa.field("spf", pa.string()),  # RFC 8601 result words, lower case
        pa.field("dkim", pa.string()),
        pa.field("dkim_domain", pa.string()),
        pa.field("dmarc", pa.string()),
        pa.field("compauth", pa.string()),  # pass | fail | softpass | none
        pa.field("compauth_reason", pa.string()),  # three digits
        pa.field(
            "outcome", pa.string()
        ),  # delivered | junked | quarantined | blocked | failed | pending | expanded
        pa.field(
            "threat", pa.string()
        ),  # what the filter called it: phish | spoof | spam | malware; "" = nothing
        pa.field("subject", pa.string()),
        pa.field("size_octets", pa.int64()),
    ]
)

# One row per record of a DMARC aggregate report (RFC 7489 appendix C, RFC 9990).
REPORT_ROWS = pa.schema(
    [
        pa.field("document", pa.int32()),
        pa.field("line", pa.int64()),  # 1-based number of the record in its report
        pa.field("reporter", pa.string()),  # org_name
        pa.field("report_id", pa.string()),
        pa.field("begin_at", pa.timestamp("us")),
        pa.field("end_at", pa.timestamp("us")),
        pa.field("policy_domain", pa.string()),
        pa.field("policy", pa.string()),  # p as published: none | quarantine | reject
        pa.field("source_ip", pa.string()),
        pa.field("mails", pa.int64()),
        pa.field("disposition", pa.string()),
        pa.field("aligned_dkim", pa.string()),  # pass | fail
        pa.field("aligned_spf", pa.string()),
        pa.field("override_reason", pa.string()),  # types joined by ";"
        pa.field("header_from", pa.string()),  # a domain
        pa.field("envelope_from", pa.string()),  # a domain; "" = null reverse-path; null = not reported
        pa.field("envelope_to", pa.string()),  # a domain
        pa.field("dkim_domain", pa.string()),  # d= of a passing signature, else of the first
        pa.field("dkim_result", pa.string()),
        pa.field("spf_domain", pa.string()),
        pa.field("spf_result", pa.string()),
    ]
)

# One row per connection to a mail port, or per mail or attempt that a relay inside the organisation logged.
# null = the log does not say; "" = it says that there is none.
SESSION_ROWS = pa.schema(
    [
        pa.field("document", pa.int32()),
        pa.field("line", pa.int64()),
        pa.field("witness", pa.string()),
        pa.field(
            "observed_at", pa.timestamp("us")
        ),  # UTC; null where the log names no zone, then see local_at
        pa.field("local_at", pa.timestamp("us")),  # the log's own clock, where it names no zone
        # null = the client's own connection to the server; else the relay that took its mail and passed it on there
        pa.field("relay", pa.string()),
        pa.field("client_ip", pa.string()),  # who opened it, as seen inside: before any translation
        pa.field("client_name", pa.string()),
        pa.field("client_mac", pa.string()),  # twelve digits, lower case, as "00:11:22:33:44:55"
        pa.field("egress_ip", pa.string()),  # the client's address after translation; "" = not translated
        pa.field("server_ip", pa.string()),
        pa.field("server_name", pa.string()),
        pa.field("server_port", pa.int64()),
        pa.field("verdict", pa.string()),  # opened | denied | unanswered
        pa.field("sessions", pa.int64()),  # connections that the row stands for
        pa.field(
            "octets", pa.int64()
        ),  # client to server, headers of lower layers included where the log counts them
        pa.field("ehlo", pa.string()),
        pa.field("mail_from", pa.string()),
        pa.field("header_from", pa.string()),
        pa.field("recipients", pa.string()),
        pa.field("message_id", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("reply", pa.string()),  # the server's last answer
    ]
)

# One row per statement about an address inside the organisation: a lease, or a row of an address plan.
HOST_ROWS = pa.schema(
    [
        pa.field("document", pa.int32()),
        pa.field("line", pa.int64()),
        pa.field("witness", pa.string()),
        pa.field("observed_at", pa.timestamp("us")),  # from when it holds; see SESSION_ROWS
        pa.field("local_at", pa.timestamp("us")),
        pa.field("until_at", pa.timestamp("us")),  # until when, by the same clock; null = open
        pa.field("address", pa.string()),
        pa.field("mac", pa.string()),
        pa.field("name", pa.string()),
        pa.field("maker", pa.string()),  # what the device says of itself: DHCP vendor class, asset list
        pa.field("remark", pa.string()),
        pa.field("owner", pa.string()),
    ]
)

TABLES: dict[str, pa.Schema] = {
    "mail_rows": MAIL_ROWS,
    "report_rows": REPORT_ROWS,
    "session_rows": SESSION_ROWS,
    "host_rows": HOST_ROWS,
}


def texts(cells: pa.Array) -> pa.Array:
    """Give a column of strings as such, where it comes as a dictionary array too."""
    return cells.cast(pa.string()) if pa.types.is_dictionary(cells.type) else cells
