"""Replies told apart at the first line that can know."""

import pytest

from portero.relay.outcome import Kind, Scope, lost, outcome_of_reply


@pytest.mark.parametrize(
    ("code", "text", "kind", "scope"),
    [
        (250, "250 2.0.0 Ok", Kind.DELIVERED, Scope.RECIPIENT),
        (432, "432 4.3.2 Concurrent connections limit exceeded", Kind.DEFERRED, Scope.WAY),
        (430, "430 4.2.0 STOREDRV; mailbox logon failure", Kind.DEFERRED, Scope.WAY),
        (535, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant", Kind.DEFERRED, Scope.WAY),
        (550, "550 5.7.30 Basic authentication is not supported for Client Submission", Kind.DEFERRED, Scope.WAY),
        (535, "535 5.7.3 Authentication unsuccessful", Kind.DEFERRED, Scope.WAY),
        (550, "550 5.7.64 TenantAttribution; Relay Access Denied", Kind.DEFERRED, Scope.WAY),
        (554, "554 5.2.2 mailbox full", Kind.DEFERRED, Scope.WAY),
        (554, "554 5.2.252 SendAsDenied", Kind.REFUSED, Scope.RECIPIENT),
        (550, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Kind.REFUSED, Scope.RECIPIENT),
        (550, "550 5.1.1 mailbox 5.7.30 unknown", Kind.REFUSED, Scope.RECIPIENT),
        (451, "451 4.7.500 Access denied, please try again later", Kind.DEFERRED, Scope.RECIPIENT),
        (421, "421 4.3.2 closing", Kind.DEFERRED, Scope.WAY),
        (999, "999 what", Kind.DEFERRED, Scope.RECIPIENT),
    ],
)  # fmt: skip
def test_replies(code: int, text: str, kind: Kind, scope: Scope) -> None:
    outcome = outcome_of_reply(code, text)
    assert (outcome.kind, outcome.scope) == (kind, scope)


def test_a_lost_answer_defers() -> None:
    assert lost("the server closed the line").kind is Kind.DEFERRED


@pytest.mark.parametrize(
    ("text", "status"),
    [("550 5.1.10 no", "5.1.10"), ("550 no", "5.0.0"), ("554 5.2.252 SendAsDenied", "5.2.252")],
)
def test_the_status_code(text: str, status: str) -> None:
    assert outcome_of_reply(int(text[:3]), text).status == status
