"""Fuzz targets: every parser with what must hold of it, the seeds to start from, and a plain mutator."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from portero.core.evidence import Gap, Origin
from portero.core.exchange.headers import parse_report, read_exchange_headers
from portero.core.limits import LIMITS
from portero.core.mail.authres import parse_authentication_results, parse_received_spf
from portero.core.mail.mime import Mail, Part, looks_like_mail, read_mail
from portero.core.mail.received import parse_received
from portero.core.message.arrival import Known
from portero.opening.budget import MOST_LINKS, Budget
from portero.opening.judge import Judge, Task
from portero.opening.letter import open_content
from portero.sources import sources
from portero.sources.containers import opened
from portero.sources.document import Batch, Document, Source
from portero.sources.head import head_of
from portero.sources.outlook import outlook_mails
from portero.sources.walk import walk
from support.attachments import FILES
from support.exemplars import EXEMPLARS
from support.letters import arrived, body, file_part, text_part
from support.relay_fuzz import RELAY_SEEDS, RELAY_TARGETS
from support.watched import nothing_outside

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
_SEED_OCTETS = 64 << 10
_SEEDS = 8
Target = Callable[[bytes], None]


def _source(source: Source, raw: bytes) -> None:
    """Reading what is recognised raises nothing, gives valid columns, and every gap names the document."""
    document = Document("d", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    if not source.recognise(document.head):
        return
    for item in source.read(document):
        if isinstance(item, Batch):
            item.rows.validate(full=True)
        elif isinstance(item, Gap):
            assert isinstance(item.origin, Origin)
            assert item.origin.document == "d"
            assert item.count > 0
            str(item.reason)


def _containers(raw: bytes) -> None:
    for found in opened("d", raw[: 64 << 10], len(raw), lambda: io.BytesIO(raw), LIMITS):
        if isinstance(found, Document):
            assert ".." not in found.name.split("/")
            with found.open() as stream:
                stream.read(1 << 20)


def _mail(raw: bytes) -> None:
    looks_like_mail(raw)
    mail = read_mail(raw)
    for name, _ in mail.fields[:50]:
        mail.text(name)
        mail.mailboxes(name)
    read_exchange_headers(mail.fields)


def _trace_header(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace")
    parse_received(text)
    parse_authentication_results(text)
    parse_received_spf(text)
    parse_report(text)


def _outlook(raw: bytes) -> None:
    for mail in outlook_mails(raw, 4):
        assert mail.header is None or isinstance(mail.header, bytes)


def _letter(raw: bytes) -> None:
    """A message is judged whatever it is, and nothing outside is touched."""
    with nothing_outside():
        verdict = Judge(Known())(Task("d", raw))
    assert verdict.origin.startswith("d")


def _attachment(raw: bytes) -> None:
    """A file is opened as the attachment that its content makes it, whatever its name says."""
    mail = Mail(
        (("From", "a@b.example"),), (Part("1", "application/octet-stream", raw, name="a", attached=True),)
    )
    budget = Budget()
    with nothing_outside():
        held = open_content(mail, budget)
    assert held.attachments[0].size == len(raw)
    assert len(held.links) <= MOST_LINKS
    assert budget.octets <= Budget().octets


def targets() -> dict[str, Target]:
    """Give every target by name: the sources by id, and the parsers below them."""
    found: dict[str, Target] = {source.id: _bind(source) for source in sources()}
    return found | {
        "containers": _containers,
        "mail": _mail,
        "trace-header": _trace_header,
        "outlook": _outlook,
        **RELAY_TARGETS,
        "letter": _letter,
        "attachment": _attachment,
    }


def _bind(source: Source) -> Target:
    return lambda raw: _source(source, raw)


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """Give what fuzzing of a target starts from: its exemplar, and samples of that kind where they are at hand."""
    if name in RELAY_SEEDS:
        return RELAY_SEEDS[name]
    found = [EXEMPLARS[name].encode()] if name in EXEMPLARS else [EXEMPLARS["mail-message"].encode()]
    if name == "trace-header":
        found = [value.encode() for _, value in read_mail(found[0]).fields]
    suffixes = {"outlook": {".msg"}, "containers": {".zip", ".gz", ".zlib", ".eml"}, "mail": {".eml"}}.get(
        name
    )
    if name == "attachment":
        return tuple(FILES.values())
    if name == "letter":
        return (*found, *(arrived(content=body(text_part("x"), file_part(*each))) for each in _FILE_PARTS))
    if not SAMPLES.is_dir():
        return tuple(found)
    if suffixes is not None:
        files = sorted(path for path in SAMPLES.rglob("*") if path.suffix in suffixes)
        found += [path.read_bytes() for path in files if path.stat().st_size <= _SEED_OCTETS][:_SEEDS]
    elif name in EXEMPLARS:
        source = next(each for each in sources() if each.id == name)
        found += list(_samples_of(source))
    return tuple(found)


_FILE_PARTS = tuple((name, "application/octet-stream", octets) for name, octets in FILES.items())


def _samples_of(source: Source) -> Iterator[bytes]:
    given = 0
    for document in _documents():
        if (document.size or 0) <= _SEED_OCTETS and source.recognise(document.head):
            with document.open() as stream:
                yield stream.read()
            given += 1
            if given == _SEEDS:
                return


@cache
def _documents() -> tuple[Document, ...]:
    return tuple(found for found in walk([SAMPLES]) if isinstance(found, Document))


_TOKENS = (
    b'"', b"'", b"\n", b"\r\n", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"{", b"[", b"<", b"&#x0;", b"--b", b"=?utf-8?b?", b"\x1f\x8b\x08",
    b"PK\x03\x04", b"9" * 30, b"-1", b"\\u0000", b"\xed\xa0\x80", b"1e999", b"NaN", b"2026-02-30T25:61:61Z", b"System.String[]", b"%s", b"::",
)  # fmt: skip


def mutated(chance: random.Random, seed: bytes) -> bytes:
    """Change a seed in a few places: cut, repeat, flip, insert."""
    raw = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(raw) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            del raw[at : at + chance.randint(1, 40)]
        elif kind == 1:
            raw[at:at] = chance.choice(_TOKENS) * chance.choice((1, 1, 1, 3, 200))
        elif kind == 2 and raw:
            raw[min(at, len(raw) - 1)] = chance.randrange(256)
        elif kind == 3:
            raw[at:at] = raw[at : at + chance.randint(1, 200)]
        elif kind == 4:
            del raw[at:]
        else:
            start = chance.randrange(len(raw) + 1)
            raw[at:at] = raw[start : start + chance.randint(1, 60)]
    return bytes(raw)
