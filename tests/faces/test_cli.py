"""The command line keeps the contract: exit codes, results alone on standard output, both languages."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from portero.core.audit import Audit, Totals
from portero.core.controls import UnknownControlError, parse_control
from portero.core.domain import DomainPosture, DomainReport, Line
from portero.core.evidence import Gap, Origin
from portero.core.finding import Finding, Outcome, Profile, Severity
from portero.core.questions import ask
from portero.core.sender import DecidedBy, Judgement, Kind, Sender
from portero.core.sender import Path as WayIn
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.text import Text
from portero.errors import AccessDenied, ConfigError, InputError
from portero.faces.catalogue import find_messages
from portero.faces.cli import build, language
from portero.faces.desk import Asking
from portero.faces.relay_cases import RelayUseCases
from portero.faces.version import installed

PRINTER = Sender(
    id="s-1",
    label=Text("Printer at {address}", address="203.0.113.9"),
    kind=Kind.DEVICE,
    judgement=Judgement.LEGITIMATE,
    confidence=0.97,
    decided_by=DecidedBy.EVIDENCE,
    path=WayIn.DIRECT_SEND,
    connector=None,
    client_networks=("203.0.113.9/32", "203.0.113.10/32"),
    mail_from_domains=("contoso.com",),
    header_from_domains=("contoso.com",),
    header_from=("scan@contoso.com",),
    ehlo=("mfp",),
    mails=1234,
    outside=0,
    witnesses={"message-trace-v2": 1234},
    recipients=3,
    first_seen=None,
    last_seen=None,
    because=(),
)
STRANGER = replace(
    PRINTER,
    id="s-2",
    label=Text("Mail from {name}", name="\x1b[31mevil\u202e[bold]"),
    judgement=Judgement.UNDECIDED,
    confidence=0.5,
    mails=7,
)
BLOCK = Simulation(
    ("reject-direct-send",),
    (
        SenderEffect(
            "s-1",
            Effect.REFUSED,
            1234,
            0,
            0,
            Judgement.LEGITIMATE,
            "550 5.7.68 TenantInboundAttribution; Direct Send not allowed",
            Text("Anonymous, and its envelope is ours."),
        ),
        SenderEffect("s-2", Effect.UNDETERMINED, 0, 0, 7, Judgement.UNDECIDED, None, Text("No P1 is known.")),
    ),
)


def finding(name: str, outcome: Outcome, severity: Severity) -> Finding:
    return Finding(
        name, Text("Direct Send"), outcome, severity, Text("Because."), (), Text("Fix."), Text("Undo."), {}
    )


AUDIT = Audit(
    generated_at=datetime(2026, 11, 24, tzinfo=UTC),
    organisation="Contoso",
    accepted_domains=("contoso.com",),
    first=datetime(2026, 11, 1, tzinfo=UTC),
    last=datetime(2026, 11, 20, tzinfo=UTC),
    totals=Totals(1241, 10, 1300),
    coverage=(),
    gaps=tuple(Gap(Origin("trace.csv", line), Text("A row is broken.")) for line in range(2, 10)),
    senders=(STRANGER, PRINTER),
    simulations=(BLOCK,),
    findings=(
        finding("DS-01", Outcome.FAIL, Severity.HIGH),
        finding("CON-01", Outcome.UNKNOWN, Severity.CRITICAL),
        finding("INV-01", Outcome.WARN, Severity.CRITICAL),
    ),
    plan=(),
    questions=ask((STRANGER, PRINTER)),
)


@dataclass(frozen=True)
class Kept:
    id: str = "0123abcd"
    name: str = "trace\x1b[31m.csv"
    kind: str = "message-trace-v2"
    rows: int = 1234
    first: datetime | None = datetime(2026, 11, 20, tzinfo=UTC)
    last: datetime | None = datetime(2026, 11, 21, tzinfo=UTC)
    read_at: datetime = datetime(2026, 11, 22, tzinfo=UTC)


KEPT = Kept()


class Fake:
    """Use cases that remember how they were asked."""

    def __init__(self, audit: Audit = AUDIT, fails: Exception | None = None) -> None:
        self.held = audit
        self.fails = fails
        self.profile: Profile | None = None
        self.asking: Asking | None = None
        self.store: Path | None = None
        self.domains_asked: tuple[Sequence[str], Sequence[Path]] = ((), ())

    def audit(
        self,
        paths: Sequence[Path],
        *,
        config: Path | None,
        profile: Profile,
        progress: Callable[[Text], None],
        asking: Asking | None = None,
        baseline: Path | None = None,
        store: Path | None = None,
    ) -> Audit:
        if self.fails is not None:
            raise self.fails
        progress(Text("Reading {document}…", document=str(paths[0])))
        self.profile, self.asking, self.store = profile, asking, store
        return self.held

    def simulate(
        self,
        paths: Sequence[Path],
        controls: Sequence[str],
        *,
        config: Path | None,
        progress: Callable[[Text], None],
        asking: Asking | None = None,
        store: Path | None = None,
    ) -> Simulation:
        progress(Text("Replaying controls…"))
        return replace(BLOCK, controls=tuple(controls))

    def domains(
        self,
        names: Sequence[str],
        paths: Sequence[Path],
        *,
        selectors: Sequence[str],
        flatten: bool,
        config: Path | None,
        progress: Callable[[Text], None],
        asking: Asking | None,
    ) -> tuple[DomainReport, ...]:
        self.domains_asked, self.asking = (names, paths), asking
        line = Line(
            "MTA-STS",
            Text("Title"),
            Outcome.FAIL,
            Text("{evil}", evil="\x1b[31m"),
            Text("Mend it."),
            ("\x1b",),
        )
        return tuple(
            DomainReport(DomainPosture(name, (line,), ((name, "TXT", "v=spf1 \u202e"),))) for name in names
        )

    def kept(self, store: Path) -> Sequence[tuple[str, Kept]]:
        return [("contoso", KEPT)]

    def forget(self, store: Path, documents: Sequence[str]) -> tuple[Kept, ...]:
        if list(documents) != [KEPT.id]:
            raise ConfigError((Text("{evil}", evil=documents[0]),))
        return (KEPT,)

    def relay(self) -> RelayUseCases:
        raise AssertionError("no test here asks for the relay")

    def control(self, text: str) -> object:
        try:
            return parse_control(text)
        except UnknownControlError as error:
            raise ConfigError((error.text,)) from None

    def write(self, audit: Audit, out: Path, lang: str) -> list[Path]:
        (out / "audit.json").parent.mkdir(parents=True, exist_ok=True)
        (out / "audit.json").write_text(lang)
        return [out / "audit.json"]

    def write_plan(self, audit: Audit, out: Path, lang: str) -> list[Path]:
        raise PermissionError(13, "Permission denied")

    def demo(self, out: Path, progress: Callable[[Text], None]) -> None:
        (out / "trace.csv").write_text("")


def call(*words: str, fake: Fake | None = None, lang: str = "en") -> Result:
    return CliRunner().invoke(build(fake or Fake(), lang), words)


@pytest.fixture
def here(tmp_path: Path) -> str:
    return str(tmp_path)


def test_audit_writes_files_and_answers_0(here: str) -> None:
    result = call("audit", here, "--out", f"{here}/out", lang="es")
    assert result.exit_code == 0
    assert (Path(here) / "out" / "audit.json").read_text() == "es"


def test_audit_shows_who_sends_and_what_closing_would_refuse(here: str) -> None:
    shown = call("audit", here, "--out", here).stdout
    assert "Printer at 203.0.113.9" in shown
    assert "203.0.113.9/32 +1" in shown
    assert "1,234 legitimate messages" in shown
    assert "To decide: is Mail from" in shown


def test_one_question_for_several_senders_is_asked_once(here: str) -> None:
    copies = tuple(replace(STRANGER, id=f"s-{n}", header_from=("scan@contoso.com",)) for n in range(6))
    use_cases = Fake(replace(AUDIT, senders=copies, questions=ask(copies)))

    shown = " ".join(call("audit", here, "--out", here, fake=use_cases).stdout.split())

    assert shown.count("To decide:") == 1
    assert "Mail in the name of scan@contoso.com: which of its 6 senders are yours?" in shown


def test_evidence_reaches_the_terminal_without_anything_it_obeys(here: str) -> None:
    shown = call("audit", here, "--out", here).output + call("senders", here).output
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]" in shown.replace("\n", "")


def test_many_gaps_are_counted_and_verbose_names_each(here: str) -> None:
    assert "3 more gaps" in call("senders", here).stdout
    assert "trace.csv:9" in call("senders", here, "--verbose").stdout


@pytest.mark.parametrize(
    "words",
    [("senders",), ("check",), ("simulate", "--control", "reject-direct-send"), ("audit", "--out", "{}")],
)
def test_json_stands_alone_on_standard_output(words: tuple[str, ...], here: str) -> None:
    result = call(*(word.format(here) for word in words), here, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)
    assert "…" in result.stderr


def test_simulate_gives_one_simulation_for_the_controls_together(here: str) -> None:
    words = ("simulate", here, "--control", "smtp-basic-off", "--control", "reject-direct-send", "--json")
    [simulation] = json.loads(call(*words).stdout)
    assert simulation["controls"] == ["smtp-basic-off", "reject-direct-send"]
    assert simulation["messages"] == {"refused": 1234, "kept": 0, "undetermined": 7}


@pytest.mark.parametrize(("worst", "code"), [("critical", 0), ("high", 1), ("medium", 1), ("low", 1)])
def test_the_gate_trips_on_what_fails_at_that_severity_or_above(worst: str, code: int, here: str) -> None:
    result = call("check", here, "--fail-on", worst)
    assert result.exit_code == code
    assert ("DS-01" in result.stderr) == bool(code)


def test_a_gate_that_could_not_see_says_so(here: str) -> None:
    assert "could not see 1 check" in call("check", here, "--fail-on", "critical").stderr


def test_without_a_gate_a_failed_check_answers_0(here: str) -> None:
    assert call("check", here).exit_code == 0


def test_the_profile_reaches_the_use_case(here: str) -> None:
    fake = Fake()
    call("check", here, "--profile", "strict", fake=fake)
    assert fake.profile is Profile.STRICT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("audit", "x"), "--out DIR is missing"),
        (("audit", "--out", "y"), "EVIDENCE... is missing"),
        (("audti",), "Did you mean audit?"),
        (("watch",), "The commands are demo, audit, senders, simulate, check, plan"),
        (("check", "x", "--profil", "strict"), "Did you mean --profile?"),
        (("check", "x", "--profile", "strit"), "Did you mean strict?"),
        (("check", "x", "--fail-on", "awful"), "critical, high, medium, and low"),
        (("check", "x", "--fail-on"), "--fail-on"),
        (("simulate", "x", "--control", "reject-direct-sent"), "Did you mean reject-direct-send?"),
        (("audit", "x", "--out", __file__), "which is a file"),
    ],
)
def test_a_wrong_call_answers_2_and_names_the_argument(words: tuple[str, ...], said: str) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_folder_that_cannot_be_written_answers_2(here: str) -> None:
    result = call("plan", here, "--out", here)
    assert result.exit_code == 2
    assert "Permission denied" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError((Text("Line 3 of portero.toml is wrong."), Text("Line 9 too."))), 2),
        (InputError(Text("trace.csv cannot be read."), Origin("trace.csv")), 3),
        (AccessDenied(Text("Grant the role.")), 4),
        (ZeroDivisionError("a fault"), 70),
    ],
)
def test_what_ends_a_run_decides_the_code(error: Exception, code: int, here: str) -> None:
    result = call("senders", here, fake=Fake(fails=error))
    assert result.exit_code == code
    assert result.stdout == ""
    for sentence in getattr(error, "problems", (error,)):
        assert str(sentence) in result.stderr


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_a_closed_pipe_is_no_tripped_gate(json_too: list[str]) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from dataclasses import replace\n"
        "from test_cli import AUDIT, PRINTER, Fake, build\n"
        "audit = replace(AUDIT, senders=(PRINTER,) * 3000)\n"
        "build(Fake(audit))(sys.argv[2:])\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script, str(Path(__file__).parent), "senders", "x", *json_too],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdout is not None
    assert run.stderr is not None
    run.stdout.close()
    said = run.stderr.read()
    run.stderr.close()
    assert run.wait() == 141
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said


def test_demo_leaves_everything_in_the_folder_it_was_given(here: str) -> None:
    assert call("demo", "--out", here).exit_code == 0
    assert (Path(here) / "evidence" / "trace.csv").exists()
    assert (Path(here) / "audit" / "audit.json").exists()


def test_no_word_at_all_shows_the_commands() -> None:
    result = call()
    assert result.exit_code == 0
    assert "simulate" in result.stdout


@pytest.mark.parametrize("command", ["demo", "audit", "senders", "simulate", "check", "plan"])
def test_every_command_answers_help_in_both_languages(command: str) -> None:
    for lang in ("en", "es"):
        result = call(command, "--help", lang=lang)
        assert result.exit_code == 0
        assert f"portero {command}" in result.stdout
        assert "--lang en|es" in result.stdout


def test_a_group_of_commands_without_a_word_shows_its_help() -> None:
    for words in (("evidence",), ("scenario",)):
        result = call(*words)
        assert result.exit_code == 0
        assert result.stdout == call(*words, "--help").stdout
        assert f"portero {words[0]}" in result.stdout
    assert call().stdout == call("--help").stdout


def test_the_version_is_said() -> None:
    result = call("--version")
    assert (result.exit_code, result.stdout) == (0, f"portero {installed()}\n")


def test_every_sentence_of_the_help_stands_in_the_catalogue() -> None:
    messages, _ = find_messages()
    known = {message.singular for message in messages}
    group = get_command(build(Fake()))
    assert isinstance(group, TyperGroup)
    context = typer.Context(group)
    for command in (group, *(group.get_command(context, name) for name in group.list_commands(context))):
        assert command is not None
        for said in (command, *command.params):
            assert getattr(said, "help", None) in known


@pytest.mark.parametrize(
    ("args", "environ", "lang", "rest"),
    [
        (["audit", "--lang", "es", "x"], {}, "es", ["audit", "x"]),
        (["--lang=en", "audit"], {"LANG": "es_ES.UTF-8"}, "en", ["audit"]),
        (["audit"], {"LANG": "es_CO.UTF-8"}, "es", ["audit"]),
        (["audit"], {"LANG": "es_ES.UTF-8", "LC_ALL": "C"}, "en", ["audit"]),
        (["audit"], {"LANG": "est"}, "en", ["audit"]),
        (["audit", "--", "--lang", "es"], {}, "en", ["audit", "--", "--lang", "es"]),
    ],
)
def test_the_language_comes_from_the_call_then_from_the_locale(
    args: list[str], environ: dict[str, str], lang: str, rest: list[str]
) -> None:
    assert language(args, environ) == (lang, rest)


def test_a_language_nobody_speaks_is_a_wrong_call() -> None:
    with pytest.raises(ConfigError, match="--lang takes en, es, not fr"):
        language(["--lang", "fr"], {})


def test_dns_tells_domains_from_evidence(here: str) -> None:
    fake = Fake()
    result = call("dns", "Contoso.com", here, "fabrikam.com.", fake=fake)
    assert result.exit_code == 0
    assert fake.domains_asked == (("contoso.com", "fabrikam.com"), (Path(here),))
    assert fake.asking is None
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output


def test_dns_without_evidence_says_that_nothing_is_known() -> None:
    assert "add --resolve" in call("dns", "contoso.com").stderr
    assert call("dns", "contoso.com", "--resolve").stderr == ""


@pytest.mark.parametrize("word", ["contoso", "a@contoso.com", "a..com", "x" * 64 + ".com"])
def test_a_word_that_is_neither_domain_nor_evidence_is_refused(word: str) -> None:
    assert call("dns", word).exit_code == 2


def test_live_dns_is_asked_only_where_the_call_says_so(here: str) -> None:
    fake = Fake()
    call("check", here, fake=fake)
    assert fake.asking is None
    call("check", here, "--resolve", "--resolver", "192.0.2.1", "--record", "x.jsonl", fake=fake)
    assert fake.asking == Asking(("192.0.2.1",), Path("x.jsonl"))
    call("audit", here, "--out", here, "--resolve", fake=fake)
    assert fake.asking == Asking((), Path(here) / "dns-answers.jsonl")
    assert call("check", here, "--resolver", "192.0.2.1").exit_code == 2


def test_a_store_reaches_the_use_case(here: str) -> None:
    fake = Fake()
    call("senders", here, "--store", f"{here}/lake", fake=fake)
    assert fake.store == Path(here) / "lake"


def test_kept_evidence_is_listed_for_people_and_for_programs(here: str) -> None:
    shown = call("evidence", "list", "--store", here)
    assert (shown.exit_code, "0123abcd" in shown.stdout, "1,234" in shown.stdout) == (0, True, True)
    assert "\x1b" not in shown.stdout
    (document,) = json.loads(call("evidence", "list", "--store", here, "--json").stdout)
    assert (document["id"], document["rows"], document["from"]) == ("0123abcd", 1234, "2026-11-20T00:00:00Z")


def test_evidence_is_dropped_by_name_or_the_call_is_wrong(here: str) -> None:
    assert call("evidence", "drop", "0123abcd", "--store", here).exit_code == 0
    assert call("evidence", "drop", "ffff", "--store", here).exit_code == 2
