"""Message rules: each is a file with a page and Sigma's words, fires on a message made for it and is quiet on ordinary mail."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.explain import Verdict
from portero.core.message.arrival import Known
from portero.core.message.case import Rule
from portero.core.rules import rules
from portero.opening.judge import Judge, Task
from support.letters import OWN, arrived, body, file_part, qr, text_part

KNOWN = Known(
    Settings(accepted_domains=(AcceptedDomain(OWN, match_subdomains=False),)),
    people={"luis perez": frozenset({f"luis.perez@{OWN}"})},
)
STRANGER = "offer@kqzxwvbnmt.xyz"
AWAY = '<p>{0}</p><p><a href="https://evil-page.example/x">Click here</a></p>'


def html(text: str) -> str:
    return text_part(text, "html")


def outside(
    subject: str = "Hello",
    content: str = "",
    *,
    sender: str = "info@shop-one.example",
    name: str = "",
    **more: str,
) -> bytes:
    return arrived(
        sender=sender,
        name=name,
        subject=subject,
        content=content or text_part("Hello"),
        compauth="fail reason=001",
        **more,
    )  # type: ignore[arg-type]


def lure(subject: str, text: str = "Please act.") -> bytes:
    return outside(subject, html(AWAY.format(text)))


def attached(name: str, octets: bytes, text: str = "See attached.") -> bytes:
    return outside("File", body(text_part(text), file_part(name, "application/octet-stream", octets)))


FIRES: dict[str, bytes] = {
    "lure-voicemail": lure("New voicemail"),
    "lure-fax": lure("Nuevo fax recibido"),
    "lure-scan": lure("Document numérisé"),
    "lure-payroll": lure("Ihre Gehaltsabrechnung"),
    "lure-shared-document": lure("Documento compartilhado"),
    "lure-password-expiry": lure("La sua password scade oggi: password scaduta"),
    "lure-second-factor": lure("Scan the QR code to keep MFA"),
    "lure-held-mail": lure("Mensajes retenidos"),
    "lure-mailbox-full": lure("Votre boite pleine: stockage plein"),
    "lure-account-threat": lure("Your account has been suspended"),
    "lure-payment-trouble": lure("Payment declined"),
    "lure-parcel": lure("Ihre Sendung: Zollgebühr"),
    "lure-refund": lure("Tax refund of 200"),
    "lure-prize": lure("You have won a gift card"),
    "lure-easy-money": lure("Bitcoin investment opportunity"),
    "lure-intimate": lure("Hot singles nearby"),
    "lure-in-subject": lure("Su contraseña caduca hoy"),
    "links-never-home": lure("Anything"),
    "urgent-call": lure("Final notice", "Act now, click here."),
    "brand-impersonation": outside("Hi", html(AWAY.format("x")), name="PayPal"),
    "brand-in-text": lure("PayPal: account suspended", "Verify your account now."),
    "imitated-domain": outside("Hi", sender="it@c0ntoso.com"),
    "person-impersonation": outside("Hi", sender="boss77@gmail.com", name="Luis Perez"),
    "address-as-name": outside("Hi", name='"ceo@contoso.com"', sender="x@shop-one.example"),
    "link-text-differs": outside("Hi", html('<a href="https://evil-page.example/x">https://bank.example/login</a>')),
    "link-to-rented": outside("Hi", html('<a href="https://abc.pages.dev/x">open</a>')),
    "link-shortened": outside("Hi", html('<a href="https://bit.ly/x">open</a>')),
    "link-by-number": outside("Hi", html('<a href="http://198.51.100.9/x">open</a>')),
    "link-with-login": outside("Hi", html('<a href="https://bank.example@evil-page.example/">open</a>')),
    "link-redirected": outside("Hi", html('<a href="https://www.google.com/url?q=https://evil.example">open</a>')),
    "link-names-reader": outside("Hi", html(f'<a href="https://evil-page.example/?e=ana@{OWN}">open</a>')),
    "link-cheap-suffix": outside("Hi", html('<a href="https://page.top/">open</a>')),
    "drawn-name": outside("Hi", sender=STRANGER),
    "code-in-picture": attached("a.png", qr("https://evil-page.example/q")),
    "attachment-active": attached("a.svg", b"<svg><script>location='https://evil.example'</script></svg>"),
    "attachment-misnamed": attached("invoice.pdf.html", b"<html>x</html>"),
    "attachment-page": attached("a.html", b'<html><a href="https://evil-page.example">x</a></html>'),
    "document-leads-away": attached("a.txt", b"Voicemail: https://evil-page.example/q", "New voicemail"),
    "form-in-mail": outside("Hi", html('<form action="https://evil.example"><input type="password"></form>')),
    "hidden-text": outside("Hi", html(f'<div style="display:none">{"noise " * 100}</div><a href="https://evil-page.example">x</a>')),
    "invisible-signs": outside("Pa\u200byment"),
    "pictures-only": outside("Hi", html('<a href="https://evil-page.example"><img src="https://evil-page.example/a.png"></a>')),
    "reply-elsewhere": outside("Hi", extra=["Reply-To: someone@gmail.com"]),  # type: ignore[arg-type]
    "invitation": attached("i.ics", b"BEGIN:VCALENDAR\r\nDESCRIPTION:https://evil-page.example/x\r\nEND:VCALENDAR\r\n"),
    "money-letter": outside("Donation", text_part("Dear friend, I am next of kin of a million dollars inheritance. Bitcoin.")),
    "errand": arrived(sender=f"luis.perez@{OWN}", content=text_part("Are you available? I need you to buy gift cards.")),
    "department": outside("Password expires", html(AWAY.format("Keep same password")), name="IT Support"),
    "recipient-domain-spoken": outside("Hi", html(AWAY.format("x")), name="Contoso Helpdesk"),
    "two-authors": outside("Hi", sender="nobody"),
    "stranger-unproved": outside("Hi"),
    "own-name-unauthenticated": arrived(),
    "own-name-refused": arrived(),
    "own-name-unjudged": arrived(compauth="none reason=451"),
    "foreign-envelope": arrived(mail_from="b@vps.example", spf="pass"),
    "forged-stamps": arrived(auth_as="Internal"),
    "nameless-client": arrived(helo="WIN-8H3K2J1"),
    "self-addressed": arrived(sender=f"ana@{OWN}"),
    "own-name-lure": arrived(subject="Voicemail", content=html(AWAY.format("x"))),
    "away-in-own-name": arrived(subject="Hi", content=html(AWAY.format("x"))),
    "filter-verdict": arrived(extra=["X-Forefront-Antispam-Report: CIP:1.2.3.4;CAT:PHSH;DIR:INB"]),
    "filter-score": arrived(extra=["X-MS-Exchange-Organization-SCL: 6"]),
    "own-name-authenticated": arrived(spf="pass", dmarc="pass action=none", compauth="pass reason=100"),
    "signed-once": arrived(mail_from="b@l.example", dkim=f"fail (body hash did not verify) header.d={OWN}"),
    "conversation": outside("Re: Plan", text_part("Yes.\r\n> one\r\n> two\r\n> three\r\n"), extra=["In-Reply-To: <1@x>"]),  # type: ignore[arg-type]
    "plain-words": outside("Hi", text_part("See you on Friday at ten.")),
    "harmless-content": outside("Hi", text_part("See you on Friday at ten.")),
    "links-at-home": outside("Hi", html('<a href="https://www.shop-one.example/x">Read</a>')),
}  # fmt: skip


def judged(octets: bytes) -> set[str]:
    verdict = Judge(KNOWN)(Task("mail.eml", octets))
    assert isinstance(verdict, Verdict)
    return {each.rule for each in verdict.because}


@pytest.mark.parametrize("rule", FIRES)
def test_it_fires_on_a_message_made_for_it(rule: str) -> None:
    assert rule in judged(FIRES[rule])


@pytest.fixture(params=rules(), ids=lambda rule: rule.id)
def rule(request: pytest.FixtureRequest) -> Rule:
    found: Rule = request.param
    return found


def test_its_id_is_its_files_name_and_it_has_a_page(rule: Rule) -> None:
    module = inspect.getmodule(rule.match)

    assert module is not None
    assert module.__name__.rpartition(".")[2] == rule.id.replace("-", "_")
    assert (inspect.getdoc(module) or "").split("\n")[0].endswith((".", ":"))


def test_it_carries_sigmas_words(rule: Rule) -> None:
    assert rule.title
    assert rule.level in {"informational", "low", "medium", "high", "critical"}
    assert rule.status in {"stable", "test", "experimental"}
    assert -6 <= rule.weight <= 6
    assert (rule.level == "informational") == (rule.weight <= 0)


def test_ids_are_given_once_and_messages_name_rules_that_exist() -> None:
    ids = [each.id for each in rules()]

    assert len(ids) == len(set(ids))
    assert set(FIRES) <= set(ids)


def test_accusing_rules_are_quiet_on_most_ordinary_mail() -> None:
    folder = Path(__file__).parents[2] / "messages" / "quiet"
    judge = Judge(Known())
    met: dict[str, int] = {}
    letters = sorted(folder.glob("*.eml"))[::3]
    for path in letters:
        verdict = judge(Task(path.name, path.read_bytes()))
        assert isinstance(verdict, Verdict)
        for each in verdict.because:
            if each.weight > 0:
                met[each.rule] = met.get(each.rule, 0) + 1

    assert {rule: n for rule, n in met.items() if n > len(letters) // 8} == {}
