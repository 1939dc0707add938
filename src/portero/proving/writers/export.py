"""Put an organisation's mail and settings into a folder of real export files, as its administrator exported them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from portero.proving.organisation import Mail, Organisation, Session
from portero.proving.writers import dmarc_reports, hunting, message_traces, name_service, tenant

_HUNTING_DAYS = timedelta(days=30)


def files(organisation: Organisation) -> dict[str, bytes]:
    """Give bytes by relative path, as the axes say; the same organisation gives the same bytes."""
    chosen = str(organisation.axes.get("traces", "enhanced")).split("+")
    mails, out = organisation.mails, dict[str, bytes]()
    if "v2" in chosen:
        out["trace/message-trace-v2.csv"] = message_traces.v2(organisation, mails)
    if "graph" in chosen:
        for number, page in enumerate(message_traces.graph(organisation, mails), 1):
            out[f"trace/graph-{number:03}.json"] = page
    if "enhanced" in chosen:
        out["trace/enhanced-summary.csv"] = message_traces.enhanced(organisation, mails)
    if "extended" in chosen:
        out["trace/extended.csv"] = message_traces.extended(organisation, mails)
    if "email-events" in chosen:
        ending, data = hunting.email_events(organisation, _recent(organisation))
        out[f"defender/email-events.{ending}"] = data
    if organisation.axes.get("connector_report"):
        out["trace/ConnectorReport.csv"] = hunting.connector_report(organisation, mails)
    if organisation.axes.get("reports") or "dmarc" in chosen:
        out.update(_below("dmarc", dmarc_reports.reports(organisation)))
    out.update(_below("tenant", tenant.configuration(organisation)))
    form = organisation.axes.get("dns", "zone")
    if form == "zone":
        out.update(_below("dns", name_service.zones(organisation)))
    elif form == "json-lines":
        out["dns/answers.jsonl"] = name_service.json_lines(organisation)
    return out


def write(organisation: Organisation, folder: Path) -> list[Path]:
    """Write the files below a folder and give their paths."""
    paths = []
    for name, data in files(organisation).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        paths.append(path)
    return paths


def witnesses(organisation: Organisation) -> dict[str, set[str]]:
    """Give, by mail, the documents that hold it: names of `axes.TRACES`, ``connector-report`` and ``dmarc``."""
    chosen = str(organisation.axes.get("traces", "enhanced")).split("+")
    held: dict[str, set[str]] = {mail.id: set() for mail in organisation.mails}

    def mark(name: str, mails: Iterable[Mail]) -> None:
        for mail in mails:
            held[mail.id].add(name)

    for name in chosen:
        if name == "email-events":
            mark(name, _recent(organisation))
        elif name != "dmarc":
            mark(name, organisation.mails)
    if organisation.axes.get("connector_report"):
        mark(
            "connector-report",
            (mail for mail in organisation.mails if hunting.in_connector_report(organisation, mail)),
        )
    if organisation.mx == "microsoft" and (organisation.axes.get("reports") or "dmarc" in chosen):
        published = [domain.ascii_name for domain in organisation.domains if domain.policy]
        mark("dmarc", (mail for mail in organisation.mails if _reported(mail, published)))
    return held


def _reported(mail: Mail, published: list[str]) -> bool:
    domain = mail.header_from.rpartition("@")[2].encode("idna").decode("ascii")
    inside = any(domain == held or domain.endswith(f".{held}") for held in published)
    return (
        inside
        and mail.sender is not None
        and mail.session is Session.ANONYMOUS
        and mail.client_ip is not None
    )


def _recent(organisation: Organisation) -> list[Mail]:
    return [mail for mail in organisation.mails if organisation.end - mail.sent_at < _HUNTING_DAYS]


def _below(folder: str, held: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": data for name, data in held.items()}
