"""Firewall rules: they permit whom the inventory permits, nothing of the evidence becomes a rule, and the undo is whole."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest
import tree_sitter
import tree_sitter_powershell

from portero.core.hosts import Host, Tie
from portero.core.segmentation import Segmentation, segment
from portero.core.sender import Judgement, Kind, Sender
from portero.core.text import Text
from portero.faces.render import Renderer
from portero.faces.segments import targets
from portero.faces.segments.target import Target, write
from support.senders import a_sender, anonymous

EVIL = "x\nset rulebase security rules open from any to any\r\n! no access-list \x1b[31m"
RELAY = Host("10.1.1.1", names=("relay",), relay=True, sessions=40, port_25=30)
PRINTER = Host("10.1.1.2", names=(EVIL,), sessions=20, port_25=12)
PRINTER_6 = Host("fd00::12", names=("six",), sessions=5, port_25=5)
MAYBE = Host("10.1.1.3", names=("maybe",), sessions=9, port_25=9)
OTHER = Host("10.1.1.9", names=("laptop",), sessions=50, port_25=7, denied=3)
TARGETS = list(targets().values())


def tied(sender: Sender, *hosts: Host, settled: bool = True) -> Sender:
    return replace(sender, tie=Tie(hosts, settled, Text("It is.")))


def found() -> Segmentation:
    printer = tied(a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.9")), PRINTER)
    six = tied(a_sender("six", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.9")), PRINTER_6)
    maybe = tied(
        a_sender("maybe", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.8")), MAYBE, settled=False
    )
    spoofer = tied(a_sender("evil", Kind.SPOOFER, Judgement.ABUSE, anonymous("203.0.113.7")), OTHER)
    lost = a_sender("lost", Kind.APPLICATION, Judgement.LEGITIMATE, anonymous("203.0.113.6"))
    return segment([OTHER, MAYBE, PRINTER_6, PRINTER, RELAY], [printer, six, maybe, spoofer, lost])


def rules(target: Target, *, deny: bool = True, lang: str = "en") -> tuple[str, str]:
    files = write(target, found(), Renderer(lang), deny=deny)
    do, undo = (each.decode() for each in files.values())
    return do, undo


def lines_of(text: str, comment: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(comment)]


def test_relays_and_senders_to_keep_are_permitted_and_what_may_be_one_waits_for_an_answer() -> None:
    held = found()

    assert [(each.host.address, each.settled) for each in held.permits] == [
        ("10.1.1.1", True), ("10.1.1.2", True), ("10.1.1.3", False), ("fd00::12", True),
    ]  # fmt: skip
    assert [(each.host.address, each.opened, each.unknown) for each in held.blocked] == [("10.1.1.9", 7, 40)]
    assert [each.id for each in held.unseen] == ["lost"]


def test_a_host_of_abuse_alone_is_never_permitted() -> None:
    spoofer = tied(a_sender("evil", Kind.SPOOFER, Judgement.ABUSE, anonymous("203.0.113.7")), PRINTER)

    assert segment([PRINTER], [spoofer]).permits == ()


def test_the_relay_that_passes_a_senders_mail_on_is_let_through_until_somebody_answers() -> None:
    inner = Host("10.1.1.40", names=("mes01",), sessions=30)
    relay = Host("10.1.1.25", sessions=30, port_25=30, egress=("203.0.113.221",))
    other = Host("10.1.1.60", sessions=15, port_25=15, egress=("203.0.113.9",))
    application = tied(
        a_sender("mes", Kind.APPLICATION, Judgement.LEGITIMATE, anonymous("203.0.113.221")), inner
    )

    held = segment([inner, relay, other], [application])
    assert [(each.host.address, each.settled) for each in held.permits] == [
        ("10.1.1.25", False),
        ("10.1.1.40", True),
    ]
    assert [each.host.address for each in held.blocked] == ["10.1.1.60"]
    assert held.unseen == ()
    # Where the border's logs are not there, its mail leaves by a host that nobody knows.
    assert [each.id for each in segment([inner], [application]).unseen] == ["mes"]
    # A host that opens the port itself needs no other.
    itself = replace(inner, port_25=30)
    assert [each.host.address for each in segment([itself, relay], [tied(application, itself)]).permits] == [
        "10.1.1.40"
    ]


def test_there_is_a_writer_for_every_kind_the_documentation_names() -> None:
    assert set(targets()) == {"nftables", "cisco-asa", "fortigate", "panos", "windows", "azure-nsg", "aws-sg"}


@pytest.mark.parametrize("target", TARGETS, ids=lambda each: each.id)
@pytest.mark.parametrize("lang", ["en", "es"])
def test_permitted_addresses_stand_in_the_rules_and_others_only_in_comments(
    target: Target, lang: str
) -> None:
    do, _ = rules(target, lang=lang)
    comment = target.comment
    kept = "\n".join(lines_of(do, comment))

    assert all(each in kept for each in ("10.1.1.1", "10.1.1.2", "10.1.1.3", "fd00::12"))
    assert "10.1.1.9" not in kept
    assert "10.1.1.9" in do
    assert all(str(port) in kept for port in (25, 465, 587))


@pytest.mark.parametrize("target", TARGETS, ids=lambda each: each.id)
def test_evidence_adds_no_line_that_is_not_a_comment(target: Target) -> None:
    do, _ = rules(target)
    kept = "\n".join(lines_of(do, target.comment))

    assert "from any to any" not in kept
    assert "\x1b" not in do


@pytest.mark.parametrize("target", TARGETS, ids=lambda each: each.id)
def test_the_undo_names_everything_that_was_made(target: Target) -> None:
    do, undo = rules(target)
    made = set(
        re.findall(r"\b(?:portero|PORTERO)[-_][A-Za-z0-9_.:-]+", "\n".join(lines_of(do, target.comment)))
    )
    # In nftables one table holds all, and FortiGate knows policies by their numbers.
    wanted = {"portero_mail"} if target.id == "nftables" else made - {"portero-mail"}
    if target.id == "fortigate":
        wanted = wanted - {"portero-mail-permit", "portero-mail-rest"} | {"64001", "64002"}

    assert made
    assert {each for each in wanted if each not in undo} == set()


@pytest.mark.parametrize("target", [each for each in TARGETS if each.logs], ids=lambda each: each.id)
def test_logging_alone_refuses_nothing(target: Target) -> None:
    deny, log = (lines_of(rules(target, deny=each)[0], target.comment) for each in (True, False))
    refuses = re.compile(r"\b(deny|reject)\b")

    assert [line for line in deny if refuses.search(line)]
    assert [line for line in log if refuses.search(line)] == []
    assert [line for line in log if "log" in line]


def test_windows_rules_are_powershell() -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    for text in rules(targets()["windows"]):
        assert not parser.parse(text.encode()).root_node.has_error


@pytest.mark.parametrize("name", ["azure-nsg", "aws-sg"])
def test_cloud_rules_are_shell(name: str) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    for text in rules(targets()[name]):
        run = subprocess.run([shell, "-n"], input=text, text=True, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr


def test_blocks_of_nftables_and_fortigate_close() -> None:
    do, _ = rules(targets()["nftables"])
    kept = "\n".join(lines_of(do, "#"))
    assert kept.count("{") == kept.count("}") > 0
    for text in rules(targets()["fortigate"]):
        words = [line.split()[0] for line in lines_of(text, "#")]
        assert words.count("config") == words.count("end") > 0
        assert words.count("edit") == words.count("next")


@pytest.mark.parametrize("target", TARGETS, ids=lambda each: each.id)
def test_an_addresss_zone_reaches_no_rule(target: Target) -> None:
    zoned = Host("fe80::1%x\npermit ip any any", relay=True, port_25=1)
    do, undo = (each.decode() for each in write(target, segment([zoned], []), Renderer(), deny=True).values())

    assert "fe80::1" in "\n".join(lines_of(do, target.comment))
    assert "permit ip any any" not in "\n".join(lines_of(do + undo, target.comment))
