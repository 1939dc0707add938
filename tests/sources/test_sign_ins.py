"""Sign-in logs: who signs in by SMTP, from where, and how."""

import json
from datetime import UTC, datetime

import pytest

from portero.core.controls import apply_controls, parse_control
from portero.core.exchange.attribution import By, Seen, attribute
from portero.core.exchange.settings import AcceptedDomain, Settings, Tenant, read_settings
from portero.core.exchange.submission import submission
from portero.sources.sign_ins import SOURCE
from support.flows import flow
from support.reading import reading, table

SIGN_IN = {
    "createdDateTime": "2026-11-20T10:00:00Z",
    "userPrincipalName": "Scan@contoso.com",
    "ipAddress": "203.0.113.8",
    "clientAppUsed": "Authenticated SMTP",
    "status": {"errorCode": 0, "failureReason": "Other."},
    "authenticationProtocol": "ropc",
}


def test_graph_sign_ins_by_mailbox_and_address():
    later = SIGN_IN | {"createdDateTime": "2026-11-21T10:00:00Z"}
    failed = SIGN_IN | {"status": {"errorCode": 50126, "failureReason": "x"}}
    other = SIGN_IN | {"clientAppUsed": "Browser"}
    found = reading(SOURCE, json.dumps({"value": [SIGN_IN, later, failed, other]}))
    (use,) = found.others
    assert use.properties["Uses"] == 2
    assert use.properties["LastSeen"] == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert (found.counted.rows, len(found.notes)) == (4, 2)
    settings = read_settings(Tenant(found.others))
    assert settings.smtp_auth_clients == {"scan@contoso.com": {"203.0.113.8": "basic"}}


def test_the_portals_table():
    row = {
        "Date (UTC)": "2026-11-20T10:00:00Z",
        "Username": "scan@contoso.com",
        "IP address": "203.0.113.8",
        "Client app": "Authenticated SMTP",
        "Status": "Success",
    }
    found = reading(SOURCE, table([row, row | {"Status": "Failure"}]))
    (use,) = found.others
    assert (use.properties["Protocol"], use.properties["Uses"]) == (None, 1)


@pytest.mark.parametrize(
    ("protocol", "effect"), [("ropc", "refused"), ("oAuth2", "kept"), ("", "undetermined")]
)
def test_closing_basic_is_decided_by_what_signed_in_from_the_address(protocol, effect):
    found = reading(SOURCE, json.dumps([SIGN_IN | {"authenticationProtocol": protocol}]))
    settings = apply_controls(
        read_settings(Tenant(found.others), ["contoso.com"]), [parse_control("smtp-basic-off")]
    )
    sent = flow(client_ip="203.0.113.8", header_from="scan@contoso.com", direction="originating")
    assert submission(sent.key, attribute(sent, settings, Seen()), settings).effect.value == effect


def test_a_summary_alone_does_not_tell_submission_from_direct_send():
    found = reading(SOURCE, json.dumps([SIGN_IN]))
    known = read_settings(Tenant(found.others), ["contoso.com"])
    settings = Settings(
        accepted_domains=(AcceptedDomain("contoso.com"),),
        inbound_connectors=(),
        smtp_auth_clients=known.smtp_auth_clients,
    )
    seen = flow(client_ip="203.0.113.8", sender="scan@contoso.com")
    assert attribute(seen, settings, Seen()).by is By.UNKNOWN
    elsewhere = flow(client_ip="203.0.113.9", sender="scan@contoso.com")
    assert attribute(elsewhere, settings, Seen()).by is By.NONE
