"""CISA ScubaGear: its ProviderSettingsExport as configuration objects and DNS answers; its result files are named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from portero.core.address import a_label
from portero.core.dns import DnsAnswer, DnsStatus
from portero.core.evidence import ConfigAnswer, ConfigObject, Gap, Origin
from portero.core.text import Text, count
from portero.sources.cmdlets import cmdlet_of
from portero.sources.config_values import cleaned, objects_in
from portero.sources.dns_text import absent
from portero.sources.document import Document, Head, Item, Note, Source
from portero.sources.json_text import json_values

# Keys of the export and the cmdlet whose answer each holds. Source: ScubaGear ExportEXOProvider and
# ExportDefenderProvider (later ExportSecuritySuiteProvider), versions 0.2.0 to 1.8.0.
_CMDLETS = {
    "accepted_domains": "Get-AcceptedDomain",
    "all_domains": "Get-AcceptedDomain",
    "admin_audit_log_config": "Get-AdminAuditLogConfig",
    "anti_phish_policies": "Get-AntiPhishPolicy",
    "anti_phish_rules": "Get-AntiPhishRule",
    "atp_policy_for_o365": "Get-AtpPolicyForO365",
    "atp_policy_rules": "Get-ATPProtectionPolicyRule",
    "conn_filter": "Get-HostedConnectionFilterPolicy",
    "dkim_config": "Get-DkimSigningConfig",
    "hosted_content_filter_policies": "Get-HostedContentFilterPolicy",
    "hosted_content_filter_rules": "Get-HostedContentFilterRule",
    "inbound_connectors": "Get-InboundConnector",
    "intra_org_connectors": "Get-IntraOrganizationConnector",
    "malware_filter_policies": "Get-MalwareFilterPolicy",
    "malware_filter_rules": "Get-MalwareFilterRule",
    "org_config": "Get-OrganizationConfig",
    "org_relationships": "Get-OrganizationRelationship",
    "outbound_connectors": "Get-OutboundConnector",
    "protection_alerts": "Get-ProtectionAlert",
    "protection_policy_rules": "Get-EOPProtectionPolicyRule",
    "remote_domains": "Get-RemoteDomain",
    "safe_attachment_policies": "Get-SafeAttachmentPolicy",
    "safe_attachment_rules": "Get-SafeAttachmentRule",
    "safe_links_policies": "Get-SafeLinksPolicy",
    "safe_links_rules": "Get-SafeLinksRule",
    "sharing_policy": "Get-SharingPolicy",
    "transport_config": "Get-TransportConfig",
    "transport_rule": "Get-TransportRule",
}
_RECORDS = {"spf_records": "", "dkim_records": "selector1._domainkey.", "dmarc_records": "_dmarc."}
_PRODUCTS = ("exo", "defender", "securitysuite")


def recognise(head: Head) -> bool:
    """Tell by the heading that every version writes, or by that of a result file."""
    return {"baseline_version", "module_version"} <= head.keys or {
        "MetaData",
        "Results",
        "ToolVersion",
    } <= head.keys


def read(document: Document) -> Iterator[Item]:
    """
    Give objects, answers and DNS answers.

    ScubaGear leaves out properties (RejectDirectSend among them), which stay absent. An empty key is an answer only
    where the export lists its cmdlet as successful.
    """
    for found in json_values(document):
        if isinstance(found, Gap):
            yield found
        elif isinstance(found[1], dict) and "Results" in found[1]:
            template = (
                "ScubaGear's verdicts are listed and not used: hand over its ProviderSettingsExport.json."
            )
            yield Note(Text(template))
        elif isinstance(found[1], dict):
            yield from _export(found[1], document.name)
        else:
            yield Gap(
                Origin(document.name, found[0]), Text("This is no ScubaGear export. Run ScubaGear again.")
            )


def _export(export: dict[str, object], name: str) -> Iterator[Item]:
    origin = Origin(name)
    successful = _commands(export, "successful")
    failed = _commands(export, "unsuccessful") - successful
    for key, cmdlet in _CMDLETS.items():
        if key in export:
            yield from _objects(export[key], cmdlet, cmdlet in successful, origin)
    for cmdlet in sorted(failed):
        reason = Text(
            "{cmdlet} failed when ScubaGear ran it. Grant the role and run it again.", cmdlet=cmdlet[:80]
        )
        yield Gap(origin, reason)
    moment = _moment(export.get("timestamp_zulu"))
    for key, prefix in _RECORDS.items():
        for record in objects_in(export.get(key)):
            yield from _answers(record, prefix, origin, moment)


def _commands(export: dict[str, object], outcome: str) -> frozenset[str]:
    """Name the cmdlets that ended so; versions list them for each product, some nested one list deeper."""

    def names(value: object, depth: int = 0) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list) and depth < 3:
            for entry in value:
                yield from names(entry, depth + 1)

    return frozenset(
        name for product in _PRODUCTS for name in names(export.get(f"{product}_{outcome}_commands"))
    )


def _objects(value: object, cmdlet: str, asked: bool, origin: Origin) -> Iterator[Item]:
    found = 0
    for item in objects_in(value):
        if not item:
            continue
        found += 1
        properties, lost = cleaned(item)
        yield ConfigObject(cmdlet_of(item) or cmdlet, properties, origin)
        for name in lost:
            reason = Text(
                "{cmdlet}: the data of {property} was lost in the export. Export with ConvertTo-Json -Depth 6.",
                cmdlet=cmdlet,
                property=name[:60],
            )
            yield Gap(origin, reason)
    if found or asked:
        # null, [], [null] and {} all stand for no objects, and mean it only where the cmdlet ran.
        yield ConfigAnswer(cmdlet, origin)
    else:
        reason = Text(
            "{cmdlet}: the export is empty and does not say whether it ran. Export it by itself.",
            cmdlet=cmdlet,
        )
        yield Gap(origin, reason)


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _answers(record: dict[str, object], prefix: str, origin: Origin, at: datetime | None) -> Iterator[Item]:
    """
    Read a domain's records: from the log of queries, which names what was asked, else from the bare list.

    Versions before 1.8 write no answers into the log; the list then belongs to the last query that returned records.
    """
    domain = record.get("domain")
    if not isinstance(domain, str) or not domain.strip():
        yield Gap(origin, Text("A DNS record of the ScubaGear export names no domain."))
        return
    texts = _texts(record.get("rdata"))
    log = [entry for entry in objects_in(record.get("log")) if isinstance(entry.get("query_name"), str)]
    if not log:
        # Version 0.2.0 keeps no log: it asked selector1 alone, and wrote "" for whatever was not an answer.
        if texts:
            yield DnsAnswer(a_label(prefix + domain), "TXT", DnsStatus.NOERROR, texts, origin, at)
        return
    yield from _logged(log, texts, origin, at)


def _logged(
    log: list[dict[str, object]], texts: tuple[str, ...], origin: Origin, at: datetime | None
) -> Iterator[Item]:
    statuses: dict[str, DnsStatus] = {}
    answers: dict[str, tuple[str, ...] | None] = {}
    for entry in log:
        name, result = a_label(str(entry["query_name"])), str(entry.get("query_result") or "")
        returned = re.match(r"Query returned (\d+) ", result)
        if returned:
            statuses[name] = DnsStatus.NOERROR
            # What a log without answers returned is not known, but for the last query: the list holds that.
            answers.update(dict.fromkeys(answers) if "query_answers" not in entry else {})
            held = _texts(entry["query_answers"]) if "query_answers" in entry else texts
            answers[name] = held if held or returned[1] == "0" else None
        elif result.startswith("Query returned NXDomain"):
            # Asked twice, by two ways: an answer beats its absence, its absence beats a failure.
            if statuses.get(name) is not DnsStatus.NOERROR:
                statuses[name] = DnsStatus.NXDOMAIN
        else:
            statuses.setdefault(name, DnsStatus.SERVFAIL)
    failed = 0
    for name, status in statuses.items():
        if status is DnsStatus.NXDOMAIN:
            yield from (
                DnsAnswer(item.name, item.type, item.status, (), origin, at)
                for item in absent(name, "TXT", origin)
            )
        elif status is DnsStatus.SERVFAIL:
            failed += 1
            yield DnsAnswer(name, "TXT", status, (), origin, at)
        elif (kept := answers[name]) is not None:
            yield DnsAnswer(name, "TXT", status, _joined(name, kept), origin, at)
    if failed:
        one = "{n} DNS question of ScubaGear failed."
        many = "{n} DNS questions of ScubaGear failed."
        yield Gap(origin, count(one, many, failed), failed)


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in values if isinstance(text, str) and text)


def _joined(name: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    """
    Join the strings of a DKIM key, which ScubaGear lists as if they were records.

    Only there: a name under _domainkey holds one record, and its second string begins no tag list of its own.
    """
    if "._domainkey." in name and len(texts) > 1 and not any(text.startswith("v=") for text in texts[1:]):
        return ("".join(texts),)
    return texts


SOURCE = Source("scubagear", Text("CISA ScubaGear export"), recognise, read)
