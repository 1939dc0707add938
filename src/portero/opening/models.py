"""Reads models: the base model that comes along, or one that `portero train` made."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from portero.core.message.model import Model, read_model
from portero.core.text import Text
from portero.errors import ConfigError


def model_of(path: Path | None) -> Model | None:
    """Give the model in a file, or the base model; None where this copy came without one. Raises ConfigError."""
    if path is None:
        own = files("portero.opening").joinpath("base_model.json")
        return read_model(own.read_text("utf-8")) if own.is_file() else None
    try:
        return read_model(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        problem = Text(
            "{file} is no model of this version: {reason}. Make one with portero train.",
            file=str(path),
            reason=str(error),
        )
        raise ConfigError((problem,)) from None
