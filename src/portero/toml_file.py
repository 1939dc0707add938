"""Configuration files in TOML: read within a bound, and every complaint with its file and line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from portero.core.text import Text
from portero.errors import ConfigError

# More than any configuration is long.
_OCTETS = 1 << 20


def read_toml(path: Path) -> str:
    """Give the text of a configuration file. Raises ConfigError where it cannot be read, is too long or no UTF-8."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_OCTETS + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            (Text("{file} cannot be read: {reason}. Check the path.", file=str(path), reason=reason),)
        ) from None
    if len(raw) > _OCTETS:
        raise ConfigError(
            (Text("{file} is larger than a configuration can be (1 MiB). Check the path.", file=str(path)),)
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        problem = Text(
            "{file}, line {line}: this is not UTF-8. Save the file as UTF-8.", file=str(path), line=line
        )
        raise ConfigError((problem,)) from None


def parse_toml(text: str, file: str) -> dict[str, Any]:
    """Give the content of a configuration text; `file` is its name for messages. Raises ConfigError with the line."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = re.sub(r" \(at .*\)$", "", str(error))
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        problem = Text(
            "{file}, line {line}: this is not TOML ({reason}).", file=file, line=line, reason=reason
        )
        raise ConfigError((problem,)) from None
