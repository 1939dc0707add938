"""Microsoft365DSC: resources become the objects of their cmdlets; nothing is run."""

import io

from hypothesis import given
from hypothesis import strategies as st

from portero.core.evidence import ConfigObject
from portero.core.exchange.settings import Tenant, read_settings
from portero.sources.document import Document
from portero.sources.dsc_export import SOURCE
from portero.sources.head import head_of
from support.reading import reading

EXPORT = """# Generated with Microsoft365DSC version 1.25
Configuration M365TenantConfig
{
    Import-DscResource -ModuleName 'Microsoft365DSC' -ModuleVersion '1.25.1'
    Node localhost
    {
        EXOAcceptedDomain "EXOAcceptedDomain-contoso.com"
        {
            ApplicationId         = $ConfigurationData.NonNodeData.ApplicationId;
            DomainType            = "Authoritative";
            Ensure                = "Present";
            Identity              = "contoso.com";
            MatchSubDomains       = $False;
        }
        EXOInboundConnector "EXOInboundConnector-Scanners"
        {
            CertificateThumbprint        = $ConfigurationData.NonNodeData.CertificateThumbprint;
            Comment                      = "a `"quoted`" { brace; # no comment";
            ConnectorType                = "Partner";
            Enabled                      = $True;
            Identity                     = "Scanners";
            RestrictDomainsToIPAddresses = $True;
            SenderDomains                = @("smtp:*;1");
            SenderIPAddresses            = @("203.0.113.8/29","203.0.113.20");
            TenantId                     = $OrganizationName;
        }
        EXOInboundConnector 'Gone' { Identity = 'Gone'; Ensure = 'Absent' }
        EXOOrganizationConfig "x"
        {
            IsSingleInstance = "Yes"
            RejectDirectSend = $False
        }
        EXOMailboxSettings "y" { DisplayName = "it's"; }
    }
}
"""


def test_settings_come_out_as_from_the_cmdlets():
    found = reading(SOURCE, EXPORT)
    settings = read_settings(Tenant([item for item in found.others if isinstance(item, ConfigObject)]))
    (connector,) = settings.inbound_connectors
    assert (connector.name, connector.addresses) == ("Scanners", ("203.0.113.8/29", "203.0.113.20/32"))
    assert (connector.restrict_to_addresses, connector.enabled, connector.require_tls) == (True, True, None)
    assert [(held.name, held.match_subdomains) for held in settings.accepted_domains] == [
        ("contoso.com", False)
    ]
    assert settings.reject_direct_send is False
    assert [gap.count for gap in found.gaps] == [1]
    assert found.others[1].origin.line == 15
    assert found.others[1].properties["Comment"] == 'a "quoted" { brace; # no comment'


def test_a_cut_resource_is_a_gap_and_gives_no_object():
    found = reading(SOURCE, EXPORT[: EXPORT.index("203.0.113.20")])
    assert [item.cmdlet for item in found.others if isinstance(item, ConfigObject)] == ["Get-AcceptedDomain"]
    assert [gap.origin.line for gap in found.gaps] == [15]


@given(st.integers(0, len(EXPORT)), st.integers(0, 40), st.text(max_size=20))
def test_no_damage_raises(start, length, middle):
    raw = (EXPORT[:start] + middle + EXPORT[start + length :]).encode("utf-8", "replace")
    list(SOURCE.read(Document("d", head_of(raw), lambda: io.BytesIO(raw), len(raw))))
