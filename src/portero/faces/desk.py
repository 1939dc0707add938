"""Between the commands and the use cases: one call's language, its printing, its gate and its exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

from portero.core.finding import Finding, Outcome, Profile, Severity
from portero.core.text import Text, count
from portero.errors import ConfigError, PorteroError
from portero.faces.help import complaint
from portero.faces.render import Renderer
from portero.faces.terminal import Terminal

if TYPE_CHECKING:
    from portero.core.audit import Audit
    from portero.core.coverage import Effective
    from portero.core.decision import Decision
    from portero.core.domain import DomainReport
    from portero.core.drift import Drift
    from portero.core.explain import Unread, Verdict
    from portero.core.message.learnt import Learnt
    from portero.core.sender import Judgement
    from portero.core.simulation import Simulation
    from portero.faces.relay_cases import RelayUseCases

GATE_TRIPPED = 1
MISUSED = 2
# Beyond the contract's codes, so that nobody takes a fault of ours for a tripped gate. Source: sysexits.h.
FAULT = 70
PIPE_CLOSED = 141
Progress = Callable[[Text], None]


@dataclass(frozen=True, slots=True)
class Asking:
    """
    That live DNS may be asked.

    resolvers:  ``ADDRESS`` or ``ADDRESS:PORT`` each; none for those of this machine.
    record:     where the answers are kept as evidence, or None.
    """

    resolvers: tuple[str, ...] = ()
    record: Path | None = None


class Trial(Protocol):
    """Scenarios tried on the same mail."""

    @property
    def simulations(self) -> tuple[Simulation, ...]:
        """Give what each scenario would do, in the order given."""

    @property
    def labels(self) -> Mapping[str, Text]:
        """Give what people call each sender, by id."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """
    How to serve the dashboard.

    names:        host names under which browsers reach it, beside those of this machine itself.
    certificate, key:  files for TLS.
    proxies:      addresses or networks of a proxy in front that speaks TLS.
    data:         folder of its own, for uploads and the default database.
    database:     URL of the database, or None for a file in `data`.
    config:       the serve.toml to use, or None for that of the working folder or the system.
    """

    host: str
    port: int
    names: tuple[str, ...]
    certificate: Path | None
    key: Path | None
    proxies: tuple[str, ...]
    data: Path
    database: str | None
    config: Path | None = None


class KeptDocument(Protocol):
    """One document of a store, as its lists show it."""

    @property
    def id(self) -> str:
        """Give the first characters of its content's hash."""

    @property
    def name(self) -> str:
        """Give the name it had when it was read."""

    @property
    def kind(self) -> str:
        """Give the id of the source that read it."""

    @property
    def rows(self) -> int:
        """Count its rows."""

    @property
    def first(self) -> datetime | None:
        """Give its earliest time."""

    @property
    def last(self) -> datetime | None:
        """Give its latest time."""

    @property
    def read_at(self) -> datetime:
        """Give when it was read."""


class UseCases(Protocol):
    """What the command line asks for; wiring answers."""

    def audit(
        self,
        paths: Sequence[Path],
        *,
        config: Path | None,
        profile: Profile,
        progress: Progress,
        asking: Asking | None = None,
        baseline: Path | None = None,
        store: Path | None = None,
    ) -> Audit:
        """
        Read evidence and audit it.

        baseline:  an approved state to audit against.
        store:     a folder that keeps evidence: all that is kept there is audited with what is new.
        """

    def changes(self, before: Path, after: Sequence[Path], *, progress: Progress) -> tuple[Drift, ...]:
        """Say what changed between two states of the configuration."""

    def snapshot(self, paths: Sequence[Path], out: Path, *, progress: Progress) -> Path:
        """Keep the configuration of this moment in a folder."""

    def effective(
        self, paths: Sequence[Path], recipients: Sequence[str], *, config: Path | None, progress: Progress
    ) -> Effective:
        """Say which policy really applies to mailboxes."""

    def formats(self) -> Mapping[str, str]:
        """Give the formats of findings and what their files are called."""

    def export(self, audit: Audit, form: str, lang: str) -> bytes:
        """Write an audit's findings in one format."""

    def simulate(
        self,
        paths: Sequence[Path],
        controls: Sequence[str],
        *,
        config: Path | None,
        progress: Progress,
        asking: Asking | None = None,
        store: Path | None = None,
    ) -> Simulation:
        """Read evidence and replay the controls together on it."""

    def try_scenarios(
        self,
        files: Sequence[Path],
        paths: Sequence[Path],
        controls: Sequence[str] = (),
        *,
        config: Path | None,
        progress: Progress,
        asking: Asking | None = None,
        store: Path | None = None,
    ) -> Trial:
        """Read evidence and replay scenario files on it, each with these controls beside its own."""

    def draft_scenario(self, audit: Audit) -> str:
        """Write the audit's plan down as a scenario file."""

    def kept(self, store: Path) -> Sequence[tuple[str, KeptDocument]]:
        """Give the documents of a store, each with the folder of its organisation."""

    def forget(self, store: Path, documents: Sequence[str]) -> tuple[KeptDocument, ...]:
        """Take documents out of a store; a ConfigError names those that are not there."""

    def domains(
        self,
        names: Sequence[str],
        paths: Sequence[Path],
        *,
        selectors: Sequence[str],
        flatten: bool,
        config: Path | None,
        progress: Progress,
        asking: Asking | None,
    ) -> tuple[DomainReport, ...]:
        """Judge domains by their records, as the evidence or live DNS has them, and by the mail in the evidence."""

    def control(self, text: str) -> object:
        """Read a control; a ConfigError says what would be right."""

    def write(self, audit: Audit, out: Path, lang: str) -> list[Path]:
        """Write the files of an audit and give their paths."""

    def start(self, audit: Audit, day: date) -> Audit:
        """Lay the plan out from a day on."""

    def write_plan(self, audit: Audit, out: Path, lang: str) -> list[Path]:
        """Write the plan and its scripts alone and give their paths."""

    def decide(
        self,
        lines: Sequence[Decision],
        *,
        config: Path | None,
        evidence: Sequence[Path],
        progress: Progress,
    ) -> tuple[Path, tuple[Text, ...], Sequence[Decision]]:
        """Record what a person decided; give the file it went to, what evidence makes of it, and the acts as recorded."""

    def enrol(
        self,
        table: Path,
        base: Decision,
        *,
        otherwise: Judgement | None,
        skip_unmatched: bool,
        config: Path | None,
        evidence: Sequence[Path],
        progress: Progress,
    ) -> tuple[Path, Sequence[Decision], int]:
        """Record what a table says of senders; give the file, the acts, and how many lines matched nobody."""

    def explain(
        self,
        messages: Sequence[str],
        *,
        own: Sequence[str],
        evidence: Sequence[Path],
        config: Path | None,
        rules: Path | None,
        model: Path | None,
        progress: Progress,
    ) -> list[Verdict | Unread]:
        """Judge single messages by what the evidence knows; ``-`` is standard input."""

    def scan(
        self,
        paths: Sequence[Path],
        *,
        own: Sequence[str],
        evidence: Sequence[Path],
        config: Path | None,
        rules: Path | None,
        model: Path | None,
        done: Collection[str],
        workers: int,
        progress: Progress,
    ) -> Iterator[Verdict | Unread]:
        """Judge every message below the paths; exports found there are evidence to judge by."""

    def train(self, phish: Sequence[Path], ham: Sequence[Path], out: Path, *, progress: Progress) -> Learnt:
        """Learn from the organisation's own labelled mail and write the model."""

    def write_page(self, verdict: Verdict, out: Path, lang: str) -> None:
        """Write one message's judgement as one page of HTML."""

    def demo(self, out: Path, progress: Progress) -> None:
        """Write the evidence of a sample organisation."""

    def relay(self) -> RelayUseCases:
        """Give what the relay's commands ask for; a ConfigError names the extra that is not installed."""

    def serve(self, options: ServeOptions, evidence: Sequence[Path], progress: Progress) -> None:
        """Serve the dashboard until told to stop, reading the given evidence first."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Serves one call in one language: results to standard output, all else to standard error."""

    use_cases: UseCases
    renderer: Renderer

    def progress(self, text: Text) -> None:
        """Say what is being done."""
        self.aside(text, "dim")

    def aside(self, text: Text, style: str = "") -> None:
        """Say something that is not the result."""
        Terminal(self.renderer, error=True).say(text, style)

    def terminal(self) -> Terminal:
        """Give the screen for results."""
        return Terminal(self.renderer)

    def print_json(self, document: object) -> None:
        """Print a result for programs, in UTF-8 wherever it goes. Source: RFC 8259 section 8.1."""
        # Loaded where JSON is wanted.
        from portero.faces.json_text import as_json

        typer.echo(as_json(document).encode(), nl=False)

    def write(
        self, write: Callable[[Audit, Path, str], list[Path]], audit: Audit, out: Path
    ) -> tuple[Path, ...]:
        """Write files with the given use case; what the system refuses is a fault of the call."""
        try:
            return tuple(write(audit, out, self.renderer.lang))
        except OSError as error:
            raise unwritable(out, error.strerror or str(error)) from error

    def write_files(self, out: Path, files: Mapping[str, bytes]) -> None:
        """Write files by name into a folder that is there, and say so; what the system refuses is a fault of the call."""
        try:
            for name, content in files.items():
                (out / name).write_bytes(content)
        except OSError as error:
            raise unwritable(out, error.strerror or str(error)) from error
        for name in files:
            self.aside(Text("Written: {files}", files=str(out / name)))

    def audit(
        self,
        evidence: Sequence[Path],
        *,
        config: Path | None,
        asking: Asking | None = None,
        store: Path | None = None,
    ) -> Audit:
        """Audit evidence by the standard profile, for an answer that no profile changes."""
        return self.use_cases.audit(
            evidence,
            config=config,
            profile=Profile.STANDARD,
            progress=self.progress,
            asking=asking,
            store=store,
        )

    def gate(self, findings: Sequence[Finding], worst: Severity | None) -> None:
        """
        Leave with code 1 where a check fails at this severity or above; None asks for no gate.

        A check nobody could answer trips nothing, and is said out loud: a gate that saw nothing is not green.
        """
        if worst is None:
            return
        order = tuple(Severity)
        weighty = [each for each in findings if order.index(each.severity) <= order.index(worst)]
        unknown = sum(each.outcome is Outcome.UNKNOWN for each in weighty)
        if unknown:
            self.aside(
                count(
                    "The gate could not see {n} check: its answer is unknown.",
                    "The gate could not see {n} checks: their answers are unknown.",
                    unknown,
                ),
                "yellow",
            )
        # What somebody has accepted for now does not trip the gate; what was accepted and has expired does.
        failed = tuple(each.id for each in weighty if each.outcome is Outcome.FAIL and not each.excused)
        if failed:
            self.aside(Text("The gate was tripped by {checks}.", checks=failed), "red")
            raise typer.Exit(GATE_TRIPPED)

    def leave_pipe(self) -> int:
        """Give the code for a reader of standard output who has gone, and write no more to it."""
        # The interpreter must not find the closed pipe again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED

    def answer(self, call: Callable[[], object]) -> int:
        """Run a call to its exit code; the one place of this face where any exception ends. Source: contract section 1."""
        try:
            code = call()
            sys.stdout.flush()
        except PorteroError as error:
            for problem in error.problems if isinstance(error, ConfigError) else (error.text,):
                self.aside(problem, "red")
            return error.exit_code
        except typer.TyperException as error:
            self.aside(complaint(error), "red")
            return MISUSED
        except BrokenPipeError:
            return self.leave_pipe()
        except Exception:
            self.aside(Text("This is a fault in portero. Please report it with the lines below."), "red")
            traceback.print_exc()
            return FAULT
        return code if isinstance(code, int) else 0


def free_folder(out: Path) -> Path:
    """Give the folder for results; raises ConfigError before any work where it cannot be one."""
    if out.exists() and not out.is_dir():
        raise ConfigError(
            (Text("--out names {path}, which is a file. Name a folder for the results.", path=str(out)),)
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error.strerror or str(error)) from error
    return out


def unwritable(out: Path, error: str) -> ConfigError:
    """Say that results cannot be written somewhere."""
    return ConfigError(
        (
            Text(
                "The results cannot be written to {path}: {error}. Name another folder with --out.",
                path=str(out),
                error=error,
            ),
        )
    )
