"""What ends an operation: one root and four leaves, cut by what the caller can do about it."""

from __future__ import annotations

from portero.core.evidence import Origin
from portero.core.text import Text


class PorteroError(Exception):
    """
    The operation cannot go on.

    text:       what happened and what to do next.
    exit_code:  what the command line answers with. Source: contract section 1.
    """

    exit_code = 2

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


class InputError(PorteroError):
    """
    The evidence cannot be read at all: mend the file.

    origin:  the file, and the line where there is one.
    """

    exit_code = 3

    def __init__(self, text: Text, origin: Origin) -> None:
        super().__init__(text)
        self.origin = origin


class ConfigError(PorteroError):
    """
    The configuration or the call is wrong: mend the settings.

    problems:  every one of them, in order of line; each names its place, and `text` joins them.
    """

    exit_code = 2

    def __init__(self, problems: tuple[Text, ...]) -> None:
        # One problem stands for itself; several are listed by the face from the tuple.
        text = (
            problems[0]
            if len(problems) == 1
            else Text("The configuration is wrong: {problems}", problems=problems)
        )
        super().__init__(text)
        self.problems = problems


class AccessDenied(PorteroError):  # noqa: N818  (the house names it for what to grant)
    """A remote side refused: grant the role or scope that the text names."""

    exit_code = 4


class SourceUnavailable(PorteroError):  # noqa: N818  (likewise: for what to try again)
    """
    A remote side is out of reach: try again.

    retry_after_seconds:  how long to wait, or None where the remote side did not say.
    """

    exit_code = 4

    def __init__(self, text: Text, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds
