"""`portero check` and what belongs to it: exports, explanations, protection, snapshots, differences, comparisons."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

import difflib
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.checks import checks
from portero.core.finding import Check, Profile
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.audit_json import answer_document, drift_document, finding_document, standing_document
from portero.faces.check_pages import explanation
from portero.faces.comparison import compared, read_result
from portero.faces.desk import GATE_TRIPPED, Desk, free_folder
from portero.faces.options import Options, chosen_profile, chosen_severity, may_ask

TABLE = "table"


def add_check(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero check`."""
    say = desk.renderer.text
    evidence_or_none = typer.Argument(metavar="EVIDENCE...", help=options.evidence.help)
    form = typer.Option(
        "--format",
        metavar="FORMAT",
        help=say(Text("How to print the findings: table, json, csv, sarif, ocsf, junit, markdown or html.")),
    )
    explain = typer.Option(
        "--explain", metavar="ID", help=say(Text("Print the page of one check and leave."))
    )

    @face.command(cls=cls)
    def check(
        evidence: Annotated[list[Path] | None, evidence_or_none] = None,
        config: Annotated[Path | None, options.config] = None,
        profile: Annotated[str, options.profile] = Profile.STANDARD,
        fail_on: Annotated[str | None, options.fail_on] = None,
        baseline: Annotated[Path | None, options.baseline] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        store: Annotated[Path | None, options.store] = None,
        form: Annotated[str, form] = TABLE,
        explain: Annotated[str | None, explain] = None,
        json: Annotated[bool, options.json] = False,
        verbose: Annotated[bool, options.verbose] = False,
    ) -> None:
        if explain is not None:
            typer.echo(explanation(_check(explain), desk.renderer), nl=False)
            return
        if not evidence:
            raise ConfigError((Text("Name the evidence to check, or a check with --explain."),))
        wanted, worst = chosen_profile(profile), chosen_severity(fail_on)
        chosen = "json" if json else _format(form, desk)
        held = desk.use_cases.audit(
            evidence,
            config=config,
            profile=wanted,
            progress=desk.progress,
            asking=may_ask(resolve, resolver, record),
            baseline=baseline,
            store=store,
        )
        if chosen == "json":
            desk.print_json([finding_document(each, desk.renderer) for each in held.findings])
        elif chosen == TABLE:
            desk.terminal().findings(held.findings)
            desk.terminal().gaps(held.gaps, verbose=verbose)
        else:
            typer.echo(desk.use_cases.export(held, chosen, desk.renderer.lang), nl=False)
        desk.gate(held.findings, worst)


def add_export(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero export`."""
    say = desk.renderer.text
    form = typer.Argument(
        metavar="FORMAT",
        help=say(Text("csv, json, sarif, ocsf, junit, markdown or html; several with commas.")),
    )

    @face.command(cls=cls)
    def export(
        form: Annotated[str, form],
        evidence: Annotated[list[Path], options.evidence],
        out: Annotated[Path, options.out],
        config: Annotated[Path | None, options.config] = None,
        profile: Annotated[str, options.profile] = Profile.STANDARD,
        baseline: Annotated[Path | None, options.baseline] = None,
    ) -> None:
        forms = [_format(each.strip(), desk, table=False) for each in form.split(",")]
        wanted = chosen_profile(profile)
        free_folder(out)
        held = desk.use_cases.audit(
            evidence, config=config, profile=wanted, progress=desk.progress, baseline=baseline
        )
        for each in forms:
            path = out / desk.use_cases.formats()[each]
            path.write_bytes(desk.use_cases.export(held, each, desk.renderer.lang))
            desk.aside(Text("Written: {files}", files=str(path)))


def add_protection(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero protection`."""
    say = desk.renderer.text
    recipient = typer.Option(
        "--recipient",
        metavar="ADDRESS",
        help=say(Text("A mailbox to answer for, with the reasons; give it again for several.")),
    )

    @face.command(cls=cls)
    def protection(
        evidence: Annotated[list[Path], options.evidence],
        recipient: Annotated[list[str] | None, recipient] = None,
        config: Annotated[Path | None, options.config] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        held = desk.use_cases.effective(evidence, recipient or (), config=config, progress=desk.progress)
        if json:
            desk.print_json(
                {
                    "recipients": {
                        name: [answer_document(each, desk.renderer) for each in found]
                        for name, found in held.recipients.items()
                    },
                    "coverage": [standing_document(each) for each in held.standings],
                }
            )
            return
        for name, found in held.recipients.items():
            desk.terminal().protection(name, found)
        desk.terminal().coverage(held.standings)


def add_snapshot(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero snapshot`."""

    @face.command(cls=cls)
    def snapshot(
        evidence: Annotated[list[Path], options.evidence],
        out: Annotated[Path, options.out],
    ) -> None:
        written = desk.use_cases.snapshot(evidence, free_folder(out), progress=desk.progress)
        desk.aside(Text("Written: {files}", files=str(written)))


def add_diff(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero diff`."""
    say = desk.renderer.text
    before = typer.Argument(
        metavar="BEFORE", help=say(Text("The earlier state: a snapshot, or a folder of exports."))
    )

    @face.command(cls=cls)
    def diff(
        before: Annotated[Path, before],
        after: Annotated[list[Path], options.evidence],
        json: Annotated[bool, options.json] = False,
    ) -> None:
        found = desk.use_cases.changes(before, after, progress=desk.progress)
        if json:
            desk.print_json([drift_document(each, desk.renderer) for each in found])
            return
        for each in found:
            desk.terminal().say(Text("{change}.", change=each.sentence))
        if not found:
            desk.terminal().say(Text("Nothing that decides over mail has changed."))


def add_compare(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero compare`."""
    say = desk.renderer.text
    results = typer.Argument(
        metavar="RESULT...",
        help=say(Text("Results as JSON, of check --json, export json or audit: two runs, or many tenants.")),
    )
    worse = typer.Option(
        "--fail-on-worse", help=say(Text("Exit with 1 where the last result is worse than the first."))
    )

    @face.command(cls=cls)
    def compare(
        results: Annotated[list[Path], results],
        fail_on_worse: Annotated[bool, worse] = False,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        held = [read_result(path) for path in results]
        rows = compared(held)
        if json:
            desk.print_json(
                [{"id": each.id, "outcomes": each.outcomes, "change": each.change} for each in rows]
            )
        else:
            desk.terminal().comparison([each.name for each in held], rows)
        if fail_on_worse and any(each.change in {"worse", "lost"} for each in rows):
            raise typer.Exit(GATE_TRIPPED)


def _check(given: str) -> Check:
    held = {each.id: each for each in checks()}
    found = held.get(given.strip().upper())
    if found is None:
        near = tuple(difflib.get_close_matches(given.strip().upper(), held, 3)) or tuple(held)[:3]
        raise ConfigError((Text("There is no check {given}. Did you mean {near}?", given=given, near=near),))
    return found


def _format(given: str, desk: Desk, *, table: bool = True) -> str:
    if table and given == TABLE:
        return given
    known = ([TABLE] if table else []) + sorted(desk.use_cases.formats())
    if given not in known:
        raise ConfigError(
            (
                Text(
                    "There is no format {given}. The formats are {formats}.",
                    given=given,
                    formats=tuple(known),
                ),
            )
        )
    return given
