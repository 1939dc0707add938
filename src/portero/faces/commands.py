"""The commands: what each takes, which use case it asks, what it prints."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.finding import Finding, Profile
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.audit_json import (
    audit_document,
    sender_document,
    simulation_document,
    step_document,
)
from portero.faces.desk import Asking, Desk, ServeOptions, free_folder
from portero.faces.options import PORT, Options, chosen_day, chosen_profile, chosen_severity, may_ask


def add_demo(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero demo`."""

    @face.command(cls=cls)
    def demo(
        out: Annotated[Path | None, options.out] = None,
        json: Annotated[bool, options.json] = False,
        verbose: Annotated[bool, options.verbose] = False,
        serve: Annotated[bool, options.serve] = False,
        port: Annotated[int, options.port] = PORT,
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

    @face.command(cls=cls)
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

    @face.command(cls=cls)
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

    @face.command(cls=cls)
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

    @face.command(cls=cls)
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

    @face.command(cls=cls)
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
        port: Annotated[int, options.port] = PORT,
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
