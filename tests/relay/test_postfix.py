"""Against a real Postfix with Dovecot's authentication: tokens by a real endpoint, client certificates, throttles."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from portero.relay import use_cases
from portero.relay.outcome import Outcome
from portero.relay.pace import Limits
from portero.relay.secrets import Secret
from portero.relay.tokens import Tokens
from portero.relay.transport import Kit, Outgoing, Way
from portero.relay.transports import transports
from support.certificates import Authority
from support.entra import CLIENT, TENANT, Entra, entra
from support.postfix import Postfix, arrived, dovecot, need, open_folder, postfix
from support.relay import MESSAGE, Device, hop, running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def tokens(authority: Authority) -> Iterator[Entra]:
    pair = authority.pair("localhost", "127.0.0.1")
    with entra(pair.certificate, pair.key) as made:
        yield made


@pytest.fixture(scope="module")
def exchange(authority: Authority, tokens: Entra) -> Iterator[Postfix]:
    need("postfix", "dovecot", "smtp-sink")
    pair = authority.pair("hop.test", "localhost", "127.0.0.1")
    with open_folder() as folder:
        (folder / "logins").write_text(
            "scan@inside.test scan@inside.test\nboss@inside.test boss@inside.test\n"
        )
        with dovecot(folder, tokens, pair) as port:
            more = f"""
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{port}
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sender_login_maps = texthash:{folder}/logins
smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch
"""
            with postfix(folder, ca=authority.path, pair=pair, more=more) as made:
                yield made


def way(exchange: Postfix, tokens: Entra, authority: Authority, **options: object) -> Way:
    words: dict[str, object] = {
        "host": "localhost", "port": exchange.port, "tls": "starttls", "ca": authority.path, "mailbox": "scan@inside.test",
        "tenant": TENANT, "client_id": CLIENT, "client_secret": Secret("env", "X", lambda _: "right"),
        "scope": "https://outlook.office365.com/.default", "authority": tokens.authority, "authority_ca": authority.path,
    }  # fmt: skip
    return Way("exchange", "smtp-auth", words | options, Limits())


def deliver(to: Way, sender: str = "scan@inside.test") -> Outcome:
    async def run() -> Outcome:
        carrier = transports()[to.kind].open(to, Kit("relay.test", Tokens()))
        message = Outgoing(
            "1", sender, [("a@inside.test", "", "")], b"From: x\r\nSubject: token\r\n\r\n..dot\r\n"
        )
        try:
            return (await carrier.deliver(message))[0]
        finally:
            await carrier.close()

    return asyncio.run(run())


def test_a_good_token_is_taken(exchange: Postfix, tokens: Entra, authority: Authority) -> None:
    outcome = deliver(way(exchange, tokens, authority))
    assert outcome.kind.name == "DELIVERED", outcome
    assert any(b"\n.dot" in each for each in arrived(exchange, 1))


def test_a_certificate_gets_a_token_too(exchange: Postfix, tokens: Entra, authority: Authority) -> None:
    pair = authority.pair("application", bits=2048)
    tokens.certificate = RSAKey.import_key(pair.key.read_bytes())
    to = way(
        exchange,
        tokens,
        authority,
        client_secret=None,
        certificate=pair.certificate,
        certificate_key=pair.key,
    )
    assert deliver(to).kind.name == "DELIVERED"
    tokens.certificate = RSAKey.generate_key(2048)
    refused = deliver(to)
    assert refused.kind.name == "DEFERRED"
    assert "AADSTS700027" in refused.reply


@pytest.mark.parametrize(
    ("claims", "lifetime"),
    [
        ({"exp": 1_000_000_000}, 3599),
        ({"iss": "https://elsewhere.test/v2.0"}, 3599),
        ({"upn": "boss@inside.test"}, 3599),
    ],
    ids=["expired", "wrong issuer", "another mailbox"],
)
def test_bad_tokens_defer_and_nothing_is_sent(
    exchange: Postfix, tokens: Entra, authority: Authority, claims: dict[str, object], lifetime: int
) -> None:
    before, tokens.claims, tokens.lifetime = len(arrived(exchange, 0, 0)), claims, lifetime
    try:
        outcome = deliver(way(exchange, tokens, authority))
    finally:
        tokens.claims, tokens.lifetime = {}, 3599
    assert outcome.kind.name == "DEFERRED"
    assert outcome.scope.name == "WAY"
    # Dovecot 2.3.19 dies of some of these itself (signal 11, seen 2026-11-24), and Postfix then answers 454.
    assert outcome.reply[:3] in {"535", "454"}
    assert len(arrived(exchange, 0, 0)) == before


def test_a_token_signed_by_nobody_known_is_refused(
    exchange: Postfix, tokens: Entra, authority: Authority
) -> None:
    kept, tokens.key = tokens.key, RSAKey.generate_key(2048, {"kid": "k1"})
    try:
        outcome = deliver(way(exchange, tokens, authority))
        assert outcome.kind.name == "DEFERRED"
        assert outcome.reply[:3] in {"535", "454"}
    finally:
        tokens.key = kept


def test_a_wrong_secret_is_told_and_explained(exchange: Postfix, tokens: Entra, authority: Authority) -> None:
    from portero.relay.explain import explain

    outcome = deliver(way(exchange, tokens, authority, client_secret=Secret("env", "X", lambda _: "wrong")))
    assert "AADSTS7000215" in outcome.reply
    assert explain(outcome.reply) is not None
    assert "wrong" not in outcome.reply


def test_another_sender_is_refused_for_good(exchange: Postfix, tokens: Entra, authority: Authority) -> None:
    outcome = deliver(way(exchange, tokens, authority), sender="boss@inside.test")
    assert outcome.kind.name == "REFUSED"
    assert "not owned by user" in outcome.reply


def test_a_password_still_works_where_it_is_allowed(
    exchange: Postfix, tokens: Entra, authority: Authority
) -> None:
    to = way(exchange, tokens, authority, password=Secret("env", "X", lambda _: "word"))
    assert deliver(to).kind.name == "DELIVERED"


def test_no_certificate_that_is_not_trusted(exchange: Postfix, tokens: Entra, authority: Authority) -> None:
    outcome = deliver(way(exchange, tokens, authority, ca=None))
    assert outcome.kind.name == "DEFERRED"
    assert "certificate is not trusted" in outcome.reply


def test_a_client_certificate_opens_a_connector(authority: Authority, folder: Path) -> None:
    need("postfix", "smtp-sink")
    client, stranger = authority.pair("relay.test"), authority.pair("stranger.test")
    shown = ":".join(client.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    (folder / "certs").write_text(f"{shown} relay\n")
    more = f"""
smtpd_tls_ask_ccert = yes
smtpd_tls_fingerprint_digest = sha256
relay_clientcerts = texthash:{folder}/certs
smtpd_relay_restrictions = permit_tls_clientcerts, reject
"""
    with postfix(folder, ca=authority.path, pair=authority.pair("hop2.test", "localhost"), more=more) as made:
        for pair, kind in ((client, "DELIVERED"), (stranger, "REFUSED")):
            options = {"host": "localhost", "port": made.port, "tls": "starttls", "ca": authority.path}
            shown_by = {"client_certificate": pair.certificate, "client_key": pair.key}
            assert deliver(Way("connector", "connector", options | shown_by, Limits())).kind.name == kind
        assert len(arrived(made, 1)) == 1


def test_throttles_at_exchanges_numbers_lose_nothing(authority: Authority, folder: Path) -> None:
    """Three sessions, thirty messages a minute: Postfix counts, and refuses what is over."""
    need("postfix", "smtp-sink")
    more = """
smtpd_tls_security_level = none
smtpd_relay_restrictions = permit_mynetworks, reject
mynetworks = 127.0.0.0/8
smtpd_client_connection_count_limit = 3
smtpd_client_message_rate_limit = 30
anvil_rate_time_unit = 60s
"""
    with postfix(folder, ca=authority.path, pair=authority.pair("hop3.test", "localhost"), more=more) as far:
        pace = "sessions = 3\nmessages_per_minute = 30"
        with running(folder, far.port, way=pace) as relay, Device(relay.port) as device:
            for n in range(40):
                assert device.mail(MESSAGE, f"r{n}@inside.test").startswith("250")
            assert len(arrived(far, 30)) == 30
            time.sleep(2)
            document = use_cases.queue(folder / "relay.toml", (), 100)
            assert len(arrived(far, 0, 0)) == 30, "the thirty-first waits for its minute"
            assert sum(document["counts"].values()) == 10  # type: ignore[attr-defined]  # a mapping of counts
            assert document["ways"][0]["drain_seconds"] >= 10  # type: ignore[index]  # one way out
        assert "too many" not in far.log.lower()
        assert "rate" not in far.log.lower()


def test_the_token_endpoint_down(authority: Authority, tokens: Entra) -> None:
    """The old token is used to its end, nobody waits meanwhile, and nobody storms the endpoint."""

    async def story() -> None:
        moment = [time.time()]
        held = Tokens(clock=lambda: moment[0])
        to = way(Postfix(1, 1, Path()), tokens, authority)
        before = tokens.asked
        first = await asyncio.gather(*(held.get(to) for _ in range(50)))
        assert len(set(first)) == 1
        assert tokens.asked == before + 1, "fifty waiters, one request"
        tokens.down = True
        moment[0] += 3400
        for _ in range(50):
            assert await held.get(to) == first[0]
            await asyncio.sleep(0.01)
        tried = tokens.asked - before - 1
        assert 1 <= tried <= 4, f"{tried} requests while it was down"
        moment[0] += 300
        with pytest.raises(Exception, match=r"."):
            await held.get(to)
        tokens.down = False
        moment[0] += 1000
        assert await held.get(to)

    try:
        asyncio.run(story())
    finally:
        tokens.down = False


def test_mail_is_taken_while_no_token_is_to_be_had(
    authority: Authority, tokens: Entra, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("right\n")
    config = """
[relay]
hostname = "relay.test"
spool = "{folder}/spool"
accepted_domains = ["inside.test"]
free_octets = 0
[[listener]]
address = "127.0.0.1:0"
[[device]]
name = "scanner"
cidr = ["127.0.0.0/8"]
mail_from = ["@inside.test"]
[[way]]
name = "exchange"
kind = "smtp-auth"
mailbox = "scan@inside.test"
host = "localhost"
port = {port}
ca = "CA"
tenant = "TENANT"
client_id = "CLIENT"
client_secret = {{ file = "{folder}/secret" }}
authority = "AUTHORITY"
authority_ca = "CA"
"""
    for name, value in (
        ("CA", str(authority.path)),
        ("TENANT", TENANT),
        ("CLIENT", CLIENT),
        ("AUTHORITY", tokens.authority),
    ):
        config = config.replace(name, value)
    tokens.down = True
    try:
        with hop() as far, running(tmp_path, far.port, config=config) as relay, Device(relay.port) as device:
            for _ in range(20):
                assert device.mail(MESSAGE, "a@inside.test").startswith("250")
            time.sleep(1)
            document = use_cases.queue(tmp_path / "relay.toml", (), 100)
            assert document["counts"] == {"waiting": 20}
            assert "right" not in relay.log
    finally:
        tokens.down = False
