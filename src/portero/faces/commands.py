"""The commands: what each takes, which use case it asks, what it prints."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

import difflib
import tempfile
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
    finding_document,
    sender_document,
    simulation_document,
    step_document,
)
from portero.faces.desk import Asking, Desk, free_folder

_Choice = TypeVar("_Choice", bound=StrEnum)


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
        self.json = typer.Option("--json", help=say(Text("Print the result as JSON.")))
        self.verbose = typer.Option("--verbose", help=say(Text("Name every gap in the evidence.")))


def add_demo(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero demo`."""

    @face.command(cls=cls, help=desk.renderer.text(Text("Build a sample organisation and audit it.")))
    def demo(
        out: Annotated[Path | None, options.out] = None,
        json: Annotated[bool, options.json] = False,
        verbose: Annotated[bool, options.verbose] = False,
    ) -> None:
        place = free_folder(out or Path(tempfile.mkdtemp(prefix="portero-demo-")))
        evidence = free_folder(place / "evidence")
        desk.use_cases.demo(evidence, desk.progress)
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
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        json: Annotated[bool, options.json] = False,
        verbose: Annotated[bool, options.verbose] = False,
    ) -> None:
        wanted, worst = _profile(profile), _severity(fail_on)
        place = free_folder(out)
        asking = may_ask(resolve, resolver, record or place / "dns-answers.jsonl")
        findings = _audit(desk, evidence, place, config, wanted, json=json, verbose=verbose, asking=asking)
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
        json: Annotated[bool, options.json] = False,
        verbose: Annotated[bool, options.verbose] = False,
    ) -> None:
        held = desk.use_cases.audit(
            evidence,
            config=config,
            profile=Profile.STANDARD,
            progress=desk.progress,
            asking=may_ask(resolve, resolver, record),
        )
        if json:
            desk.print_json([sender_document(each, desk.renderer) for each in held.senders])
        else:
            desk.terminal().senders(held.senders, None)
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
        control: Annotated[list[str], options.control],
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        for each in control:
            # Reading evidence can take minutes; a slip of the pen is answered before that.
            desk.use_cases.control(each)
        simulation = desk.use_cases.simulate(
            evidence,
            control,
            config=config,
            progress=desk.progress,
            asking=may_ask(resolve, resolver, record),
        )
        if json:
            desk.print_json([simulation_document(simulation, desk.renderer)])
        else:
            desk.terminal().simulation(simulation)


def add_check(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero check`."""

    @face.command(cls=cls, help=desk.renderer.text(Text("Check the posture alone.")))
    def check(
        evidence: Annotated[list[Path], options.evidence],
        config: Annotated[Path | None, options.config] = None,
        profile: Annotated[str, options.profile] = Profile.STANDARD,
        fail_on: Annotated[str | None, options.fail_on] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        json: Annotated[bool, options.json] = False,
        verbose: Annotated[bool, options.verbose] = False,
    ) -> None:
        wanted, worst = _profile(profile), _severity(fail_on)
        held = desk.use_cases.audit(
            evidence,
            config=config,
            profile=wanted,
            progress=desk.progress,
            asking=may_ask(resolve, resolver, record),
        )
        if json:
            desk.print_json([finding_document(each, desk.renderer) for each in held.findings])
        else:
            desk.terminal().findings(held.findings)
            desk.terminal().gaps(held.gaps, verbose=verbose)
        desk.gate(held.findings, worst)


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
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        free_folder(out)
        held = desk.use_cases.audit(
            evidence,
            config=config,
            profile=Profile.STANDARD,
            progress=desk.progress,
            asking=may_ask(resolve, resolver, record),
        )
        written = desk.write(desk.use_cases.write_plan, held, out)
        if json:
            desk.print_json([step_document(each, desk.renderer) for each in held.plan])
        else:
            desk.terminal().plan(held.plan)
        desk.aside(Text("Written: {files}", files=tuple(str(path) for path in written)))


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
) -> tuple[Finding, ...]:
    held = desk.use_cases.audit(
        evidence, config=config, profile=profile, progress=desk.progress, asking=asking
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


def _profile(given: str) -> Profile:
    return _chosen("--profile", given, Profile)


def _severity(given: str | None) -> Severity | None:
    return None if given is None else _chosen("--fail-on", given, Severity)


def _chosen(option: str, given: str, choices: type[_Choice]) -> _Choice:
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
