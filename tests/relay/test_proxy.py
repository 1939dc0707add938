"""PROXY headers of both versions, and everything that is none."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.relay.proxy import Proxied, ProxyFault, read_proxy

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(family: int, body: bytes, command: int = 0x21) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


FOUR = bytes([192, 0, 2, 7]) + bytes([10, 0, 0, 1]) + struct.pack("!HH", 4000, 25)
SIX = bytes.fromhex("20010db8" + "0" * 23 + "7") + bytes(16) + struct.pack("!HH", 4000, 25)


@pytest.mark.parametrize(
    ("header", "client", "port"),
    [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 4000 25\r\n", "192.0.2.7", 4000),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 4000 25\r\n", "2001:db8::7", 4000),
        (b"PROXY UNKNOWN\r\n", None, 0),
        (v2(0x11, FOUR), "192.0.2.7", 4000),
        (v2(0x11, FOUR + b"\x04\x00\x01x"), "192.0.2.7", 4000),
        (v2(0x21, SIX), "2001:db8::7", 4000),
        (v2(0x00, b"", command=0x20), None, 0),
    ],
)
def test_headers(header: bytes, client: str | None, port: int) -> None:
    assert read_proxy(header + b"EHLO x\r\n") == Proxied(client, port, b"EHLO x\r\n")
    for end in range(len(header)):
        assert read_proxy(header[:end]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"EHLO x\r\n", b"PROXY TCP4 1.2.3 10.0.0.1 1 2\r\n", b"PROXY TCP4 2001:db8::7 10.0.0.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 99999 2\r\n", b"PROXY " + b"x" * 200, v2(0x11, b"short"), v2(0x12, FOUR),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 60000), v2(0x11, FOUR, command=0x31),
    ],
)  # fmt: skip
def test_what_is_no_header(data: bytes) -> None:
    with pytest.raises(ProxyFault):
        read_proxy(data)


@given(st.binary(max_size=64))
def test_hostile_octets_only_fault(data: bytes) -> None:
    for start in (b"", b"PROXY ", SIGNATURE):
        with contextlib.suppress(ProxyFault):
            read_proxy(start + data)
