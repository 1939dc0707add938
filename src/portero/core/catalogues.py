"""The catalogues that checks map to, each in the edition whose ids the checks carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portero.core.text import Text


@dataclass(frozen=True, slots=True)
class Catalogue:
    """
    One catalogue in one edition.

    read_on:  when its ids were taken over.
    """

    name: str
    edition: Text
    read_on: date
    source: str


_AUGUST = date(2026, 8, 31)
CATALOGUES = {
    each.name: each
    for each in (
        Catalogue(
            "SCuBA", Text("baselines of 2026 (MS.SECURITYSUITE, MS.EXO)"), _AUGUST, "cisagov/ScubaGear"
        ),
        Catalogue(
            "SCuBA before 2026",
            Text("baselines up to 2025 (MS.EXO, MS.DEFENDER)"),
            _AUGUST,
            "cisagov/ScubaGear",
        ),
        Catalogue(
            "CIS", Text("Microsoft 365 Foundations 6.0.0 and 7.0.0"), _AUGUST, "Center for Internet Security"
        ),
        Catalogue("CIS controls", Text("version 8"), _AUGUST, "Center for Internet Security"),
        Catalogue("NIST", Text("SP 800-53 revision 5"), _AUGUST, "NIST"),
        Catalogue("ATT&CK", Text("Enterprise matrix of 2025"), _AUGUST, "MITRE"),
        Catalogue("Maester", Text("tests of August 2026"), _AUGUST, "maester365/maester"),
        Catalogue("ORCA", Text("checks of August 2026"), _AUGUST, "cammurray/orca"),
        Catalogue("Prowler", Text("provider m365 of August 2026"), _AUGUST, "prowler-cloud/prowler"),
        Catalogue("CIPP", Text("standards of August 2026"), _AUGUST, "KelvinTegelaar/CIPP"),
        Catalogue("365Inspect", Text("inspectors of August 2026"), _AUGUST, "soteria-security/365Inspect"),
        Catalogue("monkey365", Text("rules of August 2026"), _AUGUST, "silverhack/monkey365"),
        Catalogue("Microsoft365DSC", Text("resources of August 2026"), _AUGUST, "microsoft/Microsoft365DSC"),
    )
}
