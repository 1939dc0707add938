"""Makes pages: the templates, what they may call, and the parts that every page has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from portero.core import text as sentences
from portero.core.access import Action
from portero.core.ledger import Organisation
from portero.core.text import Text
from portero.faces.render import LANGUAGES, Renderer, by_document, plain
from portero.faces.web.visitor import THEMES, Visitor, desk_of, language_of, theme_of

_LONGEST = 240
_KEPT = "private, no-cache"
# Characters of one sentence with all its values; what lists thousands of senders stands whole in the files.
_LONGEST_SENTENCE = 1500


@lru_cache
def _environment(lang: str) -> Environment:
    renderer = Renderer(lang, html=True)
    environment = Environment(
        loader=PackageLoader("portero.faces.web", "templates"),
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

    environment.globals.update(
        _=translate, ngettext=translate_count, label=renderer.label, asset=asset, query=query
    )
    environment.filters.update(
        say=lambda text, most=_LONGEST_SENTENCE: _cut(renderer.text(text), most),
        number=renderer.number,
        percent=renderer.percent,
        day=renderer.date,
        moment=renderer.time,
        instant=lambda text: renderer.time(datetime.fromisoformat(text)),
        certainty=renderer.certainty,
        evidence=evidence,
        named=named,
        by_document=by_document,
        cap=lambda text: text[:1].upper() + text[1:],
        weight=lambda weight: renderer.number(weight, 1, signed=True),
    )
    return environment


def evidence(value: object) -> Markup:
    """Set evidence apart: inert, cut at a length, and isolated so that its writing direction moves nothing else."""
    return Markup("<bdi>{}</bdi>").format(plain(str(value), _LONGEST))


def named(label: str) -> Markup:
    """Set a sender's name apart as evidence; where it is too long for its line, the line ends after an at sign."""
    return Markup(str(evidence(label)).replace("@", "@<wbr>"))  # noqa: S704 - escaped before


@lru_cache
def asset(name: str) -> str:
    """Give the address of one of our own files; it changes with the file, so that browsers may keep it for ever."""
    content = files("portero.faces.web").joinpath("static", name).read_bytes()
    return f"/static/{sha256(content).hexdigest()[:12]}/{name}"


def _cut(sentence: str, most: int) -> str:
    return sentence if len(sentence) <= most else sentence[: most - 1] + "…"


def query(held: Mapping[str, object], **changes: object) -> str:
    """Write the query of a link: what is there, with changes; None and empty values are left out."""
    merged = {**held, **changes}
    pairs: list[tuple[str, object]] = []
    for name, value in merged.items():
        values: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
        pairs += [(name, each) for each in values if each not in (None, "", False)]
    return "?" + urlencode(pairs)


def fragment(lang: str, template: str, **values: object) -> Markup:
    """Make a part of a page that is the same for everybody who reads a language, so that it may be kept."""
    return Markup(_environment(lang).get_template(template).render(**values))  # noqa: S704 - templates escape


def page(
    request: Request,
    template: str,
    who: Visitor | None = None,
    organisation: Organisation | None = None,
    *,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """Answer with a page, or with the part of it that htmx asked for when the template has one."""
    lang = who.renderer.lang if who is not None else language_of(request)
    return_to = request.url.path + ("?" + request.url.query if request.url.query else "")
    content = (
        _environment(lang)
        .get_template(template)
        .render(
            lang=lang,
            languages=LANGUAGES,
            theme=theme_of(request),
            themes=THEMES,
            who=who,
            organisation=organisation,
            may=_may(who, organisation),
            has_relay=organisation is not None and desk_of(request).relay_of(organisation) is not None,
            path=request.url.path,
            return_to=return_to,
            part=request.headers.get("hx-request") == "true",
            **values,
        )
    )
    response = HTMLResponse(content, status)
    response.headers["vary"] = "hx-request, accept-language, cookie"
    if tag := getattr(request.state, "tag", None):
        # The browser keeps the page and asks each time whether it still holds; signing out clears it.
        response.headers.update({"etag": tag, "cache-control": _KEPT})
    return response


def _may(who: Visitor | None, organisation: Organisation | None) -> Mapping[str, bool]:
    if who is None or organisation is None:
        return {each.value: False for each in Action}
    return {each.value: who.may(organisation.id, each) for each in Action}


def unchanged(tag: str) -> Response:
    """Say that the visitor has the page already. Source: RFC 9110 section 15.4.5."""
    return Response(
        status_code=304,
        headers={"etag": tag, "cache-control": _KEPT, "vary": "hx-request, accept-language, cookie"},
    )


def toast(response: HTMLResponse, text: Text, renderer: Renderer, undo: str | None = None) -> HTMLResponse:
    """Have the page say a sentence in passing; `undo` is the address that takes it back."""
    response.headers["hx-trigger"] = json.dumps({"said": {"text": renderer.text(text), "undo": undo}})
    return response
