"""The same bytes to the relay and to a real Postfix: the same end of message, and never a second message."""

from __future__ import annotations

import itertools
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portero.relay.spool import Reader
from support.certificates import Authority
from support.postfix import Postfix, need, open_folder, postfix
from support.relay import hop, running

ENDS = {"CRLF": b"\r\n", "LF": b"\n", "CR": b"\r", "CRCRLF": b"\r\r\n"}
SMUGGLED = b"MAIL FROM:<evil@inside.test>\r\nRCPT TO:<victim@inside.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postfix]:
    need("postfix", "smtp-sink")
    authority = Authority(tmp_path_factory.mktemp("ca"))
    more = "smtpd_tls_security_level = none\nmynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = permit_mynetworks, reject\nsmtpd_forbid_bare_newline = normalize\n"
    more += "smtpd_forbid_bare_newline_exclusions =\n"
    with (
        open_folder() as folder,
        postfix(folder, ca=authority.path, pair=authority.pair("hop.test"), more=more) as made,
    ):
        yield made


def replies(port: int, form: bytes) -> list[str]:
    """Say one message with a doubtful line in it, all in one write; give the codes of all replies to it and behind it."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line, line.makefile("rb") as file:
        file.readline()
        line.sendall(b"EHLO scanner\r\n")
        while file.readline()[3:4] == b"-":
            pass
        line.sendall(b"MAIL FROM:<scan@inside.test>\r\nRCPT TO:<a@inside.test>\r\nDATA\r\n")
        for _ in range(3):
            file.readline()
        line.sendall(
            b"From: scan@inside.test\r\nSubject: first\r\n\r\ntext" + form + SMUGGLED + b".\r\nQUIT\r\n"
        )
        found = []
        while reply := file.readline():
            found.append(reply[:3].decode())
            if reply.startswith((b"221", b"421")):
                break
        return found


@pytest.mark.parametrize(("before", "after"), list(itertools.product(ENDS, ENDS)))
def test_postfix_and_the_relay_see_the_same_end(
    real: Postfix, tmp_path: Path, before: str, after: str
) -> None:
    form = ENDS[before] + b"." + ENDS[after]
    with hop() as far, running(tmp_path, far.port) as relay:
        ours = replies(relay.port, form)
        time.sleep(0.2)
        number = len(far.got) + len(Reader(tmp_path / "spool").messages())
    theirs = replies(real.port, form)
    # Replies to what follows differ in their codes; how many messages were seen may not.
    assert (
        ours.count("250") - ours.count("354") == theirs.count("250") - theirs.count("354")
        or before == "CRCRLF"
    )
    if after != "CRLF" or before in {"LF", "CR"}:
        assert number == 1, "one message, whatever stands in it"
        assert ours[0] == "250"
        assert len(ours) <= 3


def test_what_travels_on_has_no_bare_line_end(tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port) as relay:
        for form in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\n..\n", b"\r\r\n.\r\r\n"):
            replies(relay.port, form)
        far.wait(7)
    assert len(far.got) >= 7
    for got in far.got:
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", got.content)
