"""The sentences that the terminal and the page share when they speak of one message."""

from __future__ import annotations

from portero.core.explain import MailJudgement, Verdict
from portero.core.text import Text, label

CALLED = {
    MailJudgement.PHISH: label("message", "Phish"),
    MailJudgement.SUSPICIOUS: label("message", "Suspicious"),
    MailJudgement.CLEAN: label("message", "Clean"),
}


def headline(verdict: Verdict) -> Text:
    """Say in one sentence what a message is."""
    share = verdict.probability
    if verdict.judgement is MailJudgement.PHISH and verdict.spoofs:
        return Text("Forgery of the organisation's own name: {share} probability of phish.", share=share)
    if verdict.judgement is MailJudgement.PHISH:
        return Text("Phish: {share} probability.", share=share)
    if verdict.judgement is MailJudgement.SUSPICIOUS:
        return Text("Suspicious: {share} probability of phish.", share=share)
    return Text("Clean: {share} probability of phish.", share=share)
