"""Hostile input: every reader ends soon, in little memory, and names what it stopped at."""

import dataclasses
import gzip
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from portero import wiring
from portero.core.evidence import Gap
from portero.core.finding import Profile
from portero.core.limits import Limits
from portero.sources import sources
from portero.sources.document import Batch, ConfigObject, Counted, DnsAnswer, DnsZone, Document, Note
from portero.sources.head import head_of
from portero.sources.walk import walk
from support.exemplars import EXEMPLARS

ROOT = Path(__file__).resolve().parents[2]
_LONG = 20 << 20
_SECONDS = 20  # of CPU; none needs a tenth of it on a quiet machine
SHAPES = {
    "a line": lambda text: text + "x" * _LONG + "\n",
    "an open quote": lambda text: text + '"' + "y," * (_LONG // 2),
    "brackets": lambda text: text + "\n" + "[" * _LONG,
    "a JSON text": lambda text: text + '\n{"a": "' + "z" * _LONG,
    "blanks": lambda text: text + " " * _LONG + "x",
    "signs": lambda text: text + ":;=(" * (_LONG // 4),
    "zeros": lambda text: text + "\0" * _LONG,
}


def test_every_source_has_an_exemplar_that_it_alone_takes_first():
    assert sorted(EXEMPLARS) == sorted(source.id for source in sources())
    for name, text in EXEMPLARS.items():
        head = head_of(text.encode())
        assert next(source.id for source in sources() if source.recognise(head)) == name


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.id)
def test_an_exemplar_gives_evidence(source):
    raw = EXEMPLARS[source.id].encode()
    items = list(
        source.read(Document("mta-sts.contoso.com.txt", head_of(raw), lambda: io.BytesIO(raw), len(raw)))
    )
    assert any(
        isinstance(item, Batch | ConfigObject | Counted | DnsAnswer | DnsZone | Note) for item in items
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("source", sources(), ids=lambda source: source.id)
def test_twenty_megabytes_without_end_are_borne(source, shape):
    raw = SHAPES[shape](EXEMPLARS[source.id]).encode()
    started = time.process_time()
    for item in source.read(Document("d", head_of(raw), lambda: io.BytesIO(raw), len(raw))):
        del item
    assert time.process_time() - started < _SECONDS


def found(folder, **bounds):
    started = time.process_time()
    items = list(walk([folder], Limits(**bounds)))
    assert time.process_time() - started < _SECONDS
    documents = [item.name for item in items if isinstance(item, Document)]
    return documents, [str(item.reason) for item in items if isinstance(item, Gap)]


def zipped(members):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return raw.getvalue()


@pytest.mark.parametrize(
    "bomb",
    [
        lambda zeros: zipped([("a.csv", zeros)]),
        gzip.compress,
        lambda zeros: zlib.compress(zeros, 9),
        lambda zeros: gzip.compress(gzip.compress(zeros)),
    ],
    ids=["zip", "gzip", "zlib", "gzip twice"],
)
def test_a_bomb_is_named_and_not_read(tmp_path, bomb):
    (tmp_path / "bomb").write_bytes(bomb(bytes(300 << 20)))
    documents, gaps = found(tmp_path)
    assert (documents, len(gaps)) == ([], 1)


def test_bombs_inside_one_another_share_one_budget(tmp_path):
    content = zipped([(f"{n}.csv", b"a,b\n" + bytes(8 << 20)) for n in range(8)])
    for _ in range(4):
        content = zipped([(f"{n}.zip", content) for n in range(8)])
    (tmp_path / "bomb.zip").write_bytes(content)  # 8^5 members of 8 MiB: 256 GiB
    _, gaps = found(tmp_path)
    assert any("far more than they should" in gap for gap in gaps)


def test_members_are_counted_over_all_containers(tmp_path):
    inner = zipped([(f"{n}.csv", b"a,b\n1,2\n") for n in range(50)])
    (tmp_path / "many.zip").write_bytes(zipped([(f"{n}.zip", inner) for n in range(50)]))
    documents, gaps = found(tmp_path, members=120)
    assert 0 < len(documents) < 120
    assert len(gaps) == 1
    assert "120" in gaps[0]


def test_a_tar_cannot_lead_out_or_hide_its_size(tmp_path):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, kind in (
            ("../../etc/x", tarfile.REGTYPE),
            ("dev", tarfile.CHRTYPE),
            ("l", tarfile.LNKTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type = kind
            archive.addfile(member)
        member = tarfile.TarInfo("huge.csv")
        member.size = 1 << 40
        archive.fileobj.write(member.tobuf(tarfile.GNU_FORMAT) + b"a,b\n1,2\n")
    (tmp_path / "t.tar").write_bytes(raw.getvalue())
    documents, gaps = found(tmp_path)
    assert all(".." not in name for name in documents)
    assert gaps


def test_ten_thousand_nested_parts_are_bounded(tmp_path):
    nested = b"".join(
        b"Subject: x\nFrom: a@b\nContent-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n)
        for n in range(10_000)
    )
    (tmp_path / "parts.eml").write_bytes(nested)
    mails = b"".join(b"Subject: x\nFrom: a@b\nContent-Type: message/rfc822\n\n" for _ in range(10_000))
    (tmp_path / "mails.eml").write_bytes(mails)
    documents, gaps = found(tmp_path)
    assert len(documents) < 20
    assert any("nested" in gap for gap in gaps)


BILLION = (
    '<?xml version="1.0"?><!DOCTYPE feedback [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><feedback><report_metadata><org_name>&j;</org_name></report_metadata></feedback>"
)


def eml(*parts):
    return b"From: a@b\nTo: c@d\nSubject: x\n" + b"".join(parts)


def nested_parts(levels):
    return eml(
        *(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(levels)),
        b"\nend\n",
    )


def nested_zips(levels):
    content = b"a,b\n1,2\n"
    for _ in range(levels):
        content = zipped([("inner", content)])
    return content


def long_list():
    """A zip file of 60 MB that is nothing but a list of a million members."""
    raw = zipped([("a.csv", b"a,b\n")])
    place = raw.index(b"PK\x01\x02")
    end = raw.index(b"PK\x05\x06")
    entry = raw[place:end]
    size = len(entry) * 1_000_000
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size, place, 0)
    return raw[:place] + entry * 1_000_000 + last


def many_folders():
    folder = tarfile.TarInfo("folder")
    folder.type = tarfile.DIRTYPE
    return folder.tobuf() * 60_000 + bytes(1024)


def with_ways_out(kind):
    """An archive whose members' names lead out of the folder, each with a good row in it."""
    names = ["../../outside.csv", "/outside.csv", "..\\..\\outside.csv", "C:\\outside.csv"]
    rows = EXEMPLARS["message-trace-v2"].encode()
    if kind == "zip":
        return zipped([(name, rows) for name in names])
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(rows)
            archive.addfile(member, io.BytesIO(rows))
        link = tarfile.TarInfo("passwd.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return raw.getvalue()


def spelled(*keys):
    return json.dumps({"value": [dict.fromkeys(keys, 1)]})


# By name: the file's name, what is in it, what is said of it.
ATTACKS = {
    "zip bomb": ("bomb.zip", lambda: zipped([("a.csv", bytes(400 << 20))]), "unpacks to far more"),
    "gzip bomb": ("bomb.gz", lambda: gzip.compress(bytes(400 << 20)), "unpacks to far more"),
    "zip bomb in a gzip": (
        "bomb.zip.gz",
        lambda: gzip.compress(zipped([("a.csv", bytes(400 << 20))])),
        "unpacks to far more",
    ),
    "entity bomb": ("bomb.xml", lambda: BILLION.encode(), "document type"),
    "entity of a file": (
        "file.xml",
        lambda: b'<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><feedback>&x;</feedback>',
        "document type",
    ),
    "a line of 20 MB": (
        "line.csv",
        lambda: (EXEMPLARS["message-trace-v2"] + "x" * _LONG).encode(),
        "cells where the heading has",
    ),
    "10,000 nested parts": ("parts.eml", lambda: nested_parts(10_000), "nested"),
    "10,000 nested mails": (
        "mails.eml",
        lambda: eml(b"Content-Type: message/rfc822\n\nFrom: a@b\n" * 10_000),
        "nested",
    ),
    "500,000 fields": ("fields.eml", lambda: eml(b"X-Y: z\n" * 500_000, b"\nx\n"), "fields"),
    "deep JSON": ("deep.json", lambda: b"[" * 2_000_000, "knows this format"),
    "deep JSON in a known export": (
        "deep-trace.json",
        lambda: (EXEMPLARS["message-trace-graph"].rstrip("\n") + '{"a":' * 200_000).encode(),
        "nested too deeply",
    ),
    "200,000 keys": ("keys.json", lambda: spelled(*map(str, range(200_000))).encode(), "knows this format"),
    "zips nested 200 deep": ("nested.zip", lambda: nested_zips(200), "nested more than"),
    "20,000 members": (
        "members.zip",
        lambda: zipped([(f"{n}.csv", b"a,b\n") for n in range(20_000)]),
        "Only the first",
    ),
    "a list of members without end": ("list.zip", long_list, "allowed"),
    "folders without end": ("folders.tar", many_folders, "Only the first"),
    "ways out of a zip": ("out.zip", lambda: with_ways_out("zip"), None),
    "ways out of a tar": ("out.tar", lambda: with_ways_out("tar"), "no regular file"),
}
GOOD = "good.csv"
# Ends the process at a bound of CPU seconds, and says at its end how much memory it held at most.
CHILD = """
import re, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
from portero.__main__ import main
try:
    main()
    code = 0
except SystemExit as end:
    code = end.code or 0
# Linux counts in ru_maxrss what the process was forked from, which is this one with all its tests.
held = Path("/proc/self/status")
peak = re.search(r"VmHWM:\\s*(\\d+)", held.read_text())[1] if held.exists() else \\
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(int(peak) // 1024, file=sys.stderr)
sys.exit(code)
"""


def audited(folder, out):
    """Audit a folder as a user does, in a process with bounds; give what the audit says."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "audit", str(folder), "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,  # only a hang ends here; what is bounded is the processor's time
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "LANG": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stderr.split()[-1]) < 400  # MiB; half of it are the libraries
    return json.loads((out / "audit.json").read_text("utf-8"))


def gaps_of(audit, name):
    return [
        gap["reason"] for gap in audit["gaps"] if gap["origin"].partition("!")[0].partition(":")[0] == name
    ]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_audit_survives_and_names_it(tmp_path, attack):
    """Exit 0 within bounds of processor and memory, the file named, and the good file beside it read as ever."""
    name, content, said = ATTACKS[attack]
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / name).write_bytes(content())
    (folder / GOOD).write_text(EXEMPLARS["message-trace-v2"])
    before = sorted(tmp_path.rglob("*"))
    audit = audited(folder, tmp_path / "out")
    reasons = gaps_of(audit, name)
    if said is not None:
        assert any(said in reason for reason in reasons), audit["gaps"]
    assert any(each["origin"] == GOOD and each["rows"] for each in audit["evidence"])
    named = [each["origin"] for each in audit["evidence"]] + [gap["origin"] for gap in audit["gaps"]]
    assert not any(".." in each or "\\" in each for each in named)
    assert "root:" not in json.dumps(audit)
    assert (
        sorted(each for each in tmp_path.rglob("*") if "out" not in each.parts[len(tmp_path.parts)]) == before
    )


def mail_of(parts):
    return eml(
        b"Content-Type: multipart/mixed; boundary=q\n\n",
        *(b"--q\nContent-Type: text/plain\n\n%d\n" % n for n in range(parts)),
        b"--q--\n",
    )


TRACE = EXEMPLARS["message-trace-v2"]
# By limit: a value, a file that is above it and below the default, what is said.
OVERRUNS = {
    "octets": (100_000, "f.gz", lambda: gzip.compress(b"%d," * 100_000), "unpacks to far more"),
    "ratio": (
        2,
        "f.gz",
        lambda: gzip.compress(b"".join(b"%d,x\n" % n for n in range(2_300_000))),
        "unpacks to far more",
    ),
    "members": (3, "f.zip", lambda: zipped([(f"{n}.csv", TRACE) for n in range(5)]), "first 3 of the files"),
    "nesting": (1, "f.zip", lambda: nested_zips(2), "more than 1 deep"),
    "parts": (2, "f.eml", lambda: mail_of(9), "too many parts"),
    "part_nesting": (2, "f.eml", lambda: nested_parts(6), "nested too deeply"),
    "records": (
        2,
        "f.csv",
        lambda: (TRACE + f"{TRACE.splitlines()[1]}\n" * 3).encode(),
        "more than 2 records",
    ),
    "record_octets": (
        2000,
        "f.json",
        lambda: EXEMPLARS["message-trace-graph"].replace("delivered", "d" * 9000).encode(),
        "too long",
    ),
    "headers": (5, "f.eml", lambda: eml(b"X-Y: z\n" * 20, b"\nx\n"), "too many header fields"),
    "mail_octets": (1000, "f.eml", lambda: eml(b"\n", b"x\n" * 2000), "longer than 1000 octets"),
}


def test_every_limit_has_a_case():
    assert [*OVERRUNS] == [field.name for field in dataclasses.fields(Limits)]


@pytest.mark.parametrize("limit", OVERRUNS)
def test_a_limit_of_the_configuration_stops_by_name_what_the_default_lets_pass(tmp_path, limit):
    value, name, content, said = OVERRUNS[limit]
    (tmp_path / name).write_bytes(content())
    for written, stopped in ((f"[limits]\n{limit} = {value}\n", True), ("", False)):
        (tmp_path / "portero.toml").write_text(written)
        audit = wiring.audit([tmp_path], config=None, profile=Profile.STANDARD, progress=lambda _: None)
        assert any(said in str(gap.reason) for gap in audit.gaps) is stopped, audit.gaps


def test_records_end_at_the_bound_and_a_limit_that_is_none_is_refused(tmp_path):
    (tmp_path / "trace.csv").write_text(EXEMPLARS["message-trace-v2"])
    (tmp_path / "box").write_text("From a@b Mon Jan  5 10:00:00 2026\n" + EXEMPLARS["mail-message"])
    for limit, code in (("1", 0), ("none", 2)):
        done = subprocess.run(
            [sys.executable, "-m", "portero", "audit", str(tmp_path), "--out", str(tmp_path / "out")],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "src"),
                "PORTERO_LIMIT_RECORDS": limit,
                "LANG": "C.UTF-8",
            },
        )
        assert done.returncode == code, done.stderr[-2000:]
    assert "PORTERO_LIMIT_RECORDS" in done.stderr
