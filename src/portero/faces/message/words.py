"""The sentences that the terminal and the page share when they speak of one message."""

from __future__ import annotations

from portero.core.explain import MailJudgement, Verdict
from portero.core.message.proof import Proof
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


def proof_said(proof: Proof) -> Text:
    """Say in one sentence what a signature proves, beside what the header says of it."""
    who, found = _who(proof), _RESULTS[proof.result]
    if proof.why is not None:
        found = Text("{result}, {why}", result=found, why=proof.why)
    if proof.claimed is None:
        return Text("{who}: {found}.", who=who, found=found)
    return Text("{who}: {found}; the header says {said}.", who=who, found=found, said=proof.claimed)


def proofs_said(verdict: Verdict) -> tuple[Text, ...]:
    """Say what all signatures prove, and how a failure is to be taken."""
    failed = any(each.result == "fail" for each in verdict.proofs)
    return (*map(proof_said, verdict.proofs), *((_CHANGED,) if failed else ()))


def _who(proof: Proof) -> Text:
    if proof.kind == "arc":
        return (
            Text("ARC chain, last sealed by {domain}", domain=proof.domain)
            if proof.domain
            else Text("ARC chain")
        )
    return Text(
        "DKIM signature of {domain} ({selector})", domain=proof.domain or "?", selector=proof.selector or "?"
    )


_RESULTS = {
    "pass": Text("verified here"),
    "fail": Text("does not verify here"),
    "permerror": Text("cannot be used"),
    "temperror": Text("DNS failed"),
    "undetermined": Text("undetermined"),
}
_CHANGED = Text(
    "A signature that does not verify here accuses nobody: saving a message, a disclaimer or a list changes what was signed."
)
