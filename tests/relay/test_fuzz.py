"""The relay's fuzz targets within the tests' time; `python tests/fuzz/run.py relay-client --seconds 86400` is the long run."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.fuzzing import mutated
from support.relay_fuzz import RELAY_SEEDS, RELAY_TARGETS, relay_client, relay_hop

BEGIN = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_whatever_is_sent(data: bytes) -> None:
    relay_client(data)
    relay_client(data[:1] + BEGIN + data[1:] + b"\r\n.\r\nQUIT\r\n")


def test_pieces_of_conversations_in_any_order() -> None:
    chance = random.Random(1)
    words = [
        BEGIN,
        b"\r\n.\r\n",
        b"\n.\n",
        b"STARTTLS\r\n",
        b"AUTH PLAIN AGEAYg==\r\n",
        b"AUTH LOGIN\r\n",
        b"RSET\r\n",
        b"\r",
        b".",
        b"PROXY TCP4 ",
        b"x" * 2047,
        b"x" * 13_000,
    ]
    for _ in range(300):
        relay_client(
            bytes([chance.randrange(256)]) + b"".join(chance.choices(words, k=chance.randrange(1, 12)))
        )


@pytest.mark.parametrize("name", sorted(RELAY_TARGETS))
def test_mutations(name: str) -> None:
    chance = random.Random(name)
    for seed in RELAY_SEEDS[name]:
        RELAY_TARGETS[name](seed)
        for _ in range(100):
            RELAY_TARGETS[name](mutated(chance, seed))


def test_replies_in_any_order() -> None:
    chance = random.Random(2)
    replies = [
        b"250 ok\r\n",
        b"354 go\r\n",
        b"550 5.1.1 no\r\n",
        b"421 bye\r\n",
        b"250-",
        b"x\r\n",
        b"\0\0",
        b"\r",
    ]
    for _ in range(300):
        relay_hop(bytes([chance.randrange(2)]) + b"".join(chance.choices(replies, k=chance.randrange(1, 12))))
