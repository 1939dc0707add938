"""Graph's answers, its recipients, its sizes."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from portero.relay.outcome import Kind, Scope
from portero.relay.transport import Outgoing, stuffed
from portero.relay.transports.graph import outcome_of, seconds_of
from support.graph import graph
from support.ways import deliver, kinds, message, way


@pytest.mark.parametrize(
    ("status", "code", "kind", "scope", "wait"),
    [
        (202, "", Kind.DELIVERED, Scope.MESSAGE, None),
        (400, "ErrorInvalidRecipients", Kind.REFUSED, Scope.MESSAGE, None),
        (401, "InvalidAuthenticationToken", Kind.DEFERRED, Scope.WAY, None),
        (403, "ErrorAccessDenied", Kind.DEFERRED, Scope.WAY, None),
        (403, "ErrorSendAsDenied", Kind.REFUSED, Scope.MESSAGE, None),
        (404, "ErrorInvalidUser", Kind.DEFERRED, Scope.WAY, None),
        (413, "", Kind.REFUSED, Scope.MESSAGE, None),
        (429, "ApplicationThrottled", Kind.DEFERRED, Scope.WAY, 17.0),
        (503, "", Kind.DEFERRED, Scope.MESSAGE, 17.0),
        (504, "", Kind.DEFERRED, Scope.MESSAGE, 17.0),
        (302, "", Kind.DEFERRED, Scope.MESSAGE, 17.0),
    ],
)
def test_answers(status: int, code: str, kind: Kind, scope: Scope, wait: float | None) -> None:
    outcome = outcome_of(status, code, "words", "17" if wait else None)
    assert (outcome.kind, outcome.scope, outcome.retry_after_seconds) == (kind, scope, wait)


def test_retry_after_may_be_a_date() -> None:
    now = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    assert seconds_of("Tue, 24 Nov 2026 08:01:30 GMT", now) == 90.0
    assert seconds_of("Tue, 24 Nov 2026 07:00:00 GMT", now) == 0.0
    assert seconds_of("soon", now) is None
    assert seconds_of(None) is None


def test_headers_name_the_envelopes_recipients_and_nobody_else() -> None:
    head = b'From: scan@contoso.com\r\nTo: "One" <one@b.example>, other@b.example\r\nCc: two@b.example\r\nBcc: old@b.example\r\n\r\nt\r\n'
    with graph() as far:
        deliver(way("graph", far.port), message(head, "one@b.example", "two@b.example", "hidden@b.example"))
    [got] = far.sent
    assert (str(got["To"]), str(got["Cc"]), str(got["Bcc"])) == (
        "One <one@b.example>",
        "two@b.example",
        "hidden@b.example",
    )


def test_a_message_to_bcc_alone_works() -> None:
    with graph() as far:
        deliver(way("graph", far.port), message(b"Subject: x\r\n\r\nt\r\n", "hidden@b.example"))
    assert str(far.sent[0]["Bcc"]) == "hidden@b.example"


def test_quoted_printable_travels_as_base64() -> None:
    text = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nesc=C3=A1ner=20\r\n"
    with graph() as far:
        deliver(way("graph", far.port), message(text))
    assert far.sent[0]["Content-Transfer-Encoding"] == "base64"
    assert far.sent[0].get_content() == "escáner \r\n"


def test_a_thirty_megabyte_scan_is_uploaded() -> None:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["X-Site"] = (
        "scan@contoso.com",
        "c@d.example",
        "Escáner",
        "Madrid",
    )
    made.set_content("texto")
    scan = bytes(range(256)) * (30 * 4096)
    made.add_attachment(scan, maintype="application", subtype="pdf", filename="escáner.pdf")
    made.add_attachment(b"small", maintype="application", subtype="pdf", filename="s.pdf")
    content = stuffed(made.as_bytes().replace(b"\n", b"\r\n"))
    with graph() as far:
        [one] = deliver(
            way("graph", far.port),
            Outgoing("1", "scan@contoso.com", [("c@d.example", "", ""), ("h@d.example", "", "")], content),
        )
    assert kinds(one) == ["DELIVERED", "DELIVERED"]
    [draft] = far.sent_drafts
    assert draft["subject"] == "Escáner"
    assert [each["emailAddress"]["address"] for each in draft["toRecipients"] + draft["bccRecipients"]] == [
        "c@d.example",
        "h@d.example",
    ]
    assert [(each["name"], each["content"] == scan) for each in draft["attachments"]] == [
        ("escáner.pdf", True),
        ("s.pdf", False),
    ]


@pytest.mark.parametrize("subtype", ["plain", "html"])
def test_a_text_of_six_megabytes_is_uploaded_too(subtype: str) -> None:
    """A report that is nothing but text: no request may hold it, and not a letter of it may be missing."""
    line = "Línea de un informe muy largo\r\n"
    text = line * (6_000_000 // len(line))
    head = f"To: c@d.example\r\nSubject: =?utf-8?q?Informe_ma=C3=B1ana?=\r\nMIME-Version: 1.0\r\nContent-Type: text/{subtype}; charset=utf-8\r\n\r\n"
    with graph() as far:
        [outcomes] = deliver(way("graph", far.port), message(head.encode() + text.encode(), "c@d.example"))
        assert not far.faults
    assert kinds(outcomes) == ["DELIVERED"]
    [draft] = far.sent_drafts
    assert draft["subject"] == "Informe mañana"
    assert draft["body"]["contentType"] == ("html" if subtype == "html" else "text")
    assert text.startswith(draft["body"]["content"])
    [whole] = draft["attachments"]
    assert whole["name"] == ("text.html" if subtype == "html" else "text.txt")
    assert whole["content"].decode() == text


@pytest.mark.parametrize(
    "field",
    [b"To: a@", b"From: =?x?q?y?=", b"Subject: =?utf-8?b?=?=", b"Cc: <", b"To: \xff\xfe", b"X-A: \x00"],
)
def test_a_large_message_with_a_strange_field_goes_out(field: bytes) -> None:
    """Fuzzing found it: the parser's stumble would have been taken for the way's trouble, and stopped all others."""
    content = (
        field + b"\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n" + (b"x" * 78 + b"\r\n") * 40_000
    )
    with graph() as far:
        [outcomes] = deliver(way("graph", far.port), message(content, "c@d.example"))
    assert kinds(outcomes) == ["DELIVERED"]
    assert [each["emailAddress"]["address"] for each in far.sent_drafts[0]["bccRecipients"]] == [
        "c@d.example"
    ]


def test_a_draft_that_cannot_be_finished_is_taken_back() -> None:
    made = EmailMessage()
    made["To"] = "c@d.example"
    made.set_content("x")
    made.add_attachment(b"x" * 4_000_000, maintype="application", subtype="pdf", filename="a.pdf")
    with graph() as far:
        far.next += []
        sent: list[object] = []
        big = Outgoing(
            "1", "a@b.example", [("c@d.example", "", "")], stuffed(made.as_bytes().replace(b"\n", b"\r\n"))
        )

        class Then(list):  # type: ignore[type-arg]  # a script of answers: the second request fails
            def __bool__(self) -> bool:
                sent.append(1)
                return len(sent) == 2

            def pop(self, _at: int = 0) -> tuple[int, str, dict[str, str]]:
                return 503, "ServiceUnavailable", {"Retry-After": "5"}

        far.next = Then()
        [[outcome]] = deliver(way("graph", far.port), big)
        assert (outcome.kind, outcome.retry_after_seconds) == (Kind.DEFERRED, 5.0)
        assert not far.drafts
        assert not far.sent_drafts
