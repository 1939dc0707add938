"""A table of assets is matched to senders by what both say, and taken over whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from portero.core.cmdb import UnreadableTableError, enrol
from portero.core.decision import Act, Decision
from portero.core.hosts import Host, Tie
from portero.core.register import Criticality
from portero.core.sender import Judgement, Kind, Sender
from portero.core.text import Text
from support.senders import a_sender, anonymous

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
BASE = Decision("", None, "Ana", NOW)
SCANNER, UPS, PAY = "s-0000000000a1", "s-0000000000b2", "s-0000000000c3"


def sender(identity: str, name: str, address: str, ehlo: str = "") -> Sender:
    held = a_sender(identity, Kind.DEVICE, Judgement.UNDECIDED, anonymous(address))
    return replace(held, header_from=(f"{name}@contoso.com",), ehlo=(ehlo,) if ehlo else ())


SENDERS = (
    sender(SCANNER, "scanner", "203.0.113.9", "PRN-01.corp.local"),
    sender(UPS, "ups", "203.0.113.9"),
    sender(PAY, "payroll", "198.51.100.20"),
)


def taken(table: str, **more: object) -> dict[str, Decision]:
    made, _ = enrol(table, SENDERS, BASE, **more)  # type: ignore[arg-type]
    return {each.sender: each for each in made}


def problems(table: str, **more: object) -> str:
    with pytest.raises(UnreadableTableError) as error:
        enrol(table, SENDERS, BASE, **more)  # type: ignore[arg-type]
    return "\n".join(f"{each.template} {each.values}" for each in error.value.problems)


@pytest.mark.parametrize(
    "table",
    [
        (
            "IP address,E-mail,Owned by,Description,Business criticality\n"
            "203.0.113.9,scanner@contoso.com,it@contoso.com,Scans,1 - most critical\n"
        ),
        (
            "Dirección IP;Correo electrónico;Responsable;Finalidad;Criticidad\n"
            "203.0.113.9;Scanner@Contoso.com;it@contoso.com;Scans;Crítica\n"
        ),
        f"remitente\tresponsable\tpropósito\tcriticidad\n{SCANNER}\tit@contoso.com\tScans\tcritical\n",
        # Nothing in the heading tells; what stands below does.
        f"which,owner,purpose,criticality\n{SCANNER},it@contoso.com,Scans,critical\n",
        "remitente,owner,purpose,criticality\nscanner@contoso.com,it@contoso.com,Scans,critical\n",
        "Hostname,owner,purpose,criticality\nprn-01,it@contoso.com,Scans,critical\n".replace(
            "prn-01", "prn-01.other.example"
        ),
    ],
)
def test_headings_of_both_languages_and_of_neither_are_bound(table: str) -> None:
    [made] = taken(table, skip_unmatched=True).values()
    assert (made.sender, made.act, made.judgement) == (SCANNER, Act.DESCRIBE, None)
    assert (made.owner, made.purpose, made.criticality) == ("it@contoso.com", "Scans", Criticality.CRITICAL)
    assert (made.decided_by, made.decided_at) == ("Ana", NOW)
    assert "2" in made.note


def test_a_decision_and_its_end_stand_in_the_table_or_are_given_for_all() -> None:
    table = (
        "mailbox,owner,decision,expires\nups@contoso.com,ops,aprobado,2027-03-31\npayroll@contoso.com,hr,,\n"
    )
    made = taken(table)
    assert (made[UPS].judgement, made[UPS].expires_on) == (Judgement.LEGITIMATE, date(2027, 3, 31))
    assert (made[PAY].judgement, made[PAY].act) == (None, Act.DESCRIBE)
    assert taken(table, otherwise=Judgement.UNDECIDED)[PAY].judgement is Judgement.UNDECIDED
    assert taken(table, otherwise=Judgement.UNDECIDED)[UPS].judgement is Judgement.LEGITIMATE


@pytest.mark.parametrize(
    ("cells", "day"),
    [
        (("31/12/2026", "01/02/2027"), date(2027, 2, 1)),
        (("12/31/2026", "01/02/2027"), date(2027, 1, 2)),
        (("2026-12-31", "1.2.2027"), date(2027, 2, 1)),
        (("2026-12-31", "2027-02-01 00:00:00"), date(2027, 2, 1)),
    ],
)
def test_a_column_of_dates_tells_how_its_dates_are_written(cells: tuple[str, str], day: date) -> None:
    table = f"mailbox,expires\nups@contoso.com,{cells[0]}\npayroll@contoso.com,{cells[1]}\n"
    assert taken(table, otherwise=Judgement.LEGITIMATE)[PAY].expires_on == day


def test_a_device_behind_the_firewall_is_found_by_the_host_that_network_evidence_ties_to_it() -> None:
    host = Host(address="192.168.7.7")
    tied = replace(SENDERS[0], tie=Tie((host,), True, Text("x"), ()))
    made, _ = enrol("ip,owner\n192.168.7.7,it\n", (tied, *SENDERS[1:]), BASE)
    assert [each.sender for each in made] == [SCANNER]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("ip,owner\n203.0.113.9,it\n", ("Line {line}", SCANNER, UPS)),  # two behind one address
        ("ip,owner\n192.0.2.1,it\n", ("no sender", "192.0.2.1")),
        (
            "ip,mailbox,owner\n198.51.100.20,ups@contoso.com,it\n",
            ("no sender", "198.51.100.20"),
        ),  # they contradict
        ("mailbox,owner\nups@contoso.com,a\nUPS@contoso.com,b\n", ("Keep one", UPS)),
        ("ip,owner\nprinter room,it\n", ("printer room",)),
        ("mailbox,owner\nprinter room,it\n", ("printer room",)),
        ("mailbox,criticality\nups@contoso.com,terrible\n", ("terrible",)),
        ("mailbox,criticality\nups@contoso.com,12\n", ("12",)),
        ("mailbox,decision\nups@contoso.com,maybe\n", ("maybe",)),
        ("mailbox,owner,expires\nups@contoso.com,a,2027-01-01\n", ("--as",)),
        ("mailbox,decision,expires\nups@contoso.com,abuse,03/04/2027\n", ("03/04/2027",)),
        ("mailbox,owner\nups@contoso.com,\n", ("says nothing",)),
        ("mailbox,owner,responsable\nups@contoso.com,a,b\n", ("responsable", "both say")),
        ("owner,purpose\na,b\n", ("No column tells which sender",)),
        ("mailbox,colour\nups@contoso.com,red\n", ("No column says anything",)),
        ("mailbox,owner\n", ("no line below",)),
        ("", ("no line below",)),
    ],
)
def test_what_cannot_be_taken_over_is_named_with_a_remedy(table: str, words: tuple[str, ...]) -> None:
    said = problems(table)
    assert all(each in said for each in words), said


def test_every_problem_is_named_at_once_and_nothing_is_taken_over() -> None:
    said = problems("mailbox,owner\nups@contoso.com,a\nnobody@contoso.com,b\npayroll@contoso.com,\n")
    assert "('line', 3)" in said
    assert "('line', 4)" in said


def test_a_whole_cmdb_may_hold_what_sends_no_mail() -> None:
    table = "mailbox,owner\nups@contoso.com,a\nnobody@contoso.com,b\n\n"
    made, skipped = enrol(table, SENDERS, BASE, skip_unmatched=True)
    assert ([each.sender for each in made], skipped) == ([UPS], 1)
    # What fits several is no asset that sends no mail.
    assert SCANNER in problems("ip,owner\n203.0.113.9,it\n", skip_unmatched=True)


def test_cells_with_quotes_and_lines_are_one_cell() -> None:
    table = 'mailbox,purpose\nups@contoso.com,"Alarms,\nand ""tests"""\n'
    [made] = taken(table).values()
    assert made.purpose == 'Alarms,\nand "tests"'
    # A line is named by where it stands in the file.
    assert "('line', 4)" in problems(table + "nobody@contoso.com,b\n")
    assert "Line {line}" in problems("mailbox,owner\nups@contoso.com," + "x" * 200_000 + "\n")
