"""Microsoft's DKIM aliases in both forms, each told from another domain's or another selector's."""

from __future__ import annotations

import pytest

from portero.core.exchange.selectors import AliasForm, SelectorAlias, read_alias


@pytest.mark.parametrize(
    ("target", "form", "tenant", "matches"),
    [
        ("selector1-contoso-com._domainkey.contoso.onmicrosoft.com", "old", "contoso", True),
        ("Selector1-contoso-com._domainkey.Contoso.OnMicrosoft.com.", "old", "contoso", True),
        ("selector1-contoso-com._domainkey.contoso.r-v1.dkim.mail.microsoft", "new", "contoso", True),
        ("selector1-contoso-com._domainkey.contoso.n-v1.dkim.mail.microsoft.", "new", "contoso", True),
        ("selector2-contoso-com._domainkey.contoso.onmicrosoft.com", "old", "contoso", False),
        ("selector1-fabrikam-com._domainkey.fabrikam.n-v1.dkim.mail.microsoft", "new", "fabrikam", False),
        ("selector1-contoso-com._domainkey.contoso.onmicrosoft.com.evil.example", "other", "", False),
        ("s1.domainkey.u1.wl.sendgrid.net", "other", "", False),
    ],
)
def test_an_alias(target: str, form: str, tenant: str, matches: bool) -> None:
    assert read_alias("contoso.com", "selector1", target) == SelectorAlias(AliasForm(form), tenant, matches)
