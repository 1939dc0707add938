"""What people decide, recorded beside the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from portero.core.decision import Decision
from portero.core.text import Text
from portero.decision_log import FILE_NAME, append
from portero.errors import ConfigError
from portero.faces.desk import Progress
from portero.toml_file import find_config


def decide(
    lines: Sequence[Decision],
    *,
    config: Path | None,
    evidence: Sequence[Path],
    progress: Progress,
) -> tuple[Path, tuple[Text, ...], Sequence[Decision]]:
    """
    Record what a person decided, all of it or nothing, beside the configuration, else in the working folder.

    evidence:  where there is any, the senders must be in it; the second value says what became of their shape, and the
               acts, which are the third, rest on it.
    """
    remarks: tuple[Text, ...] = ()
    if evidence:
        lines, remarks = _tried(lines, evidence, config, progress)
    return recorded(lines, config), remarks, lines


def record_file(config: Path | None) -> Path:
    """Give the file that decisions go to."""
    settings_file = config or find_config(())
    return (settings_file.parent if settings_file else Path.cwd()) / FILE_NAME


def recorded(lines: Sequence[Decision], config: Path | None) -> Path:
    """Write acts down, and give the file; raises ConfigError where that is refused."""
    path = record_file(config)
    try:
        append(path, *lines)
    except OSError as error:
        raise ConfigError(
            (Text("Cannot write {file}: {reason}.", file=str(path), reason=error.strerror or str(error)),)
        ) from error
    return path


def _tried(
    lines: Sequence[Decision], paths: Sequence[Path], config: Path | None, progress: Progress
) -> tuple[tuple[Decision, ...], tuple[Text, ...]]:
    """Give new acts as evidence supports them, and what they make of its senders; raises ConfigError as `decide` does."""
    # Loaded where there is evidence to read, and nowhere else.
    from portero.app import decisions
    from portero.app.inventory import inventory
    from portero.wiring.gathering import decisions_of, gathered

    past = decisions_of(paths, config)
    with gathered(paths, config, progress) as (evidence, tables):
        return decisions.try_decisions(
            evidence, inventory(evidence, tables, progress), past, lines, datetime.now(UTC)
        )
