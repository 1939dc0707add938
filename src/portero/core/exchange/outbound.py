"""Mail that leaves by Exchange Online: whether what other people's receivers reported is the own mailboxes' mail."""

from __future__ import annotations

from collections.abc import Callable

from portero.core.exchange.attribution import EXCHANGE_NETWORKS, within
from portero.core.exchange.settings import Settings
from portero.core.flow import OutsideFlow

# The record that Microsoft has customers include, in which the addresses of its own deliveries stand.
RECORD = "spf.protection.outlook.com"


def left_by_exchange(row: OutsideFlow, settings: Settings, spf: Callable[[str, str], str | None]) -> bool:
    """
    Tell whether reported mail went out of the organisation's own mailboxes.

    spf:  gives the RFC 7208 result of (address, domain), or None where DNS evidence does not say.
    Its address must be Exchange Online's, and it must be proven ours: by an aligned signature, by the one of the initial
    domain, or by SPF for an own return-path. Another tenant cannot show these: mail of a domain that it does not own goes
    out by the relay pool, which stands in no SPF record. Mail that reached this tenant came in, whoever signed it.
    Source: Microsoft, Outbound delivery pools (relay pool); Set up DKIM (initial domain).
    """
    if row.to_us:
        return False
    signed = row.aligned_dkim > 0 or settings.names_us(row.dkim_domain)
    # Automatic answers and bounces have no return-path; with somebody else's, a tenant forwards our mail.
    ours = signed or row.aligned_spf > 0 if settings.names_us(row.envelope) else not row.envelope and signed
    # DNS is asked last: most of what is reported is forged and shows none of it.
    return ours and _of_exchange(row.source_ip, spf)


def _of_exchange(address: str, spf: Callable[[str, str], str | None]) -> bool:
    result = spf(address, RECORD)
    # For want of DNS evidence the published ranges answer.
    return within(address, EXCHANGE_NETWORKS) if result is None else result == "pass"
