"""audit.json: the whole audit by the contract's names, machine values plain and sentences in the run's language."""

from __future__ import annotations

from datetime import UTC, datetime

from portero.core.audit import Audit
from portero.core.coverage import Answer, Standing
from portero.core.dmarc_road import Road
from portero.core.domain import DomainReport
from portero.core.drift import Drift
from portero.core.evidence import Coverage, Gap, Origin
from portero.core.finding import Finding
from portero.core.hosts import Host, Tie
from portero.core.remedy import effect, prerequisites, propagation, roles
from portero.core.sender import Judgement, Ruling, Sender
from portero.core.simulation import SenderEffect, Simulation, Turn
from portero.core.spf_authoring import SpfDraft
from portero.core.step import Step
from portero.core.text import Text
from portero.faces.advice_json import (
    design_document,
    migration_document,
    question_document,
    risk_document,
    wave_document,
)
from portero.faces.render import Renderer

SCHEMA = "portero.audit/1"


def audit_document(audit: Audit, renderer: Renderer) -> dict[str, object]:
    """
    Give an audit as the contract's audit.json, ready for `json`.

    Beyond the contract's keys: ``language``, ``totals``, ``assumptions``, ``blind_spots``, ``hosts``, ``questions``,
    ``connector_design``, ``risks``, ``waves``; of a sender ``outside_messages``, ``owner``,
    ``purpose``, ``criticality``, ``decision``, ``service``, ``host`` and ``migration``
    (null for abuse); of a reason its ``code``; of a step its ``controls``.
    Source: contract section 4.
    """
    return {
        "schema": SCHEMA,
        "language": renderer.lang,
        "generated_at": iso(audit.generated_at),
        "window": {"from": iso(audit.first), "to": iso(audit.last)},
        "organisation": {"name": audit.organisation, "accepted_domains": list(audit.accepted_domains)},
        "totals": {"ours": audit.totals.ours, "others": audit.totals.others, "rows": audit.totals.rows},
        "evidence": [_coverage(each, renderer) for each in audit.coverage],
        "gaps": [_gap(each, renderer) for each in audit.gaps],
        "senders": [
            {**sender_document(each, renderer), "migration": _migration(each, audit, renderer)}
            for each in audit.senders
        ],
        "simulations": [simulation_document(each, renderer) for each in audit.simulations],
        "findings": [finding_document(each, renderer) for each in audit.findings],
        "plan": [step_document(each, renderer) for each in audit.plan],
        "risks": [risk_document(each, renderer) for each in audit.risks],
        "waves": [wave_document(each, renderer) for each in audit.waves],
        "assumptions": _texts(audit.assumptions, renderer),
        "blind_spots": _texts(audit.blind_spots, renderer),
        "hosts": [_host(each, audit.senders, renderer) for each in audit.hosts],
        "connector_design": design_document(audit.design, renderer),
        "questions": [question_document(each, renderer) for each in audit.questions],
    }


def _migration(sender: Sender, audit: Audit, renderer: Renderer) -> dict[str, object] | None:
    held = audit.migrations.get(sender.id)
    return None if held is None else migration_document(held, renderer)


def sender_document(sender: Sender, renderer: Renderer) -> dict[str, object]:
    """Give a sender as the contract's SENDER."""
    return {
        "id": sender.id,
        "label": renderer.text(sender.label),
        "kind": sender.kind.value,
        "judgement": sender.judgement.value,
        "confidence": round(sender.confidence, 4),
        "decided_by": sender.decided_by.value,
        "owner": sender.owner,
        "purpose": sender.purpose,
        "criticality": sender.criticality.value if sender.criticality else None,
        "decision": None if sender.ruling is None else _ruling(sender.ruling, renderer),
        "path": sender.path.value,
        "connector": sender.connector,
        "client_networks": list(sender.client_networks),
        "mail_from_domains": list(sender.mail_from_domains),
        "header_from_domains": list(sender.header_from_domains),
        "header_from": list(sender.header_from),
        "ehlo": list(sender.ehlo),
        "messages": sender.mails,
        "outside_messages": sender.outside,
        "service": sender.service,
        "host": None if sender.tie is None else _tie(sender.tie, renderer),
        "witnesses": dict(sender.witnesses),
        "recipients": sender.recipients,
        "first_seen": iso(sender.first_seen),
        "last_seen": iso(sender.last_seen),
        "because": [
            {
                "code": reason.code,
                "reason": renderer.text(reason.text),
                "weight": round(reason.weight, 4),
                "origins": _origins(reason.origins),
            }
            for reason in sender.because
        ],
    }


def _ruling(ruling: Ruling, renderer: Renderer) -> dict[str, object]:
    """Give what somebody decided; ``standing`` is ``in-force``, ``reopened`` with what changed, or ``expired``."""
    return {
        "judgement": ruling.judgement.value,
        "decided_by": ruling.by,
        "decided_at": iso(ruling.at),
        "standing": ruling.standing.value,
        "changes": [renderer.text(each) for each in ruling.changes],
        "note": ruling.note,
        "expires_on": ruling.expires_on.isoformat() if ruling.expires_on else None,
    }


def _tie(tie: Tie, renderer: Renderer) -> dict[str, object]:
    """Give the host that a sender is (``settled``), or those that it could be."""
    return {
        "settled": tie.settled,
        "candidates": [
            {
                "address": host.address,
                "label": renderer.text(host.label),
                "mac": host.mac,
                "maker": host.maker,
            }
            for host in tie.hosts
        ],
        "because": renderer.text(tie.why),
        "origins": _origins(tie.origins),
    }


def _host(host: Host, senders: tuple[Sender, ...], renderer: Renderer) -> dict[str, object]:
    """
    Give a host inside that opened connections to mail ports.

    ``port_25_to_internet`` counts connections; with ``registered_relay`` false it is one that somebody should know of.
    """
    return {
        "address": host.address,
        "label": renderer.text(host.label),
        "names": list(host.names),
        "mac": host.mac,
        "maker": host.maker,
        "remark": host.remark,
        "owner": host.owner,
        "several_devices": host.shared,
        "sessions": host.sessions,
        "port_25_to_internet": host.port_25,
        "denied": host.denied,
        "registered_relay": host.relay,
        "egress": list(host.egress),
        "destinations": list(host.destinations),
        "first_seen": iso(host.first_seen),
        "last_seen": iso(host.last_seen),
        "witnesses": dict(host.witnesses),
        "senders": [
            each.id
            for each in senders
            if each.tie is not None and any(held.address == host.address for held in each.tie.hosts)
        ],
        "origins": _origins(host.origins),
    }


def simulation_document(simulation: Simulation, renderer: Renderer) -> dict[str, object]:
    """Give a simulation as the contract's SIMULATION."""
    return {
        "controls": list(simulation.controls),
        "messages": {
            "refused": simulation.refused,
            "kept": simulation.kept,
            "undetermined": simulation.undetermined,
            **_caught(simulation),
        },
        "senders": [
            {
                "sender": each.sender,
                "effect": each.effect.value,
                "refused": each.refused,
                "kept": each.kept,
                "undetermined": each.undetermined,
                "judgement": each.judgement.value,
                "reply": each.reply,
                "because": renderer.text(each.because),
                "authentication": _turns(each.turns),
                **_caught(each, asked=simulation.dry_run),
            }
            for each in simulation.senders
        ],
        "commands": [
            {"do": each.do, "verify": each.verify, "undo": each.undo} for each in simulation.commands
        ],
        "elsewhere": [
            {"sender": sender or None, "authentication": _turns(turns)}
            for sender, turns in simulation.elsewhere
        ],
    }


def _caught(held: Simulation | SenderEffect, *, asked: bool = True) -> dict[str, object]:
    """Give what a rule in audit mode would report; no key where none was asked about."""
    if isinstance(held, SenderEffect):
        return {"caught": held.caught, "perhaps_caught": held.perhaps_caught} if asked else {}
    if not held.dry_run:
        return {}
    caught = held.caught_by_judgement()
    return {
        "caught": caught.total(),
        "caught_by_judgement": {each.value: caught[each] for each in Judgement},
        "perhaps_caught": held.perhaps_caught,
    }


def _turns(turns: tuple[Turn, ...]) -> list[dict[str, object]]:
    return [
        {"check": turn.check, "before": turn.before, "after": turn.after, "messages": turn.mails}
        for turn in turns
    ]


def domain_document(report: DomainReport, renderer: Renderer) -> dict[str, object]:
    """Give a domain's posture line by line, and where its mail is known the SPF draft and the road to p=reject."""
    posture = report.posture
    return {
        "domain": posture.domain,
        "lines": [
            {
                "id": line.id,
                "title": renderer.text(line.title),
                "outcome": line.outcome.value,
                "because": renderer.text(line.because),
                "fix": renderer.text(line.fix) if line.fix is not None else None,
                "records": list(line.records),
                "origins": _origins(line.origins),
            }
            for line in posture.lines
        ],
        "published": [{"name": name, "type": kind, "text": text} for name, kind, text in posture.published],
        "spf": _draft(report.spf, renderer) if report.spf is not None else None,
        "road": _road(report.road, renderer) if report.road is not None else None,
    }


def _draft(draft: SpfDraft, renderer: Renderer) -> dict[str, object]:
    return {
        "current": draft.current,
        "record": draft.record,
        "lookups": draft.lookups,
        "terms": [
            {
                "term": each.term,
                "networks": list(each.networks),
                "addresses": each.addresses,
                "lookups": each.lookups,
                "messages": each.mails,
                "senders": dict(each.senders),
                "complete": each.complete,
            }
            for each in draft.uses
        ],
        "kept": list(draft.kept),
        "dropped": list(draft.dropped),
        "added": list(draft.added),
        "flattened": list(draft.flattened),
        "uncovered": list(draft.uncovered),
        "undecided": list(draft.undecided),
        "remarks": _texts(draft.remarks, renderer),
    }


def _road(road: Road, renderer: Renderer) -> dict[str, object]:
    return {
        "policy": road.policy.value if road.policy is not None else None,
        "milestones": [
            {
                "id": each.id,
                "title": renderer.text(each.title),
                "state": each.state.value,
                "because": renderer.text(each.because),
                "senders": dict(each.senders),
            }
            for each in road.milestones
        ],
        "next": road.next,
        "exposure": _texts(road.exposure, renderer),
    }


def finding_document(finding: Finding, renderer: Renderer) -> dict[str, object]:
    """
    Give a finding as the contract's FINDING.

    Beyond the contract's keys: ``subjects``, ``commands`` with ``do``, ``verify`` and ``undo`` of each change, ``roles``,
    ``prerequisites``, ``propagation``, ``effect`` of mending on recorded mail, and ``accepted``.
    """
    return {
        "id": finding.id,
        "title": renderer.text(finding.title),
        "outcome": finding.outcome.value,
        "severity": finding.severity.value,
        "because": renderer.text(finding.because),
        "origins": _origins(finding.origins),
        "fix": renderer.text(finding.fix),
        "undo": renderer.text(finding.undo),
        "maps": dict(finding.maps),
        "subjects": list(finding.subjects),
        "commands": [{"do": each.do, "verify": each.verify, "undo": each.undo} for each in finding.changes],
        "roles": list(roles(finding.changes)),
        "prerequisites": _texts(prerequisites(finding.changes), renderer),
        "propagation": _texts(propagation(finding.changes), renderer),
        "effect": _effect(finding, renderer),
        "accepted": [
            {
                "owner": each.acceptance.owner,
                "until": each.acceptance.until.isoformat(),
                "reason": each.acceptance.reason,
                "subject": each.acceptance.subject,
                "state": each.standing.value,
            }
            for each in finding.accepted
        ],
    }


def _effect(finding: Finding, renderer: Renderer) -> dict[str, object] | None:
    if finding.effect is None:
        return None
    held = finding.effect
    return {
        "controls": list(held.controls),
        "refused": held.refused,
        "kept": held.kept,
        "undetermined": held.undetermined,
        "says": renderer.text(effect(held)),
    }


def answer_document(answer: Answer, renderer: Renderer) -> dict[str, object]:
    """Give which policy of a kind a mailbox really has, and why."""
    return {
        "kind": answer.family.value,
        "policy": answer.policy,
        "certain": answer.certain,
        "because": _texts(answer.derivation, renderer),
        "quarantine": dict(answer.quarantine),
    }


def standing_document(standing: Standing) -> dict[str, object]:
    """Give how many mailboxes stand under a policy."""
    return {"kind": standing.family.value, "policy": standing.policy, "mailboxes": standing.mailboxes}


def drift_document(drift: Drift, renderer: Renderer) -> dict[str, object]:
    """Give one difference between two states of the configuration."""
    return {
        "cmdlet": drift.cmdlet,
        "name": drift.name,
        "property": drift.field,
        "what": renderer.text(drift.what),
        "who": drift.who,
        "day": drift.day,
        "origins": _origins(drift.origins),
    }


def step_document(step: Step, renderer: Renderer) -> dict[str, object]:
    """Give a step as the contract's STEP."""
    return {
        "n": step.n,
        "title": renderer.text(step.title),
        "why": renderer.text(step.why),
        "do": renderer.text(step.do),
        "verify": renderer.text(step.verify),
        "undo": renderer.text(step.undo),
        "after": list(step.after),
        "senders": list(step.senders),
        "risk": step.risk.value,
        "owner": renderer.text(step.owner),
        "controls": list(step.controls),
        # Whose mail counts as kept from here on, because the step has proven another way in.
        "moved": list(step.moved),
        "by": step.by.isoformat() if step.by else None,
    }


def iso(moment: datetime | None) -> str | None:
    """Write a time as ISO 8601 in UTC with ``Z``, to the second; a time without zone is taken as UTC."""
    if moment is None:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _coverage(coverage: Coverage, renderer: Renderer) -> dict[str, object]:
    return {
        "origin": coverage.document,
        "kind": coverage.kind,
        "rows": coverage.rows,
        "from": iso(coverage.first),
        "to": iso(coverage.last),
        "notes": _texts(coverage.notes, renderer),
    }


def _gap(gap: Gap, renderer: Renderer) -> dict[str, object]:
    return {
        "origin": gap.origin.document,
        "line": gap.origin.line,
        "reason": renderer.text(gap.reason),
        "count": gap.count,
    }


def _texts(texts: tuple[Text, ...], renderer: Renderer) -> list[str]:
    return [renderer.text(text) for text in texts]


def _origins(origins: tuple[Origin, ...]) -> list[str]:
    return [str(origin) for origin in origins]
