"""Exports have the letter of the real ones: encodings, quotes, dates, shapes."""

import csv
import gzip
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import timedelta
from functools import cache
from xml.etree import ElementTree

import pytest

from portero.proving import truth
from portero.proving.axes import Axes
from portero.proving.generate import generate
from portero.proving.ledger import ledger
from portero.proving.organisation import Organisation, Session
from portero.proving.writers import dmarc_reports, hunting, message_traces, name_service, tenant
from portero.proving.writers.export import files, witnesses

AXES = Axes(people=40, days=40, hybrid=True, mails_at_most=900, language="de", idn=True)


@cache
def organisation(**axes: object) -> Organisation:
    return generate(5, replace(AXES, **axes))  # type: ignore[arg-type]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_enhanced_is_utf_16_without_a_mark_and_one_row_a_mail() -> None:
    held = organisation()
    data = message_traces.enhanced(held, held.mails)
    assert not data.startswith(b"\xff\xfe")
    assert data[1:200:2] == bytes(100)
    rows = table(data.decode("utf-16-le"))
    assert len(rows) == len(held.mails)
    assert list(rows[0])[:3] == ["origin_timestamp_utc", "sender_address", "recipient_status"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", rows[0]["origin_timestamp_utc"])
    assert all("##Receive, " in row["recipient_status"] for row in rows)
    assert {row["directionality"] for row in rows} == {"Incoming", "Originating"}


def test_enhanced_forgets_addresses_after_ten_days() -> None:
    held = organisation()
    rows = table(message_traces.enhanced(held, held.mails).decode("utf-16-le"))
    mails = {mail.id: mail for mail in held.mails}
    for row in rows:
        mail = mails[row["network_message_id"]]
        fresh = held.end - mail.sent_at < timedelta(days=10)
        assert row["original_client_ip"] == ((mail.client_ip or "") if fresh else "")


def test_v2_quotes_every_field_and_doubles_inner_quotes() -> None:
    held = organisation()
    lines = message_traces.v2(held, held.mails).decode("utf-8").split("\r\n")
    assert lines[0].startswith('"MessageId","Received"')
    assert all(line.startswith('"') and line.endswith('"') for line in lines[:-1])
    assert any('""' in line.replace('"",', "").replace(',""', "") for line in lines)
    assert sum(len(mail.recipients) for mail in held.mails) == len(lines) - 2


def test_v2_rows_come_newest_first_and_submissions_have_no_address() -> None:
    held = organisation()
    rows = table(message_traces.v2(held, held.mails).decode("utf-8"))
    assert [row["Received"] for row in rows] == sorted((row["Received"] for row in rows), reverse=True)
    mails = {mail.id: mail for mail in held.mails}
    for row in rows:
        assert bool(row["FromIP"]) == (mails[row["MessageTraceId"]].session is Session.ANONYMOUS)


@pytest.mark.parametrize(
    ("language", "form"),
    [
        ("en", r"\d+/\d+/\d{4} \d+:\d\d:\d\d [AP]M"),
        ("es", r"\d+/\d+/\d{4} \d+:\d\d:\d\d"),
        ("de", r"\d\d\.\d\d\.\d{4} .*"),
    ],
)
def test_v2_dates_may_bear_the_computer_s_culture(language: str, form: str) -> None:
    held = organisation(language=language, dates="culture")
    rows = table(message_traces.v2(held, held.mails[:50]).decode("utf-8"))
    assert all(re.fullmatch(form, row["Received"]) for row in rows)


@pytest.mark.parametrize(("holds", "field"), [("p1", "mail_from"), ("p2", "header_from")])
def test_v2_s_sender_is_p1_or_p2_as_the_axis_says(holds: str, field: str) -> None:
    held = organisation(trace_sender=holds)
    rows = table(message_traces.v2(held, held.mails).decode("utf-8"))
    mails = {mail.id: mail for mail in held.mails}
    assert all(row["SenderAddress"] == (getattr(mails[row["MessageTraceId"]], field) or "<>") for row in rows)


def test_extended_has_its_27_columns_p1_and_the_session() -> None:
    held = organisation(null_sender=True)
    data = message_traces.extended(held, held.mails)
    assert data.startswith(b"\xff\xfe")
    rows = table(data.decode("utf-16"))
    assert len(rows[0]) == 27
    received = [row for row in rows if row["event_id"] == "RECEIVE"]
    assert {row["source"] for row in received} == {"SMTP", "STOREDRIVER"}
    assert any(row["return_path"] == "<>" for row in received)
    direct = [row for row in received if "S:FromEntity=Internet" in row["custom_data"]]
    assert direct
    assert all("S:ProxiedClientIPAddress=" in row["custom_data"] for row in direct)
    assert any("\\Default " in row["connector_id"] for row in direct)


def test_graph_pages_hold_a_thousand_and_link_onward() -> None:
    held = organisation()
    pages = [json.loads(page) for page in message_traces.graph(held, held.mails)]
    assert len(pages) > 1
    assert all("@odata.nextLink" in page for page in pages[:-1])
    assert "@odata.nextLink" not in pages[-1]
    assert [len(page["value"]) for page in pages[:-1]] == [1000] * (len(pages) - 1)
    assert {entry["status"] for page in pages for entry in page["value"]} >= {"delivered"}


def hunted(form: str) -> list[dict[str, object]]:
    held = organisation(hunting_form=form)
    ending, data = hunting.email_events(held, held.mails[:400])
    if ending == "csv":
        assert data.startswith(b"\xef\xbb\xbf")
        return [dict(row) for row in table(data.decode("utf-8-sig"))]
    if ending == "json":
        return json.loads(data)["results"]  # type: ignore[no-any-return]
    envelopes = [json.loads(line) for line in data.splitlines()]
    assert {envelope["category"] for envelope in envelopes} == {"AdvancedHunting-EmailEvents"}
    return [envelope["properties"] for envelope in envelopes]


def test_the_three_forms_of_email_events_say_the_same() -> None:
    forms = [hunted(form) for form in ("csv", "answer", "stream")]
    keys = [[(row["NetworkMessageId"], row["SenderMailFromAddress"] or "") for row in rows] for rows in forms]
    assert keys[0] == keys[1] == keys[2]


def test_email_events_name_connectors_and_results() -> None:
    rows = hunted("answer")
    assert {row["Connectors"] for row in rows} == {None, "Inbound from 7f3c"}
    results = [json.loads(str(row["AuthenticationDetails"])) for row in rows if row["AuthenticationDetails"]]
    assert all(set(result) == {"SPF", "DKIM", "DMARC", "CompAuth"} for result in results)
    assert {row["EmailDirection"] for row in rows} >= {"Inbound", "Intra-org"}


def test_the_connector_report_has_nuls_and_its_sender_fourth() -> None:
    held = organisation()
    data = hunting.connector_report(held, held.mails)
    rows = list(csv.reader(io.StringIO(data.decode("utf-16-le"))))
    assert b"\x00" in data
    assert all("@" in row[3] or row[3] in ("sender_address", "<>") for row in rows)
    unconnected = [
        m for m in held.mails if m.session is Session.ANONYMOUS and not truth.connector_of(held, m)
    ]
    assert len(rows) == len(unconnected) + 1


def test_powershell_7_writes_utf_8_lists_and_iso_dates() -> None:
    answers = tenant.configuration(organisation())
    data = answers["Get-InboundConnector.json"]
    [connector] = json.loads(data.decode("utf-8"))
    assert not data.startswith(b"\xef\xbb\xbf")
    assert connector["SenderDomains"] == ["smtp:*;1"]
    assert re.match(r"\d{4}-", connector["WhenChangedUTC"])


def test_windows_powershell_writes_utf_16_bare_objects_and_epochs() -> None:
    answers = tenant.configuration(organisation(configuration_shape="windows-powershell"))
    data = answers["Get-InboundConnector.json"]
    assert data.startswith(b"\xff\xfe")
    text = data.decode("utf-16")
    assert '":  ' in text
    connector = json.loads(text)
    assert isinstance(connector, dict)
    assert re.fullmatch(r"/Date\(\d+\)/", connector["WhenChangedUTC"])


@pytest.mark.parametrize(("chosen", "held"), [("full", True), ("without-connectors", False)])
def test_connectors_may_be_missing_from_the_export(chosen: str, held: bool) -> None:
    answers = tenant.configuration(organisation(configuration=chosen))
    assert ("Get-InboundConnector.json" in answers) == held
    assert "Get-AcceptedDomain.json" in answers
    assert tenant.configuration(organisation(configuration="none")) == {}


def test_dns_says_the_same_as_zone_and_as_lines() -> None:
    held = organisation(policy="quarantine")
    name = held.domain.ascii_name
    lines = [json.loads(line) for line in name_service.json_lines(held).splitlines()]
    dmarc = next(line for line in lines if line["name"] == f"_dmarc.{name}")
    assert dmarc == {
        "name": f"_dmarc.{name}",
        "type": "TXT",
        "answers": ["v=DMARC1; p=quarantine"],
        "status": "NOERROR",
    }
    zone = name_service.zones(held)[f"{name}.zone"].decode("utf-8")
    assert '_dmarc IN TXT "v=DMARC1; p=quarantine"' in zone
    assert f"@ IN MX 0 {name.replace('.', '-')}.mail.protection.outlook.com." in zone
    strings = re.findall(r'"([^"]*)"', next(line for line in zone.splitlines() if "v=spf1" in line))
    assert "".join(strings) == held.domain.spf
    assert all(len(text) <= 255 for text in strings)


def test_a_domain_without_policy_is_answered_by_nxdomain() -> None:
    lines = [json.loads(line) for line in name_service.json_lines(organisation(policy=None)).splitlines()]
    assert {line["status"] for line in lines if line["name"].startswith("_dmarc.")} == {"NXDOMAIN"}


def unpacked(name: str, data: bytes) -> ElementTree.Element:
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return ElementTree.fromstring(archive.read(archive.namelist()[0]))
    return ElementTree.fromstring(gzip.decompress(data))


def test_exchange_online_reports_what_it_took_in_our_name() -> None:
    held = organisation()
    reports = dmarc_reports.reports(held)
    roots = [unpacked(name, data) for name, data in reports.items()]
    assert {root.findtext("report_metadata/org_name") for root in roots} == {
        "Enterprise Outlook",
        "google.com",
        "Yahoo",
    }
    counted = sum(
        int(str(row.findtext("row/count")))
        for root in roots
        if root.findtext("report_metadata/org_name") == "Enterprise Outlook"
        for row in root.iter("record")
    )
    seen = witnesses(held)
    assert counted == sum("dmarc" in documents for documents in seen.values()) > 0


def test_a_gateway_silences_exchange_s_own_reports() -> None:
    held = organisation(mx="gateway")
    reporters = {
        unpacked(name, data).findtext("report_metadata/org_name")
        for name, data in dmarc_reports.reports(held).items()
    }
    assert "Enterprise Outlook" not in reporters


@pytest.mark.parametrize(
    ("traces", "present"),
    [
        ("v2", {"v2"}),
        ("enhanced+v2", {"enhanced", "v2"}),
        ("dmarc", set()),
    ],
)
def test_only_the_chosen_traces_are_witnesses(traces: str, present: set[str]) -> None:
    held = organisation(traces=traces, reports=False)
    assert set().union(*witnesses(held).values()) - {"dmarc"} == present
    names = "".join(files(held))
    assert ("enhanced" in names) == ("enhanced" in present)
    assert ("message-trace-v2" in names) == ("v2" in present)


def test_hunting_reaches_back_thirty_days_only() -> None:
    held = organisation(traces="email-events+v2")
    seen = witnesses(held)
    for mail in held.mails:
        assert ("email-events" in seen[mail.id]) == (held.end - mail.sent_at < timedelta(days=30))


def test_the_connector_report_is_a_witness_of_what_it_holds_and_shows_its_address() -> None:
    held = organisation(traces="v2", reports=False, addresses_lost=True, connector_report=True)
    rows = files(held)["trace/ConnectorReport.csv"].replace(b"\0", b"").decode("utf-8", "replace")
    seen = witnesses(held)
    shown = {mail["id"]: mail["client_ip"] for mail in ledger(held)["mails"]}  # type: ignore[attr-defined]
    for mail in held.mails:
        assert ("connector-report" in seen[mail.id]) == (mail.id in rows)
        if mail.id in shown:
            assert shown[mail.id] == (mail.client_ip if mail.id in rows else None)
