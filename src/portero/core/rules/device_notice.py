"""It looks like what a device or a program sends, and holds nothing that leads away.

A scan, a report, an alarm: harmless even where nobody put the device into the SPF record.
"""

from __future__ import annotations

import re

from portero.core.message.case import Case, Rule
from portero.core.text import Text

_NAME = re.compile(
    r"(?:scan|escan|img|image|doc|fax|km|skm|xerox|report|informe|backup|log|factura|invoice|[a-z]{0,4}\d{6,})[\w .-]*\.(?:pdf|tiff?|jpe?g|csv|txt|xlsx|log|xml)\Z",
    re.IGNORECASE,
)
# Telephone systems attach what was said.
_RECORDING = re.compile(r".{1,80}\.(?:wav|mp3|m4a|ogg|amr)\Z", re.IGNORECASE | re.DOTALL)
_MAILER = re.compile(
    r"\b(?:xerox|ricoh|canon|kyocera|konica|bizhub|hp|brother|epson|lexmark|sharp|toshiba|oki|samsung|mfp|scan|nagios|zabbix|veeam|synology|qnap|apc|idrac|ilo)\b",
    re.IGNORECASE,
)
# No stranger's device speaks of these, whatever its mailbox is called; the organisation's own programs may.
_NO_DEVICES = frozenset(["money", "prize", "refund", "intimate"])


def match(case: Case) -> Text | None:
    """Match harmless mail with a device's or a program's look."""
    held = case.content
    if (
        case.leads_away
        or case.leads_to_strangers
        or held.gaps
        or case.met.get("errand")
        or (not case.domain_is_ours and not _NO_DEVICES.isdisjoint(case.met))
        or case.reply_to_stranger
        or not case.mail.has_body
    ):
        return None
    if any(each.traits & {"damaged", "encrypted", "not-opened", "misnamed"} for each in held.attachments):
        return None
    scan = bool(held.attachments) and all(_NAME.match(each.name) for each in held.attachments)
    recording = bool(held.attachments) and all(
        _RECORDING.match(each.name) and each.kind == "other" for each in held.attachments
    )
    mailer = " ".join([*case.mail.all("x-mailer"), *case.mail.all("user-agent"), *case.mail.all("x-device")])
    words = case.met.get("device") or case.met_early.get("scan") or case.met_early.get("fax")
    if (
        case.from_machine
        or (scan and words)
        or _MAILER.search(mailer)
        or (scan and case.author in case.recipients)
        or (recording and case.met_early.get("voicemail"))
    ):
        return Text("It looks like the mail of a device or a program, and holds nothing that leads anywhere.")
    return None


RULE = Rule(
    id="device-notice",
    title="harmless device mail",
    level="informational",
    weight=-3.2,
    match=match,
    falsepositives=("A lure whose harm this program cannot see.",),
    references=("reference exchange-online 7.2 counter-evidence",),
)
