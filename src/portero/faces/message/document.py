"""One message's judgement by the contract's names, for `portero explain --json` and a line of `portero scan --json`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from portero.core.explain import Indicator, MailJudgement, Unread, Verdict
from portero.core.message.arrival import TimedHop
from portero.core.message.learnt import Learnt, Rate
from portero.core.message.proof import Proof
from portero.faces.audit_json import iso
from portero.faces.render import Renderer, plain

# Namespace for deterministic ids. Source: STIX 2.1 section 2.9.
_STIX = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")


def message_document(verdict: Verdict | Unread, renderer: Renderer) -> dict[str, object]:
    """
    Give a judgement as the contract's section 5, ready for `json`.

    Null is what the message does not say; a ``mail_from`` of ``""`` is the null path, ``@domain`` one of which only the
    domain is known. Beyond the contract's keys: ``subject``, ``path_because``, ``boundary``, ``hops``, ``attachments``,
    ``advice``, ``gaps``, ``own_domains``, ``connector``, ``sender``, ``signatures``; of a reason its ``level``. A message that could not be
    judged has ``origin`` and ``error`` alone.
    """
    if isinstance(verdict, Unread):
        return {"origin": verdict.origin, "error": renderer.text(verdict.reason)}
    held = verdict.arrival
    compauth = held.stamps.compauth
    return {
        "origin": verdict.origin,
        "message_id": verdict.message_id or None,
        "subject": plain(verdict.subject),
        "mail_from": held.mail_from,
        "header_from": held.author.address or None,
        "display_name": plain(held.author.name, 300),
        "client_ip": held.client_ip,
        "path": held.path.value,
        "judgement": verdict.judgement.value,
        "probability": round(verdict.probability, 4),
        "spoofs_own_domain": verdict.spoofs,
        "because": [
            {
                "reason": renderer.text(each.text),
                "weight": round(each.weight, 3),
                "rule": each.rule,
                "level": each.level,
            }
            for each in verdict.because
        ],
        "authentication": {
            "spf": held.spf,
            "dkim": held.dkim,
            "dmarc": held.dmarc,
            "compauth": compauth.result if compauth else None,
            "compauth_reason": compauth.reason if compauth else None,
        },
        "signatures": [_proof(each, renderer) for each in verdict.proofs],
        "indicators": [_indicator(each, renderer) for each in verdict.indicators],
        "path_because": [renderer.text(each) for each in (held.why, *held.notes)],
        "connector": held.connector,
        "sender": held.sender.id if held.sender else None,
        "own_domains": list(held.own),
        "boundary": {
            "kind": held.boundary.kind.value,
            "by": held.boundary.entry.by if held.boundary.entry else None,
            "helo": held.boundary.entry.helo if held.boundary.entry else None,
            "trusted": held.boundary.trusted,
            "forged": [renderer.text(each) for each in held.boundary.forged],
        },
        "hops": [_hop(each) for each in held.timeline],
        "attachments": [
            {
                "number": each.number,
                "name": plain(each.name),
                "kind": each.kind,
                "size": each.size,
                "sha256": each.sha256,
                "traits": sorted(each.traits),
            }
            for each in verdict.attachments
        ],
        "advice": [renderer.text(each) for each in verdict.advice],
        "gaps": [renderer.text(each) for each in verdict.gaps],
    }


def learnt_document(learnt: Learnt) -> dict[str, object]:
    """Give what came of learning: shares with their intervals, and what was refused."""

    def rate(held: Rate) -> dict[str, object]:
        low, high = held.interval
        return {
            "hits": held.hits,
            "of": held.of,
            "share": round(held.share, 4),
            "from": round(low, 4),
            "to": round(high, 4),
        }

    return {
        "found": rate(learnt.found),
        "accused": rate(learnt.accused),
        "doubted": rate(learnt.doubted),
        "campaigns": {"phish": learnt.campaigns[0], "ham": learnt.campaigns[1]},
        "refused_words": [plain(each) for each in learnt.dust],
        "refused_lines": [plain(each) for each in learnt.footers],
    }


def _proof(each: Proof, renderer: Renderer) -> dict[str, object]:
    return {
        "kind": each.kind,
        "domain": each.domain or None,
        "selector": each.selector or None,
        "result": each.result,
        "claimed": each.claimed,
        "because": None if each.why is None else renderer.text(each.why),
    }


def _indicator(each: Indicator, renderer: Renderer) -> dict[str, object]:
    return {"type": each.type, "value": each.value, "found_in": renderer.text(each.found_in)}


def _hop(each: TimedHop) -> dict[str, object]:
    return {
        "from": each.hop.helo or each.hop.client_name,
        "ip": each.hop.client_ip,
        "by": each.hop.by,
        "at": iso(each.hop.observed_at),
        "delay_seconds": None if each.delay is None else round(each.delay.total_seconds()),
        "trusted": each.ours,
    }


def stix_bundle(verdicts: Iterable[Verdict | Unread], now: datetime, renderer: Renderer) -> dict[str, object]:
    """
    Give what marks phish and suspicious mail as a STIX 2.1 bundle of indicators.

    now:  for ``created``, aware; the ids depend on the patterns alone, so the same indicator has the same id in every bundle.
    Source: STIX 2.1 sections 2.12 (no empty lists), 3.2 (times to the millisecond), 4.7 and 9.
    """
    moment = now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    objects: dict[str, dict[str, object]] = {}
    for verdict in verdicts:
        if isinstance(verdict, Unread) or verdict.judgement is MailJudgement.CLEAN:
            continue
        for each in verdict.indicators:
            if each.type == "domain" and each.value in verdict.arrival.own:
                continue
            pattern = _pattern(each)
            if pattern is None or (
                each.type == "address"
                and verdict.arrival.author_is_ours
                and each.value == verdict.arrival.author.address.lower()
            ):
                continue
            identity = f"indicator--{uuid.uuid5(_STIX, pattern)}"
            objects.setdefault(
                identity,
                {
                    "type": "indicator",
                    "spec_version": "2.1",
                    "id": identity,
                    "created": moment,
                    "modified": moment,
                    "name": plain(each.value, 250),
                    "description": f"{renderer.text(each.found_in)}; {plain(verdict.subject, 200)}",
                    "indicator_types": ["malicious-activity"],
                    "pattern": pattern,
                    "pattern_type": "stix",
                    "valid_from": moment,
                    "confidence": round(verdict.probability * 100),
                },
            )
    held = list(objects.values())
    name = "".join(sorted(objects))
    bundle: dict[str, object] = {"type": "bundle", "id": f"bundle--{uuid.uuid5(_STIX, name)}"}
    return bundle | {"objects": held} if held else bundle


_KINDS = {
    "url": "url:value",
    "domain": "domain-name:value",
    "address": "email-addr:value",
    "sha256": "file:hashes.'SHA-256'",
}


def _pattern(each: Indicator) -> str | None:
    value = each.value.replace("\\", "\\\\").replace("'", "\\'")
    if each.type == "ip":
        return f"[ipv{6 if ':' in each.value else 4}-addr:value = '{value}']"
    return f"[{_KINDS[each.type]} = '{value}']" if each.type in _KINDS else None
