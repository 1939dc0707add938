"""report.html: one file that opens without a network, in which nothing from evidence can run."""

from __future__ import annotations

import shlex
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from portero.core import text as sentences
from portero.core.audit import Audit
from portero.core.evidence import Coverage
from portero.core.finding import Finding, Outcome, Severity
from portero.core.hosts import unregistered
from portero.core.sender import Judgement, Reason, Sender
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.text import Text
from portero.faces.render import Renderer, by_document, plain
from portero.faces.report.charts import ORDER, by_day, by_kind, over_time, stretches, through, ways
from portero.faces.report.summary import BLOCK, UNPROVEN, block_of, summarise

T = TypeVar("T")

# Rows a table shows; the rest stand in the CSV files and in audit.json, and the table says how many.
MOST_SENDERS = 200
MOST_QUESTIONS = 50
# Questions that stand open; the rest are folded.
ASKED_FIRST = 6
MOST_EFFECTS = 50
MOST_GAPS = 100
MOST_HOSTS = 100
MOST_RISKS = 100
MOST_DOCUMENTS = 100
MOST_LISTED = 12
# Characters of one piece of evidence that are shown.
_LONGEST = 240
# Characters of one sentence with all its values; a command over many addresses must stay whole to be pasted.
_LONGEST_SENTENCE = 8000
_OUTCOMES = (Outcome.FAIL, Outcome.WARN, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)


def render_report(audit: Audit, lang: str = "en") -> str:
    """
    Write the report of an audit as one HTML document.

    lang:  ``en`` or ``es``.
    """
    renderer = Renderer(lang, html=True)
    script = _own_file("report.js")
    summary = summarise(audit)
    parts = stretches(audit.senders)
    block = block_of(audit)
    kinds = by_kind(audit.coverage)
    numbered = {each.id: index for index, each in enumerate(audit.senders[:MOST_SENDERS], 1)}
    return _environment(renderer).get_template("report.html").render(
        audit=audit,
        lang=lang,
        style=Markup(_own_file("report.css")),  # noqa: S704 - our own file, no evidence in it
        script=Markup(script),  # noqa: S704 - our own file, no evidence in it
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        summary=summary,
        senders=audit.senders[:MOST_SENDERS],
        numbered=numbered,
        labels={each.id: each.label for each in audit.senders},
        block_effects={each.sender: each.effect for each in block.senders} if block else {},
        questions=_questions(audit.senders),
        asked_first=ASKED_FIRST,
        simulations=[_view(each) for each in audit.simulations],
        findings=sorted(audit.findings, key=_gravity),
        outcome_counts=[(each, sum(held.outcome is each for held in audit.findings)) for each in _OUTCOMES],
        stretches=parts,
        ways=ways(audit),
        proven=sum(each.mails for each in audit.senders if each.path not in UNPROVEN),
        time_chart=over_time(parts, renderer) if parts else None,
        flow_chart=through(audit, renderer),
        kinds=kinds,
        day_chart=by_day(kinds, renderer),
        noted=_noted(audit.coverage),
        judgements=ORDER,
        strongest=strongest,
        commands=_commands,
        rest=_rest,
        open_hosts=unregistered(audit.hosts),
        most_hosts=MOST_HOSTS,
        most_risks=MOST_RISKS,
        most=MOST_LISTED,
        most_gaps=MOST_GAPS,
        most_documents=MOST_DOCUMENTS,
        block=BLOCK,
    )  # fmt: skip


def _environment(renderer: Renderer) -> Environment:
    environment = Environment(
        loader=PackageLoader("portero.faces.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def translate(template: str, /, **values: object) -> str:
        # The catalogue finds the literal in the template; here it only passes through.
        return renderer.text(sentences.Text(template, context=None, **values))

    def translate_count(singular: str, plural: str, n: int, /, **values: object) -> str:
        return renderer.text(sentences.count(singular, plural, n, **values))

    environment.globals.update(_=translate, ngettext=translate_count, label=renderer.label)
    environment.filters.update(
        say=lambda text: _cut(renderer.text(text)),
        number=renderer.number,
        percent=renderer.percent,
        day=renderer.date,
        moment=renderer.time,
        certainty=renderer.certainty,
        evidence=_evidence,
        named=_named,
        by_document=by_document,
        weight=lambda weight: renderer.number(weight, 1, signed=True),
    )
    return environment


def _evidence(value: object) -> Markup:
    """Set evidence apart: inert, cut at a length, and isolated so that its writing direction moves nothing else."""
    return Markup("<bdi>{}</bdi>").format(plain(str(value), _LONGEST))


def _named(label: str) -> Markup:
    """Set a sender's name apart as evidence; where it is too long for its line, the line ends after an at sign."""
    return Markup(str(_evidence(label)).replace("@", "@<wbr>"))  # noqa: S704 - escaped before


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= _LONGEST_SENTENCE else sentence[: _LONGEST_SENTENCE - 1] + "…"


def _own_file(name: str) -> str:
    return files("portero.faces.report").joinpath(name).read_text("utf-8")


def _rest(items: Iterable[T], most: int) -> int:
    return max(0, len(tuple(items)) - most)


def _noted(coverage: Iterable[Coverage]) -> dict[Text, list[str]]:
    """Give what is to be said of documents, each sentence once with those that it is about."""
    found: dict[Text, list[str]] = {}
    for each in coverage:
        for note in each.notes:
            found.setdefault(note, []).append(each.document)
    return found


def _questions(senders: Iterable[Sender]) -> list[tuple[Sender, float]]:
    """Give undecided senders, most mails first, with the share of undecided mail settled by answering so far."""
    undecided = sorted(
        (each for each in senders if each.judgement is Judgement.UNDECIDED),
        key=lambda each: (-each.mails, each.id),
    )
    total = sum(each.mails for each in undecided) or 1
    asked, settled = [], 0
    for each in undecided:
        settled += each.mails
        asked.append((each, settled / total))
    return asked[:MOST_QUESTIONS]


def strongest(sender: Sender, sign: int, most: int = 2) -> list[Reason]:
    """Give the reasons that weigh most towards abuse (sign 1) or for the sender (sign -1)."""
    ranked = sorted(sender.because, key=lambda each: -sign * each.weight)
    return [each for each in ranked if each.weight * sign > 0 and each.code != "prior"][:most]


def _commands(sender: Sender) -> str:
    """Give the command that records a person's decision, safe to paste whatever the id holds."""
    return f"portero decide {shlex.quote(plain(sender.id))} legitimate --owner NAME@DOMAIN"


def _view(simulation: Simulation) -> dict[str, object]:
    """Give a simulation as its table shows it: who is not simply kept, and what is refused by judgement."""
    touched: list[SenderEffect] = [each for each in simulation.senders if each.effect is not Effect.KEPT]
    # What a person would miss comes first: refused legitimate mail, then what nobody has decided.
    touched.sort(
        key=lambda each: (ORDER.index(each.judgement), -each.refused, -each.undetermined, each.sender)
    )
    refused = simulation.refused_by_judgement()
    return {
        "controls": simulation.controls,
        "touched": touched[:MOST_EFFECTS],
        "more": max(0, len(touched) - MOST_EFFECTS),
        "replies": sorted({each.reply for each in touched if each.reply}),
        "refused": [(each, refused[each]) for each in ORDER],
        "undetermined": simulation.undetermined,
        "kept": simulation.kept,
        "all": simulation.refused + simulation.undetermined + simulation.kept,
    }


def _gravity(finding: Finding) -> tuple[int, int, str]:
    """Order findings: what fails, then what could be better, is unknown, is well; graver first in each."""
    return _OUTCOMES.index(finding.outcome), list(Severity).index(finding.severity), finding.id
