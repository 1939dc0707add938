"""Direct Send scenarios built from the reference's headers: every spoof with its path, every look-alike clean."""

from __future__ import annotations

import pytest

from portero.core.address import parse_network
from portero.core.evidence import ConfigAnswer, ConfigObject, Origin
from portero.core.exchange.settings import AcceptedDomain, Settings, Tenant, read_settings
from portero.core.explain import MailJudgement, Verdict
from portero.core.message.arrival import Known, TracedMail
from portero.core.register import Configuration, KnownNetwork
from portero.core.sender import Path
from portero.opening.judge import Judge, Task
from support.letters import OWN, arrived, body, file_part, pdf, qr, text_part

LURE = text_part('<p>New voice message. <a href="https://vm-listen.example/play">Listen</a></p>', "html")
PASSES = {"spf": "pass", "dmarc": "pass action=none", "compauth": "pass reason=100"}
TENANT = "11111111-2222-3333-4444-555555555555"
ATTRIBUTED = f"X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp: TenantId={TENANT};Ip=[203.0.113.10];Helo=[ex01.contoso.com]"


def known(*domains: str) -> Known:
    return Known(Settings(accepted_domains=tuple(AcceptedDomain(name) for name in domains or (OWN,))))


def judged(octets: bytes, held: Known | None = None) -> Verdict:
    verdict = Judge(held or known())(Task("mail.eml", octets))
    assert isinstance(verdict, Verdict)
    total = sum(each.weight for each in verdict.because)
    assert verdict.probability == pytest.approx(1 / (1 + 2.718281828459045**-total))
    return verdict


SPOOFS = {
    "self-addressed voicemail": (Path.DIRECT_SEND, arrived(sender=f"ana@{OWN}", subject="Voice message", content=LURE)),
    "no TLS, loopback, code in PDF": (
        Path.DIRECT_SEND,
        arrived(
            sender=f"ana@{OWN}",
            helo="[127.0.0.1]",
            subject="Missed fax",
            content=body(text_part("See attached."), file_part("Fax.pdf", "application/pdf", pdf(qr("https://x.example/a")))),
        ),
    ),
    "foreign MX, reason 451": (
        Path.DIRECT_SEND,
        arrived(
            sender=f"hr@{OWN}",
            name="HR",
            subject="Payroll",
            spf="softfail",
            compauth="none reason=451",
            dmarc="fail action=quarantine",
            content=LURE,
            extra=["X-MS-Exchange-Organization-IsAnonymousDirectSend: True", "X-MS-Exchange-Organization-InternalOrgSender: True"],
        ),
    ),
    "reason 905": (Path.DIRECT_SEND, arrived(sender=f"it@{OWN}", compauth="none reason=905", subject="Password", content=LURE)),
    "reason 010": (Path.DIRECT_SEND, arrived(sender=f"it@{OWN}", compauth="fail reason=010", dmarc="fail action=oreject", subject="MFA", content=LURE)),
    "foreign envelope": (
        Path.FOREIGN_ENVELOPE,
        arrived(sender=f"cfo@{OWN}", mail_from="b@vps.example", spf="pass", compauth="fail reason=000", content=LURE, subject="Invoice"),
    ),
    "null envelope": (
        Path.FOREIGN_ENVELOPE,
        arrived(sender=f"cfo@{OWN}", mail_from="", spf="none", subject="Shared file", content=LURE),
    ),
    "errand without a link": (
        Path.DIRECT_SEND,
        arrived(sender=f"luis.perez@{OWN}", name="Luis Perez", content=text_part("Are you at your desk? I need you to purchase gift cards.")),
    ),
    "forged trust": (Path.DIRECT_SEND, arrived(sender=f"ceo@{OWN}", auth_as="Internal", content=LURE, subject="Bonus")),
    "trust stamped twice": (
        Path.DIRECT_SEND,
        arrived(sender=f"ceo@{OWN}", content=LURE, below=["X-MS-Exchange-Organization-AuthAs: Internal", "X-MS-Exchange-Organization-SCL: -1"]),
    ),
    "forged results below the boundary": (
        Path.DIRECT_SEND,
        arrived(
            sender=f"ceo@{OWN}",
            content=LURE,
            below=[f"Authentication-Results: spf=pass (sender IP is 198.51.100.1) smtp.mailfrom={OWN}; dkim=pass header.d={OWN};dmarc=pass action=none header.from={OWN};compauth=pass reason=100"],
        ),
    ),
    "forged inside hops below the boundary": (
        Path.DIRECT_SEND,
        arrived(
            sender=f"ceo@{OWN}",
            content=LURE,
            below=["Received: from A1.eurprd01.prod.outlook.com ([fe80::1]) by A1.eurprd01.prod.outlook.com ([fe80::1%4]) with mapi id 15.20.1.1; Mon, 23 Nov 2026 09:00:00 +0000"],
        ),
    ),
    "greets as Microsoft": (
        Path.DIRECT_SEND,
        arrived(sender=f"ceo@{OWN}", helo="AM0PR01MB1.eurprd01.prod.outlook.com", content=LURE),
    ),
    "list headers of its own making": (
        Path.DIRECT_SEND,
        arrived(sender=f"ceo@{OWN}", content=LURE, extra=[f"List-Id: <all.{OWN}>", "Precedence: list"]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOOFS)
def test_a_spoof_is_named_with_its_path(name: str) -> None:
    path, octets = SPOOFS[name]

    verdict = judged(octets)

    assert verdict.arrival.path is path
    assert verdict.judgement is MailJudgement.PHISH
    assert verdict.spoofs is True


SCAN = body(
    text_part("Please open the attached document. It was scanned and sent to you."),
    file_part("Scan_0042.pdf", "application/pdf", pdf()),
)
LOOK_ALIKES = {
    "scan to oneself, SPF passes": (Path.DIRECT_SEND, arrived(sender=f"ana@{OWN}", subject="Scan", content=SCAN, **PASSES)),
    "scan to oneself, nobody listed the device": (Path.DIRECT_SEND, arrived(sender=f"ana@{OWN}", subject="Scanned document", content=SCAN)),
    "scanner nobody listed": (Path.DIRECT_SEND, arrived(sender=f"scanner@{OWN}", subject="Message from MFP", content=SCAN, compauth="fail reason=001")),
    "alarm of a monitor": (Path.DIRECT_SEND, arrived(sender=f"nagios@{OWN}", subject="PROBLEM: db1 is DOWN", content=text_part("Host db1 is down."))),
    "application that links to the organisation": (
        Path.DIRECT_SEND,
        arrived(sender=f"jira@{OWN}", subject="[JIRA] DOC-7 was assigned to you", content=text_part(f'<a href="https://jira.{OWN}/DOC-7">DOC-7</a>', "html")),
    ),
    "gateway notice": (
        Path.DIRECT_SEND,
        arrived(
            sender=f"quarantine@{OWN}",
            subject="3 messages in quarantine",
            content=text_part('<a href="https://portal.gateway.example/release">Release</a>', "html"),
            **PASSES,
        ),
    ),
    "own list post, reason 601": (
        Path.FOREIGN_ENVELOPE,
        arrived(
            sender=f"ana@{OWN}",
            mail_from="dev-bounces@lists.example.org",
            to="dev@lists.example.org",
            spf="pass",
            dkim=f"fail (body hash did not verify) header.d={OWN}",
            subject="[dev] Re: build",
            content=text_part("See https://gitlab.example.org/mr/7\r\n"),
            extra=["List-Id: Development <dev.lists.example.org>", "Precedence: list"],
        ),
    ),
    "own list post, SPF none, no List-Id": (
        Path.FOREIGN_ENVELOPE,
        arrived(
            sender=f"ana@{OWN}",
            mail_from="owner-dev@lists.example.org",
            to="dev@lists.example.org",
            spf="none",
            subject="[PATCH 1/2] net: fix",
            content=text_part("diff --git a/x b/x\r\n"),
        ),
    ),
    "hybrid": (
        Path.CONNECTOR,
        arrived(sender=f"luis@{OWN}", auth_as="Internal", directionality="Originating", entity="HybridOnPrem", spf="none", dmarc="none", compauth="none reason=300", extra=[ATTRIBUTED]),
    ),
    "gateway notice by its connector": (
        Path.CONNECTOR,
        arrived(
            sender=f"quarantine@{OWN}",
            subject="3 messages in quarantine",
            directionality="Originating",
            entity="HybridOnPrem",
            content=text_part('<a href="https://portal.gateway.example/release">Release messages</a>', "html"),
            extra=[ATTRIBUTED],
        ),
    ),
    "telephone system nobody listed": (
        Path.DIRECT_SEND,
        arrived(
            sender=f"voicemail@{OWN}",
            subject="Voice message from extension 214",
            content=body(text_part("The recording is attached."), file_part("message.wav", "audio/wav", b"RIFF\x24\0\0\0WAVEfmt " + bytes(40))),
        ),
    ),
    "fax server nobody listed": (
        Path.DIRECT_SEND,
        arrived(
            sender=f"fax@{OWN}",
            subject="Fax from 600 555 010",
            content=body(text_part("2 pages."), file_part("Fax_0007.pdf", "application/pdf", pdf())),
        ),
    ),
    "service with the organisation's DKIM alone": (
        Path.FOREIGN_ENVELOPE,
        arrived(
            sender=f"news@{OWN}",
            mail_from="b@bounces.mailer.example",
            subject="Your benefits in January",
            spf="pass",
            dkim=f"pass (signature was verified) header.d={OWN}",
            dmarc="pass action=none",
            compauth="pass reason=100",
            content=LURE,
        ),
    ),
    "own notice of what could not be delivered": (
        Path.FOREIGN_ENVELOPE,
        arrived(
            sender=f"postmaster@{OWN}",
            mail_from="",
            subject="Undeliverable: minutes",
            spf="none",
            content=text_part("Your message could not be delivered."),
            extra=["Auto-Submitted: auto-replied"],
        ),
    ),
    "relay by an OnPremises connector": (
        Path.CONNECTOR,
        arrived(sender=f"erp@{OWN}", directionality="Originating", entity="HybridOnPrem", extra=[ATTRIBUTED], subject="Invoice 7", content=text_part("Your invoice is ready.")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_legitimate_look_alike_is_clean(name: str) -> None:
    path, octets = LOOK_ALIKES[name]

    verdict = judged(octets)

    assert verdict.arrival.path is path
    assert verdict.judgement is MailJudgement.CLEAN
    assert verdict.spoofs is False


def test_the_connectors_address_makes_it_the_connectors() -> None:
    octets = arrived(sender=f"crm@{OWN}", subject="Password", content=LURE, client_ip="198.51.100.7")

    def settings(restricted: bool) -> Settings:
        connector = {
            "Name": "CRM", "Enabled": True, "ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"],
            "SenderIPAddresses": ["198.51.100.0/28"], "RestrictDomainsToIPAddresses": restricted,
            "RestrictDomainsToCertificate": False, "TlsSenderCertificateName": None,
        }  # fmt: skip
        origin = Origin("Get-InboundConnector.json")
        tenant = Tenant(
            [ConfigObject("Get-InboundConnector", connector, origin)],
            [ConfigAnswer("Get-InboundConnector", origin)],
        )
        return read_settings(tenant, [OWN])

    taken = judged(octets, Known(settings(restricted=True))).arrival
    doubtful = judged(octets, Known(settings(restricted=False))).arrival

    assert (taken.path, taken.connector) == (Path.CONNECTOR, "CRM")
    assert doubtful.path is Path.UNDETERMINED


def test_a_trace_row_names_the_connector() -> None:
    row = TracedMail(
        "Scanners", "incoming", f"scanner@{OWN}", "203.0.113.77", "delivered", Origin("trace.csv", 7)
    )
    held = Known(known().settings, traced={"0a9d6f0e-6a63-4f07-9a4f-0f5dc3c8a001": row})

    assert judged(arrived(), held).arrival.path is Path.CONNECTOR


def test_a_known_network_of_devices_speaks_for_its_mail() -> None:
    places = (KnownNetwork("Madrid", (parse_network("203.0.113.64/26"),), "devices"),)
    octets = arrived(sender=f"ana@{OWN}", subject="Scan", content=LURE)

    assert "registered" in {
        each.rule for each in judged(octets, Known(known().settings, Configuration(networks=places))).because
    }
    assert "registered" not in {each.rule for each in judged(octets).because}


def test_nobody_is_accused_where_nobody_named_the_organisation() -> None:
    verdict = judged(arrived(sender="news@shop.example", **PASSES), Known())

    assert verdict.arrival.path is Path.UNDETERMINED
    assert verdict.spoofs is None


def test_a_mailbox_and_a_client_with_credentials_are_told_from_the_public_door() -> None:
    top = "Received: from A.eurprd01.prod.outlook.com (2603:10a6::1) by B.eurprd01.prod.outlook.com with HTTPS; Mon, 23 Nov 2026 09:00:00 +0000\r\n"
    rest = f"From: ana@{OWN}\r\nTo: luis@{OWN}\r\nReturn-Path: ana@{OWN}\r\nSubject: x\r\nX-MS-Exchange-Organization-AuthAs: Internal\r\n\r\nHello\r\n"
    mapi = "Received: from A.eurprd01.prod.outlook.com ([fe80::1]) by A.eurprd01.prod.outlook.com ([fe80::1%4]) with mapi id 15.20.1.1; Mon, 23 Nov 2026 09:00:00 +0000\r\n"
    client = "Received: from [192.168.1.20] (203.0.113.9) by A.eurprd01.prod.outlook.com (2603:10a6::1) with Microsoft SMTP Server (version=TLS1_3, cipher=X) id 15.20.1.1; Mon, 23 Nov 2026 09:00:00 +0000\r\n"

    assert judged((top + mapi + rest).encode()).arrival.path is Path.INTERNAL
    assert judged((top + client + rest).encode()).arrival.path is Path.AUTHENTICATED


ONWARD = "Received: from A.eurprd01.prod.outlook.com (2603:10a6::1) by B.eurprd01.prod.outlook.com with HTTPS; Mon, 23 Nov 2026 09:00:00 +0000\r\n"
ELSEWHERE = "Received: from mail-am0.outbound.protection.outlook.com (40.92.43.51) by mx.other.example with ESMTPS; Mon, 23 Nov 2026 09:00:01 +0000\r\n"
MAPI = "Received: from A.eurprd01.prod.outlook.com ([fe80::1]) by A.eurprd01.prod.outlook.com ([fe80::1%4]) with mapi id 15.20.1.1; Mon, 23 Nov 2026 09:00:00 +0000\r\n"


@pytest.mark.parametrize(
    ("lines", "sender", "path"),
    [
        (ONWARD + MAPI, f"ana@{OWN}", Path.INTERNAL),
        (ONWARD + MAPI, "x@rented.example", Path.UNDETERMINED),
        (ELSEWHERE + ONWARD + MAPI, "x@rented.example", Path.EXTERNAL),
        (ELSEWHERE + ONWARD + MAPI, f"ceo@{OWN}", Path.UNDETERMINED),
    ],
)
def test_a_mailbox_of_another_tenant_is_not_taken_for_ours(lines: str, sender: str, path: Path) -> None:
    head = f"From: {sender}\r\nTo: luis@{OWN}\r\nReturn-Path: {sender}\r\nSubject: x\r\n"
    octets = f"{lines}{head}X-MS-Exchange-CrossTenant-AuthAs: Internal\r\n\r\nHello\r\n".encode()

    verdict = judged(octets)

    assert verdict.arrival.path is path
    assert ("arrived-inside" in {each.rule for each in verdict.because}) is (path is Path.INTERNAL)


def test_an_unquoted_comma_hides_no_author() -> None:
    octets = arrived(sender=f"ceo@{OWN}", content=LURE).replace(b"From: ", b"From: Notice, ", 1)

    verdict = judged(octets)

    assert verdict.arrival.author.address == f"ceo@{OWN}"
    assert verdict.arrival.author.name.startswith("Notice")
    assert verdict.spoofs is True


def test_a_link_to_a_number_is_an_address_and_no_domain() -> None:
    page = text_part('<a href="http://192.0.2.44/login">Log in</a>', "html")

    found = {(each.type, each.value) for each in judged(arrived(content=page)).indicators}

    assert ("ip", "192.0.2.44") in found
    assert "192.0.2.44" not in {value for kind, value in found if kind == "domain"}


PROVEN = {"spf": "pass", "dmarc": "pass action=none", "compauth": "pass reason=100"}


@pytest.mark.parametrize(
    ("sender", "name", "rule"),
    [
        ("noreply@secure-mail365.example", "Microsoft 365", "brand-impersonation"),
        ("billing@c0ntoso.com", "Contoso Billing", "imitated-domain"),
    ],
)
def test_a_borrowed_name_has_no_home_of_its_own_though_it_is_authenticated(
    sender: str, name: str, rule: str
) -> None:
    domain = sender.rpartition("@")[2]
    page = text_part(
        f'<p>Your password expires today.</p><a href="https://{domain}/keep">Keep it</a>', "html"
    )

    verdict = judged(
        arrived(sender=sender, name=name, subject="Password expires today", content=page, **PROVEN)
    )

    told = {each.rule for each in verdict.because}
    assert verdict.judgement is MailJudgement.PHISH
    assert rule in told
    assert not told & {"links-at-home", "harmless-content", "device-notice"}


def test_a_link_to_a_strangers_own_page_is_not_called_harmless() -> None:
    page = text_part(
        '<p>Scan the code to keep your account.</p><a href="https://mfa.example/x">x</a>', "html"
    )

    told = {
        each.rule for each in judged(arrived(sender="noreply@mfa.example", content=page, **PROVEN)).because
    }

    assert not told & {"harmless-content", "device-notice"}


def test_own_files_at_sharepoint_are_told_from_anybodys() -> None:
    page = text_part('<a href="https://contoso.sharepoint.com/:x:/s/fin/E1">Budget</a>', "html")
    octets = arrived(
        sender="no-reply@sharepointonline.com", subject="Luis shared a file", content=page, **PROVEN
    )

    def told(*domains: str) -> set[str]:
        return {each.rule for each in judged(octets, known(*domains)).because}

    assert "link-to-rented" not in told(OWN, "contoso.onmicrosoft.com")
    assert "link-to-rented" in told(OWN, "contosogroup.onmicrosoft.com")


def test_a_free_mailbox_is_no_brands_own_mail() -> None:
    hello = text_part("Are you at your desk?")

    told = {
        each.rule
        for each in judged(arrived(sender="x@gmail.com", name="Google", content=hello, **PROVEN)).because
    }

    assert "brand-owned" not in told
    assert "brand-impersonation" in told


def test_stamps_without_any_exchange_server_are_called_made_up() -> None:
    octets = (
        f"Received: from x (192.0.2.1) by mail.other.example; Mon, 23 Nov 2026 09:00:00 +0000\r\nFrom: ceo@{OWN}\r\nTo: ana@{OWN}\r\n"
        "Subject: x\r\nX-MS-Exchange-Organization-AuthAs: Internal\r\nX-MS-Exchange-Organization-SCL: -1\r\n\r\nHello\r\n"
    ).encode()

    verdict = judged(octets)

    assert verdict.arrival.path is Path.UNDETERMINED
    assert "forged-stamps" in {each.rule for each in verdict.because}


def test_the_timeline_runs_from_the_oldest_hop_and_says_what_to_believe() -> None:
    below = ["Received: from a (192.0.2.1) by b.example; Mon, 23 Nov 2026 09:00:00 +0000"]

    hops = judged(arrived(below=below)).arrival.timeline

    assert [hop.ours for hop in hops] == [False, True, True, True]
    assert hops[1].delay is not None
    assert hops[1].delay.total_seconds() == 726
