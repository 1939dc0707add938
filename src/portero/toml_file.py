"""Configuration files in TOML: read within a bound, and every complaint with its file and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from portero.core.text import Text
from portero.core.toml_lines import Place, key_lines, line_of
from portero.errors import ConfigError

# More than any configuration is long.
_OCTETS = 1 << 20


FILE_NAME = "portero.toml"


def find_config(paths: Iterable[Path]) -> Path | None:
    """
    Give the first ``portero.toml`` among folders in their order, then the working folder's.

    A path that is no folder holds none. Source: contract section 2.
    """
    candidates = (path / FILE_NAME for path in (*paths, Path.cwd()) if path.is_dir())
    return next((path for path in candidates if path.is_file()), None)


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


class TomlReading:
    """Reads the text of one file and collects what is wrong with it, so that all is said at once."""

    def __init__(self, file: Path, text: str) -> None:
        self._file, self._lines = file, key_lines(text)
        self._faults: list[Text] = []

    def _known(self, table: Mapping[str, Any], place: Place, keys: tuple[str, ...]) -> None:
        for each in table:
            if each not in keys:
                self._fault(
                    (*place, each), Text("there is no key {key}; known are {keys}.", key=each, keys=keys)
                )

    def _fault(self, place: Place, what: Text) -> None:
        line = line_of(self._lines, place)
        self._faults.append(Text("{file}, line {line}: {what}", file=str(self._file), line=line, what=what))

    def _settle(self) -> None:
        """Raise ConfigError with every fault, if there is any."""
        if self._faults:
            raise ConfigError(tuple(self._faults))
