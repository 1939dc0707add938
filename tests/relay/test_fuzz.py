"""The fuzz target runs on its own seeds, so that it is known to work when somebody wants it for a night."""

import importlib.util
import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parents[1] / "fuzz" / "fuzz_relay.py"
SPEC = importlib.util.spec_from_file_location("fuzz_relay", HERE)
assert SPEC is not None
assert SPEC.loader is not None
TARGET = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(TARGET)

BEGIN = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_whatever_is_sent(data: bytes) -> None:
    TARGET.one_input(data)
    TARGET.one_input(data[:1] + BEGIN + data[1:] + b"\r\n.\r\nQUIT\r\n")


def test_pieces_of_conversations_in_any_order() -> None:
    chance = random.Random(1)
    words = [
        BEGIN,
        b"\r\n.\r\n",
        b"\n.\n",
        b"STARTTLS\r\n",
        b"AUTH PLAIN AGEAYg==\r\n",
        b"RSET\r\n",
        b"\r",
        b".",
        b"PROXY TCP4 ",
        b"x" * 3000,
    ]
    for _ in range(300):
        TARGET.one_input(
            bytes([chance.randrange(256)]) + b"".join(chance.choices(words, k=chance.randrange(1, 12)))
        )
