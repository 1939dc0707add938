"""Microsoft's Standard and Strict levels as wants, for the thresholds in force. Source: controls catalogue R3."""

from __future__ import annotations

from portero.core.checks.effective import Want, at_least, at_most, on, one_of, unless_off
from portero.core.finding import Outcome
from portero.core.thresholds import Thresholds


def anti_phish(limits: Thresholds) -> tuple[Want, ...]:
    """Give what a policy against phishing must hold, apart from what needs Defender for Office 365."""
    return (
        unless_off("Enabled"),
        on("EnableSpoofIntelligence"),
        on("HonorDmarcPolicy"),
        authentication_failure(limits),
    )


def authentication_failure(limits: Thresholds) -> Want:
    """Want mail that fails composite authentication in quarantine, or at Standard in junk at least."""
    if limits.strict_actions:
        return one_of("AuthenticationFailAction", "Quarantine")
    return one_of("AuthenticationFailAction", "MoveToJmf", "Quarantine")


def spam_actions(limits: Thresholds) -> tuple[Want, ...]:
    """Give what a policy against spam does with spam and bulk mail."""
    softer = ("Quarantine", "Delete") if limits.strict_actions else ("MoveToJmf", "Quarantine", "Delete")
    return (
        one_of("SpamAction", *softer),
        one_of("HighConfidenceSpamAction", "Quarantine", "Delete"),
        one_of("BulkSpamAction", *softer),
        at_most("BulkThreshold", limits.bulk_threshold),
        one_of("MarkAsSpamBulkMail", "On"),
    )


def phish_actions(limits: Thresholds) -> tuple[Want, ...]:
    """Give what a policy against spam does with phishing."""
    useless = {"redirect", "addxheader", "modifysubject", "noaction"}
    return (
        *(
            Want(name, lambda value: value not in useless, "Quarantine")
            for name in ("PhishSpamAction", "HighConfidencePhishAction")
        ),
        *(
            one_of(name, "Quarantine", otherwise=Outcome.WARN)
            for name in ("PhishSpamAction", "HighConfidencePhishAction")
        ),
        at_least("QuarantineRetentionPeriod", limits.quarantine_days, Outcome.WARN),
    )
