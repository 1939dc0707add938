"""The command line: chooses the language, reads the call, hands it to its command, leaves with the contract's code."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.desk import Desk, UseCases
from portero.faces.help import help_page
from portero.faces.options import Options
from portero.faces.render import LANGUAGES, Renderer
from portero.faces.version import installed


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A command as the first page of the help names it.

    module:  the module of this package whose ``add_…`` makes it; it is loaded when the command is called.
    help:    what the command does.
    """

    module: str
    help: Text


COMMANDS = {
    "demo": Entry("commands", Text("Build a sample organisation and audit it.")),
    "audit": Entry(
        "commands",
        Text(
            "Read evidence and write the inventory, the findings, the simulations, the plan and the report."
        ),
    ),
    "senders": Entry("commands", Text("List who sends in the organisation's name.")),
    "simulate": Entry(
        "commands",
        Text("Replay controls together on recorded mail: what they would refuse and what they would keep."),
    ),
    "check": Entry("posture_commands", Text("Check the posture alone.")),
    "plan": Entry(
        "commands",
        Text("Write the ordered steps, with scripts to apply, verify and roll back; nothing is run."),
    ),
    "explain": Entry(
        "message.commands", Text("Say how a message came in, whether it is forged or a phish, and why.")
    ),
    "scan": Entry("message.commands", Text("Judge every message in folders, mboxes and archives.")),
    "train": Entry(
        "message.commands",
        Text("Learn from the organisation's own labelled mail, measured by campaign, on this machine alone."),
    ),
    "questions": Entry(
        "questions",
        Text(
            "List the fewest questions to people that settle every undecided sender: to whom, about what, and how "
            "many messages each settles."
        ),
    ),
    "design": Entry(
        "design",
        Text(
            "Design the smallest set of connectors that admits every sender to keep and nobody undecided or abusive; "
            "says where no connector can help."
        ),
    ),
    "segment": Entry(
        "segment",
        Text(
            "Write firewall rules for which hosts may open the mail ports to the internet, with their undo and what "
            "they would have blocked."
        ),
    ),
    "policy": Entry(
        "policy",
        Text(
            "Write the security policy that the decided inventory amounts to: who may send, how, approved by whom, with "
            "exceptions and review dates."
        ),
    ),
    "dns": Entry("dns_command", Text("Judge what any domain publishes about its mail, record by record.")),
    "serve": Entry(
        "commands", Text("Serve the dashboard and the HTTP API, to this machine unless told otherwise.")
    ),
    "export": Entry("posture_commands", Text("Write the findings as files for other programs.")),
    "protection": Entry("posture_commands", Text("Show which policies really apply to mailboxes, and why.")),
    "snapshot": Entry(
        "posture_commands", Text("Keep the configuration of this moment, to compare with or to approve.")
    ),
    "diff": Entry(
        "posture_commands", Text("Say what changed in the configuration, in terms of mail, and who did it.")
    ),
    "compare": Entry(
        "posture_commands", Text("Set the findings of two runs, or of many tenants, side by side.")
    ),
    "decide": Entry(
        "deciding",
        Text(
            "Record what a person decided about a sender. It outweighs all evidence in every later run, and "
            "nothing in the record is ever overwritten."
        ),
    ),
    "relay": Entry(
        "relay",
        Text("Take mail from devices that cannot authenticate and send it on with modern credentials."),
    ),
    "scenario": Entry("scenario", Text("Keep what is tried in files: draft one from the plan, compare two.")),
    "evidence": Entry("evidence_command", Text("Look into kept evidence, and drop documents from it.")),
}


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
    options = Options(desk)

    class Command(TyperCommand):
        """A command whose help is in the reader's language."""

        def format_help(self, ctx: Any, formatter: Any) -> None:
            formatter.write(help_page(self, ctx.command_path, renderer))

    class Group(TyperGroup):
        """Commands under one name."""

        def format_help(self, ctx: Any, formatter: Any) -> None:
            rows = [(name, each.help or "") for name, each in self.commands.items()]
            formatter.write(help_page(self, ctx.command_path, renderer, rows))

        def parse_args(self, ctx: Any, args: list[str]) -> Any:
            # Without a word the reader wants to know what there is.
            return super().parse_args(ctx, args or ["--help"])

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            known = self.list_commands(ctx)
            if args and args[0] not in known and not args[0].startswith("-"):
                raise ConfigError((_no_command(args[0], tuple(known)),))
            return super().resolve_command(ctx, args)

    class Commands(Group):
        """All commands; any call of them ends in the contract's exit codes."""

        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
            return list(COMMANDS)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's signature
            if cmd_name not in COMMANDS:
                return None
            part = typer.Typer(cls=Group, add_completion=False, rich_markup_mode=None)
            module = import_module(f"portero.faces.{COMMANDS[cmd_name].module}")
            getattr(module, f"add_{cmd_name}")(part, desk, options, Command)
            # The command itself where its part holds one, their group where it holds several.
            made = get_command(part)
            made.name, made.help = cmd_name, renderer.text(COMMANDS[cmd_name].help)
            return made

        def format_help(self, ctx: Any, formatter: Any) -> None:
            rows = [(name, renderer.text(each.help)) for name, each in COMMANDS.items()]
            formatter.write(help_page(self, ctx.command_path, renderer, rows))

        def invoke(self, ctx: Any) -> Any:
            try:
                return super().invoke(ctx)
            except BrokenPipeError:
                # Caught here because Typer answers it with 1, which is the code of a tripped gate.
                raise typer.Exit(desk.leave_pipe()) from None

        def main(self, *call: Any, **extra: Any) -> Any:
            given = extra.pop("args", None) if not call else call[0]
            extra |= {"standalone_mode": False, "prog_name": "portero"}
            sys.exit(desk.answer(lambda: TyperGroup.main(self, given, **extra)))

    def told(wanted: bool) -> None:
        if wanted:
            typer.echo(f"portero {installed()}")
            raise typer.Exit

    def options_of_all(
        *,
        version: bool = typer.Option(
            False,
            "--version",
            help=renderer.text(Text("Say which version this is.")),
            callback=told,
            is_eager=True,
        ),
    ) -> None:
        """Take what stands before any command."""

    return typer.Typer(
        cls=Commands,
        callback=options_of_all,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=renderer.text(
            Text(
                "See who sends mail in your organisation's name, and close Direct Send without losing a message."
            )
        ),
    )


def _no_command(given: str, commands: tuple[str, ...]) -> Text:
    near = difflib.get_close_matches(given, commands, 1)
    if near:
        return Text("There is no command {given}. Did you mean {near}?", given=given, near=near[0])
    return Text("There is no command {given}. The commands are {commands}.", given=given, commands=commands)
