"""The commands: what each takes, which use case it asks, what it prints."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

import difflib
import os
import tempfile
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from typer.core import TyperCommand

from portero.core.finding import Finding, Profile, Severity
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.audit_json import (
    audit_document,
    sender_document,
    simulation_document,
    step_document,
)
from portero.faces.desk import Asking, Desk, ServeOptions, free_folder

_Choice = TypeVar("_Choice", bound=StrEnum)
_PORT = 8025


class Options:
    """The arguments and options that commands share, with their help in one language."""

    def __init__(self, desk: Desk) -> None:
        say = desk.renderer.text
        self.evidence = typer.Argument(
            metavar="EVIDENCE...",
            help=say(
                Text(
                    "Files and folders: traces, reports, exports of settings, DNS answers. What each is, is seen from its content."
                )
            ),
        )
        self.out = typer.Option(
            "--out", metavar="DIR", help=say(Text("Folder for the results; it is made where it is missing."))
        )
        self.config = typer.Option(
            "--config",
            metavar="FILE",
            help=say(
                Text(
                    "The portero.toml to use; by default that of the first folder, then of the working folder."
                )
            ),
        )
        self.control = typer.Option(
            "--control",
            metavar="CONTROL",
            help=say(
                Text(
                    "A control to replay, for example reject-direct-send; give it again to replay several together."
                )
            ),
        )
        self.profile = typer.Option(
            "--profile",
            metavar="standard|strict",
            help=say(Text("Which thresholds the checks apply; standard by default.")),
        )
        self.fail_on = typer.Option(
            "--fail-on",
            metavar="critical|high|medium|low",
            help=say(Text("Exit with 1 where a check of this severity or above fails.")),
        )
        self.baseline = typer.Option(
            "--baseline",
            metavar="PATH",
            help=say(
                Text(
                    "The approved state, a snapshot or a folder of exports: what differs from it is a finding."
                )
            ),
        )
        self.resolve = typer.Option(
            "--resolve",
            help=say(
                Text("Ask live DNS what the evidence leaves open; without it nothing leaves this machine.")
            ),
        )
        self.resolver = typer.Option(
            "--resolver",
            metavar="ADDRESS",
            help=say(
                Text(
                    "The DNS resolver to ask with --resolve, ADDRESS or ADDRESS:PORT; by default those of this machine."
                )
            ),
        )
        self.record = typer.Option(
            "--record",
            metavar="FILE",
            help=say(
                Text("Keep what --resolve learned in this file, as evidence for a run without a network.")
            ),
        )
        self.store = typer.Option(
            "--store",
            metavar="FOLDER",
            help=say(
                Text(
                    "Keep evidence in this folder: the next call reads only what is new and judges all of it."
                )
            ),
        )
        self.json = typer.Option("--json", help=say(Text("Print the result as JSON.")))
        self.serve = typer.Option("--serve", help=say(Text("Open it in the dashboard.")))
        self.port = typer.Option(
            "--port",
            metavar="NUMBER",
            min=0,
            max=65535,
            help=say(Text("Port to listen on; 0 takes a free one.")),
        )
        self.verbose = typer.Option("--verbose", help=say(Text("Name every gap in the evidence.")))


def add_demo(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero demo`."""

    @face.command(cls=cls, help=desk.renderer.text(Text("Build a sample organisation and audit it.")))
    def demo(
        out: Annotated[Path | None, options.out] = None,
        json: Annotated[bool, options.json] = False,
        verbose: Annotated[bool, options.verbose] = False,
        serve: Annotated[bool, options.serve] = False,
        port: Annotated[int, options.port] = _PORT,
    ) -> None:
        place = free_folder(out or Path(tempfile.mkdtemp(prefix="portero-demo-")))
        evidence = free_folder(place / "evidence")
        desk.use_cases.demo(evidence, desk.progress)
        if serve:
            data = place / "dashboard"
            held = ServeOptions("127.0.0.1", port, (), None, None, (), data, None)
            desk.use_cases.serve(held, [evidence], desk.progress)
            return
        _audit(desk, [evidence], place / "audit", None, Profile.STANDARD, json=json, verbose=verbose)


def add_audit(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero audit`."""

    @face.command(
        cls=cls,
        help=desk.renderer.text(
            Text(
                "Read evidence and write the inventory, the findings, the simulations, the plan and the report."
            )
        ),
    )
    def audit(
        evidence: Annotated[list[Path], options.evidence],
        out: Annotated[Path, options.out],
        config: Annotated[Path | None, options.config] = None,
        profile: Annotated[str, options.profile] = Profile.STANDARD,
        fail_on: Annotated[str | None, options.fail_on] = None,
        baseline: Annotated[Path | None, options.baseline] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        store: Annotated[Path | None, options.store] = None,
        json: Annotated[bool, options.json] = False,
        verbose: Annotated[bool, options.verbose] = False,
    ) -> None:
        wanted, worst = chosen_profile(profile), chosen_severity(fail_on)
        place = free_folder(out)
        asking = may_ask(resolve, resolver, record or place / "dns-answers.jsonl")
        findings = _audit(
            desk,
            evidence,
            place,
            config,
            wanted,
            json=json,
            verbose=verbose,
            asking=asking,
            baseline=baseline,
            store=store,
        )
        desk.gate(findings, worst)


def add_senders(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero senders`."""

    @face.command(cls=cls, help=desk.renderer.text(Text("List who sends in the organisation's name.")))
    def senders(
        evidence: Annotated[list[Path], options.evidence],
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        store: Annotated[Path | None, options.store] = None,
        json: Annotated[bool, options.json] = False,
        verbose: Annotated[bool, options.verbose] = False,
    ) -> None:
        held = desk.audit(evidence, config=config, asking=may_ask(resolve, resolver, record), store=store)
        if json:
            desk.print_json([sender_document(each, desk.renderer) for each in held.senders])
        else:
            desk.terminal().senders(held, None)
            desk.terminal().gaps(held.gaps, verbose=verbose)


def add_simulate(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero simulate`."""

    @face.command(
        cls=cls,
        help=desk.renderer.text(
            Text(
                "Replay controls together on recorded mail: what they would refuse and what they would keep."
            )
        ),
    )
    def simulate(
        evidence: Annotated[list[Path], options.evidence],
        control: Annotated[list[str] | None, options.control] = None,
        scenario: Annotated[
            Path | None,
            typer.Option(
                "--scenario",
                metavar="FILE",
                help=desk.renderer.text(
                    Text("A scenario file to replay: controls, and senders that are moved another way.")
                ),
            ),
        ] = None,
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        store: Annotated[Path | None, options.store] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        controls = control or []
        if not controls and scenario is None:
            raise ConfigError((Text("Name what to replay: --control CONTROL or --scenario FILE."),))
        for each in controls:
            # Reading evidence can take minutes; a slip of the pen is answered before that.
            desk.use_cases.control(each)
        asking = may_ask(resolve, resolver, record)
        if scenario is not None:
            [simulation] = desk.use_cases.try_scenarios(
                [scenario],
                evidence,
                controls,
                config=config,
                progress=desk.progress,
                asking=asking,
                store=store,
            ).simulations
        else:
            simulation = desk.use_cases.simulate(
                evidence, controls, config=config, progress=desk.progress, asking=asking, store=store
            )
        if json:
            desk.print_json([simulation_document(simulation, desk.renderer)])
        else:
            desk.terminal().simulation(simulation)


def add_plan(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero plan`."""

    @face.command(
        cls=cls,
        help=desk.renderer.text(
            Text("Write the ordered steps, with scripts to apply, verify and roll back; nothing is run.")
        ),
    )
    def plan(
        evidence: Annotated[list[Path], options.evidence],
        out: Annotated[Path, options.out],
        start: Annotated[
            str | None,
            typer.Option(
                "--start",
                metavar="YYYY-MM-DD",
                help=desk.renderer.text(
                    Text(
                        "The earliest day of a change; by default a week from now. Windows are Tuesday to Thursday."
                    )
                ),
            ),
        ] = None,
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        store: Annotated[Path | None, options.store] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        free_folder(out)
        first = chosen_day("--start", start)
        held = desk.audit(evidence, config=config, asking=may_ask(resolve, resolver, record), store=store)
        if first is not None:
            held = desk.use_cases.start(held, first)
        written = desk.write(desk.use_cases.write_plan, held, out)
        if json:
            desk.print_json([step_document(each, desk.renderer) for each in held.plan])
        else:
            desk.terminal().plan(held.plan)
        desk.aside(Text("Written: {files}", files=tuple(str(path) for path in written)))


def add_serve(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero serve`."""
    say = desk.renderer.text

    @face.command(
        cls=cls,
        help=say(Text("Serve the dashboard and the HTTP API, to this machine unless told otherwise.")),
    )
    def serve(
        evidence: Annotated[list[Path] | None, options.evidence] = None,
        data: Annotated[
            Path | None,
            typer.Option(
                "--data",
                metavar="DIR",
                help=say(
                    Text("Folder for its database and for uploads; by default that of the user's data.")
                ),
            ),
        ] = None,
        database: Annotated[
            str | None,
            typer.Option(
                "--database",
                metavar="URL",
                help=say(
                    Text("Database in place of SQLite in the data folder: postgresql://USER@HOST/NAME.")
                ),
            ),
        ] = None,
        host: Annotated[
            str,
            typer.Option(
                "--host",
                metavar="ADDRESS",
                help=say(Text("Address to listen on; others than this machine need TLS or a proxy.")),
            ),
        ] = "127.0.0.1",
        port: Annotated[int, options.port] = _PORT,
        name: Annotated[
            list[str] | None,
            typer.Option(
                "--name",
                metavar="HOST",
                help=say(Text("Host name under which browsers reach it; give it again for several.")),
            ),
        ] = None,
        tls_cert: Annotated[
            Path | None,
            typer.Option("--tls-cert", metavar="FILE", help=say(Text("Certificate chain for TLS."))),
        ] = None,
        tls_key: Annotated[
            Path | None,
            typer.Option("--tls-key", metavar="FILE", help=say(Text("Private key of the certificate."))),
        ] = None,
        behind_proxy: Annotated[
            list[str] | None,
            typer.Option(
                "--behind-proxy",
                metavar="CIDR",
                help=say(
                    Text("Address or network of a proxy in front that speaks TLS; only it is believed.")
                ),
            ),
        ] = None,
        config: Annotated[
            Path | None,
            typer.Option(
                "--config",
                metavar="FILE",
                help=say(
                    Text(
                        "The serve.toml to use; by default that of the working folder, then that of /etc/portero."
                    )
                ),
            ),
        ] = None,
    ) -> None:
        desk.use_cases.serve(
            ServeOptions(
                host, port, tuple(name or ()), tls_cert, tls_key, tuple(behind_proxy or ()), data or _data_folder(),
                database or os.environ.get("PORTERO_DATABASE"), config,
            ),
            evidence or [],
            desk.progress,
        )  # fmt: skip


def _data_folder() -> Path:
    """Give the user's data folder. Source: XDG Base Directory Specification 0.8."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "portero"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "portero"


def _audit(
    desk: Desk,
    evidence: list[Path],
    out: Path,
    config: Path | None,
    profile: Profile,
    *,
    json: bool,
    verbose: bool,
    asking: Asking | None = None,
    baseline: Path | None = None,
    store: Path | None = None,
) -> tuple[Finding, ...]:
    held = desk.use_cases.audit(
        evidence,
        config=config,
        profile=profile,
        progress=desk.progress,
        asking=asking,
        baseline=baseline,
        store=store,
    )
    written = desk.write(desk.use_cases.write, held, out)
    if json:
        desk.print_json(audit_document(held, desk.renderer))
    else:
        desk.terminal().audit(held, verbose=verbose)
    for path in written:
        desk.aside(Text("Written: {files}", files=str(path)))
    return held.findings


def may_ask(resolve: bool, resolvers: list[str] | None, record: Path | None) -> Asking | None:
    """Say whether live DNS may be asked; a resolver named without --resolve is a slip and is said to be one."""
    if resolve:
        return Asking(tuple(resolvers or ()), record)
    if resolvers:
        raise ConfigError((Text("--resolver counts only with --resolve."),))
    return None


def chosen_day(option: str, given: str | None) -> date | None:
    """Read an option that takes a day."""
    try:
        return None if given is None else date.fromisoformat(given)
    except ValueError:
        raise ConfigError(
            (Text("{option} takes a day such as 2027-06-30, not {text}.", option=option, text=given or ""),)
        ) from None


def chosen_profile(given: str) -> Profile:
    """Read --profile."""
    return chosen("--profile", given, Profile)


def chosen_severity(given: str | None) -> Severity | None:
    """Read --fail-on."""
    return None if given is None else chosen("--fail-on", given, Severity)


def chosen(option: str, given: str, choices: type[_Choice]) -> _Choice:
    values = tuple(each.value for each in choices)
    if given in values:
        return choices(given)
    near = difflib.get_close_matches(given, values, 1)
    if near:
        raise ConfigError(
            (
                Text(
                    "{option} cannot be {given}. Did you mean {near}?",
                    option=option,
                    given=given,
                    near=near[0],
                ),
            )
        )
    raise ConfigError(
        (
            Text(
                "{option} cannot be {given}. It is one of {values}.",
                option=option,
                given=given,
                values=values,
            ),
        )
    )
