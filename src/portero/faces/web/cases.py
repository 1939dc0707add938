"""The newest run of each organisation, opened: its audit as evidence and people's decisions make it now."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from portero import app
from portero.core.audit import Audit
from portero.core.controls import Control
from portero.core.decision import Decision, judgements
from portero.core.evidence import Origin
from portero.core.finding import Profile
from portero.core.ledger import Run
from portero.core.sender import Sender
from portero.core.simulation import Simulation
from portero.core.text import Text
from portero.errors import InputError, SourceUnavailable
from portero.faces.web.ports import State, Work

# Cases held open; the one nobody asked for longest is closed first.
_OPEN = 6
# Content larger than this is opened beside the request, which then says so instead of waiting.
_QUICK_OCTETS = 1 << 20
# An audit that took longer than this to draw is drawn again beside the request.
_QUICK_SECONDS = 0.8
_Signature = tuple[date, tuple[tuple[str, int], ...]]


class OpeningError(SourceUnavailable):
    """The run is being opened; ask again in a moment."""


@dataclass(frozen=True)
class View:
    """
    What pages show of an organisation.

    settled:    whether plan and findings already follow every decision; senders and simulations always do.
    acts:       what people decided and nobody took back, oldest first.
    decisions:  the judgements among them, by sender.
    revisions:  how often each sender was decided about, for whoever decides next.
    rows:       room for what pages derive of the audit, by their own names; it goes when the audit changes.
    """

    run: Run
    case: app.Case
    audit: Audit
    settled: bool
    acts: tuple[Decision, ...]
    decisions: Mapping[str, Decision]
    revisions: Mapping[str, int]
    senders: Mapping[str, Sender]
    rows: dict[object, object] = field(default_factory=dict)


@dataclass
class _Open:
    case: app.Case
    run: Run
    lock: threading.Lock
    signature: _Signature | None = None
    seconds: float = 0.0
    view: View | None = None
    drawing: bool = False


class Cases:
    """Opens runs, and draws their audits again when a decision came."""

    def __init__(self, state: State, work: Work) -> None:
        self._state = state
        self._work = work
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._opening: set[str] = set()
        self._failed: dict[str, InputError] = {}
        self._pool = ThreadPoolExecutor(1, "portero-case")

    def close(self) -> None:
        """Wait for what is being drawn."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def newest(self, organisation: str) -> View | None:
        """Give the organisation's newest run; None before the first. Raises OpeningError while it is being opened."""
        runs = self._state.runs(organisation, 1)
        return self._view(organisation, self._opened(organisation, runs[0])) if runs else None

    def rehearse(self, view: View, controls: tuple[Control, ...]) -> Simulation:
        """Replay controls together; remembers the answer. Raises ConfigError for one without object."""
        key = ("rehearse", tuple(control.text for control in controls))
        if key not in view.rows:
            view.rows[key] = app.rehearse(
                view.case.evidence,
                view.case.inventory,
                view.acts,
                controls,
                datetime.now(UTC),
            )
        made = view.rows[key]
        assert isinstance(made, Simulation)  # noqa: S101 - what the line above put there
        return made

    def _opened(self, organisation: str, run: Run) -> _Open:
        with self._lock:
            if run.id in self._open:
                self._open.move_to_end(run.id)
                return self._open[run.id]
            if run.id in self._failed:
                raise self._failed[run.id]
            if run.id in self._opening:
                raise _opening()
            self._opening.add(run.id)
        try:
            content = self._state.run_content(organisation, run.id)
        except BaseException:
            self._opening.discard(run.id)
            raise
        if len(content) > _QUICK_OCTETS:
            self._pool.submit(self._unpack, organisation, run, content)
            raise _opening()
        return self._unpack(organisation, run, content)

    def _unpack(self, organisation: str, run: Run, content: bytes) -> _Open:
        try:
            try:
                case = self._work.unpack(content)
            except ValueError as error:
                raise InputError(
                    Text(
                        "The newest run was kept by another version of portero. Hand its evidence over again."
                    ),
                    Origin(run.id),
                ) from error
            held = _Open(case, run, threading.Lock())
            if len(content) > _QUICK_OCTETS:
                self._view(organisation, held)
            with self._lock:
                self._open[run.id] = held
                while len(self._open) > _OPEN:
                    self._open.popitem(last=False)
            return held
        finally:
            self._opening.discard(run.id)

    def _view(self, organisation: str, held: _Open) -> View:
        now = datetime.now(UTC)
        found = self._state.decisions(organisation)
        revisions = self._state.revisions(organisation)
        # A decision can run out over night.
        signature = (now.date(), tuple(sorted(revisions.items())))
        with held.lock:
            if held.view is not None and held.signature == signature:
                return held.view
            if held.view is None or held.seconds <= _QUICK_SECONDS:
                self._draw(held, found, revisions, signature, now)
            else:
                held.view = _patched(held, found, revisions, now)
                held.signature = signature
                if not held.drawing:
                    held.drawing = True
                    self._pool.submit(self._redraw, organisation, held)
            assert held.view is not None  # noqa: S101 - both branches made it
            return held.view

    def _draw(
        self,
        held: _Open,
        acts: tuple[Decision, ...],
        revisions: Mapping[str, int],
        signature: _Signature,
        now: datetime,
    ) -> None:
        started = time.perf_counter()
        audit = app.conclude(
            held.case.evidence, held.case.inventory, acts, now, Profile.STANDARD, lambda _: None
        )  # fmt: skip
        held.seconds = time.perf_counter() - started
        held.view = View(
            held.run, held.case, audit, True, acts, judgements(acts), revisions,
            {each.id: each for each in audit.senders},
        )  # fmt: skip
        held.signature = signature

    def _redraw(self, organisation: str, held: _Open) -> None:
        while True:
            now = datetime.now(UTC)
            revisions = self._state.revisions(organisation)
            acts = self._state.decisions(organisation)
            signature = (now.date(), tuple(sorted(revisions.items())))
            fresh = replace(held, view=None, lock=threading.Lock())
            self._draw(fresh, acts, revisions, signature, now)
            with held.lock:
                if held.signature == signature:
                    held.view, held.drawing = fresh.view, False
                    return


def _opening() -> OpeningError:
    return OpeningError(Text("The newest run is being opened. This page will follow."), 2.0)


def _patched(held: _Open, acts: tuple[Decision, ...], revisions: Mapping[str, int], now: datetime) -> View:
    """Give the last audit with what was decided since: judgements at once, plan and findings later."""
    assert held.view is not None  # noqa: S101 - the caller has seen it
    senders = app.decided(held.case.evidence, held.case.inventory, acts, now)
    judged = {each.id: each for each in senders}
    simulations = tuple(
        replace(
            simulation,
            senders=tuple(
                replace(each, judgement=judged[each.sender].judgement)
                if judged[each.sender].judgement is not each.judgement
                else each
                for each in simulation.senders
                # Who was joined or set apart since is replayed when the audit is drawn.
                if each.sender in judged
            ),
        )
        for simulation in held.view.audit.simulations
    )
    audit = replace(held.view.audit, senders=senders, simulations=simulations)
    return View(held.run, held.case, audit, False, acts, judgements(acts), revisions, judged)
