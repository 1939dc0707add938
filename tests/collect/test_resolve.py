"""The commands with --resolve: live answers are judged, kept, and give the same answer again without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from portero import wiring
from portero.faces.cli import build
from support.dns_servers import HOST, authoritative, free_port, misbehaving, resolver

KEY = (
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFC"
    "jxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToI"
    "MmPSPDdQPNUYckcQ2QIDAQAB"
)
ZONE = """
@ MX 0 contoso-com.mail.protection.outlook.com.
@ TXT "v=spf1 include:spf.contoso.com -all"
spf TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:d@contoso.com"
selector1._domainkey CNAME selector1-contoso-com._domainkey.contoso.r-v1.dkim.mail.microsoft.
selector2._domainkey CNAME selector2-fabrikam-com._domainkey.fabrikam.onmicrosoft.com.
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:t@contoso.com"
"""
MICROSOFT = f"""
selector1-contoso-com._domainkey.contoso.r-v1.dkim TXT "{KEY[:200]}" "{KEY[200:]}"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("dns")
    zones = {
        "contoso.com": ZONE,
        "mail.microsoft": MICROSOFT,
        "com": "",
        "outlook.com": "contoso-com.mail.protection A 192.0.2.5\n",
        "onmicrosoft.com": "",
    }
    with (
        authoritative(folder / "nsd", zones) as upstream,
        misbehaving(lambda query: None) as silent,
        resolver(
            folder / "unbound", upstream, {**dict.fromkeys(zones, upstream), "slow.example": silent}
        ) as port,
    ):
        yield f"{HOST}:{port}"


def call(*words: str) -> Result:
    return CliRunner().invoke(build(wiring, "en"), words)


def lines(result: Result) -> dict[str, dict[str, object]]:
    assert result.exit_code == 0, result.output
    [held] = json.loads(result.stdout)
    return {line["id"]: line for line in held["lines"]}


def test_a_domain_is_judged_live_and_again_from_what_was_kept(server: str, tmp_path: Path) -> None:
    kept = tmp_path / "answers.jsonl"
    live = lines(
        call("dns", "contoso.com", "--resolve", "--resolver", server, "--record", str(kept), "--json")
    )

    outcomes = {id_: line["outcome"] for id_, line in live.items()}
    assert outcomes["DNS-01"] == outcomes["DNS-03"] == outcomes["DNS-08"] == outcomes["DNS-09"] == "pass"
    assert (outcomes["DNS-13"], outcomes["TLS-RPT"]) == ("pass", "pass")
    assert outcomes["DKIM-selector1"] == "warn"  # 1024 bits
    assert "1,024 bits" in str(live["DKIM-selector1"]["because"])
    assert outcomes["DKIM-selector2"] == "fail"  # another domain's alias
    assert outcomes["MTA-STS"] == outcomes["BIMI"] == "not-applicable"

    again = lines(call("dns", "contoso.com", str(kept), "--json"))
    strip = lambda held: {id_: (line["outcome"], line["because"]) for id_, line in held.items()}  # noqa: E731
    assert strip(again) == strip(live)
    assert all(json.loads(line)["resolver"] == server for line in kept.read_text().splitlines())


def test_a_zone_that_keeps_silent_leaves_everything_unknown_and_nothing_bad(server: str) -> None:
    held = lines(call("dns", "slow.example", "--resolve", "--resolver", server, "--json"))

    assert {line["outcome"] for line in held.values()} == {"unknown"}


def test_a_resolver_that_is_not_there_ends_the_run_with_its_own_code() -> None:
    result = call("dns", "contoso.com", "--resolve", "--resolver", f"{HOST}:{free_port()}")

    assert result.exit_code == 4
    assert "No DNS resolver answers" in result.stderr


def test_a_resolver_that_is_no_address_is_a_slip() -> None:
    assert call("dns", "contoso.com", "--resolve", "--resolver", "nowhere").exit_code == 2


def test_the_audits_dns_questions_are_answered_live_and_kept(server: str, tmp_path: Path) -> None:
    evidence, out = tmp_path / "evidence", tmp_path / "out"
    evidence.mkdir()
    (evidence / "portero.toml").write_text('[organisation]\naccepted_domains = ["contoso.com"]\n')
    result = call("audit", str(evidence), "--out", str(out), "--resolve", "--resolver", server)

    assert result.exit_code == 0, result.output
    found = {each["id"]: each["outcome"] for each in json.loads((out / "audit.json").read_text())["findings"]}
    assert (found["DNS-01"], found["DNS-09"]) == ("pass", "pass")
    assert (out / "dns-answers.jsonl").read_text().count("\n") > 5
