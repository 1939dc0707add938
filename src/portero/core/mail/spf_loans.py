"""Records of others that an SPF record includes and that serve many: whoever else sends by them passes as well."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping

from portero.core.dns import Dns
from portero.core.mail.spf import SpfResult, evaluate
from portero.core.mail.spf_expansion import SpfExpansion, SpfNode, expansion
from portero.core.mail.spf_record import without_terms

# More IPv4 addresses than the widest block that a connector lists, which is a /24: nobody includes a record of as many for
# one customer alone.
_MANY = 256


class Loans:
    """
    What the records of some domains lend their names to.

    ours:  tells whether a record is the organisation's own, or that of a service which lets nobody else pass by it.
    """

    def __init__(self, dns: Dns, ours: Callable[[str], bool]) -> None:
        self._dns, self._ours = dns, ours
        self._of: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {}
        self._answers: dict[tuple[str, str], str | None] = {}

    def lender(self, address: str, domain: str) -> str | None:
        """
        Name the record of others by which alone an address passes SPF for a domain; None where a term of its own does.

        None too where it does not pass, or the evidence does not say.
        Source: RFC 7208 sections 5.2 and 11.4, include lets another domain's policy decide.
        """
        if (address, domain) not in self._answers:
            self._answers[address, domain] = self._lender(address, domain)
        return self._answers[address, domain]

    def _lender(self, address: str, domain: str) -> str | None:
        if domain not in self._of:
            self._of[domain] = self._look(domain)
        others, own = self._of[domain]
        if not others or self._passes(address, domain, own):
            return None
        return next((name for name in others if self._passes(address, name, {})), None)

    def _passes(self, address: str, domain: str, published: Mapping[str, str]) -> bool:
        sender = f"postmaster@{domain}"
        found = evaluate(self._dns, address, domain, sender, domain, published=published)
        return found.result is SpfResult.PASS

    def _look(self, domain: str) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """Give the records of others that serve many, and the domain's own records without them."""
        others: dict[str, None] = {}
        own: dict[str, str] = {}
        waiting: list[SpfNode] = [expansion(self._dns, domain).root]
        while waiting:
            node = waiting.pop()
            lent = []
            for child in node.children:
                if self._ours(child.domain):
                    waiting.append(child)
                elif _serves_many(expansion(self._dns, child.domain)):
                    others[child.domain] = None
                    lent.append(child.via)
            if lent and len(node.records) == 1:
                own[node.domain] = without_terms(node.records[0], lent)
        return tuple(others), own


def _serves_many(record: SpfExpansion) -> bool:
    # What macros make cannot be listed, so whoever publishes it can let in anybody.
    if record.macros:
        return True
    networks = [ipaddress.ip_network(text) for text in record.networks]
    return sum(each.num_addresses for each in networks if each.version == 4) > _MANY
