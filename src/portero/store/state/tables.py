"""The tables of the state, as the newest migration leaves them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC time, stored without its zone since SQLite keeps none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Take off the zone; a time without one is a fault of the caller."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without zone")
        return value.astimezone(UTC).replace(tzinfo=None) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - likewise
        """Give the zone back."""
        return value.replace(tzinfo=UTC) if value is not None else None


# Names for constraints, so that a migration can drop them on either database.
METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[str]:
    return Column("id", String(40), primary_key=True)


def _of_organisation() -> Column[str]:
    return Column("organisation", ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False)


organisations = Table(
    "organisations",
    METADATA,
    _id(),
    Column("name", String(200), nullable=False),
    Column("created_at", Moment, nullable=False),
)
people = Table(
    "people",
    METADATA,
    _id(),
    Column("issuer", String(300), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("name", String(300), nullable=False),
    Column("owner", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("uq_people_issuer_subject", "issuer", "subject", unique=True),
)
roles = Table(
    "roles",
    METADATA,
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("organisation", ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(20), nullable=False),
)
# Of sessions, links and tokens only a hash of the secret is kept.
sessions = Table(
    "sessions",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
links = Table(
    "links",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Moment, nullable=False),
)
tokens = Table(
    "tokens",
    METADATA,
    _id(),
    Column("hash", String(64), nullable=False, unique=True),
    _of_organisation(),
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("used_at", Moment),
)
runs = Table(
    "runs",
    METADATA,
    _id(),
    _of_organisation(),
    Column("created_at", Moment, nullable=False),
    Column("made_by", String(300), nullable=False),
    Column("places", JSON, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("senders", Integer, nullable=False),
    Column("first", Moment),
    Column("last", Moment),
    # What re-judging needs, as `portero.store.state.values` writes it.
    Column("content", LargeBinary, nullable=False),
    Index("ix_runs_organisation_created_at", "organisation", "created_at"),
)
# Append-only: a decision is never changed; a later one, or its withdrawal, follows it.
decisions = Table(
    "decisions",
    METADATA,
    Column("n", Integer, primary_key=True, autoincrement=True),
    _of_organisation(),
    Column("sender", String(80), nullable=False),
    Column("label", Text, nullable=False),
    Column("judgement", String(20)),  # null without `said`: withdrawn
    Column("owner", String(300)),
    Column("note", Text, nullable=False),
    Column("expires_on", Date),
    Column("decided_by", String(300), nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("revision", Integer, nullable=False),
    # What an act says beyond a judgement, as `Decision.said` gives it; null for a plain judgement and for its withdrawal.
    Column("said", JSON(none_as_null=True)),
    # Two who decide upon the same sight of a sender: the second finds its revision taken.
    Index("uq_decisions_organisation_sender_revision", "organisation", "sender", "revision", unique=True),
)
scenarios = Table(
    "scenarios",
    METADATA,
    _id(),
    _of_organisation(),
    Column("name", String(200), nullable=False),
    Column("controls", JSON, nullable=False),
    Column("made_by", String(300), nullable=False),
    Column("created_at", Moment, nullable=False),
)
steps = Table(
    "steps",
    METADATA,
    Column("organisation", ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("owner", String(300)),
    Column("note", Text, nullable=False),
    Column("prepared_by", String(300)),
    Column("signed_by", String(300)),
    Column("changed_at", Moment, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("verified", JSON),
)
acceptances = Table(
    "acceptances",
    METADATA,
    _id(),
    _of_organisation(),
    Column("check_id", String(40), nullable=False),
    Column("subject", Text),
    Column("owner", String(300), nullable=False),
    Column("until", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_by", String(300), nullable=False),
    Column("created_at", Moment, nullable=False),
)
approvals = Table(
    "approvals",
    METADATA,
    Column("organisation", ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True),
    Column("run", String(40), nullable=False),
    Column("approved_by", String(300), nullable=False),
    Column("approved_at", Moment, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
jobs = Table(
    "jobs",
    METADATA,
    _id(),
    _of_organisation(),
    Column("kind", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("made_by", String(300), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("said", JSON, nullable=False),
    Column("result", String(80)),
)
uploads = Table(
    "uploads",
    METADATA,
    _id(),
    _of_organisation(),
    Column("batch", String(40), nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("made_by", String(300), nullable=False),
    Column("created_at", Moment, nullable=False),
)
trail = Table(
    "trail",
    METADATA,
    Column("n", Integer, primary_key=True, autoincrement=True),
    # No foreign key: the trail outlives what it speaks of. Null: the installation itself.
    Column("organisation", String(40)),
    Column("at", Moment, nullable=False),
    Column("who", String(300), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", JSON),
    Column("after", JSON),
    Index("ix_trail_organisation_n", "organisation", "n"),
)
