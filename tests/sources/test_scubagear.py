"""ScubaGear exports of all versions: what was asked and empty, what was never asked, and which DNS name said what."""

import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import ConfigAnswer, ConfigObject, Gap
from portero.core.exchange.settings import ABSENT, prop
from portero.sources.document import Document, Note
from portero.sources.head import head_of
from portero.sources.scubagear import SOURCE

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples/tenant-config"
EXPORT = {"baseline_version": "1", "module_version": "1.8.0", "timestamp_zulu": "2026-05-04T17:15:48.307Z"}


def read(content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    document = Document("scuba.json", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    items = list(SOURCE.read(document))
    objects = [item for item in items if isinstance(item, ConfigObject)]
    answers = {item.cmdlet for item in items if isinstance(item, ConfigAnswer)}
    return objects, answers, items


@pytest.mark.parametrize("empty", [None, [], [None], {}])
def test_an_empty_key_is_an_answer_only_where_its_cmdlet_ran(empty):
    export = EXPORT | {"outbound_connectors": empty, "inbound_connectors": empty}
    _, answers, items = read(export | {"exo_successful_commands": ["Get-OutboundConnector"]})
    assert answers == {"Get-OutboundConnector"}
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert "Get-InboundConnector" in str(gap.reason)


@pytest.mark.parametrize(
    "value", [{"Name": "t", "AllowLegacyTLSClients": None}, [{"Name": "t", "AllowLegacyTLSClients": None}]]
)
def test_a_bare_object_is_a_list_of_one(value):
    objects, answers, _ = read(EXPORT | {"transport_config": value})
    assert (len(objects), answers) == (1, {"Get-TransportConfig"})
    assert prop(objects[0], "AllowLegacyTLSClients") is None
    assert prop(objects[0], "SmtpClientAuthenticationDisabled") is ABSENT


def test_a_failed_cmdlet_is_a_gap():
    _, _, items = read(EXPORT | {"exo_unsuccessful_commands": [["Get-TransportRule"]]})
    assert [str(item.reason) for item in items if isinstance(item, Gap)] == [
        "Get-TransportRule failed when ScubaGear ran it. Grant the role and run it again."
    ]


def dns(kind, *records):
    return Dns(item for item in read(EXPORT | {kind: list(records)})[2] if isinstance(item, DnsAnswer))


def asked(name, result, *answers):
    return {"query_name": name, "query_result": result} | (
        {"query_answers": list(answers)} if answers else {}
    )


def test_the_log_says_which_name_answered():
    gone = "Query returned NXDomain"
    held = dns(
        "dmarc_records",
        {
            "domain": "a.b.com",
            "rdata": ["v=DMARC1; p=none"],
            "log": [
                asked("_dmarc.a.b.com", gone),
                asked("_dmarc.b.com", "Query returned 1 txt records"),
            ],
        },
    )
    assert held.lookup("_dmarc.a.b.com", "TXT").status is DnsStatus.NXDOMAIN
    assert held.lookup("_dmarc.b.com", "TXT").answers == ("v=DMARC1; p=none",)
    assert held.lookup("_dmarc.b.com", "TXT").observed_at.year == 2026
    assert held.lookup("_dmarc.com", "TXT").status is DnsStatus.UNKNOWN


def test_an_answer_beats_an_absence_and_an_absence_a_failure():
    failed, gone, found = (
        "Query resulted in exception, x",
        "Query returned NXDomain",
        "Query returned 1 txt records",
    )
    log = [
        asked("a.com", gone),
        asked("a.com", found, "v=spf1 -all"),
        asked("b.com", failed),
        asked("b.com", gone),
        asked("c.com", failed),
    ]
    held = dns("spf_records", {"domain": "a.com", "rdata": [], "log": log})
    assert held.lookup("a.com", "TXT").answers == ("v=spf1 -all",)
    assert held.lookup("b.com", "TXT").status is DnsStatus.NXDOMAIN
    assert held.lookup("c.com", "TXT").status is DnsStatus.SERVFAIL


def test_records_that_were_returned_and_not_kept_are_unknown_rather_than_none():
    log = [asked("a.com", "Query returned 2 txt records")]
    assert (
        dns("spf_records", {"domain": "a.com", "rdata": [], "log": log}).lookup("a.com", "TXT").status
        is DnsStatus.UNKNOWN
    )
    log = [asked("a.com", "Query returned 0 txt records")]
    assert (
        dns("spf_records", {"domain": "a.com", "rdata": [], "log": log}).lookup("a.com", "TXT").status
        is DnsStatus.NOERROR
    )


def test_strings_of_a_key_are_joined_and_two_policies_stay_two():
    name = "selector1._domainkey.a.com"
    log = [asked(name, "Query returned 2 txt records")]
    held = dns("dkim_records", {"domain": "a.com", "rdata": ["v=DKIM1; p=AB", "CD;"], "log": log})
    assert held.lookup(name, "TXT").answers == ("v=DKIM1; p=ABCD;",)
    log = [asked("_dmarc.a.com", "Query returned 2 txt records")]
    held = dns(
        "dmarc_records", {"domain": "a.com", "rdata": ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "log": log}
    )
    assert len(held.lookup("_dmarc.a.com", "TXT").answers) == 2


def test_the_oldest_version_says_nothing_by_an_empty_text():
    held = dns(
        "dmarc_records", {"domain": "a.com", "rdata": ""}, {"domain": "b.com", "rdata": ["v=DMARC1; p=none"]}
    )
    assert held.lookup("_dmarc.a.com", "TXT").status is DnsStatus.UNKNOWN
    assert held.lookup("_dmarc.b.com", "TXT").status is DnsStatus.NOERROR


def test_verdicts_are_listed_and_not_used():
    objects, answers, items = read(
        {"MetaData": {"Tool": "ScubaGear", "ToolVersion": "1"}, "Results": {"EXO": []}}
    )
    assert (objects, answers, len(items)) == ([], set(), 1)
    assert isinstance(items[0], Note)


KEYS = [
    "inbound_connectors",
    "spf_records",
    "dkim_records",
    "exo_successful_commands",
    "domain",
    "rdata",
    "log",
    "query_name",
    "Name",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_no_content_raises(content):
    read(EXPORT | content)


def test_every_real_export_is_read():
    if not SAMPLES.is_dir():
        pytest.skip("the shared configuration samples are not beside this checkout")
    versions = sorted(SAMPLES.glob("scubagear-v[0-9]*.json"))
    assert len(versions) >= 10
    for path in versions:
        raw = path.read_bytes()
        objects, answers, items = read(raw)
        content = json.loads(raw)
        for key, cmdlet in (
            ("transport_rule", "Get-TransportRule"),
            ("protection_alerts", "Get-ProtectionAlert"),
        ):
            value = content[key] if isinstance(content[key], list) else [content[key]]
            assert sum(item.cmdlet == cmdlet for item in objects) == sum(1 for item in value if item), (
                path.name
            )
        assert "Get-OrganizationConfig" in answers
        assert all(prop(item, "RejectDirectSend") is ABSENT for item in objects), "ScubaGear leaves it out"
        assert not re.search(r"/Date\(", repr(objects))
        held = Dns(item for item in items if isinstance(item, DnsAnswer))
        spf = content["spf_records"] if isinstance(content["spf_records"], list) else [content["spf_records"]]
        for record in spf:
            assert set(held.lookup(record["domain"], "TXT").answers) == set(record["rdata"]), path.name
    for path in sorted(SAMPLES.glob("scubagear-verdicts-*.json")):
        assert [type(item) for item in read(path.read_bytes())[2]] == [Note]
