"""What was read and what could not be: origins, gaps, and what each source could have seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portero.core.text import Text


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """
    Where a statement stands: a document and, where the format has them, a line.

    document:  path as the reader knows it; members of containers follow ``!``, for example ``export.zip!trace.csv``.
    line:      1-based physical line of the record's start in the decoded text, or None for a whole document.
               For records of a JSON array it is the 1-based number of the element.
    """

    document: str
    line: int | None = None

    def __str__(self) -> str:
        return self.document if self.line is None else f"{self.document}:{self.line}"


@dataclass(frozen=True, slots=True)
class Gap:
    """
    Something that was handed over and could not be used, or something that is missing from it.

    reason:  one or two sentences: what is wrong, and what to do about it.
    count:   how many records it concerns.
    """

    origin: Origin
    reason: Text
    count: int = 1


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    What one document contributed.

    kind:           id of the source that read it, for example ``message-trace-enhanced``.
    rows:           records read into evidence.
    first, last:    aware UTC times of the earliest and latest record, or None when it holds no times.
    notes:          warnings that concern the whole document, for example a probable cut at the export's cap.
    """

    document: str
    kind: str
    rows: int
    first: datetime | None = None
    last: datetime | None = None
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigObject:
    """
    One object of a tenant's configuration as a cmdlet returned it.

    cmdlet:      the cmdlet, for example ``Get-InboundConnector``.
    properties:  its properties by Microsoft's names. A property that the export lacks is absent from the mapping;
                 one that is there without a value is None. The two mean different things.
    """

    cmdlet: str
    properties: dict[str, object]
    origin: Origin


@dataclass(frozen=True, slots=True)
class ConfigAnswer:
    """
    Says that a cmdlet was asked, even when it returned nothing: an empty answer is knowledge, silence is not.

    complete:  False when the answer is known to be cut.
    """

    cmdlet: str
    origin: Origin
    complete: bool = True
