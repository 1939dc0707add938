"""What an audit advises, by name, for audit.json and for the commands that print one part of it."""

from __future__ import annotations

from portero.core.design import Connector, Design
from portero.core.migration import Migration
from portero.core.questions import Question
from portero.core.risks import Risk
from portero.core.waves import Wave
from portero.faces.render import Renderer


def question_document(question: Question, renderer: Renderer) -> dict[str, object]:
    """
    Give one question to people.

    ``about`` is ``owner``, ``service``, ``mailbox``, ``network`` or ``sender``, or ``change`` for a legitimate sender part
    of whose mail is unlike it; ``to.address`` is null where only a role is known; ``messages`` are unique mails that the
    answers settle.
    """
    return {
        "about": question.about.value,
        "topic": question.topic,
        "title": renderer.text(question.title),
        "to": {
            "address": question.to.address,
            "role": renderer.text(question.to.role),
            "because": renderer.text(question.to.why),
        },
        "senders": [each.id for each in question.senders],
        "messages": question.mails,
    }


def design_document(design: Design, renderer: Renderer) -> dict[str, object]:
    """
    Give the connectors designed, and who cannot have one.

    ``messages`` are recorded mails that Reject Direct Send would not surely keep without them, and keeps with them.
    """
    return {
        "connectors": [_connector(each, renderer) for each in design.connectors],
        "no_connector_helps": [
            {
                "sender": each.sender,
                "because": renderer.text(each.why),
                "instead": renderer.text(each.instead),
            }
            for each in design.unhelped
        ],
        "messages": design.mails,
    }


def _connector(connector: Connector, renderer: Renderer) -> dict[str, object]:
    return {
        "name": connector.name,
        "type": connector.type,
        "certificate": connector.certificate,
        "because": renderer.text(connector.why),
        "control": connector.control,
        "senders": list(connector.senders),
        "ranges": [
            {
                "network": each.network,
                "addresses": each.addresses,
                "seen": each.seen,
                "senders": list(each.senders),
                "besides": list(each.besides),
                "place": each.place,
                "cautions": [renderer.text(text) for text in each.cautions],
            }
            for each in connector.ranges
        ],
    }


def migration_document(migration: Migration, renderer: Renderer) -> dict[str, object]:
    """
    Give how a sender sends from now on.

    ``road`` is one of ``stay``, ``connector``, ``relay``, ``smtp-oauth``, ``high-volume-email``,
    ``communication-services``, ``graph``, ``return-path``, ``rewrite``, ``hybrid``, ``gateway``, ``retire`` and
    ``decide``; ``fits`` of an option is null where the evidence does not say.
    """
    held = migration.volume
    return {
        "road": migration.road.value,
        "because": renderer.text(migration.why),
        "by": migration.by.isoformat() if migration.by else None,
        "cost": renderer.text(migration.cost) if migration.cost else None,
        "volume": {
            "busiest_hour": held.hour,
            "busiest_day": held.day,
            "month": held.month,
            "recipients": held.recipients,
            "inside": held.inside,
            "outside": held.outside,
        },
        "options": [
            {"road": each.road.value, "fits": each.fits, "because": renderer.text(each.why)}
            for each in migration.options
        ],
    }


def risk_document(risk: Risk, renderer: Renderer) -> dict[str, object]:
    """Give a risk of the plan; ``messages`` is null where no recorded mail is meant."""
    return {
        "step": risk.step,
        "risk": renderer.text(risk.what),
        "likelihood": risk.likelihood.value,
        "because": renderer.text(risk.why),
        "senders": list(risk.senders),
        "messages": risk.mails if risk.senders else None,
        "owner": renderer.text(risk.owner),
        "sign": renderer.text(risk.sign),
        "answer": renderer.text(risk.answer),
    }


def wave_document(wave: Wave, renderer: Renderer) -> dict[str, object]:
    """Give a wave; days in ISO 8601, ``parts`` name step and senders."""
    return {
        "n": wave.n,
        "stage": wave.stage.value,
        "title": renderer.text(wave.title),
        "window": wave.window.isoformat(),
        "watch_until": wave.watched.isoformat(),
        "parts": [{"step": each.step, "senders": list(each.senders)} for each in wave.parts],
        "probes": [renderer.text(each) for each in wave.probes],
        "business": renderer.text(wave.business),
        "operations": renderer.text(wave.operations),
    }
