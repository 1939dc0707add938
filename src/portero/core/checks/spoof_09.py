"""
Only hops that we know and need may vouch for mail that has failed authentication.

Before: the list of trusted sealers holds services that pass on mail of anybody, or names that nobody remembers; what they seal is
believed.

After: the list is empty, or holds the gateways and forwarders of our own path alone.

Mend: write the list without the sealer; the cmdlet replaces the whole list, so name those to keep.

Verify: Get-ArcConfig shows the list; mail through the remaining hops still shows arc=pass.

May break: mail that the sealer changes on its way fails DMARC; look for arc=pass with oda in recent headers.

Exceptions: gateways that change messages.

Severity: medium: a trusted sealer can lend its good name to mail that fails.
"""

from __future__ import annotations

from portero.core.address import a_label, is_at_or_below
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import judge_single
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, offered
from portero.core.exchange.powershell import listed, quote, run
from portero.core.exchange.settings import texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

# Services that seal mail of anybody who has an account there. As of November 2026, from their own documentation.
_ANYBODYS = (
    "aol.com", "gmail.com", "google.com", "googlegroups.com", "icloud.com", "mailchimp.com", "mailgun.org",
    "outlook.com", "protonmail.ch", "sendgrid.net", "yahoo.com", "zoho.com",
)  # fmt: skip


def _judge(posture: Posture) -> Verdict:
    return judge_single(posture, "Get-ArcConfig", _sealers)


def _sealers(posture: Posture, item: ConfigObject) -> Verdict:
    held, origins = texts(item, "ArcTrustedSealers"), of_objects([item])
    if held is None:
        return Verdict(Outcome.UNKNOWN, Text("The export lacks {name}.", name="ArcTrustedSealers"), origins)
    names = tuple(name for text in held for name in map(a_label, text.split(",")) if name.strip())
    if not names:
        return Verdict(Outcome.PASS, Text("No sealer is trusted."), origins)
    wrong = tuple(name for name in names if any(is_at_or_below(name, each) for each in _ANYBODYS))
    if wrong:
        return Verdict(
            Outcome.FAIL,
            Text("Services that seal mail of anybody are trusted: {names}.", names=wrong),
            origins,
            changes=_without(names, wrong),
            subjects=wrong,
        )
    strange = tuple(name for name in names if not _ours(name, posture))
    if strange:
        return Verdict(
            Outcome.WARN,
            Text(
                "Nothing in the evidence shows that these trusted sealers are needed: {names}.", names=strange
            ),
            origins,
            changes=_without(names, strange),
            subjects=strange,
        )
    return Verdict(
        Outcome.PASS, Text("Each trusted sealer is a hop of our own path: {names}.", names=names), origins
    )


def _ours(name: str, posture: Posture) -> bool:
    """Tell whether a sealer is ours, a connector's certificate, or a registered sender's name for itself."""
    certificates = [
        held.certificate for held in posture.settings.connectors if held.enabled and held.certificate
    ]
    greetings = [name for entry in posture.configuration.register for name in entry.ehlo]
    return posture.settings.names_us(name) or any(
        is_at_or_below(a_label(text.removeprefix("*.")), name) for text in (*certificates, *greetings)
    )


def _without(names: tuple[str, ...], out: tuple[str, ...]) -> tuple[Change, ...]:
    """Write the whole list anew, since the cmdlet knows no Add or Remove; a space empties it. Source: Set-ArcConfig."""
    kept = [name for name in names if name not in out]
    before = "Set-ArcConfig -Identity 'Default' -ArcTrustedSealers "
    held, wanted = quote(",".join(names)), quote(",".join(kept) or " ")
    return offered(
        Change(
            "ArcConfig",
            do=before + wanted,
            verify="Get-ArcConfig | Format-List -Property 'ArcTrustedSealers'",
            undo=before + held,
            read="Get-ArcConfig",
            in_effect=f"-not ({listed(out)} | Where-Object {{ "
            "(@($current.ArcTrustedSealers) -join ',') -split ',' -contains $_ })",
            unchanged=f"(@($prior.ArcTrustedSealers) -join ',') -eq {held}",
            restore=before + "(@($prior.ArcTrustedSealers) -join ',')",
        )
    )


CHECK = Check(
    id="SPOOF-09",
    title=Text("Trusted ARC sealers are few and needed"),
    severity=Severity.MEDIUM,
    needs=("Get-ArcConfig",),
    judge=_judge,
    fix=run(["Set-ArcConfig -Identity Default -ArcTrustedSealers 'SEALERS-TO-KEEP'"]),
    undo=run(["Set-ArcConfig -Identity Default -ArcTrustedSealers 'PREVIOUS-SEALERS'"]),
    maps={"ORCA": "243", "NIST": "SI-8", "ATT&CK": "T1672, T1199"},
)
