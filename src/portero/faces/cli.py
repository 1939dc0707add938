"""The command line: chooses the language, reads the call, hands it to its command, leaves with the contract's code."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.commands import (
    Options,
    add_audit,
    add_demo,
    add_plan,
    add_senders,
    add_serve,
    add_simulate,
)
from portero.faces.deciding import add_decide
from portero.faces.design import add_design
from portero.faces.desk import Desk, UseCases
from portero.faces.dns_command import add_dns
from portero.faces.evidence_command import add_evidence
from portero.faces.help import help_page
from portero.faces.message.commands import add_explain, add_scan, add_train
from portero.faces.policy import add_policy
from portero.faces.posture_commands import (
    add_check,
    add_compare,
    add_diff,
    add_export,
    add_protection,
    add_snapshot,
)
from portero.faces.questions import add_questions
from portero.faces.relay import add_relay
from portero.faces.render import LANGUAGES, Renderer
from portero.faces.scenario import add_scenario
from portero.faces.segment import add_segment

_ADVICE = (add_questions, add_design, add_segment, add_policy)
_POSTURE = (add_export, add_protection, add_snapshot, add_diff, add_compare)


def main(use_cases: UseCases) -> None:
    """Answer the call in `sys.argv` and leave."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a sign shows its number: better than dying half-way through an answer.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

    def call() -> object:
        lang, args = language(sys.argv[1:], os.environ)
        return build(use_cases, lang)(args)

    # The inner answer leaves with its own code; this one is for a call that does not get so far.
    sys.exit(Desk(use_cases, Renderer()).answer(call))


def language(args: Sequence[str], environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """
    Take the language out of a call: help and complaints are in it, so it is wanted before the call is read.

    Returns the language and the other arguments. Raises ConfigError for a language that is not spoken.
    Source of the variables' order: POSIX, Base Definitions, section 8.2.
    """
    rest: list[str] = []
    chosen: str | None = None
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--lang":
            chosen = next(words, "")
        elif word.startswith("--lang="):
            chosen = word.removeprefix("--lang=")
        else:
            rest.append(word)
    if chosen is None:
        locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
        return ("es" if locale.replace(".", "_").split("_")[0].lower() == "es" else "en"), rest
    if chosen not in LANGUAGES:
        raise ConfigError((Text("--lang takes {languages}, not {lang}.", languages=LANGUAGES, lang=chosen),))
    return chosen, rest


def build(use_cases: UseCases, lang: str = "en") -> typer.Typer:
    """Make the command line in one language."""
    renderer = Renderer(lang)
    desk = Desk(use_cases, renderer)

    class Command(TyperCommand):
        """A command whose help is in the reader's language."""

        def format_help(self, ctx: Any, formatter: Any) -> None:
            formatter.write(help_page(self, ctx.command_path, renderer))

    class Group(TyperGroup):
        """The commands together; any call of them ends in the contract's exit codes."""

        def format_help(self, ctx: Any, formatter: Any) -> None:
            formatter.write(help_page(self, ctx.command_path, renderer))

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            if args and args[0] not in self.commands and not args[0].startswith("-"):
                raise ConfigError((_no_command(args[0], tuple(self.commands)),))
            return super().resolve_command(ctx, args)

        def invoke(self, ctx: Any) -> Any:
            try:
                return super().invoke(ctx)
            except BrokenPipeError:
                # Caught here because Typer answers it with 1, which is the code of a tripped gate.
                raise typer.Exit(desk.leave_pipe()) from None

        def main(self, *call: Any, **extra: Any) -> Any:
            given = extra.pop("args", None) if not call else call[0]
            extra |= {"standalone_mode": False, "prog_name": "portero"}
            # Without a word the reader wants to know what there is.
            words = list(given or ()) or ["--help"]
            sys.exit(desk.answer(lambda: TyperGroup.main(self, words, **extra)))

    face = typer.Typer(
        cls=Group,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=renderer.text(
            Text(
                "See who sends mail in your organisation's name, and close Direct Send without losing a message."
            )
        ),
    )
    options = Options(desk)
    for add in (
        add_demo,
        add_audit,
        add_senders,
        add_simulate,
        add_check,
        add_plan,
        add_explain,
        add_scan,
        add_train,
        *_ADVICE,
        add_dns,
        add_serve,
        *_POSTURE,
    ):
        add(face, desk, options, Command)
    add_decide(face, desk, Command)
    add_relay(face, desk, use_cases.relay, Command, Group)
    add_scenario(face, desk, options, Command, Group)
    add_evidence(face, desk, Command, Group)
    return face


def _no_command(given: str, commands: tuple[str, ...]) -> Text:
    near = difflib.get_close_matches(given, commands, 1)
    if near:
        return Text("There is no command {given}. Did you mean {near}?", given=given, near=near[0])
    return Text("There is no command {given}. The commands are {commands}.", given=given, commands=commands)
