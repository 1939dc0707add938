"""Live DNS against a real resolver and authoritative server, and against servers that misbehave."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import dns.message
import dns.rcode
import pytest

from portero.collect.dns_lines import dns_lines
from portero.collect.live_dns import Limits, LiveDns, Server, read_server
from portero.core.dns import DnsAnswer, DnsStatus
from portero.core.mail.conversation import Question
from portero.errors import SourceUnavailable
from portero.sources.dns_answers import SOURCE
from portero.sources.document import Document
from portero.sources.head import head_of
from support.dns_servers import HOST, authoritative, cut, free_port, misbehaving, resolver

AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
LONG = " ".join(f'"{"x" * 250}"' for _ in range(12))
ZONE = f"""
@ TXT "v=spf1 include:_spf" ".contoso.com -all"
@ TXT "second \\"record\\" with \\\\ signs"
@ MX 10 contoso-com.mail.protection.outlook.com.
big TXT {LONG}
selector1._domainkey CNAME selector1-contoso-com._domainkey.tenant.contoso.com.
selector1-contoso-com._domainkey.tenant TXT "v=DKIM1; p=AAAA"
dangling CNAME nowhere.contoso.com.
host A 192.0.2.1
host AAAA 2001:db8::1
empty.below TXT "x"
"""
QUICK = Limits(timeout_seconds=0.4, rounds=1)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("dns")
    with (
        authoritative(folder / "nsd", {"contoso.com": ZONE}) as upstream,
        misbehaving(lambda query: None) as silent,
        resolver(folder / "unbound", upstream, {"contoso.com": upstream, "silent.example": silent}) as found,
    ):
        yield found


def live(*ports: int, limits: Limits = QUICK) -> LiveDns:
    return LiveDns([Server(HOST, port) for port in ports], limits, lambda: AT)


def ask(held: LiveDns, name: str, type_: str = "TXT") -> tuple[DnsAnswer, ...]:
    return held.settle(lambda _: [Question(name, type_)])


def test_strings_are_joined_and_quotes_are_no_part_of_them(port: int) -> None:
    [found] = ask(live(port), "contoso.com")

    assert set(found.answers) == {"v=spf1 include:_spf.contoso.com -all", 'second "record" with \\ signs'}
    assert (found.status, found.observed_at, found.resolver) == (DnsStatus.NOERROR, AT, f"{HOST}:{port}")


def test_each_type_comes_in_the_form_that_evidence_has(port: int) -> None:
    held = live(port)

    assert ask(held, "contoso.com", "MX")[0].answers == ("10 contoso-com.mail.protection.outlook.com",)
    assert ask(held, "host.contoso.com", "A")[0].answers == ("192.0.2.1",)
    assert ask(held, "host.contoso.com", "AAAA")[0].answers == ("2001:db8::1",)


def test_an_answer_too_long_for_udp_comes_whole_over_tcp(port: int) -> None:
    [found] = ask(live(port), "big.contoso.com")

    assert found.answers == ("x" * 3000,)


def test_no_such_name_and_no_such_type_are_two_answers(port: int) -> None:
    held = live(port)

    assert ask(held, "missing.contoso.com")[0].status is DnsStatus.NXDOMAIN
    assert (ask(held, "below.contoso.com")[0].status, ask(held, "host.contoso.com")[0].status) == (
        DnsStatus.NOERROR,
        DnsStatus.NOERROR,
    )


def test_aliases_are_kept_with_what_stands_at_their_end(port: int) -> None:
    alias, key = ask(live(port), "selector1._domainkey.contoso.com")
    first, nothing = ask(live(port), "dangling.contoso.com")

    assert (alias.type, alias.answers) == ("CNAME", ("selector1-contoso-com._domainkey.tenant.contoso.com",))
    assert key.answers == ("v=DKIM1; p=AAAA",)
    assert first.status is DnsStatus.NOERROR
    assert (nothing.name, nothing.status) == ("nowhere.contoso.com", DnsStatus.NXDOMAIN)


def test_a_lame_server_is_a_failure_and_no_answer(port: int) -> None:
    both = live(port, limits=Limits(timeout_seconds=3, rounds=1)).settle(
        lambda _: [Question("contoso.com", "MX"), Question("lame.example", "TXT")]
    )

    assert [answer.status for answer in both] == [DnsStatus.NOERROR, DnsStatus.SERVFAIL]


def test_a_slow_zone_times_out_and_holds_nobody_else_up(port: int) -> None:
    found = live(port).settle(lambda _: [Question("silent.example", "TXT"), Question("contoso.com", "MX")])

    assert [answer.status for answer in found] == [DnsStatus.TIMEOUT, DnsStatus.NOERROR]


def test_an_answer_that_stays_cut_is_neither_empty_nor_a_timeout(port: int) -> None:
    with misbehaving(cut) as short:
        [answer] = ask(live(short), "contoso.com")
    assert (answer.status, answer.answers) == (DnsStatus.TRUNCATED, ())


def test_the_next_resolver_is_asked_where_one_is_silent_refuses_or_talks_nonsense(port: int) -> None:
    def refuse(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.REFUSED)
        return response.to_wire()

    with misbehaving(refuse) as refusing, misbehaving(lambda query: b"nonsense") as mad:
        for first in (refusing, mad, free_port()):
            [found] = ask(live(first, port), "contoso.com", "MX")
            assert (found.status, found.resolver) == (DnsStatus.NOERROR, f"{HOST}:{port}")


def test_answers_to_another_question_are_not_believed(port: int) -> None:
    def forge(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(dns.message.make_query("evil.example", "TXT"))
        response.id = query.id
        return response.to_wire()

    with misbehaving(forge) as forging:
        [found] = ask(live(forging, port), "contoso.com", "MX")
    assert found.resolver == f"{HOST}:{port}"


def test_where_nobody_answers_the_reader_is_told_whom_it_was_asked_of() -> None:
    nobody = free_port()
    with pytest.raises(SourceUnavailable, match=str(nobody)):
        ask(live(nobody), "contoso.com")


def test_answers_lead_to_questions_until_none_is_open(port: int) -> None:
    asked: list[int] = []

    def wanted(answers: object) -> list[Question]:
        found = list(answers)  # type: ignore[call-overload]
        asked.append(len(found))
        hosts = [text.split()[1] for answer in found if answer.type == "MX" for text in answer.answers]
        return [Question("contoso.com", "MX"), *(Question(host, "A") for host in hosts)]

    found = live(port).settle(wanted)

    assert [answer.type for answer in found] == ["MX", "A"]
    assert asked == [0, 1, 2]


def test_a_run_is_bounded_in_questions(port: int) -> None:
    few = live(port, limits=Limits(questions=3))

    found = few.settle(lambda _: [Question(f"n{number}.contoso.com", "A") for number in range(50)])

    assert len(found) == 3


def test_names_that_dns_cannot_hold_are_not_asked(port: int) -> None:
    questions = [
        Question("x" * 64 + ".contoso.com", "A"),
        Question("a..b", "A"),
        Question("\ud800.com", "A"),
    ]

    assert live(port).settle(lambda _: questions) == ()


def test_recorded_answers_read_back_as_they_were(port: int) -> None:
    found = live(port).settle(
        lambda _: [
            Question("contoso.com", "TXT"),
            Question("missing.contoso.com", "A"),
            Question("lame.example", "MX"),
        ]
    )
    lines = dns_lines(found)
    assert json.loads(lines.splitlines()[0])["observed_at"] == "2026-11-24T10:00:00Z"

    raw = lines.encode()
    document = Document("answers.jsonl", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    again = [item for item in SOURCE.read(document) if isinstance(item, DnsAnswer) and item.type != "ANY"]
    assert [
        (each.name, each.type, each.status, each.answers, each.observed_at, each.resolver, each.validated)
        for each in again
    ] == [
        (each.name, each.type, each.status, each.answers, each.observed_at, each.resolver, each.validated)
        for each in found
    ]


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", Server("192.0.2.1")),
        ("192.0.2.1:5353", Server("192.0.2.1", 5353)),
        ("2001:db8::1", Server("2001:db8::1")),
        ("[2001:db8::1]:5353", Server("2001:db8::1", 5353)),
    ],
)
def test_a_resolver_is_named_by_address_and_port(text: str, server: Server) -> None:
    assert read_server(text) == server
    assert read_server(str(server)) == server


@pytest.mark.parametrize("text", ["", "dns.example", "192.0.2.1:0", "192.0.2.1:x", "192.0.2.300:53"])
def test_what_names_no_resolver_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_server(text)
