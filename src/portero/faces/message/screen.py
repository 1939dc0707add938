"""One message's judgement on the terminal: what it is, how it came in, why, and what to do."""

from __future__ import annotations

from portero.core.explain import Unread, Verdict
from portero.core.message.learnt import Learnt
from portero.core.text import Text
from portero.faces.labels import LABELS
from portero.faces.message.words import CALLED, headline, proofs_said
from portero.faces.terminal import Terminal

_COLOURS = {"phish": "red", "suspicious": "yellow", "clean": "green"}
_MOST = 20


def show(verdict: Verdict | Unread, terminal: Terminal) -> None:
    """Print one judgement in full."""
    if isinstance(verdict, Unread):
        terminal.say(Text("{origin}: {reason}", origin=verdict.origin, reason=verdict.reason), "yellow")
        return
    held = verdict.arrival
    terminal.say(Text("{origin}: {subject}", origin=verdict.origin, subject=verdict.subject), "bold")
    terminal.say(headline(verdict), _COLOURS[verdict.judgement.value])
    terminal.say(Text("Way in: {path}. {why}", path=held.path, why=held.why))
    for note in held.notes:
        terminal.say(note)
    terminal.say(
        Text(
            "From {author}, envelope {envelope}, client {address}; SPF {spf}, DKIM {dkim}, DMARC {dmarc}, compauth {compauth}.",
            author=held.author.address or "—",
            envelope="—" if held.mail_from is None else f"<{held.mail_from}>",
            address=held.client_ip or "—",
            spf=held.spf or "—",
            dkim=held.dkim or "—",
            dmarc=held.dmarc or "—",
            compauth=_compauth(verdict),
        )
    )
    for proof in proofs_said(verdict):
        terminal.say(proof)
    for each in sorted(verdict.because, key=lambda reason: -abs(reason.weight)):
        terminal.say(
            Text(
                "  {weight}  {reason} ({rule})",
                weight=each.weight,
                reason=each.text,
                rule=each.rule,
            )
        )
    for gap in verdict.gaps:
        terminal.say(gap, "yellow")
    for each_advice in verdict.advice:
        terminal.say(Text("What to do: {advice}", advice=each_advice))
    for indicator in verdict.indicators[:_MOST]:
        terminal.say(
            Text(
                "  {kind}  {value} ({place})",
                kind=LABELS["indicator"][indicator.type],
                value=indicator.value,
                place=indicator.found_in,
            ),
            "dim",
        )


def show_learnt(learnt: Learnt, terminal: Terminal) -> None:
    """Print what came of learning."""
    for text, held in (
        (Text("Phish found on campaigns not learnt from"), learnt.found),
        (Text("Ordinary mail accused"), learnt.accused),
        (Text("Ordinary mail called suspicious"), learnt.doubted),
    ):
        low, high = held.interval
        terminal.say(
            Text(
                "{what}: {share} ({hits} of {all}; between {low_share} and {high_share} with 95% confidence).",
                what=text,
                share=held.share,
                hits=held.hits,
                all=held.of,
                low_share=low,
                high_share=high,
            )
        )
    terminal.say(
        Text(
            "Campaigns: {phish} of phish, {ham} of ordinary mail.",
            phish=learnt.campaigns[0],
            ham=learnt.campaigns[1],
        )
    )
    if learnt.dust:
        terminal.say(
            Text("Refused, because it only marks where mail was collected: {words}.", words=learnt.dust[:20]),
            "yellow",
        )


def brief(verdict: Verdict | Unread) -> tuple[Text, str]:
    """Give one line for a judgement among many, and its colour."""
    if isinstance(verdict, Unread):
        return Text("{origin}: {reason}", origin=verdict.origin, reason=verdict.reason), "yellow"
    line = Text(
        "{judgement} {share}  {path}  {origin}: {subject}",
        judgement=CALLED[verdict.judgement],
        share=verdict.probability,
        path=verdict.arrival.path,
        origin=verdict.origin,
        subject=verdict.subject[:100],
    )
    return line, _COLOURS[verdict.judgement.value]


def _compauth(verdict: Verdict) -> str:
    held = verdict.arrival.stamps.compauth
    return "—" if held is None else f"{held.result} {held.reason or ''}".strip()
