"""The part of the state about evidence: runs, jobs that read, and files that are handed over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from sqlalchemy import Engine, Row, delete, func, insert, select, update

from portero.core.ledger import Job, JobState, Run, Upload
from portero.store.state import tables
from portero.store.state.database import writing
from portero.store.state.trail import note, one


class EvidenceState:
    """What of the state is about evidence; State is one."""

    _engine: Engine

    def add_run(self, run: Run, content: bytes, now: datetime) -> None:
        """Keep a run with what re-judging it needs."""
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.runs).values(
                    id=run.id, organisation=run.organisation, created_at=run.created_at, made_by=run.made_by,
                    places=list(run.places), rows=run.rows, senders=run.senders, first=run.first, last=run.last,
                    content=content,
                )
            )  # fmt: skip
            after = {"rows": run.rows, "senders": run.senders, "places": list(run.places)}
            note(connection, run.organisation, now, run.made_by, "run.add", run.id, None, after)

    def runs(self, organisation: str, most: int = 50) -> tuple[Run, ...]:
        """Give an organisation's runs, newest first."""
        table = tables.runs
        columns = [column for column in table.c if column.name != "content"]
        query = (
            select(*columns)
            .where(table.c.organisation == organisation)
            .order_by(table.c.created_at.desc(), table.c.id)
            .limit(most)
        )
        with self._engine.begin() as connection:
            return tuple(_run(row) for row in connection.execute(query))

    def run_content(self, organisation: str, run: str) -> bytes:
        """Give what re-judging a run needs."""
        table = tables.runs
        with self._engine.begin() as connection:
            row = one(
                connection,
                select(table.c.content).where(table.c.id == run, table.c.organisation == organisation),
            )
            return bytes(row.content)

    def put_job(self, job: Job) -> None:
        """Write how far a job is."""
        table = tables.jobs
        values = {"state": job.state.value, "said": dict(job.said), "result": job.result}
        with writing(self._engine) as connection:
            done = connection.execute(update(table).where(table.c.id == job.id).values(**values))
            if not done.rowcount:
                connection.execute(
                    insert(table).values(
                        id=job.id, organisation=job.organisation, kind=job.kind, made_by=job.made_by,
                        created_at=job.created_at, **values,
                    )
                )  # fmt: skip

    def jobs(self, organisation: str, most: int = 20) -> tuple[Job, ...]:
        """Give an organisation's jobs, newest first."""
        table = tables.jobs
        query = (
            select(table)
            .where(table.c.organisation == organisation)
            .order_by(table.c.created_at.desc(), table.c.id)
            .limit(most)
        )
        with self._engine.begin() as connection:
            return tuple(_job(row) for row in connection.execute(query))

    def job(self, organisation: str, job: str) -> Job:
        """Give one job."""
        table = tables.jobs
        with self._engine.begin() as connection:
            return _job(
                one(connection, select(table).where(table.c.id == job, table.c.organisation == organisation))
            )

    def end_lost_jobs(self, said: Mapping[str, str]) -> None:
        """Call what was under way when the server stopped failed, for nobody is working on it any more."""
        table = tables.jobs
        going = table.c.state.in_([JobState.WAITING.value, JobState.RUNNING.value])
        with writing(self._engine) as connection:
            connection.execute(
                update(table).where(going).values(state=JobState.FAILED.value, said=dict(said))
            )

    def put_upload(self, upload: Upload) -> None:
        """Write how much of a file is safe."""
        table = tables.uploads
        with writing(self._engine) as connection:
            done = connection.execute(
                update(table).where(table.c.id == upload.id).values(received=upload.received)
            )
            if not done.rowcount:
                connection.execute(
                    insert(table).values(
                        id=upload.id, organisation=upload.organisation, batch=upload.batch, name=upload.name,
                        size=upload.size, received=upload.received, made_by=upload.made_by,
                        created_at=upload.created_at,
                    )
                )  # fmt: skip

    def uploads(self, organisation: str, batch: str) -> tuple[Upload, ...]:
        """Give the files of a batch in the order they were announced."""
        table = tables.uploads
        query = (
            select(table)
            .where(table.c.organisation == organisation, table.c.batch == batch)
            .order_by(table.c.created_at, table.c.id)
        )
        with self._engine.begin() as connection:
            return tuple(_upload(row) for row in connection.execute(query))

    def upload(self, organisation: str, upload: str) -> Upload:
        """Give one file."""
        table = tables.uploads
        query = select(table).where(table.c.organisation == organisation, table.c.id == upload)
        with self._engine.begin() as connection:
            return _upload(one(connection, query))

    def unread_batches(self, before: datetime) -> tuple[tuple[str, str], ...]:
        """
        Give batches of files, each with its organisation, that were announced before a time and no run has read.

        None of an organisation in which a job waits or is under way: it may read them.
        """
        table, jobs, runs = tables.uploads, tables.jobs, tables.runs
        going = select(jobs.c.organisation).where(
            jobs.c.state.in_([JobState.WAITING.value, JobState.RUNNING.value])
        )
        old = (
            select(table.c.organisation, table.c.batch)
            .where(table.c.organisation.not_in(going))
            .group_by(table.c.organisation, table.c.batch)
            .having(func.max(table.c.created_at) < before)
            .order_by(table.c.organisation, table.c.batch)
        )
        with self._engine.begin() as connection:
            found = [(row[0], row[1]) for row in connection.execute(old)]
            if not found:
                return ()
            # A run names the folders it read, and a batch's folder bears its name wherever the data lie.
            places = connection.execute(select(runs.c.places)).scalars()
            read = {PurePath(place).name for held in places for place in held}
        return tuple((organisation, batch) for organisation, batch in found if batch not in read)

    def remove_upload(self, organisation: str, upload: str) -> None:
        """Forget a file that was announced."""
        table = tables.uploads
        with writing(self._engine) as connection:
            connection.execute(
                delete(table).where(table.c.organisation == organisation, table.c.id == upload)
            )


def _run(row: Row[Any]) -> Run:
    return Run(
        row.id, row.organisation, row.created_at, row.made_by, tuple(row.places), row.rows, row.senders, row.first,
        row.last,
    )  # fmt: skip


def _job(row: Row[Any]) -> Job:
    return Job(
        row.id, row.organisation, row.kind, JobState(row.state), row.made_by, row.created_at, row.said, row.result
    )  # fmt: skip


def _upload(row: Row[Any]) -> Upload:
    return Upload(
        row.id, row.organisation, row.batch, row.name, row.size, row.received, row.made_by, row.created_at
    )  # fmt: skip
