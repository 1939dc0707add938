"""One domain by its records alone: each line says what it is by, and what was never asked is unknown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.domain import domain_posture, open_questions
from portero.core.finding import Outcome

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HOST = "contoso-com.mail.protection.outlook.com"
DIGEST = "3 1 1 " + "ab" * 32
KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
GOOD: dict[tuple[str, str], tuple[str, ...]] = {
    ("contoso.com", "MX"): (f"0 {HOST}",),
    (HOST, "A"): ("192.0.2.5",),
    ("contoso.com", "TXT"): ("v=spf1 -all",),
    ("_dmarc.contoso.com", "TXT"): ("v=DMARC1; p=reject; rua=mailto:d@contoso.com",),
    ("selector1._domainkey.contoso.com", "CNAME"): (
        "selector1-contoso-com._domainkey.contoso.onmicrosoft.com",
    ),
    ("selector1-contoso-com._domainkey.contoso.onmicrosoft.com", "TXT"): (KEY,),
    ("_mta-sts.contoso.com", "TXT"): ("v=STSv1; id=1",),
    ("mta-sts.contoso.com", "A"): ("192.0.2.6",),
    ("_smtp._tls.contoso.com", "TXT"): ("v=TLSRPTv1; rua=mailto:t@contoso.com",),
    (f"_25._tcp.{HOST}", "TLSA"): (DIGEST,),
    ("default._bimi.contoso.com", "TXT"): ("v=BIMI1; l=https://contoso.com/logo.svg",),
}


class Zone(Dns):
    """Answers what is written down, and that there is nothing else; or fails all questions."""

    def __init__(
        self,
        records: dict[tuple[str, str], tuple[str, ...]],
        fails: DnsStatus | None = None,
        validated: bool | None = None,
    ) -> None:
        super().__init__()
        self.records, self.fails, self.validated = records, fails, validated

    def lookup(self, name: str, type_: str) -> DnsAnswer:
        if self.fails is not None:
            return DnsAnswer(name, type_, self.fails)
        alias = self.records.get((name, "CNAME"))
        found = self.records.get((alias[0] if alias and type_ != "CNAME" else name, type_), ())
        return DnsAnswer(name, type_, DnsStatus.NOERROR, found, validated=self.validated)

    def __bool__(self) -> bool:
        return True


def outcome(
    id_: str, changes: dict[tuple[str, str], tuple[str, ...]] | None = None, **given: object
) -> Outcome:
    dns = Zone({**GOOD, **(changes or {})}, **given)  # type: ignore[arg-type]
    return next(line.outcome for line in domain_posture(dns, "contoso.com", NOW).lines if line.id == id_)


def test_every_line_of_a_good_domain_passes_but_for_what_dns_cannot_say() -> None:
    lines = domain_posture(Zone(GOOD, validated=True), "Contoso.com.", NOW).lines

    other = {line.id: line.outcome for line in lines if line.outcome is not Outcome.PASS}
    # That reports arrive, DNS cannot say either.
    other.pop("DNS-10", None)
    assert other == {"DKIM-selector2": Outcome.NOT_APPLICABLE, "MTA-STS": Outcome.UNKNOWN}


@pytest.mark.parametrize(
    "status", [DnsStatus.SERVFAIL, DnsStatus.TIMEOUT, DnsStatus.TRUNCATED, DnsStatus.UNKNOWN]
)
def test_failures_of_dns_are_unknown_and_never_a_bad_record(status: DnsStatus) -> None:
    lines = domain_posture(Zone(GOOD, status), "contoso.com", NOW).lines

    assert {line.outcome for line in lines} == {Outcome.UNKNOWN}
    assert all(
        status is DnsStatus.UNKNOWN or status.value in str(line.because)
        for line in lines
        if "-" not in line.id
    )


SELECTOR = ("selector1._domainkey.contoso.com", "CNAME")
TARGET = ("selector1-contoso-com._domainkey.contoso.onmicrosoft.com", "TXT")


@pytest.mark.parametrize(
    ("id_", "changes", "expected"),
    [
        ("DKIM-selector1", {SELECTOR: ("selector2-contoso-com._domainkey.contoso.onmicrosoft.com",)}, "fail"),
        ("DKIM-selector1", {TARGET: ()}, "fail"),
        ("DKIM-selector1", {TARGET: ("v=DKIM1; p=",)}, "warn"),
        ("DKIM-selector1", {TARGET: (KEY + "; t=y",)}, "fail"),
        ("DKIM-selector1", {TARGET: (KEY, KEY)}, "fail"),
        ("DKIM-selector1", {SELECTOR: ()}, "not-applicable"),
        ("MTA-STS", {("mta-sts.contoso.com", "A"): ()}, "fail"),
        ("MTA-STS", {("_mta-sts.contoso.com", "TXT"): ("v=STSv1; id=",)}, "fail"),
        ("MTA-STS", {("_mta-sts.contoso.com", "TXT"): ("v=STSv1; id=1", "v=STSv1; id=2")}, "fail"),
        ("MTA-STS", {("_mta-sts.contoso.com", "TXT"): ("unrelated",)}, "not-applicable"),
        ("TLS-RPT", {("_smtp._tls.contoso.com", "TXT"): ("v=TLSRPTv1; rua=nobody",)}, "fail"),
        ("DANE", {(f"_25._tcp.{HOST}", "TLSA"): ()}, "not-applicable"),
        ("DANE", {(f"_25._tcp.{HOST}", "TLSA"): ("0 0 1 " + "ab" * 32,)}, "warn"),
        ("DANE", {("contoso.com", "MX"): ("0 .",)}, "not-applicable"),
        ("DANE", {}, "unknown"),  # usable, and nobody vouches for DNSSEC
        ("BIMI", {("_dmarc.contoso.com", "TXT"): ("v=DMARC1; p=none",)}, "warn"),
        ("BIMI", {("default._bimi.contoso.com", "TXT"): ("v=BIMI1; l=; a=",)}, "pass"),
        ("BIMI", {("default._bimi.contoso.com", "TXT"): ("v=BIMI1; l=http://x",)}, "warn"),
    ],
)  # fmt: skip
def test_each_fault_has_its_line(
    id_: str, changes: dict[tuple[str, str], tuple[str, ...]], expected: str
) -> None:
    assert outcome(id_, changes) == expected


def test_open_questions_are_those_without_an_answer_and_lead_into_a_record_to_be_replayed() -> None:
    asked = open_questions(Dns(), ["contoso.com"], NOW)

    assert {("contoso.com", "TXT"), ("_dmarc.contoso.com", "TXT"), ("contoso.com", "MX")} <= set(asked)
    assert open_questions(Zone(GOOD), ["contoso.com"], NOW) == ()
    proposed = {"contoso.com": "v=spf1 include:_spf.vendor.example -all"}
    recorded = Dns([DnsAnswer("contoso.com", "TXT", DnsStatus.NOERROR, ("v=spf1 -all",))])
    assert ("_spf.vendor.example", "TXT") in open_questions(recorded, [], NOW, proposed=proposed)


def test_what_failed_is_asked_again() -> None:
    failed = Dns([DnsAnswer("contoso.com", "MX", DnsStatus.TIMEOUT)])

    assert ("contoso.com", "MX") in open_questions(failed, ["contoso.com"], NOW)
