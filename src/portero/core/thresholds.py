"""The numbers and actions against which checks measure: two levels of Microsoft's, and what an organisation sets itself."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Thresholds:
    """
    What is enough; the defaults are the Standard level.

    connector_addresses:    addresses that one connector may list without a reason.
    dormant_days:           days without mail after which a connector counts as forgotten.
    disabled_days:          days a connector may stay switched off before it should go.
    spf_addresses:          IPv4 addresses that an SPF record may let in.
    key_days:               days after which a DKIM key should have been changed.
    report_days:            days within which a DMARC report should have come.
    seasonal_days:          days a registered sender may stay silent.
    threshold_level:        least PhishThresholdLevel, 1 to 4.
    bulk_threshold:         greatest BulkThreshold, 1 to 9.
    quarantine_days:        least QuarantineRetentionPeriod.
    external_per_hour, internal_per_hour, per_day: greatest recipient limits of outbound policies.
    simulation_ranges:      address ranges that an override for phishing simulations may hold.
    allow_unused_days:      days an entry of the tenant's allow list may go unused.
    kept_days:              days of message traces that should be kept.
    strict_actions:         whether the junk folder is not enough where Strict asks for quarantine.
    reject:                 whether DMARC must ask for reject.
    Source: controls catalogue R3 and the controls named by each check's page.
    """

    connector_addresses: int = 1024
    dormant_days: int = 90
    disabled_days: int = 180
    spf_addresses: int = 2**20
    key_days: int = 365
    report_days: int = 7
    seasonal_days: int = 90
    threshold_level: int = 3
    bulk_threshold: int = 6
    quarantine_days: int = 30
    external_per_hour: int = 500
    internal_per_hour: int = 1000
    per_day: int = 1000
    simulation_ranges: int = 10
    allow_unused_days: int = 45
    kept_days: int = 90
    strict_actions: bool = False
    reject: bool = False


STANDARD = Thresholds()
STRICT = replace(
    STANDARD,
    threshold_level=4,
    bulk_threshold=5,
    external_per_hour=400,
    internal_per_hour=800,
    per_day=800,
    strict_actions=True,
    reject=True,
)
