"""SPF results for many clients of few domains: where a record's networks begin and end, one evaluation answers for all between."""

from __future__ import annotations

from portero.core.address import NetworkMap, parse_network
from portero.core.dns import Dns
from portero.core.mail.spf import SpfResult, evaluate
from portero.core.mail.spf_expansion import expansion


class SpfAnswers:
    """
    Gives RFC 7208 results over recorded answers, of mail from a domain's postmaster.

    A client's address matters to a record by the networks that its terms stand for, unless a macro or ptr writes the
    address into a name; then every client is evaluated by itself.
    """

    def __init__(self, dns: Dns) -> None:
        self._dns = dns
        self._networks: dict[str, NetworkMap[str] | None] = {}
        self._results: dict[tuple[str, tuple[str, ...], bool], SpfResult] = {}

    def of(self, address: str, domain: str) -> SpfResult:
        """
        Give the result for a client.

        address:  in canonical text, as evidence rows have it.
        """
        if domain not in self._networks:
            self._networks[domain] = self._look(domain)
        networks = self._networks[domain]
        if networks is None:
            return self._evaluated(address, domain)
        key = domain, networks.covering(address), ":" in address
        found = self._results.get(key)
        if found is None:
            found = self._results[key] = self._evaluated(address, domain)
        return found

    def _evaluated(self, address: str, domain: str) -> SpfResult:
        return evaluate(self._dns, address, domain, f"postmaster@{domain}", domain).result

    def _look(self, domain: str) -> NetworkMap[str] | None:
        """Give all networks that terms of the record and of what it includes stand for, or None where they cannot be listed."""
        record = expansion(self._dns, domain)
        if record.macros or record.cut:
            return None
        return NetworkMap((parse_network(text), text) for text in record.mentioned)
