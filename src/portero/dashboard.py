"""The dashboard put together: faces and state, and the reading of evidence in a process apart."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx2

from portero.app.evidence import Case, Evidence, Inventory
from portero.core.audit import Audit
from portero.core.decision import Decision
from portero.core.dns import Dns
from portero.core.evidence import Origin
from portero.core.explain import Unread, Verdict
from portero.core.sender import Sender
from portero.core.text import Text
from portero.decision_log import find_logs, read_log, record
from portero.engine.mails import read_mails
from portero.errors import ConfigError, InputError, PorteroError
from portero.faces.web.ports import Cancelled, Read, Say, Work
from portero.faces.web.serving import Serving, serve
from portero.store.state.database import open_database
from portero.store.state.state import State
from portero.store.state.values import UnreadableError, dump, load
from portero.toml_file import find_config

# How often a reading process is asked whether it should stop.
_POLL_SECONDS = 0.2
# More than any provider's keys.
_ANSWER_OCTETS = 1 << 20


# Gives the case, and its mails one by one as the octets of a file.
Gather = Callable[[Sequence[Path], Say], tuple[Case, bytes]]
Judging = Callable[[Case, Sequence[Sender], str, bytes], Sequence[Verdict | Unread]]
Export = Callable[[Audit, str], Mapping[str, bytes]]


def serve_dashboard(
    serving: Serving,
    database: str | None,
    evidence: Sequence[Path],
    say: Say,
    name: str | None,
    *,
    gather: Gather,
    export: Export,
    judge: Judging,
) -> None:
    """
    Serve; raises ConfigError and SourceUnavailable for what is in the way.

    gather:  reads evidence to a case and its mails; a function of a module, since another process will look it up there.
    export:  gives the files of an audit in a language.
    judge:   judges the mails of a file by what a case knows.
    """
    try:
        serving.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            (
                Text(
                    "The folder {path} cannot be used: {error}. Name another with --data.",
                    path=str(serving.data),
                    error=error.strerror or str(error),
                ),
            )
        ) from error
    state = State(open_database(database or f"sqlite:///{serving.data.absolute() / 'state.db'}"))

    def read(paths: Sequence[Path], say: Say, cancelled: Callable[[], bool]) -> Read:
        return read_apart(gather, paths, say, cancelled)

    work = Work(read, unpack, export, decided, record, judge, read_mails)
    serve(serving, state, work, evidence, say, name)


def fetch(
    method: str, address: str, form: Mapping[str, str] | None, login: tuple[str, str] | None
) -> tuple[int, bytes]:
    """Ask an OpenID provider, which answers within seconds and briefly, at the address asked and no other; raises OSError."""
    try:
        with (
            httpx2.Client(timeout=10, follow_redirects=False) as client,
            client.stream(
                method, address, data=form, auth=login, headers={"accept": "application/json"}
            ) as answer,
        ):
            held = b""
            for piece in answer.iter_bytes():
                held += piece
                if len(held) > _ANSWER_OCTETS:
                    raise OSError("the answer is too long")
            return answer.status_code, held
    except httpx2.HTTPError as error:
        raise OSError(str(error)) from error


def decided(places: Sequence[Path], here: bool) -> Sequence[Decision]:
    """Read the records of decisions that lie with evidence. Raises ConfigError for a line that is none."""
    settings = find_config(places) if here else None
    logs = find_logs(places, settings, here=here)
    return sorted((each for path in logs for each in read_log(path)), key=lambda each: each.decided_at)


# What the reading alone needed.
_GONE = frozenset({"maker_of"})


def pack(case: Case) -> bytes:
    """Write a case as octets to keep."""
    # The settings hold the DNS record of the evidence once more.
    settings = replace(case.inventory.settings, dns=Dns())
    return dump((_named(case.evidence), _named(replace(case.inventory, settings=settings))))


def _named(value: Evidence | Inventory) -> dict[str, object]:
    return {each.name: getattr(value, each.name) for each in fields(value) if each.name not in _GONE}


def unpack(content: bytes) -> Case:
    """Give a case back. Raises UnreadableError, a ValueError, for what another version wrote."""
    parts: Any = load(content)
    try:
        evidence_parts, inventory_parts = parts
        evidence = Evidence(**evidence_parts)
        inventory = Inventory(**inventory_parts)
    except TypeError as error:
        raise UnreadableError(str(error)) from error
    return Case(evidence, replace(inventory, settings=replace(inventory.settings, dns=evidence.dns)))


def read_apart(gather: Gather, paths: Sequence[Path], say: Say, cancelled: Callable[[], bool]) -> Read:
    """
    Read evidence in a process of its own: what it costs, and what hostile files do to it, stays there.

    Raises Cancelled, and PorteroError as `gather` does.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="portero-") as folder:
        out = Path(folder) / "case"
        process = context.Process(target=_read, args=(gather, tuple(paths), out, theirs))
        process.start()
        theirs.close()
        try:
            _follow(ours, say, cancelled)
            return Read(out.read_bytes(), out.with_suffix(".mails").read_bytes())
        except EOFError:
            raise InputError(
                Text("Reading ended before its time; the machine may lack memory."), Origin(str(paths[0]))
            ) from None
        finally:
            # Whether it is done, called off or stuck, nothing more is wanted of it.
            process.terminate()
            process.join()
            ours.close()


def _follow(ours: Connection, say: Say, cancelled: Callable[[], bool]) -> None:
    """Pass on what the process says until it is done; raises EOFError where it ended without a word."""
    while True:
        if cancelled():
            raise Cancelled
        if not ours.poll(_POLL_SECONDS):
            continue
        said = json.loads(ours.recv_bytes(1 << 20))
        if said["kind"] == "done":
            return
        text = _text(said["text"])
        if said["kind"] == "failed":
            raise InputError(text, Origin(""))
        say(text)


def _read(gather: Gather, paths: Sequence[Path], out: Path, theirs: Connection) -> None:
    """Run in the process apart."""

    def tell(kind: str, text: Text | None = None) -> None:
        theirs.send_bytes(json.dumps({"kind": kind, "text": _plain(text) if text else None}).encode())

    try:
        case, mails = gather(paths, lambda text: tell("say", text))
        tell("say", Text("Writing down what was found…"))
        out.write_bytes(pack(case))
        out.with_suffix(".mails").write_bytes(mails)
        tell("done")
    except PorteroError as error:
        tell("failed", error.text)


def _plain(value: object) -> object:
    """Give a sentence as JSON; values that are no sentences become text, which is how they are shown."""
    if isinstance(value, Text):
        values = {name: _plain(item) for name, item in value.values}
        return {"t": value.template, "c": value.context, "p": value.plural, "v": values}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float) else str(value)


def _text(said: object) -> Text:
    made = _value(said)
    assert isinstance(made, Text)  # noqa: S101 - `_plain` was given one
    return made


def _value(said: object) -> object:
    if isinstance(said, dict):
        made = object.__new__(Text)
        values = tuple((name, _value(item)) for name, item in said["v"].items())
        for name, part in (
            ("template", said["t"]),
            ("context", said["c"]),
            ("plural", said["p"]),
            ("values", values),
        ):
            object.__setattr__(made, name, part)
        return made
    return tuple(_value(item) for item in said) if isinstance(said, list) else said
