"""HTML as a reader sees it and as it is: visible and hidden words, links, forms, scripts, pictures and drawn codes."""

from __future__ import annotations

import base64
import binascii
import html
import re
from urllib.parse import unquote_to_bytes

from selectolax.lexbor import LexborHTMLParser, LexborNode

from portero.core.message.content import Link
from portero.core.text import Text
from portero.opening.budget import MOST_LINKS, Budget
from portero.opening.drawn import Grid, drawn_in_text
from portero.opening.found import Found
from portero.opening.links import web_addresses

MOST_OCTETS = 2 << 20
_MOST_NODES = 60_000
_BLOCKS = frozenset(
    ["p", "div", "br", "tr", "li", "table", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "section", "td",
     "th", "article", "header", "footer", "center", "hr", "pre"]
)  # fmt: skip
_UNSEEN = frozenset(["script", "style", "head", "title", "noscript", "template", "meta", "link"])
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0*[01]?(?:\.\d+)?(?:px|pt|em|%)?\s*(?:;|!|$)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)"
    r"|max-height\s*:\s*0|text-indent\s*:\s*-\d{3,}|(?:left|top)\s*:\s*-\d{3,}|mso-hide\s*:\s*all",
    re.IGNORECASE,
)
_SMUGGLING = re.compile(
    r"\batob\s*\(|createObjectURL|msSaveOrOpenBlob|new\s+Blob\s*\(|fromCharCode|unescape\s*\(|decodeURIComponent\s*\(\s*escape"
    r"|document\.write\s*\(|eval\s*\(|location\s*(?:\.href|\.replace|\.assign)?\s*[=(]|window\.open\s*\(",
    re.IGNORECASE,
)
_HIDDEN_FILE = re.compile(r"\batob\s*\(|createObjectURL|msSaveOrOpenBlob|new\s+Blob\s*\(", re.IGNORECASE)
_DARK = re.compile(
    r"(?:background(?:-color)?\s*:\s*)?(?:#0{3,6}\b|#(?:[0-3][0-9a-f]){3}\b|black\b|rgb\(\s*[0-5]?\d\s*,\s*[0-5]?\d\s*,\s*[0-5]?\d\s*\))",
    re.IGNORECASE,
)
_BACKGROUND = re.compile(r"background(?:-color)?\s*:\s*([^;]{1,60})", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})")
_DEEPEST = 1500
# Elements that are empty or end by themselves.
_NOT_NESTING = frozenset(
    ["p", "li", "td", "tr", "th", "dt", "dd", "option", "br", "hr", "img", "input", "meta", "link", "col", "area", "base",
     "embed", "source", "wbr", "tbody", "thead", "tfoot", "html", "head", "body", "v:imagedata", "path", "rect", "o:p"]
)  # fmt: skip
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_Waiting = tuple[str, list[str], str]
_STRING = re.compile(r"[\"'`](https?:(?:\\?/){2}[^\"'`\s\\]{4,1000})[\"'`]", re.IGNORECASE)


def open_markup(source: str, place: Text, budget: Budget, *, attached: bool) -> Found:
    """
    Open HTML.

    place:     where it stands, for the links' places.
    attached:  whether it is a file, which a browser opens with its scripts, and no body, of which mail programs run none.
    """
    found = Found("html")
    tree = LexborHTMLParser(_shallow(source[:MOST_OCTETS], budget))
    root = tree.root
    if root is not None:
        _walk(root, found, place, budget, attached=attached)
    grid = drawn_in_text(found.text)
    found.text = re.sub(r"\n\s*\n+", "\n", _SPACES.sub(" ", found.text)).strip()
    found.hidden = _SPACES.sub(" ", found.hidden).strip()
    for url in web_addresses(found.text):
        found.links.append(Link(url, place, url, "document" if attached else "link"))
    if grid is not None:
        found.pictures.append((grid.picture(), Text("drawn with letters, {place}", place=place)))
        found.traits.add("drawn-grid")
    return found


def _shallow(source: str, budget: Budget) -> str:
    """Cut a page where its elements lie deeper in one another than any real page's: parsers slow down with depth."""
    depth = 0
    for tag in _TAG.finditer(source):
        if tag[2].lower() in _NOT_NESTING:
            continue
        depth += -1 if tag[1] else 1
        if depth > _DEEPEST:
            budget.gap(Text("The page is longer than is looked at."))
            return source[: tag.start()]
        depth = max(depth, 0)
    return source


def _walk(root: LexborNode, found: Found, place: Text, budget: Budget, *, attached: bool) -> None:
    words: list[str] = []
    hidden: list[str] = []
    # A link waits for the words inside it, which the walk meets after it.
    waiting: list[_Waiting] = []
    stack: list[tuple[LexborNode, bool, list[str] | None]] = [(root, False, None)]
    nodes = 0
    while stack:
        node, unseen, label = stack.pop()
        nodes += 1
        if nodes > _MOST_NODES or (nodes % 2048 == 0 and budget.spent):
            budget.gap(Text("The page is longer than is looked at."))
            break
        if node.next is not None:
            stack.append((node.next, unseen, label))
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            (hidden if unseen else words).append(text)
            if label is not None and not unseen:
                label.append(text)
            continue
        if tag.startswith("-") or tag == "_comment":
            continue
        inner, below = unseen, label
        attributes = node.attributes
        if tag in _UNSEEN:
            _unseen(tag, node, attributes, found, place, attached=attached)
            if tag in {"script", "style", "title"}:
                continue
            inner = True
        elif attributes:
            style = attributes.get("style") or ""
            inner = unseen or "hidden" in attributes or bool(style and _HIDING.search(style))
        if tag in _BLOCKS:
            words.append("\n")
        if tag == "table" and _table(node, found, place):
            continue
        said = _element(tag, attributes, found, waiting, place, attached=attached)
        if said is not None:
            below = said
        if node.child is not None:
            stack.append((node.child, inner, below))
    found.text = "".join(words)
    found.hidden = " ".join(hidden)
    for url, seen, kind in waiting:
        shown = _SPACES.sub(" ", "".join(seen)).strip()[:300]
        if len(found.links) < MOST_LINKS:
            found.links.append(Link(url, place, shown, kind))


def _element(
    tag: str,
    attributes: dict[str, str | None],
    found: Found,
    waiting: list[_Waiting],
    place: Text,
    *,
    attached: bool,
) -> list[str] | None:
    if len(waiting) >= MOST_LINKS:
        return None
    kind = "document" if attached else "link"
    if tag in {"a", "area"}:
        url = _address(attributes.get("href"))
        if url:
            label: list[str] = []
            waiting.append((url, label, kind))
            return label
    elif tag == "form":
        found.traits.add("form")
        url = _address(attributes.get("action"))
        if url:
            waiting.append((url, [], "form"))
    elif tag == "input" and (attributes.get("type") or "").lower() == "password":
        found.traits.add("password-field")
    elif tag in {"img", "image", "embed", "iframe", "object", "source"}:
        url = _address(attributes.get("src") or attributes.get("data") or attributes.get("href"))
        if tag == "img":
            found.shown += 1
        if url.lower().startswith("data:"):
            octets = data_octets(url)
            if octets:
                found.pictures.append((octets, Text("picture in the text, {place}", place=place)))
        elif url.lower().startswith(("http:", "https:")):
            found.remote += tag == "img"
            waiting.append((url, [], "image" if tag == "img" else kind))
    elif tag in {"button", "body"} and attached and any(name.startswith("on") for name in attributes):
        found.traits.add("script")
    return None


def _unseen(
    tag: str,
    node: LexborNode,
    attributes: dict[str, str | None],
    found: Found,
    place: Text,
    *,
    attached: bool,
) -> None:
    if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh":
        target = re.search(r"url\s*=\s*['\"]?([^'\"\s;]+)", attributes.get("content") or "", re.IGNORECASE)
        if target:
            found.links.append(Link(target[1][:4096], place, "", "document" if attached else "link"))
    if tag != "script":
        return
    source = (node.text(deep=True) or "")[:MOST_OCTETS]
    read_script(source, found, place)
    if attributes.get("src"):
        found.traits.add("script")
        found.links.append(Link(_address(attributes["src"]), place, "", "document"))


def read_script(source: str, found: Found, place: Text) -> None:
    """Look at a script without running it: what it does with hidden files and where it leads."""
    if not source.strip():
        return
    if _SMUGGLING.search(source) or len(source) > 200:
        found.traits.add("script")
    if _HIDDEN_FILE.search(source):
        found.traits.add("smuggling")
    for number, url in enumerate(_STRING.findall(source)):
        if number >= 50:
            break
        found.links.append(Link(url.replace("\\", "")[:4096], place, "", "document"))
    for coded in re.findall(r"[A-Za-z0-9+/]{40,200000}={0,2}", source)[:5]:
        try:
            plain = base64.b64decode(coded + "=" * (-len(coded) % 4))[:200_000].decode("latin-1")
        except (ValueError, binascii.Error):
            continue
        for url in web_addresses(plain, 20):
            found.links.append(Link(url, place, "", "document"))


def _address(value: str | None) -> str:
    return re.sub(r"[\t\r\n]+", "", html.unescape(value or "")).strip()[
        : 1 << 20 if (value or "")[:5].lower() == "data:" else 4096
    ]


def data_octets(url: str) -> bytes:
    """Give the content of a ``data:`` address. Source: RFC 2397."""
    head, comma, rest = url.partition(",")
    if not comma:
        return b""
    if ";base64" in head.lower():
        clean = re.sub(r"[^A-Za-z0-9+/]", "", rest)
        try:
            return base64.b64decode(clean[: len(clean) - (len(clean) % 4 == 1)] + "=" * (-len(clean) % 4))
        except (ValueError, binascii.Error):
            return b""
    return unquote_to_bytes(rest)


def _table(node: LexborNode, found: Found, place: Text) -> bool:
    """Take a table that is a drawing of a code, and tell whether it was one."""
    rows = node.css("tr")[:200]
    if len(rows) < 21 or node.css_first("table table") is not None:
        return False
    cells: list[list[bool]] = []
    for row in rows:
        line: list[bool] = []
        for cell in row.css("td")[:400]:
            attributes = cell.attributes
            style = _BACKGROUND.search(attributes.get("style") or "")
            colour = (style[1] if style else attributes.get("bgcolor")) or ""
            span = attributes.get("colspan") or "1"
            line += [bool(_DARK.match(colour.strip()))] * (min(int(span), 200) if span.isdecimal() else 1)
        cells.append(line)
    widest = max((len(line) for line in cells), default=0)
    dark = sum(map(sum, cells))
    if widest < 21 or dark < 100 or widest > 400:
        return False
    grid = Grid(tuple(tuple(line) + (False,) * (widest - len(line)) for line in cells))
    found.pictures.append((grid.picture(), Text("drawn with table cells, {place}", place=place)))
    found.traits.add("drawn-grid")
    return True
