"""The commands about messages: explain and scan."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

import json as json_text
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer
from typer.core import TyperCommand

from portero.core.address import a_label
from portero.core.explain import MailJudgement, Unread, Verdict
from portero.core.text import Text, count
from portero.errors import ConfigError
from portero.faces.desk import GATE_TRIPPED, Desk, unwritable
from portero.faces.json_text import as_json
from portero.faces.message.document import learnt_document, message_document, stix_bundle
from portero.faces.message.screen import brief, show, show_learnt
from portero.faces.options import Options

_GATES = {"phish": (MailJudgement.PHISH,), "suspicious": (MailJudgement.PHISH, MailJudgement.SUSPICIOUS)}
# Between two lines of progress.
_PROGRESS = 500


class _Options:
    """The options that both commands share, with their help in one language."""

    def __init__(self, desk: Desk) -> None:
        say = desk.renderer.text
        self.own = typer.Option(
            "--own-domain",
            metavar="DOMAIN",
            help=say(
                Text("A domain of the organisation; give it again for more. Added to those of the evidence.")
            ),
        )
        self.known = typer.Option(
            "--with",
            metavar="EVIDENCE",
            help=say(Text("Exports, traces and other evidence to judge by; give it again for more.")),
        )
        self.rules = typer.Option(
            "--rules", metavar="DIR", help=say(Text("A folder with own rules, as TOML."))
        )
        self.model = typer.Option(
            "--model",
            metavar="FILE",
            help=say(Text("A model that portero train made, instead of the one that comes along.")),
        )
        self.stix = typer.Option(
            "--stix",
            metavar="FILE",
            help=say(Text("Also write the indicators of what is not clean, as STIX 2.1.")),
        )
        self.fail_on = typer.Option(
            "--fail-on",
            metavar="phish|suspicious",
            help=say(Text("Exit with 1 where a message is judged so, or worse.")),
        )


def add_explain(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero explain`."""
    own = _Options(desk)
    messages = typer.Argument(
        metavar="MESSAGE...",
        help=desk.renderer.text(
            Text("Messages: .eml, .msg, a file with header text, or - for standard input.")
        ),
    )
    html = typer.Option(
        "--html",
        metavar="FILE",
        help=desk.renderer.text(Text("Also write the judgement as one page; for one message.")),
    )

    @face.command(cls=cls)
    def explain(
        message: Annotated[list[str], messages],
        own_domain: Annotated[list[str] | None, own.own] = None,
        with_: Annotated[list[Path] | None, own.known] = None,
        config: Annotated[Path | None, options.config] = None,
        rules: Annotated[Path | None, own.rules] = None,
        model: Annotated[Path | None, own.model] = None,
        html: Annotated[Path | None, html] = None,
        stix: Annotated[Path | None, own.stix] = None,
        fail_on: Annotated[str | None, own.fail_on] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        gate = _gate(fail_on)
        found = desk.use_cases.explain(
            message,
            own=_domains(own_domain),
            evidence=with_ or [],
            config=config,
            rules=rules,
            model=model,
            progress=desk.progress,
        )
        if json:
            documents = [message_document(each, desk.renderer) for each in found]
            desk.print_json(documents[0] if len(documents) == 1 else documents)
        else:
            for each in found:
                show(each, desk.terminal())
        if html is not None:
            first = found[0]
            if isinstance(first, Verdict):
                _written(html, lambda: desk.use_cases.write_page(first, html, desk.renderer.lang))
        if stix is not None:
            _written(stix, lambda: _write_stix(stix, found, desk))
        _leave(found, gate)
        if all(isinstance(each, Unread) for each in found):
            raise typer.Exit(3)


def add_scan(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero scan`."""
    own = _Options(desk)
    say = desk.renderer.text
    paths = typer.Argument(
        metavar="PATH...",
        help=say(
            Text("Folders, mboxes, archives and messages; exports found among them are used as evidence.")
        ),
    )
    out = typer.Option(
        "--out",
        metavar="FILE",
        help=say(
            Text("Write JSON lines to this file; where it exists, messages already in it are passed over.")
        ),
    )
    workers = typer.Option(
        "--workers",
        metavar="N",
        help=say(Text("How many messages are judged at the same time; by default one a processor.")),
    )

    @face.command(cls=cls)
    def scan(
        path: Annotated[list[Path], paths],
        own_domain: Annotated[list[str] | None, own.own] = None,
        with_: Annotated[list[Path] | None, own.known] = None,
        config: Annotated[Path | None, options.config] = None,
        rules: Annotated[Path | None, own.rules] = None,
        model: Annotated[Path | None, own.model] = None,
        out: Annotated[Path | None, out] = None,
        stix: Annotated[Path | None, own.stix] = None,
        workers: Annotated[int, workers] = 0,
        fail_on: Annotated[str | None, own.fail_on] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        gate = _gate(fail_on)
        verdicts = desk.use_cases.scan(
            path,
            own=_domains(own_domain),
            evidence=with_ or [],
            config=config,
            rules=rules,
            model=model,
            done=_done(out),
            workers=workers,
            progress=desk.progress,
        )
        kept: list[Verdict | Unread] = []
        total = {"phish": 0, "suspicious": 0, "clean": 0, "unread": 0}
        with _lines(out) as file:
            for number, each in enumerate(verdicts, 1):
                total["unread" if isinstance(each, Unread) else each.judgement.value] += 1
                if json or file is not None:
                    line = json_text.dumps(message_document(each, desk.renderer), ensure_ascii=True)
                    if file is not None:
                        file.write(line + "\n")
                        file.flush()
                    if json:
                        typer.echo(line)
                if not json and (isinstance(each, Unread) or each.judgement is not MailJudgement.CLEAN):
                    desk.terminal().say(*brief(each))
                if isinstance(each, Verdict) and each.judgement is not MailJudgement.CLEAN and (stix or gate):
                    kept.append(each)
                if number % _PROGRESS == 0:
                    desk.progress(Text("Judged so far: {number}", number=number))
        summary = count(
            "{n} message: {phish} phish, {suspicious} suspicious, {clean} clean, {unread} not readable.",
            "{n} messages: {phish} phish, {suspicious} suspicious, {clean} clean, {unread} not readable.",
            sum(total.values()),
            **total,
        )
        desk.aside(summary) if json else desk.terminal().say(summary, "bold")
        if stix is not None:
            _written(stix, lambda: _write_stix(stix, kept, desk))
        _leave(kept, gate)


def add_train(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero train`."""
    say = desk.renderer.text
    phish = typer.Option(
        "--phish",
        metavar="PATH",
        help=say(
            Text("Folders, mboxes and archives of phish: quarantine, users' reports; give it again for more.")
        ),
    )
    ham = typer.Option(
        "--ham",
        metavar="PATH",
        help=say(Text("The same of ordinary mail, released mail among it; give it again for more.")),
    )
    out = typer.Option(
        "--out", metavar="FILE", help=say(Text("The file for the model, which --model then takes."))
    )

    @face.command(cls=cls)
    def train(
        phish: Annotated[list[Path], phish],
        ham: Annotated[list[Path], ham],
        out: Annotated[Path, out],
        json: Annotated[bool, options.json] = False,
    ) -> None:
        try:
            learnt = desk.use_cases.train(phish, ham, out, progress=desk.progress)
        except OSError as error:
            raise unwritable(out, error.strerror or str(error)) from error
        if json:
            desk.print_json(learnt_document(learnt))
        else:
            show_learnt(learnt, desk.terminal())


def _domains(given: list[str] | None) -> tuple[str, ...]:
    return tuple(a_label(each.strip().removeprefix("@")) for each in given or () if each.strip())


def _gate(given: str | None) -> tuple[MailJudgement, ...]:
    if given is None:
        return ()
    if given not in _GATES:
        raise ConfigError(
            (
                Text(
                    "{option} cannot be {given}. It is one of {values}.",
                    option="--fail-on",
                    given=given,
                    values=tuple(_GATES),
                ),
            )
        )
    return _GATES[given]


def _leave(found: list[Verdict | Unread], gate: tuple[MailJudgement, ...]) -> None:
    if any(isinstance(each, Verdict) and each.judgement in gate for each in found):
        raise typer.Exit(GATE_TRIPPED)


def _write_stix(path: Path, found: list[Verdict | Unread], desk: Desk) -> None:
    path.write_text(as_json(stix_bundle(found, datetime.now(UTC), desk.renderer)), "utf-8")


def _done(out: Path | None) -> frozenset[str]:
    """Give the origins that an earlier run wrote; a last line that was cut is not among them."""
    if out is None or not out.exists():
        return frozenset()
    found: set[str] = set()
    with out.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                held = json_text.loads(line)
            except ValueError:
                continue
            if isinstance(held, dict) and isinstance(held.get("origin"), str):
                found.add(held["origin"])
    return frozenset(found)


@contextmanager
def _lines(out: Path | None) -> Iterator[TextIO | None]:
    if out is None:
        yield None
        return
    try:
        whole = not out.exists() or out.read_bytes()[-1:] in (b"", b"\n")
        file = out.open("a", encoding="utf-8")
    except OSError as error:
        raise unwritable(out, error.strerror or str(error)) from error
    with file:
        if not whole:
            file.write("\n")
        yield file


def _written(path: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise unwritable(path, error.strerror or str(error)) from error
