"""Formats that are text: SVG drawings and calendar entries."""

from __future__ import annotations

import html
import re

from portero.core.message.content import Link
from portero.core.text import Text
from portero.opening.budget import Budget
from portero.opening.drawn import drawn_in_svg
from portero.opening.found import Found
from portero.opening.links import web_addresses
from portero.opening.markup import data_octets, open_markup, read_script

_MOST = 2 << 20
_SCRIPT = re.compile(r"<script\b[^>]{0,500}>(.{0,500000}?)</script", re.IGNORECASE | re.DOTALL)
_HANDLER = re.compile(r"\son[a-z]{3,20}\s*=\s*(\"[^\"]{1,20000}\"|'[^']{1,20000}')", re.IGNORECASE)
_REFERENCE = re.compile(
    r"\b(?:xlink:)?href\s*=\s*(?:\"([^\"]{1,3000000})\"|'([^']{1,3000000})')", re.IGNORECASE
)
_TEXT = re.compile(r"<(?:text|tspan|p|div|span|h\d)\b[^>]{0,2000}>([^<]{1,4000})<", re.IGNORECASE)
_BREAK = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"^([A-Z-]{2,40})(?:;[^:\n]{0,500})?:(.{0,65536})$", re.MULTILINE)


def open_svg(octets: bytes, place: Text, budget: Budget) -> Found:
    """Open an SVG: scripts and handlers, links, pictures inside it, words, and a code drawn with its shapes."""
    found = Found("svg")
    source = octets[:_MOST].decode("utf-8", "replace")
    # Entities may hide letters of a script or a link.
    plain = html.unescape(source) if "&#" in source else source
    for script in _SCRIPT.findall(plain)[:50]:
        found.traits.add("script")
        read_script(re.sub(r"<!\[CDATA\[|\]\]>", "", script), found, place)
    for handler in _HANDLER.findall(plain)[:50]:
        found.traits.add("script")
        read_script(handler[1:-1], found, place)
    if re.search(r"<script\b", plain, re.IGNORECASE):
        found.traits.add("script")
    for double, single in _REFERENCE.findall(plain)[:500]:
        url = (double or single).strip()
        if url.lower().startswith("data:image"):
            picture = data_octets(url)
            found.pictures.append((picture, Text("picture, {place}", place=place)))
        elif url.lower().startswith("javascript:"):
            found.traits.add("script")
            read_script(url, found, place)
        elif url.lower().startswith(("http:", "https:")) and "w3.org/" not in url:
            found.links.append(Link(url[:4096], place, "", "document"))
    if "<foreignobject" in plain.lower():
        inner = open_markup(plain, place, budget, attached=True)
        found.links += inner.links
        found.traits |= inner.traits
    found.text = " ".join(html.unescape(each) for each in _TEXT.findall(plain)[:2000])
    drawing = drawn_in_svg(source) if not budget.spent else None
    if drawing is not None:
        found.pictures.append((drawing, Text("drawn, {place}", place=place)))
    return found


def open_calendar(octets: bytes, place: Text, budget: Budget) -> Found:
    """Open a calendar entry: its words and its links. Source: RFC 5545 sections 3.1 and 3.3.11."""
    found = Found("calendar")
    source = _BREAK.sub("", octets[:_MOST].decode("utf-8", "replace"))
    words: list[str] = []
    for name, value in _LINE.findall(source)[:2000]:
        if budget.spent:
            break
        text = value.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";").strip()
        if name in {"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT"}:
            words.append(text)
        elif name == "X-ALT-DESC":
            inner = open_markup(text, place, budget, attached=False)
            words.append(inner.text)
            found.links += inner.links
        if name in {"URL", "ATTACH", "LOCATION", "DESCRIPTION", "CONFERENCE"}:
            found.links += [Link(url, place, url, "link") for url in web_addresses(text, 50)]
    found.text = "\n".join(words)[:50_000]
    return found
