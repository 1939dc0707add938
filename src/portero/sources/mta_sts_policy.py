"""MTA-STS policy files (RFC 8461), told by their first field; the domain is in the file's name or in its folder's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from portero.core.address import a_label
from portero.core.evidence import ConfigAnswer, ConfigObject, Gap, Origin
from portero.core.mail.transport import MAX_POLICY
from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.text import utf8_blocks

CMDLET = "mta-sts-policy"
_VERSION = re.compile(r"^\ufeff?version\s*:\s*STSv1\s*$", re.MULTILINE)
# The policy itself names no domain; whoever fetched it knows where from.
_NAMED = re.compile(r"(?:^|[/\\!])mta-sts\.([^/\\!]+?)(?:\.txt|[/\\!]|$)", re.IGNORECASE)


def recognise(head: Head) -> bool:
    """Tell by the field that every policy has."""
    return not head.columns and bool(_VERSION.search(head.text[:512]))


def read(document: Document) -> Iterator[Item]:
    """Give the policy as an object with its domain; a Gap where the name tells none."""
    found = _NAMED.search(document.name)
    origin = Origin(document.name)
    if found is None or "." not in found[1]:
        reason = Text("Whose MTA-STS policy this is cannot be told. Name the file mta-sts.DOMAIN.txt.")
        yield Gap(origin, reason)
        return
    content = b""
    for block in utf8_blocks(document.open(), document.head.encoding):
        content += block
        if len(content) > MAX_POLICY:
            break
    text = content[:MAX_POLICY].decode("utf-8", "replace")
    domain = a_label(found[1])
    yield ConfigObject(CMDLET, {"Identity": domain, "Domain": domain, "Text": text}, origin)
    yield ConfigAnswer(CMDLET, origin)


SOURCE = Source("mta-sts-policy", Text("MTA-STS policy"), recognise, read)
