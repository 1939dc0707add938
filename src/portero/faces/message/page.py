"""One message's judgement as one page of HTML that opens without a network, in which nothing from the message can run."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from portero.core import text as sentences
from portero.core.explain import Verdict
from portero.faces.labels import LABELS
from portero.faces.message.words import headline, proofs_said
from portero.faces.render import Renderer, plain

_LONGEST = 300
MOST_INDICATORS = 60


def render_message(verdict: Verdict, lang: str = "en") -> str:
    """
    Write the page.

    lang:  ``en`` or ``es``.
    """
    renderer = Renderer(lang, html=True)
    environment = Environment(
        loader=PackageLoader("portero.faces.message", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def translate(template: str, /, **values: object) -> str:
        # The catalogue finds the literal in the template; here it only passes through.
        return renderer.text(sentences.Text(template, context=None, **values))

    environment.globals.update(_=translate)
    environment.filters.update(
        say=renderer.text,
        value=renderer.value,
        moment=renderer.time,
        evidence=lambda value: Markup("<bdi>{}</bdi>").format(plain(str(value), _LONGEST)),
        weight=lambda weight: renderer.number(weight, 1, signed=True),
    )
    reasons = sorted(verdict.because, key=lambda each: -abs(each.weight))
    return environment.get_template(
        "page.html"
    ).render(
        lang=lang,
        style=Markup(files("portero.faces.message").joinpath("page.css").read_text("utf-8")),  # noqa: S704 - our own file
        verdict=verdict,
        held=verdict.arrival,
        headline=headline(verdict),
        proofs=proofs_said(verdict),
        reasons=reasons,
        indicators=verdict.indicators[:MOST_INDICATORS],
        kinds=LABELS["indicator"],
        rest=max(0, len(verdict.indicators) - MOST_INDICATORS),
    )
