"""What the command line asks of the relay: run it, try it, look into its queue and change that."""

from __future__ import annotations

import asyncio
import logging
import queue as queue_module
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from portero.core.evidence import Origin
from portero.core.relay_words import reason
from portero.core.sender import Sender
from portero.core.text import Text
from portero.errors import ConfigError, InputError, SourceUnavailable
from portero.relay.audit import Trail, verify
from portero.relay.check import check_relay
from portero.relay.control import ask
from portero.relay.envelope import Envelope, parse_queue_id
from portero.relay.explain import explain
from portero.relay.habit import Memory
from portero.relay.observer import KEY as MEMORY_KEY
from portero.relay.quarantine_report import make_report, reported
from portero.relay.queue_file import DATABASE, SpoolBusy
from portero.relay.rules import from_learnt, from_senders
from portero.relay.send_test import send_test
from portero.relay.service import TRAIL, serve
from portero.relay.settings import FILE_NAME, Settings, load_settings
from portero.relay.spool import Change, Reader, Spool, why_not
from portero.relay.transport import Sign, unstuffed

_SYSTEM_FILE = Path("/etc/portero") / FILE_NAME
STATES = ("fresh", "waiting", "held", "quarantined")


def settings_of(config: Path | None) -> Settings:
    """
    Read the configuration: the one given, else that of the working folder, else the system's.

    Raises ConfigError with all that is wrong with it.
    """
    if config is None:
        config = next((each for each in (Path(FILE_NAME), _SYSTEM_FILE) if each.is_file()), None)
    if config is None:
        raise ConfigError(
            (
                Text(
                    "There is no {file} here nor in {folder}. Name it with --config.",
                    file=FILE_NAME,
                    folder=str(_SYSTEM_FILE.parent),
                ),
            )
        )
    return load_settings(config)


def run(config: Path | None, say: Callable[[Text], None], render: Callable[[Text], str]) -> None:
    """Run the relay until the system says stop; `render` gives the words of notices."""
    settings = settings_of(config)
    logging_to(sys.stderr)

    def ready(ports: dict[str, int]) -> None:
        for name, port in ports.items():
            say(Text("Listening: {name}, port {port}.", name=name, port=port))

    try:
        serve(settings, ready, render)
    except SpoolBusy as busy:
        raise ConfigError((Text("Another relay holds the queue in {path}.", path=str(busy)),)) from None


def logging_to(stream: Any) -> None:
    """Write the log as JSON lines; secrets are never in it, since none is ever in an event."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Where it happened, without what the variables held: that may be a token, or somebody's mail.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )


def check(config: Path | None, say: Callable[[Text], None]) -> list[Sign]:
    """Try what the relay needs: files, secrets, names, ports, certificates, credentials."""
    return asyncio.run(check_relay(settings_of(config), say))


def queue(
    config: Path | None, states: Sequence[str], limit: int, render: Callable[[Text], str] = str
) -> dict[str, object]:
    """Give the queue: its counts, and the first messages in these states; `render` gives the words of explanations."""
    for each in states:
        if each not in STATES:
            raise ConfigError((Text("--state takes {states}, not {given}.", states=STATES, given=each),))
    settings = settings_of(config)
    reader = _reader(settings)
    running = _ask(settings, "status", [])
    return {
        "counts": reader.count() if reader else {},
        "running": running is not None,
        "accepting": None if running is None else running.get("accepting"),
        "ways": (running or {}).get("ways", []),
        "messages": [
            message_document(each, render) for each in (reader.messages(states, limit) if reader else [])
        ],
    }


def devices(config: Path | None) -> list[dict[str, object]]:
    """Give each device's rule, and what it has sent as far as its habit was watched; None where nobody watched."""
    settings = settings_of(config)
    habits = _memory(settings).habits
    hour = int(datetime.now(UTC).timestamp() // 3600)
    found: list[dict[str, object]] = []
    for each in settings.devices:
        habit = habits.get(each.name)
        found.append(
            {
                "name": each.name,
                "networks": [str(network) for network in each.networks],
                "login": each.login,
                "ways": list(each.ways) or [way.name for way in settings.ways],
                "owner": each.owner or settings.owner or None,
                "messages_per_minute": each.messages_per_minute,
                "learning": each.learning,
                "messages": habit.messages if habit else None,
                "this_hour": None if habit is None else habit.in_hour if habit.hour == hour else 0,
                "busiest_hour": max(habit.busiest, habit.in_hour) if habit else None,
                "recipients": len(habit.recipients) if habit else None,
            }
        )
    return found


def show(config: Path | None, given: str, render: Callable[[Text], str] = str) -> dict[str, object]:
    """Give all that the queue knows of one message."""
    _, envelope = _find(settings_of(config), given)
    return message_document(envelope, render)


def export(config: Path | None, given: str) -> bytes:
    """Give a message as it will travel, for a file that ends in .eml."""
    reader, envelope = _find(settings_of(config), given)
    content = reader.content(envelope)
    if content is None:
        raise ConfigError((Text("The content of {id} is not whole on the disk.", id=envelope.queue_id),))
    return unstuffed(content)


def change(
    config: Path | None,
    what: str,
    given: Sequence[str],
    *,
    everything: bool,
    render: Callable[[Text], str] = str,
) -> dict[str, str]:
    """
    Change messages of the queue, or report them to their owners; gives what became of each by its queue id.

    render:  gives the words of a report, where no relay runs that would write it in its own language.
    """
    settings = settings_of(config)
    reader = _reader(settings)
    if everything:
        apart = ("quarantined",)
        states = {"retry": ("waiting", "held"), "release": apart, "report": apart}.get(what, ("waiting",))
        numbers = [each.id for each in reader.messages(states, 1_000_000)] if reader else []
    else:
        numbers = [_number(each) for each in given]
    told: Mapping[Any, Any] | None = _ask(settings, what, numbers)
    if told is None and numbers:
        told = (
            _report_alone(settings, numbers, render)
            if what == "report"
            else _change_alone(settings, cast("Change", what), numbers)
        )
    return {f"{int(number):x}": str(state) for number, state in (told or {}).items()}


def rules(senders: Iterable[Sender], render: Callable[[Text], str]) -> str:
    """Give device rules for the senders of an inventory that will need the relay, as TOML."""
    return from_senders(senders, render)


def learnt_rules(config: Path | None, render: Callable[[Text], str]) -> str:
    """Give device rules for what has sent while the relay was learning, as TOML to decide about."""
    return from_learnt(_memory(settings_of(config)).learnt.values(), render)


def audit_verdict(config: Path | None) -> dict[str, object]:
    """Check the audit trail's chain."""
    settings = settings_of(config)
    path = settings.audit or settings.spool / TRAIL
    try:
        found = verify(path)
    except OSError as error:
        raise InputError(
            Text(
                "{file} cannot be read: {reason}. Check the path.",
                file=str(path),
                reason=error.strerror or str(error),
            ),
            Origin(str(path)),
        ) from None
    return {"records": found.records, "broken": list(found.broken), "torn": found.torn, "last": found.last}


def send(config: Path | None, way: str, sender: str, recipient: str, render: Callable[[Text], str]) -> Sign:
    """Send one small message straight to a way out."""
    words = render(Text("This is a test of the relay. If it has arrived, this way out works."))
    return asyncio.run(send_test(settings_of(config), way, sender, recipient, words))


def message_document(envelope: Envelope, render: Callable[[Text], str] = str) -> dict[str, object]:
    """Give one message of the queue for programs."""
    return {
        "id": envelope.queue_id,
        "state": envelope.state,
        "received_at": _time(envelope.received_at),
        "due_at": _time(envelope.due_at) if envelope.due_at else None,
        "device": envelope.device,
        "client": envelope.client,
        "ehlo": envelope.ehlo,
        "mail_from": envelope.mail_from,
        "header_from": envelope.header_from,
        "message_id": envelope.message_id,
        "subject": envelope.subject,
        "size": envelope.size,
        "kind": envelope.kind,
        "owner": envelope.owner,
        "reasons": [
            {"code": code, "value": value, "words": render(reason(code, value))}
            for code, value in envelope.reasons
        ],
        "recipients": [
            {
                "address": each.address,
                "fate": each.fate.value,
                "attempts": each.attempts,
                "way": each.way or None,
                "reply": each.reply or None,
                "explained": _explained(each.reply, render),
            }
            for each in envelope.recipients
        ],
    }


def _explained(reply: str, render: Callable[[Text], str]) -> str | None:
    found = explain(reply)
    return None if found is None else render(found)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _reader(settings: Settings) -> Reader | None:
    return Reader(settings.spool) if (settings.spool / DATABASE).exists() else None


def _number(given: str) -> int:
    try:
        return parse_queue_id(given)
    except ValueError:
        raise ConfigError(
            (Text("{given} is no queue id. See portero relay queue list.", given=given),)
        ) from None


def _find(settings: Settings, given: str) -> tuple[Reader, Envelope]:
    reader = _reader(settings)
    envelope = reader.message(_number(given)) if reader else None
    if reader is None or envelope is None:
        raise ConfigError(
            (Text("There is no message {id} in the queue. It may have been sent by now.", id=given),)
        )
    return reader, envelope


def _memory(settings: Settings) -> Memory:
    """Give the habits and what was learnt, of a running relay up to now."""
    # One that cannot say so now has written them down within the last quarter of a minute.
    with suppress(SourceUnavailable):
        _ask(settings, "keep", [])
    reader = _reader(settings)
    return Memory(reader.kept(MEMORY_KEY) if reader else None)


def _ask(settings: Settings, what: str, numbers: list[int]) -> dict[str, Any] | None:
    try:
        return ask(settings.spool, what, numbers)
    except OSError as error:
        raise SourceUnavailable(
            Text("The running relay does not answer: {reason}.", reason=str(error))
        ) from None


def _report_alone(settings: Settings, numbers: list[int], render: Callable[[Text], str]) -> dict[int, str]:
    """Put reports into the queue while no relay runs on it: they leave when one does."""
    reader = Reader(settings.spool)
    told: dict[int, str] = {}
    with _alone(settings) as spool:
        for number in numbers:
            envelope = reader.message(number)
            if envelope is None or envelope.state != "quarantined":
                told[number] = "missing" if envelope is None else "unchanged"
                continue
            made = make_report(
                envelope,
                reader.content(envelope),
                number=spool.next_id(),
                hostname=settings.hostname,
                now=time.time(),
                say=render,
            )
            if made is None:
                told[number] = "ownerless"
                continue
            kept: queue_module.SimpleQueue[Exception | None] = queue_module.SimpleQueue()
            made[0].state = "waiting"
            spool.put(*made, kept.put, reported(envelope, made[0]))
            error = kept.get()
            told[number] = "reported" if error is None else str(error)
    return told


@contextmanager
def _alone(settings: Settings) -> Iterator[Spool]:
    """Hold the queue and its audit trail while no relay runs. Raises SourceUnavailable."""
    try:
        with closing(Trail(settings.audit or settings.spool / TRAIL)) as trail:
            spool = Spool(settings.spool, lambda function, *words: function(*words), trail)
            with closing(spool):
                yield spool
    except SpoolBusy:
        raise SourceUnavailable(
            Text("Another process holds the queue in {path}. Try again.", path=str(settings.spool))
        ) from None


def _change_alone(settings: Settings, what: Change, numbers: list[int]) -> dict[int, str]:
    """Change the queue while no relay runs on it."""
    answered = threading.Event()
    held: dict[int, str] = {}

    def answer(result: Any, error: Exception | None) -> None:
        held.update({each: why_not(error) for each in numbers} if error else result)
        answered.set()

    with _alone(settings) as spool:
        spool.alter(what, numbers, answer)
        answered.wait()
    return held
