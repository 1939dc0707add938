"""The end of a message is five octets and nothing else; what stands before them arrives whole."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portero.relay.data_phase import DataReader

ENDS = {"CRLF": b"\r\n", "LF": b"\n", "CR": b"\r", "CRCRLF": b"\r\r\n"}
SMUGGLED = b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\n"


def read(pieces: list[bytes], *, normalise: bool = False) -> tuple[bytes, bytes | None, DataReader]:
    written: list[bytes] = []
    reader = DataReader(written.append, normalise=normalise)
    rest = None
    for piece in pieces:
        if rest is not None:
            rest += piece
            continue
        rest = reader.feed(piece)
    return b"".join(written), rest, reader


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize(("before", "after"), list(itertools.product(ENDS, ENDS)))
def test_no_other_dot_ends_a_message(before: str, after: str, normalise: bool) -> None:
    wire = b"Subject: x\r\n\r\ntext" + ENDS[before] + b"." + ENDS[after] + SMUGGLED + b"more\r\n.\r\nQUIT\r\n"
    written, rest, _ = read([wire], normalise=normalise)
    # CRLF before and after is the one end; CR CRLF before it holds that end too, behind a bare CR.
    ends = after == "CRLF" and before in {"CRLF", "CRCRLF"}
    assert rest == (SMUGGLED + b"more\r\n.\r\nQUIT\r\n" if ends else b"QUIT\r\n")
    # What goes to the next hop has no other end in it either, in whatever dialect that hop reads.
    if normalise:
        sent = written + b".\r\n"
        assert sent.count(b"\r\n.\r\n") == 1
        assert b"\n.\n" not in sent.replace(b"\r\n", b"~")
        assert sent.replace(b"\r\n", b"").isascii()
        assert b"\r" not in sent.replace(b"\r\n", b"")
        assert b"\n" not in sent.replace(b"\r\n", b"")


PIECES = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"..", b"a", b"\r\n.", b"\r\n.\r", b"x" * 999, b"\xe9", b"\0"]), max_size=30
)  # fmt: skip


@given(PIECES, st.integers(1, 7), st.booleans())
@example([b"\r\n.\r", b"\n"], 1, False)
@example([b"\n", b"."], 2, True)
def test_how_the_network_cuts_it_changes_nothing(parts: list[bytes], size: int, normalise: bool) -> None:
    wire = b"".join(parts) + b"\r\n.\r\nNOOP\r\n"
    whole = read([wire], normalise=normalise)
    cut = read([wire[at : at + size] for at in range(0, len(wire), size)], normalise=normalise)
    assert cut[:2] == whole[:2]
    for name in ("bare", "nul", "eight_bit", "longest_line", "size"):
        assert getattr(cut[2], name) == getattr(whole[2], name)


@given(PIECES)
def test_without_mending_the_octets_are_the_sent_ones(parts: list[bytes]) -> None:
    text = b"".join(parts)
    written, rest, _ = read([text + b"\r\n.\r\n"])
    assert rest is not None
    assert (written + b".\r\n" + rest) == text + b"\r\n.\r\n" or written == b""


@given(PIECES)
def test_mending_leaves_no_bare_line_end_and_one_end(parts: list[bytes]) -> None:
    written, _, _ = read([b"".join(parts) + b"\r\n.\r\n"], normalise=True)
    without = written.replace(b"\r\n", b"")
    assert b"\r" not in without
    assert b"\n" not in without
    assert (b"\r\n" + written + b".\r\n").find(b"\r\n.\r\n") == len(written)


def test_a_message_may_be_empty() -> None:
    assert read([b".\r\nQUIT\r\n"])[:2] == (b"", b"QUIT\r\n")


@pytest.mark.parametrize(("line", "longest"), [(998, 0), (999, 1001), (5000, 5002)])
@pytest.mark.parametrize("size", [7, 512, 65536])
def test_the_longest_line_is_measured(line: int, longest: int, size: int) -> None:
    wire = b"short\r\n" * 40 + b"y" * line + b"\r\nshort\r\n.\r\n"
    _, _, reader = read([wire[at : at + size] for at in range(0, len(wire), size)])
    assert reader.longest_line == longest


def test_a_stuffed_line_that_a_bare_line_end_closes_is_empty() -> None:
    """Kept as it stands, CRLF dot LF would become CRLF dot CRLF at the next hop: an end of message."""
    for size in (1, 2, 3, 4, 100):
        wire = b"a\r\n.\nMAIL FROM:<evil@b.example>\r\n.\n.\r\n\r\n.\r\n"
        pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
        assert read(pieces, normalise=True)[0] == b"a\r\n\r\nMAIL FROM:<evil@b.example>\r\n\r\n..\r\n\r\n"


def test_a_dot_behind_a_mended_line_end_is_stuffed() -> None:
    assert read([b"a\n.b\r\n.\r\n"], normalise=True)[0] == b"a\r\n..b\r\n"
