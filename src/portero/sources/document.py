"""Documents: what was handed over, opened through its containers, with a decoded head to recognise it by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

import pyarrow as pa

from portero.core.dns import DnsAnswer, DnsZone
from portero.core.evidence import ConfigAnswer, ConfigObject, Gap
from portero.core.limits import LIMITS, Limits
from portero.core.network_names import NetworkMap
from portero.core.text import Text


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows for one evidence table, in its schema without the ``document`` column, which the reader adds."""

    table: str
    rows: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class Note:
    """A warning that concerns the whole document."""

    text: Text


@dataclass(frozen=True, slots=True)
class Counted:
    """
    Records that were read and stand in no table, so that the reader sees them counted; a Note says what they serve.

    first, last:  aware UTC times of the earliest and latest of them, or None.
    """

    rows: int
    first: datetime | None = None
    last: datetime | None = None


Item = Batch | Gap | Note | Counted | ConfigObject | ConfigAnswer | DnsAnswer | DnsZone | NetworkMap


@dataclass(frozen=True, slots=True)
class Head:
    """
    The first part of a document, decoded, as recognition sees it.

    raw:       the first 64 KiB of bytes.
    encoding:  utf-8 | utf-16-le | utf-16-be | cp1252, by the order of reference data-formats section 2.
    text:      raw decoded, without BOM, undecodable bytes replaced.
    columns:   names of the heading row when the text looks like CSV (after a ``#TYPE`` line), else ().
    delimiter: of that heading row.
    keys:      names of the first JSON object's keys when the text looks like JSON (of ``value``, ``results``,
               ``records`` wrappers too), else an empty set.
    """

    raw: bytes
    encoding: str
    text: str
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Document:
    """
    One document to read.

    name:  as Origin.document shows it.
    open:  gives a fresh binary stream of the content, containers already opened.
    size:  octets of the content, or None when it is not known before reading.
    whole: whether it is a mail or a compound file that is given as it is, for its own sake and not as evidence.
    """

    name: str
    head: Head
    open: Callable[[], IO[bytes]]
    size: int | None = None
    limits: Limits = LIMITS
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """
    One evidence format; found by its file's name in this package.

    id:         kebab-case, equal to the file's name.
    title:      what an administrator calls it.
    recognise:  tells by content alone whether a document is of this format.
    read:       streams what the document holds. It raises nothing for bad content: that becomes a Gap; a document of
                which nothing can be read gives Gaps only.
    kinds:      the witness ids it may give to rows or coverage, when not just its id.
    """

    id: str
    title: Text
    recognise: Callable[[Head], bool]
    read: Callable[[Document], Iterator[Item]]
    kinds: tuple[str, ...] = ()
