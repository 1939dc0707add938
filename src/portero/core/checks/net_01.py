"""
Only registered relays may open port 25 to the internet.

Before: any printer, camera or infected laptop can hand mail to the world's mail servers, and nobody sees which do.

After: every segment denies tcp/25 to the internet by default, over IPv4 and IPv6, and allows registered hosts alone.

Mend: allow the relays to *.mail.protection.outlook.com and *.mx.microsoft, deny every other tcp/25, log; begin with logging alone for
30 days.

Verify: the firewall's log shows no completed tcp/25 session from an unregistered host in 30 days.

May break: devices that send directly; join the log with the message trace by address and time to find them first.

Exceptions: mail servers of other parts of the organisation.

Severity: high: it finds forgotten devices and stops infected ones.
"""

from __future__ import annotations

from datetime import timedelta

from portero.core.checks.origins import of_senders
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.hosts import Host, unregistered
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Sender
from portero.core.text import Text, count

# Source: controls catalogue NET-01.
WINDOW = timedelta(days=30)
# Hosts that the sentence names; audit.json has all.
_NAMED = 10


def _judge(posture: Posture) -> Verdict:
    """
    Judge what mail evidence can show: a device of ours that delivered by Direct Send did open tcp/25 to the internet.

    A firewall's log shows who opened the port, not that the others could not, so nothing here can pass.
    """
    loose = [host for host in unregistered(posture.hosts) if _seen(host, posture)]
    if loose:
        return Verdict(
            Outcome.FAIL,
            count(
                "{n} host that is no registered relay opened port 25 to the internet in the last 30 days: {hosts}.",
                "{n} hosts that are no registered relays opened port 25 to the internet in the last 30 days: {hosts}.",
                len(loose),
                hosts=tuple(host.label for host in loose[:_NAMED]),
            ),
            tuple(origin for host in loose[:_NAMED] for origin in host.origins[:1]),
        )
    opened = [sender for sender in posture.senders if _opened(sender, posture)]
    if opened:
        return Verdict(
            Outcome.FAIL,
            Text(
                "Devices that nobody registered delivered by Direct Send in the last 30 days, which takes port 25 to the "
                "internet: {senders}.",
                senders=tuple(sender.label for sender in opened),
            ),
            of_senders(opened),
        )
    return Verdict(
        Outcome.UNKNOWN,
        Text(
            "Mail evidence does not show what the network allows. The firewall's rules for tcp/25 of every segment, IPv6 "
            "included, and 30 days of its log of tcp/25 to the internet would."
        ),
    )


def _seen(host: Host, posture: Posture) -> bool:
    """Tell whether it was seen in the window; a log without year or zone cannot say that it was not."""
    return host.last_seen is None or posture.now - host.last_seen <= WINDOW


def _opened(sender: Sender, posture: Posture) -> bool:
    return (
        sender.kind is Kind.DEVICE
        and sender.judgement is Judgement.LEGITIMATE
        and sender.decided_by is DecidedBy.EVIDENCE
        and sender.path is Path.DIRECT_SEND
        and sender.last_seen is not None
        and posture.now - sender.last_seen <= WINDOW
    )


CHECK = Check(
    id="NET-01",
    title=Text("Only registered relays may open tcp/25 to the internet"),
    severity=Severity.HIGH,
    needs=(),
    judge=_judge,
    fix=Text(
        "In the firewall: allow the relays to *.mail.protection.outlook.com and *.mx.microsoft, deny every other tcp/25, log. Begin "
        "with logging alone for 30 days."
    ),
    undo=Text("Remove the deny rule and keep the log."),
    maps={"CIS controls": "4.4, 13.4", "NIST": "SC-7(5), CM-7", "ATT&CK": "T1071.003, T1048.003"},
)
