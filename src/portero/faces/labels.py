"""The word for each value of the contract, in the context that decides its Spanish gender."""

from __future__ import annotations

from enum import Enum

from portero.core.sender import DecidedBy, Judgement
from portero.core.text import Text, label

# By field of the contract, then by its value as JSON writes it. Values of message judgements have a field of their own.
LABELS: dict[str, dict[str, Text]] = {
    "judgement": {
        "legitimate": label("judgement", "legitimate"),
        "abuse": label("judgement", "abuse"),
        "undecided": label("judgement", "undecided"),
    },
    "message-judgement": {
        "phish": label("message-judgement", "phishing"),
        "suspicious": label("message-judgement", "suspicious"),
        "clean": label("message-judgement", "no sign of phishing"),
    },
    "kind": {
        "device": label("kind", "device"),
        "application": label("kind", "application"),
        "service": label("kind", "outside service"),
        "forwarder": label("kind", "forwarding service"),
        "gateway": label("kind", "gateway"),
        "hybrid": label("kind", "hybrid Exchange"),
        "mailbox": label("kind", "mailbox"),
        "spoofer": label("kind", "spoofing source"),
        "unknown": label("kind", "unknown"),
    },
    "indicator": {
        "url": label("indicator", "web address"),
        "domain": label("indicator", "domain"),
        "address": label("indicator", "email address"),
        "ip": label("indicator", "IP address"),
        "sha256": label("indicator", "file, SHA-256"),
    },
    "path": {
        "direct-send": label("path", "Direct Send"),
        "connector": label("path", "by connector"),
        "authenticated": label("path", "authenticated"),
        "foreign-envelope": label("path", "foreign envelope, own From address"),
        "internal": label("path", "internal"),
        "external": label("path", "external"),
        "undetermined": label("path", "undetermined"),
    },
    "effect": {
        "refused": label("effect", "refused"),
        "kept": label("effect", "kept"),
        "undetermined": label("effect", "undetermined"),
        "mixed": label("effect", "mixed"),
    },
    "outcome": {
        "pass": label("outcome", "pass"),
        "warn": label("outcome", "could be better"),
        "fail": label("outcome", "fail"),
        "not-applicable": label("outcome", "not applicable"),
        "unknown": label("outcome", "unknown"),
    },
    "likelihood": {
        "likely": label("likelihood", "likely"),
        "possible": label("likelihood", "possible"),
        "unlikely": label("likelihood", "unlikely"),
        "unseen": label("likelihood", "not seen by the evidence"),
    },
    "milestone": {
        "done": label("milestone", "done"),
        "open": label("milestone", "open"),
        "unknown": label("milestone", "unknown"),
    },
    "severity": {
        "critical": label("severity", "critical"),
        "high": label("severity", "high"),
        "medium": label("severity", "medium"),
        "low": label("severity", "low"),
    },
    "road": {
        "stay": label("road", "stays as it is"),
        "connector": label("road", "connector by address"),
        "relay": label("road", "authenticated relay"),
        "smtp-oauth": label("road", "SMTP AUTH with OAuth"),
        "high-volume-email": label("road", "High Volume Email"),
        "communication-services": label("road", "Azure Communication Services"),
        "graph": label("road", "Microsoft Graph"),
        "prove": label("road", "find out its envelope sender"),
        "return-path": label("road", "the vendor's own return-path"),
        "rewrite": label("road", "rewritten envelope"),
        "hybrid": label("road", "hybrid connector"),
        "gateway": label("road", "gateway"),
        "retire": label("road", "ask whether it can be retired"),
        "decide": label("road", "decide first"),
    },
    "risk": {
        "low": label("risk", "low"),
        "medium": label("risk", "medium"),
        "high": label("risk", "high"),
    },
    "page": {
        "Before": label("page", "Before"),
        "After": label("page", "After"),
        "Mend": label("page", "Mend"),
        "Verify": label("page", "Verify"),
        "May break": label("page", "May break"),
        "Exceptions": label("page", "Exceptions"),
        "Severity": label("page", "Severity"),
    },
    "change": {
        "same": label("change", "same"),
        "better": label("change", "better"),
        "worse": label("change", "worse"),
        "lost": label("change", "no longer known"),
        "seen": label("change", "known now"),
        "new": label("change", "new"),
        "gone": label("change", "gone"),
    },
    "standing": {
        "none": label("standing", "nobody decided"),
        "in-force": label("standing", "in force"),
        "reopened": label("standing", "to be decided again: it changed"),
        "expired": label("standing", "to be decided again: it ran out"),
    },
    "criticality": {
        "low": label("criticality", "low"),
        "medium": label("criticality", "medium"),
        "high": label("criticality", "high"),
        "critical": label("criticality", "critical"),
    },
    "decided_by": {
        "evidence": label("decided_by", "by the evidence"),
        "register": label("decided_by", "by the register"),
        "person": label("decided_by", "by a person"),
    },
    "step": {
        "do": label("step", "Do"),
        "verify": label("step", "Verify"),
        "undo": label("step", "Undo"),
        "why": label("step", "Why"),
        "after": label("step", "After"),
    },
}

# By the full name of each enumeration of the core: its word must not bring in the module that it stands in.
FIELDS = {
    "portero.core.sender.Judgement": "judgement",
    "portero.core.sender.Kind": "kind",
    "portero.core.sender.Path": "path",
    "portero.core.sender.DecidedBy": "decided_by",
    "portero.core.sender.Validity": "standing",
    "portero.core.simulation.Effect": "effect",
    "portero.core.finding.Outcome": "outcome",
    "portero.core.finding.Severity": "severity",
    "portero.core.dmarc_road.State": "milestone",
    "portero.core.step.Risk": "risk",
    "portero.core.risks.Likelihood": "likelihood",
    "portero.core.migration.Road": "road",
    "portero.core.register.Criticality": "criticality",
}


def label_of(value: Enum) -> Text | None:
    """Give the word for a value of one of the core's enumerations; None for any other enumeration."""
    kind = type(value)
    field = FIELDS.get(f"{kind.__module__}.{kind.__qualname__}")
    return None if field is None else LABELS[field][str(value.value)]


def certainty(judgement: Judgement, confidence: float, decided_by: DecidedBy) -> Text:
    """
    Say how sure a judgement is, in words that match the number.

    confidence:  probability, 0 to 1, that the judgement is right.
    Source: reference glossary-es section 3, Tone: 0.95 almost certainly, 0.80 very probably, 0.50 probably.
    """
    if judgement is Judgement.UNDECIDED or (decided_by is DecidedBy.EVIDENCE and confidence < 0.5):
        return Text("Undecided")
    legitimate = judgement is Judgement.LEGITIMATE
    if decided_by is DecidedBy.PERSON:
        return Text("Legitimate: a person decided") if legitimate else Text("Abuse: a person decided")
    if decided_by is DecidedBy.REGISTER:
        return Text("Legitimate: the register says so") if legitimate else Text("Abuse: the register says so")
    if confidence >= 0.95:
        return Text("Almost certainly legitimate") if legitimate else Text("Almost certainly abuse")
    if confidence >= 0.80:
        return Text("Very probably legitimate") if legitimate else Text("Very probably abuse")
    return Text("Probably legitimate") if legitimate else Text("Probably abuse")
