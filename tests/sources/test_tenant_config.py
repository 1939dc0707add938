"""Cmdlet answers in every shape PowerShell and the REST interface give them; null, absent and false stay apart."""

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.core.evidence import ConfigAnswer, ConfigObject, Gap
from portero.core.exchange.settings import ABSENT, Tenant, flag, read_settings
from portero.sources.document import Document
from portero.sources.head import head_of
from portero.sources.scubagear import SOURCE as SCUBAGEAR
from portero.sources.tenant_config import SOURCE

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples"
CONNECTOR = {
    "Name": "Gateway",
    "Enabled": True,
    "ConnectorType": "Partner",
    "SenderDomains": ["smtp:*;1"],
    "SenderIPAddresses": ["192.0.2.0/24"],
    "RestrictDomainsToIPAddresses": False,
    "TlsSenderCertificateName": None,
    "WhenChanged": "/Date(1772500523000)/",
}


def read(content, name="export.json"):
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    document = Document(name, head_of(content), lambda: io.BytesIO(content), len(content))
    assert SOURCE.recognise(document.head)
    items = list(SOURCE.read(document))
    objects = [item for item in items if isinstance(item, ConfigObject)]
    answers = {item.cmdlet: item.complete for item in items if isinstance(item, ConfigAnswer)}
    return objects, answers, [str(item.reason) for item in items if isinstance(item, Gap)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(
    "shape",
    [
        CONNECTOR,
        [CONNECTOR],
        {"value": [CONNECTOR], "Count": 1},
        {"@odata.context": "x", "@adminapi.warnings": [], "value": [CONNECTOR]},
        {"Get-InboundConnector": CONNECTOR},
        {"anything": CONNECTOR},
    ],
)
def test_every_wrapping_gives_the_same_connector(shape, encoding):
    objects, answers, gaps = read(json.dumps(shape).encode(encoding))
    (found,) = objects
    assert (found.cmdlet, answers, gaps) == ("Get-InboundConnector", {"Get-InboundConnector": True}, [])
    assert found.properties["WhenChanged"] == "2026-03-03T01:15:23Z"
    assert found.properties["TlsSenderCertificateName"] is None
    assert flag(found, "RestrictDomainsToIPAddresses") is False
    assert flag(found, "RestrictDomainsToCertificate") is ABSENT


def test_null_absent_and_false_of_direct_send_stay_apart():
    for written, expected in (
        ({"RejectDirectSend": None}, None),
        ({"RejectDirectSend": False}, False),
        ({}, ABSENT),
    ):
        objects, _, _ = read({"Name": "contoso.onmicrosoft.com", "IPListBlocked": []} | written)
        assert objects[0].cmdlet == "Get-OrganizationConfig"
        assert flag(objects[0], "RejectDirectSend") is expected


@pytest.mark.parametrize(
    ("properties", "cmdlet"),
    [
        ({"RejectDirectSend": True}, "Get-OrganizationConfig"),
        ({"SmtpClientAuthenticationDisabled": True}, "Get-TransportConfig"),
        ({"SmtpClientAuthenticationDisabled": None, "PrimarySmtpAddress": "a@x.com"}, "Get-CASMailbox"),
        (
            {
                "Name": "ExchangeOnlineEnterprise-1",
                "SmtpClientAuthenticationDisabled": None,
                "ImapEnabled": True,
            },
            "Get-CASMailboxPlan",
        ),
        ({"DomainName": "x.com", "DomainType": "Authoritative"}, "Get-AcceptedDomain"),
        ({"DomainName": "*", "AllowedOOFType": "External"}, "Get-RemoteDomain"),
        (
            {"SpoofedUser": "x", "SendingInfrastructure": "y", "SpoofType": "Internal"},
            "Get-TenantAllowBlockListSpoofItems",
        ),
        (
            {"SpoofedUser": "x", "SendingInfrastructure": "y", "MessageCount": 3},
            "Get-SpoofIntelligenceInsight",
        ),
        ({"HostedContentFilterPolicy": "x", "State": "Enabled"}, "Get-HostedContentFilterRule"),
        (
            {"HostedContentFilterPolicy": "x", "AntiPhishPolicy": "y", "State": "Enabled"},
            "Get-EOPProtectionPolicyRule",
        ),
        ({"AntiPhishPolicy": "y", "State": "Enabled"}, "Get-AntiPhishRule"),
        ({"Identity": "g", "Enabled": True, "AllowList": []}, "Get-ExternalInOutlook"),
        ({"Identity": "Default", "ArcTrustedSealers": "a,b"}, "Get-ArcConfig"),
        ({"AutoForwardingMode": "Off"}, "Get-HostedOutboundSpamFilterPolicy"),
        ({"ForwardingSmtpAddress": None, "Name": "a"}, "Get-Mailbox"),
        ({"Identity": "Block", "AllowBasicAuthSmtp": False}, "Get-AuthenticationPolicy"),
        ({"AppId": "a", "ObjectId": "b", "DisplayName": "c"}, "Get-ServicePrincipal"),
        ({"AppId": "a", "AccessRight": "RestrictAccess", "ScopeName": "c"}, "Get-ApplicationAccessPolicy"),
        ({"HighestPriorityMailhost": "h", "Domain": "x"}, "Get-MxRecordReport"),
        ({"Name": "r", "State": "Enabled", "Mode": "Audit", "Priority": 0}, "Get-TransportRule"),
    ],
)
def test_a_few_properties_tell_the_cmdlet(properties, cmdlet):
    assert [item.cmdlet for item in read(properties)[0]] == [cmdlet]


def test_a_file_of_several_answers_keeps_the_empty_ones():
    objects, answers, gaps = read(
        {
            "Get-InboundConnector": [],
            "Get-OutboundConnector": None,
            "AcceptedDomains": [{"DomainName": "x", "DomainType": 0}],
        }
    )
    assert answers == {
        "Get-InboundConnector": True,
        "Get-OutboundConnector": True,
        "Get-AcceptedDomain": True,
    }
    assert objects[0].properties["DomainType"] == "Authoritative"
    assert gaps == []


@pytest.mark.parametrize("text", ["[]", "null", "[null]", '{"value": [], "Count": 0}'])
def test_an_empty_answer_is_told_by_its_files_name_or_named(text):
    objects, answers, gaps = read(text, "export.zip!today/Get-InboundConnector.json")
    assert (objects, answers, gaps) == ([], {"Get-InboundConnector": True}, [])
    objects, answers, gaps = read(text, "today.json")
    assert (objects, answers, len(gaps)) == ([], {}, 1)
    assert "Name the file after the cmdlet" in gaps[0]


def test_the_name_of_a_file_never_overrules_its_content():
    assert read(CONNECTOR, "Get-AcceptedDomain.json")[1] == {"Get-InboundConnector": True}


def test_a_marked_answer_is_incomplete_and_annotations_are_dropped():
    wire = {
        "@adminapi.warnings": ["There are more results available than are currently displayed."],
        "value": [
            CONNECTOR | {"SenderDomains@odata.type": "#Collection(String)", "Guid@data.type": "System.Guid"}
        ],
    }
    objects, answers, gaps = read(wire)
    assert answers == {"Get-InboundConnector": False}
    assert not [name for name in objects[0].properties if "@" in name]
    assert "more results" in gaps[0]


@pytest.mark.parametrize(
    "lost", ["System.Object[]", "@{Value=Partner}", "System.Collections.ArrayList", ["@{a=b}"]]
)
def test_data_lost_to_a_small_depth_is_absent_and_named(lost):
    objects, _, gaps = read(CONNECTOR | {"SenderIPAddresses": lost})
    assert "SenderIPAddresses" not in objects[0].properties
    assert "-Depth 6" in gaps[0]


def test_numbers_of_enumerations_and_joined_lists_are_read():
    objects, _, _ = read(CONNECTOR | {"ConnectorType": 1, "SenderIPAddresses": "192.0.2.1 198.51.100.0/24"})
    assert objects[0].properties["ConnectorType"] == "OnPremises"
    assert objects[0].properties["SenderIPAddresses"] == ["192.0.2.1", "198.51.100.0/24"]
    objects, _, gaps = read(CONNECTOR | {"ConnectorType": 77})
    assert "ConnectorType" not in objects[0].properties
    assert len(gaps) == 1


def test_an_object_of_no_known_cmdlet_is_named():
    objects, _, gaps = read([CONNECTOR, {"Colour": "red"}])
    assert len(objects) == 1
    assert "Colour" in gaps[0]


def test_json_that_is_cut_off_makes_the_answer_incomplete():
    text = json.dumps(CONNECTOR) + "\n" + json.dumps(CONNECTOR)[:60]
    objects, answers, gaps = read(text)
    assert (len(objects), answers, len(gaps)) == (1, {"Get-InboundConnector": False}, 1)


def test_a_csv_export_keeps_texts_and_names_lost_lists():
    text = '#TYPE X\r\n"Name","Enabled","ConnectorType","SenderDomains","SenderIPAddresses"\r\n"G","True","Partner","smtp:*;1","System.String[]"\r\n'
    objects, answers, gaps = read(text)
    assert flag(objects[0], "Enabled") is True
    assert objects[0].properties["SenderDomains"] == ["smtp:*;1"]
    assert (answers, len(gaps)) == ({"Get-InboundConnector": True}, 1)


CLIXML = """<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0"><TN RefId="0">
<T>Deserialized.InboundConnector</T></TN><ToString>Gateway</ToString><Props><S N="Name">Gate_x000A_way</S><B N="Enabled">true</B>
<Obj N="ConnectorType" RefId="1"><TN RefId="1"><T>E</T></TN><ToString>Partner</ToString><I32>2</I32></Obj>
<Obj N="SenderDomains" RefId="2"><TN RefId="2"><T>L</T></TN><LST><S>smtp:*;1</S><S>smtp:x.com;1</S></LST></Obj>
<Ref N="AssociatedAcceptedDomains" RefId="2" /><Nil N="TlsSenderCertificateName" /><Obj N="SenderIPAddresses"><LST /></Obj>
<DT N="WhenChanged">2026-03-03T01:15:23Z</DT></Props></Obj></Objs>"""


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_clixml_gives_the_same_properties(encoding):
    objects, answers, gaps = read(CLIXML.encode(encoding))
    assert (answers, gaps) == ({"Get-InboundConnector": True}, [])
    assert objects[0].properties == {
        "Name": "Gate\nway",
        "Enabled": True,
        "ConnectorType": "Partner",
        "SenderDomains": ["smtp:*;1", "smtp:x.com;1"],
        "AssociatedAcceptedDomains": ["smtp:*;1", "smtp:x.com;1"],
        "TlsSenderCertificateName": None,
        "SenderIPAddresses": [],
        "WhenChanged": "2026-03-03T01:15:23Z",
    }


def test_clixml_with_a_document_type_is_refused_and_a_cut_one_named():
    bomb = '<!DOCTYPE b [<!ENTITY a "ha">]>' + CLIXML
    objects, _, gaps = read(bomb)
    assert (objects, "refused" in gaps[0]) == ([], True)
    objects, answers, gaps = read(CLIXML[:-7])
    assert (len(objects), answers, len(gaps)) == (1, {"Get-InboundConnector": False}, 1)


def test_objects_of_an_exchange_server_are_not_taken_for_the_tenants():
    own = {"DomainName": "x.com", "DomainType": "Authoritative"}
    server = own | {
        "DistinguishedName": "CN=x,CN=Org,CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=x"
    }
    objects, answers, gaps = read([server])
    assert (objects, answers, len(gaps)) == ([], {}, 1)


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from([json.dumps({"value": [CONNECTOR], "@adminapi.warnings": []}), CLIXML]),
    st.integers(0, 900),
    st.integers(0, 40),
    st.binary(max_size=16),
)
def test_no_mutation_raises(text, start, length, middle):
    raw = text.encode()
    raw = raw[:start] + middle + raw[start + length :]
    document = Document("x", head_of(text.encode()), lambda: io.BytesIO(raw), len(raw))
    assert list(SOURCE.read(document))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "Value", "Count", "Get-Mailbox", "RejectDirectSend", "Name", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=250, deadline=None)
@given(JSON_VALUES)
def test_no_json_raises_and_none_is_silent(value):
    raw = json.dumps(value).encode()
    document = Document("x", head_of(b"[]"), lambda: io.BytesIO(raw), len(raw))
    assert list(SOURCE.read(document))


def test_nesting_without_end_is_a_gap():
    _, answers, gaps = read('[{"RejectDirectSend": ' + "[" * 200_000)
    assert (answers, len(gaps)) == ({}, 1)


def test_every_real_export_is_read_or_named():
    if not SAMPLES.is_dir():
        pytest.skip("the shared configuration samples are not beside this checkout")
    found = Counter()
    for path in sorted((SAMPLES / "tenant-config").glob("*.json")):
        raw = path.read_bytes()
        head = head_of(raw)
        if path.name == "graph2otel-email.json":
            assert not SOURCE.recognise(head), "a hunting row is no configuration"
            continue
        assert SOURCE.recognise(head) is not SCUBAGEAR.recognise(head), path.name
        if not SOURCE.recognise(head):
            continue
        objects, answers, gaps = read(raw, path.name)
        assert {item.cmdlet for item in objects} == set(answers)
        content = json.loads(raw)
        assert len(objects) == len(content.get("value", content)), path.name
        assert bool(gaps) is (path.name == "graph2otel-empty-rule-response.json"), gaps
        found.update(item.cmdlet for item in objects)
    assert found["Get-InboundConnector"] == 2
    assert found["Get-MailboxAuditBypassAssociation"] == 3, (
        "the one without the property is still one of them"
    )
    for path in sorted((SAMPLES / "exchange-onprem").rglob("*.xml")):
        objects, answers, gaps = read(path.read_bytes(), path.name)
        if path.name.startswith("GetReceiveConnector"):
            # The one answer of a server that is wanted: whom a relay of ours trusts.
            assert (set(answers), gaps) == ({"Get-ReceiveConnector"}, [])
        else:
            assert (objects, answers, bool(gaps)) == ([], {}, True), path.name


def test_what_is_read_is_what_the_simulation_asks():
    objects, answers, _ = read(
        {"Get-InboundConnector": [CONNECTOR], "Get-OrganizationConfig": {"RejectDirectSend": True}}
    )
    settings_ = read_settings(Tenant(objects, [ConfigAnswer(name, objects[0].origin) for name in answers]))
    assert settings_.reject_direct_send is True
    assert settings_.inbound_connectors[0].addresses == ("192.0.2.0/24",)
    assert settings_.smtp_auth_disabled is None
