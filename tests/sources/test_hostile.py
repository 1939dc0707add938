"""Hostile input: every reader ends soon, in little memory, and names what it stopped at."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from portero.core.evidence import Gap
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


def test_the_command_survives_all_of_it_in_bounded_memory(tmp_path):
    """One folder of every kind of attack: exit 0, each named, well under the memory of a small machine."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "entities.xml").write_text(BILLION)
    (folder / "bomb.gz").write_bytes(gzip.compress(bytes(400 << 20)))
    (folder / "line.csv").write_text(EXEMPLARS["message-trace-v2"] + "x" * _LONG)
    (folder / "deep.json").write_text("[" * 2_000_000)
    (folder / "keys.json").write_text(json.dumps({"value": [{f"k{n}": n for n in range(200_000)}]}))
    nested = b"".join(
        b"From: a@b\nTo: c\nContent-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n)
        for n in range(10_000)
    )
    (folder / "parts.eml").write_bytes(nested)
    (folder / "fields.eml").write_bytes(b"From: a@b\nTo: c\n" + b"X-Y: z\n" * 500_000 + b"\nx\n")
    (folder / "bomb.zip").write_bytes(zipped([("a.csv", bytes(400 << 20))]))
    script = (
        "import re, resource, sys; from pathlib import Path; from portero.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: code = end.code or 0\n"
        "else: code = 0\n"
        # Linux counts in ru_maxrss what the process was forked from, which is this one with all its tests.
        "held = Path('/proc/self/status')\n"
        "peak = re.search(r'VmHWM:\\s*(\\d+)', held.read_text())[1] if held.exists() else "
        "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(int(peak) // 1024, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "audit", str(folder), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "PORTERO_LIMIT_HEADERS": "1000",
            "LANG": "C.UTF-8",
        },
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stderr.split()[-1]) < 400  # MiB; half of it are the libraries
    audit = json.loads((tmp_path / "out" / "audit.json").read_text("utf-8"))
    named = {gap["origin"].partition("!")[0] for gap in audit["gaps"]}
    assert named >= {
        "entities.xml",
        "bomb.gz",
        "bomb.zip",
        "line.csv",
        "deep.json",
        "parts.eml",
        "fields.eml",
    }


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
