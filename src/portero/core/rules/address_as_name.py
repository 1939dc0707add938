"""Its display name is an address of another domain than its own."""

from __future__ import annotations

import re

from portero.core.address import a_label
from portero.core.message.arrival import organisational
from portero.core.message.case import Case, Rule
from portero.core.text import Text

_ADDRESS = re.compile(r"[\w.+-]{1,64}@((?:[a-z0-9-]{1,63}\.)+[a-z]{2,24})", re.IGNORECASE)


def match(case: Case) -> Text | None:
    """Match an address in the display name that is not the author's."""
    held = case.arrival
    found = _ADDRESS.search(held.author.name)
    if (
        found is None
        or case.mail.first("list-id") is not None
        or organisational(a_label(found[1])) == case.home
    ):
        return None
    return Text("It shows {shown} for a name and comes from {address}.", shown=found[0], address=case.author)


RULE = Rule(
    id="address-as-name",
    title="another address as display name",
    level="high",
    weight=1.6,
    match=match,
    falsepositives=("Lists that rewrite their posts' authors.",),
)
