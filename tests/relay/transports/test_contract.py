"""What every way out keeps: 4xx and silence defer, 5xx refuses, one bad recipient hurts no other, a lost answer defers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from portero.relay.identity import TokenFault
from portero.relay.outcome import Scope
from portero.relay.secrets import Secret
from portero.relay.transports import transports
from support.graph import graph
from support.relay import hop
from support.ways import Tokens, deliver, kinds, message, way

KINDS = sorted(transports())
SECRET = Secret("env", "X", lambda _: "word")
WITH_PASSWORD = {"azure-communication", "amazon-ses"}
WITH_TOKEN = {"smtp-auth", "high-volume-email", "graph"}


@contextlib.contextmanager
def far_side(kind: str) -> Iterator[tuple[Any, dict[str, object]]]:
    """Run the far side of a kind; gives it and the options that lead there."""
    if kind == "graph":
        with graph() as far:
            yield far, {}
        return
    with hop() as far:
        far.extensions.append("AUTH PLAIN LOGIN XOAUTH2")
        yield far, ({"user": "relay", "password": SECRET} if kind in WITH_PASSWORD else {})


def refuse(far: Any, temporary: bool) -> None:
    if hasattr(far, "next"):
        far.next.append((503, "ServiceUnavailable", {}) if temporary else (400, "ErrorInvalidRequest", {}))
    else:
        far.answers["."] = "451 4.3.0 later" if temporary else "554 5.6.0 never"


def number_sent(far: Any) -> int:
    return len(far.sent) if hasattr(far, "sent") else len(far.got)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_is_delivered_to_each(kind: str) -> None:
    with far_side(kind) as (far, options):
        [one] = deliver(
            way(kind, far.port, **options), message(b"Subject: x\r\n\r\nt\r\n", "a@b.example", "c@d.example")
        )
        assert kinds(one) == ["DELIVERED", "DELIVERED"]
        assert number_sent(far) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_many_messages_use_one_session(kind: str) -> None:
    with far_side(kind) as (far, options):
        outcomes = deliver(way(kind, far.port, **options), *[message()] * 5)
        assert [kinds(each) for each in outcomes] == [["DELIVERED"]] * 5
        assert getattr(far, "sessions", 1) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_temporary_answers_defer(kind: str) -> None:
    with far_side(kind) as (far, options):
        refuse(far, temporary=True)
        assert kinds(deliver(way(kind, far.port, **options), message())[0]) == ["DEFERRED"]
        assert number_sent(far) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_permanent_answers_refuse(kind: str) -> None:
    with far_side(kind) as (far, options):
        refuse(far, temporary=False)
        assert kinds(deliver(way(kind, far.port, **options), message())[0]) == ["REFUSED"]
        assert number_sent(far) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_one_bad_recipient_hurts_no_other(kind: str) -> None:
    with far_side(kind) as (far, options):
        if kind == "graph":
            far.unknown.add("bad@d.example")
        else:
            far.answers["RCPT bad@d.example"] = "550 5.1.1 nobody"
        [one] = deliver(
            way(kind, far.port, **options),
            message(b"Subject: x\r\n\r\nt\r\n", "a@b.example", "bad@d.example", "c@d.example"),
        )
        assert kinds(one) == ["DELIVERED", "REFUSED", "DELIVERED"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_answer_defers(kind: str) -> None:
    with far_side(kind) as (far, options):
        if kind == "graph":
            far.next.append(None)
        else:
            far.answers["."] = None
        [[outcome]] = deliver(way(kind, far.port, **options), message())
        assert (outcome.kind.name, outcome.scope) == ("DEFERRED", Scope.WAY)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_there_defers(kind: str) -> None:
    with far_side(kind) as (far, options):
        gone = way(kind, far.port, **options)
    [[outcome]] = deliver(gone, message())
    assert (outcome.kind.name, outcome.scope) == ("DEFERRED", Scope.WAY)


@pytest.mark.parametrize("kind", sorted(WITH_TOKEN))
def test_no_token_defers_until_there_may_be_one(kind: str) -> None:
    with far_side(kind) as (far, _):
        [[outcome]] = deliver(
            way(kind, far.port), message(), tokens=Tokens(fault=TokenFault("AADSTS7000222: expired", 120.0))
        )
    assert (outcome.kind.name, outcome.scope, outcome.retry_after_seconds) == ("DEFERRED", Scope.WAY, 120.0)


@pytest.mark.parametrize("kind", sorted(WITH_TOKEN))
def test_a_refused_token_is_forgotten(kind: str) -> None:
    tokens = Tokens()
    with far_side(kind) as (far, _):
        if kind == "graph":
            far.next.append((401, "InvalidAuthenticationToken", {}))
        else:
            far.answers["AUTH"] = "535 5.7.3 Authentication unsuccessful"
        [[outcome]] = deliver(way(kind, far.port), message(), tokens=tokens)
    assert (outcome.kind.name, outcome.scope) == ("DEFERRED", Scope.WAY)
    assert tokens.forgotten == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_octets_arrive_as_they_are(kind: str) -> None:
    content = "Subject: =?utf-8?b?w6k=?=\r\nTo: c@d.example\r\n\r\n..dot\r\n...\r\nescáner\r\n".encode()
    with far_side(kind) as (far, options):
        deliver(way(kind, far.port, **options), message(content))
        if kind == "graph":
            assert far.sent[0].get_payload(decode=True) == ".dot\r\n..\r\nescáner\r\n".encode()
        else:
            assert far.got[0].content == content.replace(b"\r\n.", b"\r\n")
