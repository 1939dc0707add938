"""QR and bar codes in pictures, read by a library within the budget of pixels and pictures."""

from __future__ import annotations

import io
import warnings

import zxingcpp
from PIL import Image, UnidentifiedImageError

from portero.core.text import Text
from portero.opening.budget import Budget

_FORMATS = zxingcpp.barcode_formats_from_str(
    "QRCode|MicroQRCode|RMQRCode|Aztec|DataMatrix|PDF417|Code128|Code39"
)
_SMALLEST = 40
_SIDE = 1600
# What mail programs show. Pillow knows more, and hands some of it, such as PostScript, to other programs.
_KINDS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "ICO", "AVIF")
# Plenty for real pictures; what unpacks to more raises before it does.
Image.MAX_IMAGE_PIXELS = 40_000_000


def codes_in(picture: bytes, budget: Budget) -> list[str]:
    """Give the texts of the codes in a picture file, each once; nothing where it is none, too large or damaged."""
    if budget.spent:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(picture), formats=_KINDS) as image:
                if min(image.size) < _SMALLEST or not budget.take_picture(*image.size):
                    return []
                image.draft("L", (_SIDE, _SIDE))
                return codes_of(_flat(image))
    except Image.DecompressionBombError:
        budget.gap(Text("A picture is too large to be looked at."))
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        TypeError,
        KeyError,
    ):
        pass  # Pillow raises all of these for damaged files: what no viewer shows leads nobody anywhere
    except (OverflowError, MemoryError, RuntimeError, ArithmeticError, AttributeError):
        pass
    return []


def _flat(image: Image.Image) -> Image.Image:
    """Give the first frame in grey, what is transparent on white, no side longer than the decoder needs."""
    if image.mode in {"RGBA", "LA", "P", "PA"}:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        image = Image.alpha_composite(ground, layer)
    grey = image.convert("L")
    if max(grey.size) > _SIDE:
        grey.thumbnail((_SIDE, _SIDE))
    return grey


def codes_of(grey: Image.Image) -> list[str]:
    """Give the texts of the codes in a grey picture, each once."""
    try:
        found = zxingcpp.read_barcodes(grey, _FORMATS, try_rotate=True, try_downscale=True, try_invert=True)
    except (ValueError, RuntimeError):
        return []
    return list(dict.fromkeys(each.text[:4096] for each in found[:20] if each.text))
