"""The relay, where it is installed."""

from __future__ import annotations

from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.relay_cases import RelayUseCases


def relay() -> RelayUseCases:
    """Give what the relay's commands ask for; a ConfigError names the extra that is not installed."""
    try:
        from portero.relay import use_cases
    except ImportError as error:
        raise ConfigError(
            (
                Text(
                    "The relay needs the package {package}. Install portero with it: pip install 'portero[relay]'.",
                    package=error.name or "portero[relay]",
                ),
            )
        ) from None
    return use_cases
