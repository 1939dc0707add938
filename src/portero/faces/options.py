"""The arguments and options that commands share, and how their values are read."""

from __future__ import annotations

import difflib
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import typer

from portero.core.finding import Profile, Severity
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.desk import Asking, Desk

PORT = 8025
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
