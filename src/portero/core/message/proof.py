"""What a mail's own signatures prove by the DNS evidence at hand, beside what its header says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from portero.core.address import a_label
from portero.core.dns import Dns
from portero.core.mail.mime import Mail
from portero.core.mail.signatures import (
    ArcResult,
    Signature,
    SignatureResult,
    named_signatures,
    verify_arc,
    verify_dkim,
)
from portero.core.message.arrival import Arrival
from portero.core.text import Text

UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Proof:
    """
    One DKIM signature, or the ARC chain.

    kind:      dkim | arc.
    domain:    who signed; of a chain who sealed last, ``""`` where that cannot be read.
    selector:  ``""`` for a chain.
    result:    pass | fail | permerror | temperror by our own verification; ``undetermined`` where the evidence does not say.
    claimed:   what Exchange Online's result says of it, None where it says nothing.
    why:       what keeps it from passing, or None.
    """

    kind: str
    domain: str
    selector: str
    result: str
    claimed: str | None
    why: Text | None = None


def prove(octets: bytes | None, mail: Mail, arrival: Arrival, dns: Dns | None) -> tuple[Proof, ...]:
    """
    Verify a mail's DKIM signatures and its ARC chain by recorded keys; nothing is asked, and nothing raises.

    octets:  the message as it was received; None where it is not at hand in that form, as in a .msg.
    A failure is no accusation: saving a mail, a list and a disclaimer change what was signed.
    Source: RFC 6376 section 6; RFC 8617 section 5.2; RFC 8601 section 2.7.1.
    """
    claims = arrival.boundary.results
    said = [
        (a_label(each.named("header.d") or ""), each.result)
        for each in (claims.all("dkim") if claims else ())
    ]
    arc = claims.first("arc") if claims else None
    sealed = mail.first("arc-seal") is not None
    obstacle = _obstacle(octets, mail, dns)
    if obstacle is not None or octets is None or dns is None:
        named = named_signatures(mail.all("dkim-signature"))
        unproved = [
            Proof("dkim", domain, selector, UNDETERMINED, None, obstacle) for domain, selector in named
        ]
        chain = [Proof("arc", "", "", UNDETERMINED, arc.result if arc else None, obstacle)] if sealed else []
        return (*_claimed(unproved, said), *chain)
    entry = arrival.boundary.entry
    try:
        found = [_dkim(each) for each in verify_dkim(octets, dns, entry.observed_at if entry else None)]
        chain = [_arc(octets, dns, arc.result if arc else None)] if sealed else []
    except ModuleNotFoundError:
        return prove(None, mail, arrival, dns)
    return (*_claimed(found, said), *chain)


def _obstacle(octets: bytes | None, mail: Mail, dns: Dns | None) -> Text | None:
    if dns is None or not any(dns.recorded):
        return Text("no DNS answers were handed over")
    if not mail.has_body:
        return Text("only the header is there")
    if octets is None:
        return Text("the message is not there as it was sent, or the package dkimpy is not installed")
    return None


def _dkim(held: Signature) -> Proof:
    result = UNDETERMINED if held.result is SignatureResult.UNKNOWN else held.result.value
    why = held.problem
    if held.result is SignatureResult.PASS and held.testing:
        why = Text("its key is marked as a test")
    elif held.result is SignatureResult.PASS and held.body_octets is not None:
        why = Text("it signs only the first {n} octets of the body", n=held.body_octets)
    return Proof("dkim", held.domain, held.selector, result, None, why)


def _arc(octets: bytes, dns: Dns, claimed: str | None) -> Proof:
    chain = verify_arc(octets, dns)
    result = UNDETERMINED if chain.result in {ArcResult.UNKNOWN, ArcResult.NONE} else chain.result.value
    why: Text | None = None
    if chain.result is ArcResult.UNKNOWN:
        why = Text("the evidence holds no answer for the key")
    elif chain.ended:
        why = Text("an earlier sealer found the chain broken")
    elif chain.result is not ArcResult.PASS:
        why = Text("the chain does not verify")
    return Proof("arc", chain.sets[0].sealer if chain.sets else "", "", result, claimed, why)


def _claimed(proofs: list[Proof], said: list[tuple[str, str]]) -> Iterator[Proof]:
    """Lay each result of the header beside the signature of its domain; of several of a domain in their order."""
    left = list(said)
    for each in proofs:
        match = next((held for held in left if held[0] == each.domain), None)
        if match is not None:
            left.remove(match)
        yield Proof(each.kind, each.domain, each.selector, each.result, match[1] if match else None, each.why)
