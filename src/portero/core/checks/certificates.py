"""Certificate names that connectors match: whose they are, and which many customers share."""

from __future__ import annotations

from portero.core.address import a_label, is_at_or_below

# Names below which a provider presents one certificate for all of its customers, as of November 2026.
# Source: the providers' set-up pages for Exchange Online; reference exchange-online 1.5.
SHARED = (
    "amazonses.com", "barracudanetworks.com", "codetwo.com", "exclaimer.net", "hornetsecurity.com",
    "mail.protection.outlook.com", "mailgun.org", "messagelabs.com", "mimecast.com", "mtasv.net", "outlook.com",
    "ppe-hosted.com", "pphosted.com", "sendgrid.net", "sparkpostmail.com", "trendmicro.com", "zixcorp.com",
)  # fmt: skip


def subject(certificate: str) -> str:
    """
    Read the domain that a certificate stands for: ``*.contoso.com`` or ``<I>CN=issuer<S>CN=mail.contoso.com, O=...``.

    Source: reference exchange-online 1.3, TlsSenderCertificateName.
    """
    name_of = certificate.rpartition("<S>")[2]
    for part in name_of.split(","):
        name, equals, value = part.partition("=")
        if equals and name.strip().upper() == "CN":
            name_of = value
            break
    return a_label(name_of.strip().removeprefix("*."))


def is_shared(certificate: str) -> bool:
    """Tell whether a certificate's name is one that a provider presents for all of its customers."""
    return any(is_at_or_below(subject(certificate), name) for name in SHARED)
