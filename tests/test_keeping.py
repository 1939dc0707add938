"""The lake: audits over it say what audits over the files say, read only what is new, and forget what they are told to."""

import csv
import json
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest

from portero import wiring
from portero.config import parse_config
from portero.core.finding import Profile
from portero.errors import ConfigError, InputError
from portero.faces.audit_json import audit_document
from portero.faces.render import Renderer
from portero.keeping import Keeping
from portero.store.lake import Lake, alone, content_id, folder_of

CONFIG = '[organisation]\nname = "Contoso"\naccepted_domains = ["contoso.com"]\n'
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
COLUMNS = (
    "Received",
    "SenderAddress",
    "RecipientAddress",
    "Subject",
    "Status",
    "FromIP",
    "ToIP",
    "Size",
    "MessageId",
    "MessageTraceId",
)


def day(folder, number, ago, mails=6):
    """Write the trace of one day: a scanner, a newsletter, mail of a mailbox, mail of others."""
    at = TODAY - timedelta(days=ago)
    with (folder / f"trace-{number:02}.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for n in range(mails):
            for sender, address in (
                ("scan@contoso.com", "203.0.113.9"),
                ("ann@contoso.com", ""),
                ("news@contoso.com", "198.51.100.4"),
                ("x@example.org", "192.0.2.7"),
            ):
                when = at + timedelta(hours=8 + n)
                mark = str(uuid5(NAMESPACE_URL, f"{sender}/{number}/{n}"))
                writer.writerow(
                    (
                        when.strftime("%Y-%m-%dT%H:%M:%S.0000000Z"),
                        sender,
                        f"r{n}@contoso.com",
                        f"Subject {n}",
                        "Delivered",
                        address,
                        "",
                        4000,
                        f"<{mark}@x>",
                        mark,
                    )
                )


@pytest.fixture
def evidence(tmp_path):
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "portero.toml").write_text(CONFIG)
    return folder


def audit(folder, store=None):
    return wiring.audit([folder], config=None, profile=Profile.STANDARD, progress=lambda _: None, store=store)


def document(found):
    held = audit_document(found, Renderer("en"))
    return json.loads(
        json.dumps({key: value for key, value in held.items() if key != "generated_at"}, default=str)
    )


def lake(store):
    return Lake(store / folder_of("Contoso"))


def files(store):
    return {path.relative_to(store): path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}


def test_an_audit_over_a_lake_says_what_one_over_the_files_says(evidence, tmp_path):
    for number in range(5):
        day(evidence, number, 10 - number)
    kept, plain = document(audit(evidence, tmp_path / "lake")), document(audit(evidence))
    assert kept == plain
    assert kept["senders"]


def test_days_that_come_one_by_one_add_up_to_the_same(evidence, tmp_path):
    store = tmp_path / "lake"
    for number in range(5):
        day(evidence, number, 10 - number)
        last = document(audit(evidence, store))
    assert last == document(audit(evidence))


def test_the_lake_answers_for_what_is_no_longer_handed_over(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    audit(evidence, store)
    (evidence / "trace-00.csv").unlink()
    day(evidence, 1, 8)
    found = audit(evidence, store)
    assert [each.document for each in found.coverage] == ["trace-00.csv", "trace-01.csv"]
    assert found.totals.ours == 36


def test_the_same_file_given_twice_changes_nothing_whatever_it_is_called(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    first = document(audit(evidence, store))
    before = files(store)
    (evidence / "trace-00.csv").rename(evidence / "again.csv")
    (evidence / "copy.csv").write_bytes((evidence / "again.csv").read_bytes())
    assert document(audit(evidence, store)) == first
    assert files(store) == before


def test_only_days_that_changed_are_folded_again(evidence, tmp_path, monkeypatch):
    store = tmp_path / "lake"
    for number in range(4):
        day(evidence, number, 10 - number)
    audit(evidence, store)
    folded = []
    fold_day = Keeping._fold_day
    monkeypatch.setattr(
        Keeping,
        "_fold_day",
        lambda self, text, *rest: folded.append(text) or fold_day(self, text, *rest),
    )
    day(evidence, 4, 6)
    audit(evidence, store)
    assert folded == [(TODAY - timedelta(days=6)).date().isoformat()]


def test_another_own_domain_folds_all_again(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    audit(evidence, store)
    (evidence / "portero.toml").write_text(CONFIG.replace('"contoso.com"', '"contoso.com", "example.org"'))
    assert document(audit(evidence, store)) == document(audit(evidence))


def test_own_domains_are_guessed_over_a_lake_too(evidence, tmp_path):
    day(evidence, 0, 9)
    (evidence / "portero.toml").write_text('[organisation]\nname = "Contoso"\n')
    assert document(audit(evidence, tmp_path / "lake")) == document(audit(evidence))


def test_gaps_and_notes_are_said_again(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    with (evidence / "trace-00.csv").open("a") as stream:
        stream.write("too,few,cells\n")
    first = document(audit(evidence, store))
    assert [gap["line"] for gap in first["gaps"]] == [26]
    assert document(audit(evidence, store)) == first


def test_a_dropped_document_is_gone_with_its_rows_and_may_come_back(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    day(evidence, 1, 9)
    whole = document(audit(evidence, store))
    (gone,) = wiring.forget(store, ["trace-00.csv"])
    assert (gone.name, [each.name for _, each in wiring.kept(store)]) == ("trace-00.csv", ["trace-01.csv"])
    (evidence / "trace-00.csv").rename(tmp_path / "aside.csv")
    assert audit(evidence, store).totals.ours == 18
    (tmp_path / "aside.csv").rename(evidence / "trace-00.csv")
    back = document(audit(evidence, store))
    assert back["totals"] == whole["totals"]
    told = [
        [(each["id"], each["messages"], each["judgement"]) for each in held["senders"]]
        for held in (back, whole)
    ]
    assert told[0] == told[1]


def test_what_is_not_there_or_not_one_cannot_be_dropped(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    audit(evidence, store)
    before = files(store)
    with pytest.raises(ConfigError):
        wiring.forget(store, ["trace-00.csv", "nothing.csv"])
    assert files(store) == before


def test_retention_lets_old_days_go_and_does_not_read_them_again(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 40)
    day(evidence, 1, 5)
    (evidence / "portero.toml").write_text(CONFIG + "keep_days = 30\n")
    assert audit(evidence, store).totals.ours == 18
    before = files(store)
    assert audit(evidence, store).totals.ours == 18
    assert files(store) == before
    assert not [path for path in before if (TODAY - timedelta(days=40)).date().isoformat() in str(path)]


def test_organisations_are_kept_apart(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    audit(evidence, store)
    (evidence / "portero.toml").write_text(CONFIG.replace("Contoso", "Fabrikam"))
    audit(evidence, store)
    assert len({place for place, _ in wiring.kept(store)}) == 2
    assert folder_of("../../etc") != "../../etc"
    assert "/" not in folder_of("../../etc")


def test_flows_that_were_tampered_with_are_folded_again(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    first = document(audit(evidence, store))
    (flows,) = store.glob("*/flows/flows0-*.kept")
    flows.write_bytes(b'{"folded": 1}')
    assert document(audit(evidence, store)) == first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": 99}',
        '{"format": 1, "files": {"mail_rows/2026-11-20": ["../../x"]}}',
        '{"format": 1, "files": {"../x/2026-11-20": []}}',
    ],
)
def test_a_manifest_that_is_none_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError) as raised:
        Lake(tmp_path)
    assert "manifest.json" in str(raised.value)


def test_a_missing_file_is_named_and_not_taken_for_an_empty_day(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    audit(evidence, store)
    next(store.glob("*/flows/flows0-*.kept")).unlink()
    next(store.glob("*/mail_rows/*/*.parquet")).unlink()
    with pytest.raises(InputError):
        audit(evidence, store)


def test_a_run_that_stops_half_way_leaves_the_lake_as_it_was(evidence, tmp_path, monkeypatch):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    first = document(audit(evidence, store))
    day(evidence, 1, 8)
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            audit(evidence, store)
    (evidence / "trace-01.csv").unlink()
    assert document(audit(evidence, store)) == first


def test_a_changed_file_is_a_document_of_its_own_beside_the_old_one(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    audit(evidence, store)
    day(evidence, 0, 9, mails=8)  # the same name: six mails as before, and two more
    found = audit(evidence, store)
    assert [(each.document, each.rows) for each in found.coverage] == [
        ("trace-00.csv", 24),
        ("trace-00.csv", 32),
    ]
    assert found.totals.ours == 24  # mails that both tell of are one


KILLED = """
import os, signal, sys
from pathlib import Path
from portero import wiring
from portero.core.finding import Profile
from portero.store import lake
moment = {"rows": "finish", "manifest": "_replace"}[sys.argv[3]]
held = lake.Writer if moment == "finish" else lake
real = getattr(held, moment)
def die(*given):
    if moment == "finish":
        real(*given)
    else:
        given[0].with_name("manifest.json.1.part").write_bytes(given[1][:40])
    os.kill(os.getpid(), signal.SIGKILL)
setattr(held, moment, die)
wiring.audit(
    [Path(sys.argv[1])], config=None, profile=Profile.STANDARD, progress=lambda _: None, store=Path(sys.argv[2])
)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signal")
@pytest.mark.parametrize("moment", ["rows", "manifest"])
def test_a_run_that_is_killed_while_it_writes_leaves_nothing_behind(evidence, tmp_path, moment):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    first = document(audit(evidence, store))
    before = set(files(store))
    day(evidence, 1, 8)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(evidence), str(store), moment], check=False, timeout=120
    )
    assert done.returncode == -9
    assert set(files(store)) > before
    (evidence / "trace-01.csv").rename(tmp_path / "aside.csv")
    assert document(audit(evidence, store)) == first
    assert set(files(store)) == before
    (tmp_path / "aside.csv").rename(evidence / "trace-01.csv")
    assert audit(evidence, store).totals.ours == 36


def test_what_others_put_into_the_folder_stays(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    audit(evidence, store)
    mine = next(store.glob("*/mail_rows/*")) / "notes.txt"
    mine.write_text("mine")
    audit(evidence, store)
    assert mine.exists()


def test_a_second_run_waits_for_the_first_and_reads_nothing_twice(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    waits, results = threading.Event(), []

    def progress(text):
        if "Waiting" in str(text):
            waits.set()

    def second():
        results.append(
            wiring.audit([evidence], config=None, profile=Profile.STANDARD, progress=progress, store=store)
        )

    run = threading.Thread(target=second)
    with alone(store / folder_of("Contoso"), lambda: None):
        run.start()
        assert waits.wait(60)
        assert not (store / folder_of("Contoso") / "manifest.json").exists()
    run.join(60)
    assert results[0].totals.ours == 18
    assert document(audit(evidence, store))["totals"] == document(results[0])["totals"]


def test_a_damaged_file_is_not_taken_for_an_empty_one_when_documents_are_dropped(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    day(evidence, 1, 9)
    audit(evidence, store)
    next(store.glob("*/mail_rows/*/*.parquet")).write_bytes(b"PAR1")
    with pytest.raises(InputError):
        wiring.forget(store, ["trace-00.csv"])
    assert len(wiring.kept(store)) == 2


def test_a_store_that_cannot_be_written_is_named(evidence, tmp_path):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    store.write_text("a file")
    with pytest.raises(ConfigError) as raised:
        audit(evidence, store)
    assert str(store) in str(raised.value)
    store.unlink()
    audit(evidence, store)
    (place,) = store.glob("*/mail_rows")
    shutil.rmtree(place)
    place.write_text("a file")
    day(evidence, 1, 8)
    with pytest.raises(ConfigError) as raised:
        audit(evidence, store)
    assert str(store) in str(raised.value)


def test_an_id_is_of_the_content_alone():
    assert content_id([b"ab", b"c"]) == content_id([b"abc"]) != content_id([b"abd"])


def test_keep_days_is_a_whole_number():
    assert parse_config("[organisation]\nkeep_days = 90", "f").keep_days == 90
    with pytest.raises(ConfigError):
        parse_config('[organisation]\nkeep_days = "90"', "f")


def straddling(folder, name, *days_ago):
    """Write a trace with a mail for each place in its recipients' rows: seen around each midnight; None is no date."""
    with (folder / name).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for number in range(4):
            mark = str(uuid5(NAMESPACE_URL, f"midnight/{number}"))
            for n, ago in enumerate(days_ago):
                when = TODAY - timedelta(days=ago or 0, seconds=3 - number) + timedelta(hours=24)
                writer.writerow(
                    (
                        "" if ago is None else when.strftime("%Y-%m-%dT%H:%M:%S.0000000Z"),
                        "scan@contoso.com",
                        f"r{n}@contoso.com",
                        "Scan",
                        "Delivered",
                        "203.0.113.9",
                        "",
                        4000,
                        f"<{mark}@x>",
                        mark,
                    )
                )


def counted(found):
    return found.totals.ours, sum(each.mails for each in found.senders)


@pytest.mark.parametrize("days", [(9, 8), (9, 8, 7), (9, 9, 8), (9, 7), (6, 9, 7), (9, None), (None, 8, 6)])
def test_a_mail_seen_on_several_days_or_without_a_date_counts_once(evidence, tmp_path, days):
    for number, ago in enumerate(range(10, 5, -1)):
        day(evidence, number, ago)
    straddling(evidence, "midnight.csv", *days)
    store = tmp_path / "lake"
    kept, whole = audit(evidence, store), audit(evidence)
    assert counted(kept) == counted(whole)
    assert document(kept) == document(whole)
    assert document(audit(evidence, store)) == document(whole)


@pytest.mark.parametrize("other", [8, 6, 12, None])
def test_the_other_half_of_a_mail_may_come_later_or_go_again(evidence, tmp_path, other):
    store = tmp_path / "lake"
    day(evidence, 0, 9)
    straddling(evidence, "one.csv", 9)
    before = audit(evidence, store)
    straddling(evidence, "two.csv", other)
    both = audit(evidence, store)
    assert counted(both) == counted(before)
    assert counted(both) == counted(audit(evidence))
    (evidence / "one.csv").unlink()
    gone = [each.id for each in lake(store).documents if each.name == "one.csv"]
    lake(store).drop(gone)
    assert counted(audit(evidence, store)) == counted(audit(evidence))


def test_a_day_more_or_less_leaves_the_spans_beside_it_as_they_were(evidence, tmp_path, monkeypatch):
    """Of sixteen days merged before, one more day reads what stands on its way to the top, not all of them."""
    store = tmp_path / "lake"
    for number in range(16):
        day(evidence, number, 30 - number, mails=1)
    audit(evidence, store)
    read = []
    flows = Lake.flows
    monkeypatch.setattr(
        Lake,
        "flows",
        lambda self, place, key: (found := flows(self, place, key)) and (read.append(place), found)[1],
    )
    day(evidence, 16, 14, mails=1)
    audit(evidence, store)
    spans = [place for place in read if place.startswith("flows")]
    assert 1 <= len(spans) <= 6
    assert document(audit(evidence, store)) == document(audit(evidence))
    held = lake(store)
    alive = [place for place in held.kept if place.startswith("flows")]
    assert len(alive) == 17 + 16  # each day, and each place where two parts meet
    assert len([*store.glob("*/flows/*")]) == len(held.kept)


def witness(folder, name, ago, *marks, ids=None):
    """Write a mail log's witness of mails: their Message-IDs alone; with ids, a trace's rows of the same mails."""
    with (folder / name).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for n, mark in enumerate(marks):
            when = TODAY - timedelta(days=ago) + timedelta(hours=9 + n)
            row = (
                when.strftime("%Y-%m-%dT%H:%M:%S.0000000Z"),
                "scan@contoso.com",
                "r@contoso.com",
                "Scan",
                "Delivered",
                "203.0.113.9",
                "",
                4000,
                f"<{mark}@x>",
                str(uuid5(NAMESPACE_URL, mark)) if ids else "",
            )
            writer.writerow(row)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_what_only_a_message_id_joins_counts_once_in_whatever_order_it_comes(evidence, tmp_path, order):
    """The day without network ids may be new beside days that have them, or old beside a new one that has them."""
    store = tmp_path / "lake"
    parts = (
        lambda: witness(evidence, "log.csv", 9, "a", "b"),
        lambda: witness(evidence, "trace.csv", 8, "b", "c", ids=True),
        lambda: day(evidence, 0, 7),
    )
    for number in order:
        parts[number]()
        found = audit(evidence, store)
        assert counted(found) == counted(audit(evidence))
    assert document(found)["senders"] == document(audit(evidence))["senders"]


def test_prints_of_an_earlier_version_are_made_anew(evidence, tmp_path):
    store = tmp_path / "lake"
    straddling(evidence, "one.csv", 9)
    audit(evidence, store)
    held = lake(store)
    day_before = next(place for place in held.kept if place.startswith("full/"))
    held.keep_flows(
        {day_before.replace("full", "ids"): ("k", b"x" * 16), "shared/undated": ("", b"{}")}, [day_before]
    )
    straddling(evidence, "two.csv", 8)
    assert counted(audit(evidence, store)) == counted(audit(evidence))
    assert not [place for place in lake(store).kept if place.startswith("ids/")]


def test_a_mail_of_many_new_days_at_once_is_looked_for_among_kept_and_new_ones(evidence, tmp_path):
    store = tmp_path / "lake"
    straddling(evidence, "one.csv", 12, 11)
    day(evidence, 0, 10)
    audit(evidence, store)
    straddling(evidence, "two.csv", 9, 7, 12)
    straddling(evidence, "three.csv", 8)
    assert counted(audit(evidence, store)) == counted(audit(evidence))
