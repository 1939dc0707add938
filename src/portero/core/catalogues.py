"""The catalogues that checks map to, each in the edition whose ids the checks carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Catalogue:
    """
    One catalogue in one edition.

    read_on:  when its ids were taken over.
    """

    name: str
    edition: str
    read_on: date
    source: str


_AUGUST = date(2026, 8, 31)
CATALOGUES = {
    each.name: each
    for each in (
        Catalogue("SCuBA", "baselines of 2026 (MS.SECURITYSUITE, MS.EXO)", _AUGUST, "cisagov/ScubaGear"),
        Catalogue(
            "SCuBA before 2026", "baselines up to 2025 (MS.EXO, MS.DEFENDER)", _AUGUST, "cisagov/ScubaGear"
        ),
        Catalogue(
            "CIS", "Microsoft 365 Foundations 6.0.0 and 7.0.0", _AUGUST, "Center for Internet Security"
        ),
        Catalogue("CIS controls", "version 8", _AUGUST, "Center for Internet Security"),
        Catalogue("NIST", "SP 800-53 revision 5", _AUGUST, "NIST"),
        Catalogue("ATT&CK", "Enterprise matrix of 2025", _AUGUST, "MITRE"),
        Catalogue("Maester", "tests of August 2026", _AUGUST, "maester365/maester"),
        Catalogue("ORCA", "checks of August 2026", _AUGUST, "cammurray/orca"),
        Catalogue("Prowler", "provider m365 of August 2026", _AUGUST, "prowler-cloud/prowler"),
        Catalogue("CIPP", "standards of August 2026", _AUGUST, "KelvinTegelaar/CIPP"),
        Catalogue("365Inspect", "inspectors of August 2026", _AUGUST, "soteria-security/365Inspect"),
        Catalogue("monkey365", "rules of August 2026", _AUGUST, "silverhack/monkey365"),
        Catalogue("Microsoft365DSC", "resources of August 2026", _AUGUST, "microsoft/Microsoft365DSC"),
    )
}
