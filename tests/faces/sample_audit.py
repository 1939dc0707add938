"""An audit as one organisation would get it: printers, a payroll run, a newsletter, a forwarder, a forged campaign."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import exp

from portero.core.audit import Audit, Totals
from portero.core.design import Connector, Design, Range, Unhelped
from portero.core.evidence import Coverage, Gap, Origin
from portero.core.finding import Finding, Outcome, Severity
from portero.core.flow import Distinct, Facts
from portero.core.migration import Migration, Option, Road, volume
from portero.core.questions import ask
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Reason, Sender
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.step import Risk, Step
from portero.core.text import Text

START = date(2026, 10, 13)
DAYS = 42
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def days(per_day: int, *, weekends: bool = False, first: int = 0, last: int = DAYS) -> dict[date, int]:
    """Spread mails over the window, working days only unless said otherwise, with a steady ripple."""
    spread = {}
    for offset in range(first, last):
        day = START + timedelta(days=offset)
        if weekends or day.weekday() < 5:
            spread[day] = per_day + (offset * 7) % 5 - 2
    return {day: mails for day, mails in spread.items() if mails > 0}


def sender(
    identity: str,
    name: str,
    kind: Kind,
    judgement: Judgement,
    path: Path,
    network: str,
    by_day: dict[date, int],
    weights: tuple[tuple[str, str, float], ...],
    *,
    header_from: str,
    mail_from: str = "contoso.com",
    ehlo: str = "mail.contoso.com",
    decided_by: DecidedBy = DecidedBy.EVIDENCE,
    connector: str | None = None,
    owner: str | None = None,
    outside: int = 0,
    recipients: int = 40,
) -> Sender:
    """Make a sender whose weights give its confidence."""
    odds = sum(weight for _, _, weight in weights)
    abuse = 1 / (1 + exp(-odds))
    confidence = {Judgement.ABUSE: abuse, Judgement.LEGITIMATE: 1 - abuse}.get(
        judgement, max(abuse, 1 - abuse)
    )
    mails = sum(by_day.values())
    first, last = (min(by_day), max(by_day)) if by_day else (None, None)
    return Sender(
        id=identity,
        label=Text("{name}", name=name),
        kind=kind,
        judgement=judgement,
        confidence=confidence if decided_by is DecidedBy.EVIDENCE else 1.0,
        decided_by=decided_by,
        path=path,
        connector=connector,
        client_networks=(network,),
        mail_from_domains=(mail_from,),
        header_from_domains=("contoso.com",),
        header_from=(header_from,),
        ehlo=(ehlo,),
        mails=mails,
        outside=outside,
        witnesses={"message-trace-enhanced": mails, "dmarc-aggregate": outside},
        recipients=recipients,
        first_seen=datetime(first.year, first.month, first.day, 7, 12, tzinfo=UTC) if first else None,
        last_seen=datetime(last.year, last.month, last.day, 18, 5, tzinfo=UTC) if last else None,
        because=tuple(
            Reason(
                code,
                Text("{reason}", reason=reason),
                weight,
                (Origin("trace.csv", 17), Origin("trace.csv", 412)),
            )
            for code, reason, weight in weights
        ),
        facts=Facts(mails=mails, days=by_day, recipients=Distinct()),
        owner=owner,
    )


PRIOR = ("prior", "Before any evidence: half of what enters unauthenticated is forged.", 0.0)
STEADY = ("recurrence", "Seen on 30 working days over six weeks.", -2.2)
SPF_LISTS = ("spf-lists", "SPF of contoso.com lists the address.", -1.6)
HOSTING = ("hosting", "The address belongs to a hosting provider.", 1.1)
NEW = ("first-seen", "First seen 3 days before the end of the evidence.", 0.9)


def senders() -> tuple[Sender, ...]:
    """Give the organisation's senders, most mails first."""
    legitimate, abuse, undecided = Judgement.LEGITIMATE, Judgement.ABUSE, Judgement.UNDECIDED
    made = [
        sender("mailboxes", "People's mailboxes", Kind.MAILBOX, legitimate, Path.INTERNAL, "0.0.0.0/0",
               days(310), (PRIOR, ("internal", "Submitted from mailboxes of the organisation.", -5.0)),
               header_from="@contoso.com", recipients=2210),
        sender("erp", "ERP invoices", Kind.APPLICATION, legitimate, Path.DIRECT_SEND, "198.51.100.20/32",
               days(96), (PRIOR, STEADY, SPF_LISTS, ("shape", "Subjects follow four fixed shapes.", -0.7)),
               header_from="invoices@contoso.com", ehlo="erp01.contoso.local", recipients=890, outside=212),
        sender("news", "Newsletter (Mailrocket)", Kind.SERVICE, legitimate, Path.FOREIGN_ENVELOPE,
               "192.0.2.64/26", days(55), (PRIOR, STEADY, ("dkim", "Signed by DKIM for contoso.com.", -3.1)),
               header_from="news@contoso.com", mail_from="bounce.mailrocket.example", ehlo="o12.mailrocket.example",
               recipients=1204, outside=48210),
        sender("printers", "Printers, Madrid office", Kind.DEVICE, legitimate, Path.DIRECT_SEND, "203.0.113.8/29",
               days(41), (PRIOR, STEADY, SPF_LISTS, ("network", "Inside the network “Madrid office egress”.", -2.4)),
               header_from="scanner@contoso.com", ehlo="KM-C458", recipients=310),
        sender("payroll", "Payroll run", Kind.APPLICATION, legitimate, Path.CONNECTOR, "198.51.100.44/32",
               days(18), (PRIOR, STEADY), header_from="payroll@contoso.com", decided_by=DecidedBy.REGISTER,
               connector="Payroll", owner="hr-systems@contoso.com", recipients=640),
        sender("forward", "University of Example, forwarding", Kind.FORWARDER, legitimate, Path.DIRECT_SEND,
               "192.0.2.200/32", days(6, weekends=True), (PRIOR, ("dkim-survives", "DKIM of contoso.com survives.", -1.9)),
               header_from="@contoso.com", ehlo="mx.uni.example"),
        sender("campaign", "Forged from 45.143.0.0/24 and four more networks", Kind.SPOOFER, abuse, Path.DIRECT_SEND,
               "45.143.0.0/24", days(34, weekends=True, first=30, last=39),
               (PRIOR, HOSTING, NEW, ("self-addressed", "In 97 % of the mails the sender is the recipient.", 2.6)),
               header_from="ana.ruiz@contoso.com", ehlo="WIN-3K9", recipients=288),
        sender("voicemail", "Forged “voicemail” lures", Kind.SPOOFER, abuse, Path.DIRECT_SEND, "194.26.29.0/24",
               days(9, weekends=True, first=12, last=20), (PRIOR, HOSTING, ("lure", "Subjects announce a voice message.", 1.4)),
               header_from="noreply@contoso.com", ehlo="localhost", recipients=61),
        sender("ups", "UPS of the data centre", Kind.DEVICE, undecided, Path.DIRECT_SEND, "203.0.113.130/32",
               days(4, weekends=True), (PRIOR, ("regular", "One mail each morning at the same minute.", -0.9), HOSTING),
               header_from="ups-alert@contoso.com", ehlo="APC-NMC", recipients=2),
        sender("copy", "Scanner's name from another network", Kind.UNKNOWN, undecided, Path.DIRECT_SEND,
               "203.0.113.40/32", days(3, first=28), (PRIOR, NEW, ("shape", "Subjects look like a scanner's.", -0.8)),
               header_from="scanner@contoso.com", ehlo="KM-C458", recipients=5),
        sender("survey", "Survey service", Kind.SERVICE, undecided, Path.FOREIGN_ENVELOPE, "192.0.2.17/32",
               days(2, first=10, last=30), (PRIOR, ("no-dkim", "No aligned signature.", 0.6)),
               header_from="survey@contoso.com", mail_from="survey.example", outside=90),
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda each: -each.mails))


def simulations(found: tuple[Sender, ...]) -> tuple[Simulation, ...]:
    """Give what the controls would do: the block refuses Direct Send, DMARC the unsigned foreign envelope."""

    def simulate(control: tuple[str, ...], refuses: tuple[Path, ...], reply: str) -> Simulation:
        effects = []
        for each in found:
            refused = each.mails if each.path in refuses and each.id != "news" else 0
            doubtful = each.mails // 3 if each.id == "forward" and refused else 0
            effects.append(
                SenderEffect(
                    sender=each.id,
                    effect=Effect.MIXED if doubtful else Effect.REFUSED if refused else Effect.KEPT,
                    refused=refused - doubtful,
                    kept=each.mails - refused,
                    undetermined=doubtful,
                    judgement=each.judgement,
                    reply=reply if refused else None,
                    because=Text(
                        "Anonymous, P1 is contoso.com, and no connector matches {network}.",
                        network=each.client_networks[0],
                    )
                    if refused
                    else Text("The control does not concern this way in."),
                )
            )
        return Simulation(control, tuple(sorted(effects, key=lambda each: -each.refused)))

    blocked = "550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources"
    return (
        simulate(("reject-direct-send",), (Path.DIRECT_SEND,), blocked),
        simulate(("dmarc=contoso.com:reject",), (Path.FOREIGN_ENVELOPE,), "550 5.7.509 Access denied"),
        simulate(("smtp-basic-off",), (), ""),
        simulate(
            ("allow=203.0.113.8/29", "allow=198.51.100.20/32", "reject-direct-send"),
            (Path.UNDETERMINED,),
            blocked,
        ),
    )


def findings() -> tuple[Finding, ...]:
    """Give one finding for each outcome."""

    def finding(identity: str, title: str, outcome: Outcome, severity: Severity, because: str) -> Finding:
        return Finding(
            id=identity,
            title=Text("{title}", title=title),
            outcome=outcome,
            severity=severity,
            because=Text("{because}", because=because),
            origins=(Origin("OrganizationConfig.json", 1),),
            fix=Text("{command}", command="Set-OrganizationConfig -RejectDirectSend $true"),
            undo=Text("{command}", command="Set-OrganizationConfig -RejectDirectSend $false"),
            maps={"CIS": "6.5.5", "ATT&CK": "T1672"},
        )

    return (
        finding("DS-01", "Reject Direct Send is on", Outcome.FAIL, Severity.CRITICAL, "RejectDirectSend is $false."),
        finding("DS-03", "Each unauthenticated source has a connector", Outcome.FAIL, Severity.HIGH, "3 of 4 have none."),
        finding("DNS-09", "DMARC is at quarantine or reject", Outcome.WARN, Severity.HIGH, "p=none at contoso.com."),
        finding("AUTH-01", "SMTP AUTH is off by default", Outcome.PASS, Severity.MEDIUM, "It is off for the organisation."),
        finding("MDO-02", "Mailbox intelligence protects people", Outcome.UNKNOWN, Severity.HIGH,
                "The evidence lacks Get-AntiPhishPolicy."),
        finding("HYB-01", "Hybrid mail uses a certificate", Outcome.NOT_APPLICABLE, Severity.MEDIUM, "No hybrid connector."),
    )  # fmt: skip


def plan() -> tuple[Step, ...]:
    """Give three steps, the refusing one last."""

    def step(n: int, title: str, do: str, after: tuple[int, ...], who: tuple[str, ...], risk: Risk) -> Step:
        return Step(
            n=n,
            title=Text("{title}", title=title),
            why=Text("{why}", why="Their mail enters unauthenticated, so the block would refuse it."),
            do=Text("{do}", do=do),
            verify=Text("{verify}", verify="Scan a page to mail: it must arrive within five minutes."),
            undo=Text("{undo}", undo="Set-InboundConnector -Identity 'Printers' -Enabled $false"),
            after=after,
            senders=who,
            risk=risk,
            owner=Text("{owner}", owner="messaging team"),
        )

    return (
        step(1, "Ask who owns three undecided senders", "Decide each with portero decide.", (), ("ups", "copy", "survey"), Risk.LOW),
        step(2, "Give printers and ERP a connector of their own",
             "New-InboundConnector -Name 'Printers' -ConnectorType Partner -SenderDomains '*' -SenderIPAddresses 203.0.113.8/29",
             (1,), ("printers", "erp"), Risk.LOW),
        step(3, "Turn on the block", "Set-OrganizationConfig -RejectDirectSend $true", (1, 2), (), Risk.MEDIUM),
    )  # fmt: skip


def designed(found: tuple[Sender, ...]) -> Design:
    """Give a connector for the printers, and a reason why the ERP has none."""
    printers, erp = (
        next(each for each in found if each.id.split(" ")[0] == name) for name in ("printers", "erp")
    )
    made = Range(
        printers.client_networks[0],
        (printers.id,),
        8,
        3,
        (erp.id,),
        printers.label.template,
        (printers.label,),
    )
    return Design(
        (Connector("portero direct sources", "Partner", (made,), erp.ehlo[0], Text("{why}", why=erp.label)),),
        (Unhelped(erp.id, Text("{why}", why=erp.label), Text("{instead}", instead=printers.label)),),
        41,
    )


def migrations(found: tuple[Sender, ...]) -> dict[str, Migration]:
    """Give every sender to keep a way."""
    return {
        each.id: Migration(each.id, Road.HVE, Text("{why}", why=each.label), volume(each), date(2026, 12, 31),
                           Text("{cost}", cost=each.label), (Option(Road.HVE, True, each.label),))
        for each in found
        if each.judgement is not Judgement.ABUSE
    }  # fmt: skip


def sample_audit() -> Audit:
    """Give the whole audit."""
    found = senders()
    return Audit(
        generated_at=NOW,
        organisation="Contoso",
        accepted_domains=("contoso.com", "contoso.onmicrosoft.com"),
        first=datetime(2026, 10, 13, 0, 4, tzinfo=UTC),
        last=datetime(2026, 11, 23, 23, 51, tzinfo=UTC),
        totals=Totals(ours=sum(each.mails for each in found), others=41877, rows=73120),
        coverage=(
            Coverage("trace.csv", "message-trace-enhanced", 50000, datetime(2026, 10, 13, 0, 4, tzinfo=UTC),
                     datetime(2026, 11, 23, 23, 51, tzinfo=UTC),
                     (Text("Exactly {n_rows} rows: probably cut by the export.", n_rows=50000),)),
            Coverage("reports.zip!google.xml", "dmarc-aggregate", 312, datetime(2026, 11, 1, tzinfo=UTC),
                     datetime(2026, 11, 20, tzinfo=UTC)),
            Coverage("OrganizationConfig.json", "exchange-configuration", 1),
        ),
        gaps=(
            Gap(Origin("trace.csv", 214), Text("The record has {found} cells where the heading has {expected}.", found=11, expected=19), 3),
            Gap(Origin("notes.docx"), Text("Nobody recognises this file. Hand over an export instead.")),
        ),
        senders=found,
        simulations=simulations(found),
        findings=findings(),
        plan=plan(),
        assumptions=(Text("The sender column of the trace is taken for the envelope sender where nothing contradicts it."),),
        blind_spots=(Text("Mail refused at the border stands in no trace."),),
        questions=ask(found),
        design=designed(found),
        migrations=migrations(found),
    )  # fmt: skip


def large_audit(number: int) -> Audit:
    """Give an audit with very many senders."""
    base = sample_audit()
    many = tuple(
        sender(f"device-{index}", f"Device {index}", Kind.DEVICE, list(Judgement)[index % 3], Path.DIRECT_SEND,
               f"10.{index // 65536}.{index // 256 % 256}.{index % 256}/32", days(1 + index % 9, first=index % 40),
               (PRIOR, STEADY), header_from=f"device{index}@contoso.com")
        for index in range(number)
    )  # fmt: skip
    found = tuple(sorted(many, key=lambda each: -each.mails))
    return Audit(
        generated_at=base.generated_at,
        organisation=base.organisation,
        accepted_domains=base.accepted_domains,
        first=base.first,
        last=base.last,
        totals=Totals(ours=sum(each.mails for each in found), others=0, rows=1000),
        coverage=base.coverage,
        gaps=base.gaps * 400,
        senders=found,
        simulations=simulations(found),
        findings=base.findings,
        plan=base.plan,
    )


HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></style></script><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}${7*7}",
    "\x1b]0;owned\x07\x1b[31m",
    "invoice\u202egpj.exe",
    "=HYPERLINK(\"http://evil.example\")",
    "+1;=cmd|' /C calc'!A0",
    "  @SUM(1)",
    "\t-2+3",
    "＝1+1",
    "line\r\n=1+1",
    "\ud800 half",
)  # fmt: skip


def hostile_audit() -> Audit:
    """Give an audit whose every text from evidence attacks the reader: markup, terminals, spreadsheets, direction."""
    base = sample_audit()
    attacked = []
    for index, each in enumerate(base.senders):
        evil = HOSTILE[index % len(HOSTILE)]
        attacked.append(
            replace(
                each,
                id=f"{each.id} {evil}",
                label=Text("{name}", name=evil),
                connector=evil,
                client_networks=HOSTILE,
                header_from=HOSTILE,
                mail_from_domains=HOSTILE,
                ehlo=HOSTILE,
                owner=evil,
                witnesses={evil: 3},
                because=tuple(
                    Reason(evil, Text("Subject “{subject}”", subject=text), 0.5, (Origin(text, 1),))
                    for text in HOSTILE
                ),
            )
        )
    found = tuple(attacked)
    return replace(
        base,
        organisation=HOSTILE[3],
        accepted_domains=HOSTILE,
        coverage=tuple(Coverage(text, text, 1, base.first, base.last, (Text("{x}", x=text),)) for text in HOSTILE),
        gaps=tuple(Gap(Origin(text, 1), Text("{x}", x=text)) for text in HOSTILE),
        senders=found,
        simulations=simulations(found),
        findings=tuple(
            replace(finding, because=Text("{x}", x=HOSTILE), fix=Text("{commands}", commands="\n".join(HOSTILE)), origins=(Origin(HOSTILE[1]),))
            for finding in base.findings
        ),
        plan=tuple(replace(step, title=Text("{x}", x=HOSTILE[0]), do=Text("{x}", x=HOSTILE)) for step in base.plan),
        assumptions=(Text("{x}", x=HOSTILE),),
        blind_spots=(Text("{x}", x=HOSTILE),),
        questions=ask(found),
        design=designed(found),
        migrations=migrations(found),
    )  # fmt: skip
