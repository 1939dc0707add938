"""Arguments of MAIL and RCPT, as the standard has them and as devices write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.relay.syntax import SyntaxFault, parse_path, xtext


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (b"FROM:<scan@contoso.com>", "scan@contoso.com"),
        (b"from: <scan@contoso.com>", "scan@contoso.com"),
        (b"FROM:scan@contoso.com", "scan@contoso.com"),
        (b"FROM:<>", ""),
        (b'FROM:<"a b@c"@contoso.com> SIZE=10', '"a b@c"@contoso.com'),
        (b"FROM:<@hop.example,@other.example:scan@contoso.com>", "scan@contoso.com"),
        ("FROM:<josé@contoso.com>".encode(), "josé@contoso.com"),
        (b"FROM:<scan@[192.0.2.1]>", "scan@[192.0.2.1]"),
    ],
)
def test_paths_that_are_taken(argument: bytes, address: str) -> None:
    assert parse_path(argument, b"FROM", null=True).address == address


@pytest.mark.parametrize(
    "argument",
    [
        b"FROM", b"FROM:", b"TO:<a@b.example>", b"FROM:<a@b.example>SIZE=1", b"FROM:<a b@c.example>", b"FROM:<a@@b>",
        b"FROM:<a@b..example>", b"FROM:<a@-\r>", b"FROM:<" + b"a" * 300 + b"@b.example>", b"FROM:<a@b.example> X=1 X=2",
        b"FROM:<a@b.example> =1", b"FROM:<a\x00@b.example>", b"FROM:<\xff@b.example>",
    ],
)  # fmt: skip
def test_paths_that_are_not(argument: bytes) -> None:
    with pytest.raises(SyntaxFault):
        parse_path(argument, b"FROM", null=True)


def test_a_recipient_is_never_null() -> None:
    with pytest.raises(SyntaxFault):
        parse_path(b"TO:<>", b"TO", null=False)


def test_parameters_keep_their_values() -> None:
    path = parse_path(b"FROM:<a@b.example> SIZE=12 body=8BITMIME SMTPUTF8", b"FROM", null=True)
    assert path.parameters == {"SIZE": "12", "BODY": "8BITMIME", "SMTPUTF8": ""}


def test_xtext_is_decoded() -> None:
    assert xtext("rfc822;a+2Bb@c.example") == "rfc822;a+b@c.example"


@given(st.binary(max_size=200))
def test_hostile_octets_only_fault(argument: bytes) -> None:
    try:
        path = parse_path(b"FROM:" + argument, b"FROM", null=True)
    except SyntaxFault:
        return
    assert not set(path.address) & {"\r", "\n", "\0", "<", ">"} or path.address.startswith('"')
    assert "\r" not in path.address
    assert "\n" not in path.address
