"""Every real network sample is read, or refused, with a row count that an independent count confirms."""

import json
import re
from pathlib import Path

import pytest

from portero.core.evidence import Gap
from portero.sources import sources
from portero.sources.document import Batch
from portero.sources.walk import walk

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples"
FOLDERS = ("dhcp", "firewall", "netflow", "other-mta", "postfix", "zeek")
MAIL_PORT = r"(25|465|587|2525)"

# Independent counts: plain regular expressions over the whole text, by what the file is.
COUNTS = {
    "isc-leases": r"^\s*(lease|iaaddr) \S+ \{",
    "dhcp-log": r"DHCPACK on",
    "cef-traffic": rf"\bsrc=\S+ .*\bdpt={MAIL_PORT}\b",
    "packet-log": rf"PROTO=TCP .*DPT={MAIL_PORT}\b|proto TCP.*->\S+:{MAIL_PORT},",
    "filterlog": rf",tcp,\d+,[^,]+,[^,]+,\d+,{MAIL_PORT},",
    "cisco-asa": rf"Deny tcp src .* dst \S+/{MAIL_PORT} |Built inbound TCP .* to \S+/{MAIL_PORT} |Built outbound TCP \D+\d+ for \S+/{MAIL_PORT} |tcp .*-> \S+\({MAIL_PORT}\)",
    "exim-log": r"H=.*\] ?.*(rejected|verify fail)|^.{19} \S{16,} =>.*H=",
    "postfix-log": r"NOQUEUE: reject: ",
    "zeek-smtp": r"^[^#].*\t",
    "zeek-conn": rf"^[^#](?:[^\t]*\t){{4}}[^\t]*\t{MAIL_PORT}\ttcp",
    "netflow": r"a^",  # counted below: a record has several lines
    "zeek-dhcp": r"^[^#].*([0-9a-f]{2}:){5}",
}
# What is no log of its kind: test definitions of other programs with lines of logs inside, and logs without a session.
REFUSED = re.compile(r"\.ini$|\.yaml$|mailcow|mailscanner|bad-checksum")


def samples() -> list[object]:
    found = []
    for folder in FOLDERS:
        for item in walk([SAMPLES / folder]) if SAMPLES.is_dir() else ():
            assert not isinstance(item, Gap)
            found.append(pytest.param(item, id=f"{folder}/{item.name}"))
    return found


@pytest.mark.parametrize("document", samples() or [None])
def test_a_sample_is_read_or_refused(document):
    if document is None:
        pytest.skip("the shared samples are not beside this checkout")
    known = [each for each in sources() if each.recognise(document.head)]
    if REFUSED.search(document.name):
        assert known == []
        return
    assert len(known) == 1
    rows = sum(item.rows.num_rows for item in known[0].read(document) if isinstance(item, Batch))
    with document.open() as stream:
        text = stream.read().decode("utf-8", "replace")
    if known[0].id == "netflow":
        records = re.split(r"^Flow Record:", text, flags=re.MULTILINE)
        expected = sum(
            bool(re.search(rf"dst port\s+=\s+{MAIL_PORT}\b", each) and re.search(r"proto\s+=\s+6\b", each))
            for each in records
        )
    elif text.startswith("{") and known[0].id == "zeek-conn":
        records = [json.loads(line) for line in text.splitlines()]
        expected = sum(each["id.resp_p"] in {25, 465, 587, 2525} for each in records)
    else:
        expected = len(re.findall(COUNTS[known[0].id], text, re.MULTILINE))
    assert rows == expected
