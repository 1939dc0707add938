"""Client submission: XOAUTH2 word for word, a password while it lasts, Microsoft's own refusals."""

import pytest

from portero.errors import ConfigError
from portero.relay.explain import explain
from portero.relay.outcome import Scope
from portero.relay.secrets import Secret
from portero.relay.transports.smtp_auth import TRANSPORT
from support.relay import hop
from support.ways import Tokens, deliver, kinds, message, way


def test_the_words_of_xoauth2() -> None:
    with hop() as far:
        far.extensions.append("AUTH XOAUTH2")
        deliver(way("smtp-auth", far.port), message(), tokens=Tokens("ey.J.x"))
    assert far.logins == ["user=scan@contoso.com\x01auth=Bearer ey.J.x\x01\x01"]


def test_a_challenge_is_answered_and_its_reason_told() -> None:
    # Base64 of {"status":"401"}.
    answers = iter(["334 eyJzdGF0dXMiOiI0MDEifQ==", "535 5.7.3 Authentication unsuccessful"])
    with hop() as far:
        far.extensions.append("AUTH XOAUTH2")
        far.answers["AUTH"] = lambda _: next(answers)
        far.answers[""] = lambda _: next(answers)
        [[outcome]] = deliver(way("smtp-auth", far.port), message())
    assert outcome.scope is Scope.WAY
    assert "401" in outcome.reply or "closed" in outcome.reply


def test_a_password_goes_by_plain() -> None:
    with hop() as far:
        far.extensions.append("AUTH PLAIN XOAUTH2")
        deliver(way("smtp-auth", far.port, password=Secret("env", "X", lambda _: "word")), message())
    assert far.logins == ["\0scan@contoso.com\0word"]


def test_without_credentials_it_says_so() -> None:
    with pytest.raises(ConfigError, match="names no credentials"):
        deliver(way("smtp-auth", 1, client_id="", tenant=""), message())


@pytest.mark.parametrize(
    ("verb", "reply", "kind", "explained"),
    [
        ("CONNECT", "432 4.3.2 Concurrent connections limit exceeded", "DEFERRED", True),
        (".", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "DEFERRED", True),
        ("AUTH", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled", "DEFERRED", True),
        ("AUTH", "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.", "DEFERRED", True),
        ("AUTH", "550 5.7.30 Basic authentication is not supported for Client Submission", "DEFERRED", True),
        (".", "554 5.2.2 mailbox full; STOREDRV.Submission.Exception", "DEFERRED", True),
        (".", "554 5.2.252 SendAsDenied; scan@contoso.com not allowed to send as x@contoso.com", "REFUSED", True),
        (".", "430 4.2.0 STOREDRV; mailbox logon failure", "DEFERRED", True),
        ("MAIL", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "REFUSED", True),
        ("RCPT", "550 5.4.1 Recipient address rejected: Access denied", "REFUSED", False),
    ],
)  # fmt: skip
def test_microsofts_own_words(verb: str, reply: str, kind: str, explained: bool) -> None:
    with hop(**{verb: reply}) as far:
        far.extensions.append("AUTH XOAUTH2")
        [one] = deliver(way("smtp-auth", far.port), message())
    assert kinds(one) == [kind]
    assert (explain(one[0].reply) is not None) == explained


def test_its_limits_are_microsofts() -> None:
    limits = TRANSPORT.limits
    assert (limits.sessions, limits.messages_per_minute, limits.recipients_per_day) == (3, 30, 10_000)
