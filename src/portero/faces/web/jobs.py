"""Long work beside the answering of requests: one at a time, with its progress and a way to call it off."""

from __future__ import annotations

import secrets
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from portero.core.ledger import Job, JobState
from portero.core.text import Text
from portero.errors import PorteroError
from portero.faces.render import LANGUAGES, Renderer
from portero.faces.web.ports import Cancelled, Say, State

# Progress is written no more often than this, so that a quick reader of many files does not wear out the disk.
_SECONDS_BETWEEN = 0.3


def in_both(text: Text) -> Mapping[str, str]:
    """Say a sentence in every language, for readers that come later."""
    return {lang: Renderer(lang, html=True).text(text) for lang in LANGUAGES}


class Jobs:
    """Runs jobs one after the other in a thread, and keeps how far each is in the state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._pool = ThreadPoolExecutor(1, "portero-job")
        self._stop: dict[str, threading.Event] = {}
        state.end_lost_jobs(in_both(Text("The server stopped before this was done. Start it again.")))

    def start(
        self, organisation: str, kind: str, made_by: str, work: Callable[[Say, Callable[[], bool]], str]
    ) -> Job:
        """
        Queue work.

        work:  given a way to say what it is doing and a way to ask whether it was called off; returns the id of what
               it made.
        """
        job = Job(
            f"j-{secrets.token_hex(8)}", organisation, kind, JobState.WAITING, made_by, datetime.now(UTC),
            in_both(Text("Waiting for the work before it…")),
        )  # fmt: skip
        self._state.put_job(job)
        stop = self._stop[job.id] = threading.Event()
        self._pool.submit(self._run, job, work, stop)
        return job

    def cancel(self, job: Job) -> None:
        """Call a job off; one that is over stays as it ended."""
        stop = self._stop.get(job.id)
        if stop is not None:
            stop.set()

    def close(self) -> None:
        """Call everything off and wait for its end."""
        for stop in self._stop.values():
            stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: Job, work: Callable[[Say, Callable[[], bool]], str], stop: threading.Event) -> None:
        written = 0.0

        def say(text: Text) -> None:
            nonlocal written
            if time.monotonic() - written >= _SECONDS_BETWEEN:
                self._state.put_job(replace(job, state=JobState.RUNNING, said=in_both(text)))
                written = time.monotonic()

        try:
            if stop.is_set():
                raise Cancelled
            result = work(say, stop.is_set)
            ended = replace(job, state=JobState.DONE, said=in_both(Text("Done.")), result=result)
        except Cancelled:
            ended = replace(job, state=JobState.CANCELLED, said=in_both(Text("Called off.")))
        except PorteroError as error:
            ended = replace(job, state=JobState.FAILED, said=in_both(error.text))
        except Exception:
            # The worker's loop: whatever happened, the job must not look as if it went on.
            traceback.print_exc()
            fault = Text("This is a fault in portero. The server's log says more.")
            ended = replace(job, state=JobState.FAILED, said=in_both(fault))
        self._stop.pop(job.id, None)
        self._state.put_job(ended)
