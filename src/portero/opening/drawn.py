"""Codes drawn with letters, table cells or SVG shapes, made into pictures that a decoder can read."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from PIL import Image, ImageDraw

# Per letter its four quarters: upper left, upper right, lower left, lower right. Source: Unicode, Block Elements.
_QUARTERS = {
    "█": (1, 1, 1, 1), "▓": (1, 1, 1, 1), "■": (1, 1, 1, 1), "⬛": (1, 1, 1, 1), "▀": (1, 1, 0, 0), "▄": (0, 0, 1, 1),
    "▌": (1, 0, 1, 0), "▐": (0, 1, 0, 1), "▘": (1, 0, 0, 0), "▝": (0, 1, 0, 0), "▖": (0, 0, 1, 0), "▗": (0, 0, 0, 1),
    "▙": (1, 0, 1, 1), "▛": (1, 1, 1, 0), "▜": (1, 1, 0, 1), "▟": (0, 1, 1, 1), "▚": (1, 0, 0, 1), "▞": (0, 1, 1, 0),
}  # fmt: skip
_LETTERS = frozenset(_QUARTERS) | {"⬜", "□", "░"}
_MOST = 400
_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)"


@dataclass(frozen=True, slots=True)
class Grid:
    """Dark and light cells in rows of equal length; ``tall`` is how much taller a cell is than wide."""

    cells: tuple[tuple[bool, ...], ...]
    tall: int = 1

    def picture(self) -> bytes:
        """Draw it, four pixels a cell and a quiet zone around, as PNG."""
        width, height = len(self.cells[0]), len(self.cells)
        image = Image.new("L", (width, height), 255)
        image.putdata([0 if dark else 255 for row in self.cells for dark in row])
        image = image.resize((width * 4, height * 4 * self.tall), Image.Resampling.NEAREST)
        framed = Image.new("L", (image.width + 64, image.height + 64), 255)
        framed.paste(image, (32, 32))
        out = io.BytesIO()
        framed.save(out, "PNG")
        return out.getvalue()


def drawn_in_text(text: str) -> Grid | None:
    """Give the drawing that block letters make in text: at least ten lines of them, or None."""
    if not any(sign in text for sign in "█▀▄▓■⬛"):
        return None
    best: list[str] = []
    run: list[str] = []
    for each in text.split("\n"):
        line = each.rstrip("\r").replace("\u00a0", " ")
        if (line.strip() or run) and all(sign in _LETTERS or sign == " " for sign in line):
            run.append(line)
        else:
            best = max(best, run, key=len)
            run = []
    best = max(best, run, key=len)
    while best and not best[-1].strip():
        best.pop()
    if len(best) < 10 or len(best) > _MOST:
        return None
    margin = min(len(line) - len(line.lstrip(" ")) for line in best if line.strip())
    width = min(max(len(line) for line in best) - margin, _MOST)
    halves = any(sign in line for line in best for sign in "▀▄▌▐▘▝▖▗▙▛▜▟▚▞")
    rows: list[tuple[bool, ...]] = []
    for line in best:
        signs = line[margin : margin + width].ljust(width)
        quarters = [_QUARTERS.get(sign, (0, 0, 0, 0)) for sign in signs]
        rows.append(tuple(bool(each[at]) for each in quarters for at in (0, 1)))
        rows.append(tuple(bool(each[at]) for each in quarters for at in (2, 3)))
    # A letter's cell is twice as tall as wide, so its quarters are too; full blocks come in pairs, or one a module.
    wide = len(rows[0]) / 2
    single = not halves and abs(wide - len(best)) <= max(2, wide // 8)
    return Grid(tuple(rows), 1 if single else 2)


_RECT = re.compile(r"<rect\b([^>]{0,1000})>", re.IGNORECASE)
_PATH = re.compile(r"<path\b([^>]{0,400000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-zA-Z:-]{1,40})\s*=\s*(\"[^\"]*\"|'[^']*')")
_STEP = re.compile(rf"([MmLlHhVvZz])|({_NUMBER})")
_LIGHT = re.compile(r"(?:#f{3,6}\b|white|none|transparent|rgb\(\s*255)", re.IGNORECASE)


def drawn_in_svg(source: str, pixels: int = 900) -> bytes | None:
    """Draw the rectangles and straight paths of an SVG as PNG, or None where there are too few to be a code."""
    shapes: list[list[tuple[float, float]]] = []
    for text in _RECT.findall(source)[:20_000]:
        held = _attributes(text)
        if _LIGHT.search(held.get("fill", "") + held.get("style", "")):
            continue
        try:
            x, y = float(held.get("x", "0")), float(held.get("y", "0"))
            width, height = (
                float(held.get("width", "0").rstrip("px")),
                float(held.get("height", "0").rstrip("px")),
            )
        except ValueError:
            continue
        shapes.append([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    for text in _PATH.findall(source)[:5_000]:
        held = _attributes(text)
        if not _LIGHT.search(held.get("fill", "")):
            shapes += _polygons(held.get("d", ""))
    if len(shapes) < 30:
        return None
    points = [point for shape in shapes for point in shape]
    left, top = min(x for x, _ in points), min(y for _, y in points)
    span = max(max(x for x, _ in points) - left, max(y for _, y in points) - top)
    if not 0 < span < 1e6:
        return None
    factor = pixels / span
    image = Image.new("L", (pixels + 120, pixels + 120), 255)
    pen = ImageDraw.Draw(image)
    for shape in shapes:
        if len(shape) > 2:
            whole = (
                abs(shape[2][0] - shape[0][0]) > span * 0.95 and abs(shape[2][1] - shape[0][1]) > span * 0.95
            )
            if not (whole and len(shape) == 4):
                pen.polygon([((x - left) * factor + 60, (y - top) * factor + 60) for x, y in shape], fill=0)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _attributes(text: str) -> dict[str, str]:
    return {name.lower(): value[1:-1] for name, value in _ATTRIBUTE.findall(text)}


def _polygons(path: str) -> list[list[tuple[float, float]]]:
    """Read the straight lines of a path; curves end it. Source: SVG 2 section 9.3."""
    shapes: list[list[tuple[float, float]]] = []
    current: list[tuple[float, float]] = []
    x = y = 0.0
    command = ""
    numbers: list[float] = []
    if re.search(r"[CcSsQqTtAa]", path[:100_000]):
        return []
    for found in _STEP.finditer(path[:400_000]):
        if found[1]:
            command, numbers = found[1], []
            if command in "Zz":
                if current:
                    shapes.append(current)
                    x, y = current[0]
                current = []
            continue
        numbers.append(float(found[2]))
        if command in "Hh":
            x = numbers[0] + (x if command == "h" else 0)
        elif command in "Vv":
            y = numbers[0] + (y if command == "v" else 0)
        elif len(numbers) < 2:
            continue
        else:
            if command in "Mm" and current:
                shapes.append(current)
                current = []
            x = numbers[0] + (x if command in "ml" else 0)
            y = numbers[1] + (y if command in "ml" else 0)
            command = {"M": "L", "m": "l"}.get(command, command)
        numbers = []
        current.append((x, y))
        if len(shapes) > 20_000:
            break
    if current:
        shapes.append(current)
    return shapes
