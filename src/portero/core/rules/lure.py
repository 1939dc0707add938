"""What the lures' rules share: whether a mail touches a subject where it matters and leads its reader away."""

from __future__ import annotations

from portero.core.message.case import Case


def touched(case: Case, subject: str) -> str | None:
    """
    Give the words by which a mail touches a lure's subject, or None where that says nothing.

    It says something where the mail leads away, is no conversation and no list's, and where the subject line, the author's
    name or an attachment's name says it, or the text says it more than once, or once with a call to act.
    """
    words = case.met.get(subject)
    if not words or not case.leads_away or case.reply or case.mail.first("list-id") or case.automatic:
        return None
    early = case.met_early.get(subject)
    if early:
        return early[0]
    if len(words) > 1 or ("action" in case.met and len(case.content.text) < 4000):
        return words[0]
    return None
