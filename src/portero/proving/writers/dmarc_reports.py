"""DMARC aggregate reports about the organisation: by its own Exchange Online, and by receivers outside.

Source: reference data-formats 11.1; RFC 7489 appendix C.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from portero.proving import truth
from portero.proving.organisation import Domain, Organisation, Session

_EPOCH_MEMBER = (1980, 1, 1, 0, 0, 0)


class _Row(NamedTuple):
    client_ip: str
    header_from: str
    mail_from: str
    envelope_to: str
    spf: str
    dkim: str
    dkim_domain: str


def reports(organisation: Organisation) -> dict[str, bytes]:
    """
    Give reports by file name.

    Exchange Online reports on mail to the organisation itself only where the MX is Microsoft's; a domain that
    publishes no policy is reported by nobody.
    """
    files: dict[str, bytes] = {}
    published = [domain for domain in organisation.domains if domain.policy]
    for (reporter, day), rows in sorted(_observed(organisation).items()):
        for domain in published:
            ours = {row: mails for row, mails in rows.items() if _within(row.header_from, domain, published)}
            if ours:
                name, data = _file(organisation, reporter, day, domain, ours)
                files[name] = data
    return files


def _within(name: str, domain: Domain, published: list[Domain]) -> bool:
    own = any(name == held.ascii_name for held in published)
    return name == domain.ascii_name if own else name.endswith(f".{domain.ascii_name}")


def _observed(organisation: Organisation) -> dict[tuple[str, datetime], Counter[_Row]]:
    seen: dict[tuple[str, datetime], Counter[_Row]] = defaultdict(Counter)
    if organisation.mx == "microsoft":
        for mail in organisation.mails:
            if mail.sender is None or mail.session is not Session.ANONYMOUS or mail.client_ip is None:
                continue
            day = mail.sent_at.replace(hour=0, minute=0, second=0, microsecond=0)
            row = _Row(
                mail.client_ip,
                truth.ascii_domain(mail.header_from),
                truth.ascii_domain(mail.mail_from),
                truth.ascii_domain(mail.recipients[0]),
                mail.spf,
                mail.dkim,
                mail.dkim_domain.encode("idna").decode("ascii"),
            )
            seen["Enterprise Outlook", day][row] += 1
    for held in organisation.outside:
        domain, sender = held.header_from_domain.encode("idna").decode("ascii"), held.mail_from_domain
        signer = held.dkim_domain.encode("idna").decode("ascii")
        row = _Row(held.client_ip, domain, sender, "", held.spf, held.dkim, signer)
        seen[held.receiver, held.day][row] += held.mails
    return seen


def _file(
    organisation: Organisation, reporter: str, day: datetime, domain: Domain, rows: Mapping[_Row, int]
) -> tuple[str, bytes]:
    begin, end = round(day.timestamp()), round((day + timedelta(days=1)).timestamp())
    identity = uuid5(NAMESPACE_URL, f"{organisation.name}/{reporter}/{begin}/{domain.name}").hex
    microsoft = reporter == "Enterprise Outlook"
    host = "enterprise.protection.outlook.com" if microsoft else reporter.lower()
    email = "dmarcreport@microsoft.com" if microsoft else f"noreply-dmarc@{host}"
    head = (
        '<?xml version="1.0"?>\n<feedback>\n  <version>1.0</version>\n  <report_metadata>\n'
        f"    <org_name>{reporter}</org_name>\n    <email>{email}</email>\n    <report_id>{identity}</report_id>\n"
        f"    <date_range>\n      <begin>{begin}</begin>\n      <end>{end}</end>\n    </date_range>\n"
        "  </report_metadata>\n  <policy_published>\n"
        f"    <domain>{domain.ascii_name}</domain>\n    <adkim>r</adkim>\n    <aspf>r</aspf>\n"
        f"    <p>{domain.policy}</p>\n    <sp>{domain.policy}</sp>\n    <pct>100</pct>\n    <fo>0</fo>\n"
        "  </policy_published>\n"
    )
    body = "".join(_record(organisation, row, mails, domain) for row, mails in sorted(rows.items()))
    xml = f"{head}{body}</feedback>\n".encode()
    stem = f"{host}!{domain.ascii_name}!{begin}!{end}"
    if reporter.islower():  # Google packs with zip, the others with gzip
        return f"{stem}.zip", _zipped(f"{stem}.xml", xml)
    return f"{stem}.xml.gz", gzip.compress(xml, mtime=0)


def _record(organisation: Organisation, row: _Row, mails: int, domain: Domain) -> str:
    spf = row.spf == "pass" and _aligned(row.mail_from, row.header_from)
    dkim = row.dkim == "pass" and _aligned(row.dkim_domain, row.header_from)
    disposition = "none" if spf or dkim or not organisation.honours_dmarc else domain.policy
    to = f"      <envelope_to>{row.envelope_to}</envelope_to>\n" if row.envelope_to else ""
    signature = (
        f"      <dkim>\n        <domain>{row.dkim_domain}</domain>\n        <selector>s1</selector>\n"
        f"        <result>{row.dkim}</result>\n      </dkim>\n"
        if row.dkim_domain
        else ""
    )
    return (
        f"  <record>\n    <row>\n      <source_ip>{row.client_ip}</source_ip>\n      <count>{mails}</count>\n"
        f"      <policy_evaluated>\n        <disposition>{disposition}</disposition>\n"
        f"        <dkim>{'pass' if dkim else 'fail'}</dkim>\n        <spf>{'pass' if spf else 'fail'}</spf>\n"
        f"      </policy_evaluated>\n    </row>\n    <identifiers>\n{to}"
        f"      <envelope_from>{escape(row.mail_from)}</envelope_from>\n"
        f"      <header_from>{row.header_from}</header_from>\n    </identifiers>\n    <auth_results>\n{signature}"
        f"      <spf>\n        <domain>{escape(row.mail_from)}</domain>\n        <scope>mfrom</scope>\n"
        f"        <result>{row.spf}</result>\n      </spf>\n    </auth_results>\n  </record>\n"
    )


def _aligned(domain: str, author: str) -> bool:
    return bool(domain) and domain.split(".")[-2:] == author.split(".")[-2:]


def _zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _EPOCH_MEMBER), data)
    return out.getvalue()
