"""The command line's help and its complaints about a call, in the reader's language."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence

import typer
from typer.core import TyperCommand, TyperGroup

from portero.core.text import Text
from portero.faces.render import Renderer

_INDENT = "  "
_WIDEST = 100


def help_page(
    command: TyperCommand | TyperGroup,
    called: str,
    renderer: Renderer,
    commands: Sequence[tuple[str, str]] = (),
) -> str:
    """
    Write a command's help.

    called:    the words that call it, for example ``portero audit``.
    commands:  of a group, each with what it does.
    """
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    usage = [called, renderer.text(Text("[OPTIONS]"))]
    usage += [f"{each.opts[0]} {each.metavar}" for each in options if each.required]
    usage += [str(each.metavar) for each in arguments]
    if isinstance(command, TyperGroup):
        usage.append(renderer.text(Text("COMMAND")))
    everywhere = [
        ("--lang en|es", renderer.text(Text("Language of the answer; by default that of the system."))),
        ("--help", renderer.text(Text("Show this help."))),
    ]
    parts = [
        renderer.text(Text("Usage: {call}", call=" ".join(usage))),
        *textwrap.wrap(command.help or "", width),
        *_section(renderer.text(Text("Commands")), commands, width),
        *_section(
            renderer.text(Text("Arguments")),
            [(str(each.metavar), str(getattr(each, "help", ""))) for each in arguments],
            width,
        ),
        *_section(
            renderer.text(Text("Options")),
            [(_option(each), str(getattr(each, "help", ""))) for each in options] + everywhere,
            width,
        ),
    ]
    return "\n".join([parts[0], "", *parts[1:]])


def _option(option: object) -> str:
    names = ", ".join(getattr(option, "opts", ()))
    metavar = getattr(option, "metavar", None)
    return names if getattr(option, "is_flag", False) or not metavar else f"{names} {metavar}"


def _section(title: str, rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    held = list(rows)
    if not held:
        return []
    column = max(len(name) for name, _ in held) + len(_INDENT) * 2
    lines = ["", f"{title}:"]
    for name, words in held:
        wrapped = textwrap.wrap(words, max(width - column, 20)) or [""]
        lines.append(f"{_INDENT}{name}".ljust(column) + wrapped[0])
        lines += [" " * column + line for line in wrapped[1:]]
    return lines


def complaint(error: typer.TyperException) -> Text:
    """Say what is wrong with a call that Typer could not read, and what would be right."""
    option = getattr(error, "option_name", None)
    near = tuple(getattr(error, "possibilities", None) or ())
    if option and near:
        return Text("There is no option {option}. Did you mean {near}?", option=option, near=near[0])
    if option and hasattr(error, "possibilities"):
        return Text("There is no option {option}. See --help.", option=option)
    if option:
        return Text("The option {option} is not complete: {error}", option=option, error=str(error))
    parameter = getattr(error, "param", None)
    if parameter is not None and hasattr(error, "param_type"):
        return Text("{name} is missing. See --help.", name=_missing(parameter))
    return Text("The call cannot be understood: {error} See --help.", error=error.format_message())


def _missing(parameter: object) -> str:
    if getattr(parameter, "param_type_name", "") == "argument":
        return str(getattr(parameter, "metavar", ""))
    return _option(parameter)
