"""What every change to the state does: make ids, look up what must be there, and leave a line in the audit trail."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert

from portero.core.ledger import UnknownEntryError
from portero.store.state import tables


def new_id(kind: str) -> str:
    """Make an id that nobody bears."""
    return f"{kind}-{secrets.token_hex(8)}"


def one(connection: Connection, query: Any) -> Row[Any]:
    """Give the one row of a query; raises UnknownEntryError where there is none."""
    row: Row[Any] | None = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownEntryError
    return row


def note(
    connection: Connection,
    organisation: str | None,
    now: datetime,
    who: str,
    action: str,
    subject: str,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
) -> None:
    """Write a line into the trail, in the transaction of the change it tells of."""
    connection.execute(
        insert(tables.trail).values(
            organisation=organisation, at=now, who=who, action=action, subject=subject, before=before, after=after
        )
    )  # fmt: skip
