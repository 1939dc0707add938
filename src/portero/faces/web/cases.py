"""The newest run of each organisation, opened: its audit as evidence and people's decisions make it now."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from portero.app import audits, decisions, trials
from portero.app.evidence import Case
from portero.core.acceptance import Rules
from portero.core.audit import Audit
from portero.core.changes import Change, changes
from portero.core.controls import Control
from portero.core.decision import Decision, judgements
from portero.core.evidence import Origin
from portero.core.exchange.decision import Decision as Fate
from portero.core.finding import Finding, Profile
from portero.core.flow import Flow
from portero.core.ledger import Run
from portero.core.sender import Sender
from portero.core.simulate import Replay
from portero.core.simulation import Simulation
from portero.core.text import Text
from portero.errors import InputError, SourceUnavailable
from portero.faces.web.made import Made
from portero.faces.web.ports import State, Work

# Cases held open; the one nobody asked for longest is closed first.
_OPEN = 6
# Content larger than this is opened beside the request, which then says so instead of waiting.
_QUICK_OCTETS = 1 << 20
# An audit that took longer than this to draw is drawn again beside the request.
_QUICK_SECONDS = 0.8
# What pages derive of one audit, and rehearsals of one run, that are kept; a rehearsal holds a row for every sender.
_DERIVED = 200
_REHEARSED = 24
_Signature = tuple[date, tuple[tuple[str, int], ...], Rules]


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
    rules:      what the organisation accepts of its posture and what it approved; the case and the audit follow them.
    made:       what pages derive of the audit, by their own names; it goes when the audit changes.
    rehearsed:  replays of the audit's mail, by controls.
    mark:       names this sight of the organisation, so that whoever has a page of it can be told it is the same.
    """

    run: Run
    case: Case
    audit: Audit
    settled: bool
    acts: tuple[Decision, ...]
    decisions: Mapping[str, Decision]
    revisions: Mapping[str, int]
    senders: Mapping[str, Sender]
    rules: Rules
    made: Made = field(default_factory=lambda: Made(_DERIVED))
    rehearsed: Made = field(default_factory=lambda: Made(_REHEARSED))
    mark: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass
class _Open:
    # As it was read, and with what the organisation accepts and approved.
    read: Case
    case: Case
    run: Run
    lock: threading.Lock
    rules: Rules = field(default_factory=Rules)
    version: tuple[date, int] | None = None
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
        self._failed: dict[str, Exception] = {}
        self._pool = ThreadPoolExecutor(1, "portero-case")
        # What pages wish to have at hand before the first reader of a large run comes.
        self.prepare: Callable[[View], None] = lambda _: None

    def close(self) -> None:
        """Wait for what is being drawn."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def newest(self, organisation: str) -> View | None:
        """Give the organisation's newest run; None before the first. Raises OpeningError while it is being opened."""
        return self._nth(organisation, 0)

    def changes(self, organisation: str) -> tuple[View, View, tuple[Change, ...]] | None:
        """Compare the newest run with the one before it; None where there are not two. Raises as `newest` does."""
        after, before = self._nth(organisation, 0), self._nth(organisation, 1)
        if after is None or before is None:
            return None
        was, now = before.case.inventory.senders, after.case.inventory.senders
        made = after.made.once(("changes", before.mark), lambda: changes(before.audit, after.audit, was, now))
        return before, after, made

    def _nth(self, organisation: str, n: int) -> View | None:
        runs = self._state.runs(organisation, n + 1)
        return self._view(organisation, self._opened(organisation, runs[n])) if len(runs) > n else None

    def rehearse(self, view: View, controls: tuple[Control, ...]) -> Simulation:
        """Replay controls together; remembers the answer. Raises ConfigError for one without object."""
        texts = tuple(control.text for control in controls)
        # The audit has replayed each standing control alone; its last simulation is the plan's, whose senders move.
        alone = next((each for each in view.audit.simulations[:-1] if each.controls == texts), None)
        # Who was joined or set apart since is in none of them until the audit is drawn again.
        if alone is not None and len(alone.senders) == len(view.senders):
            return alone
        trials.need_object(view.case.evidence, controls)
        mail = view.made.once("rehearsals", lambda: _Rehearsals(view))
        return view.rehearsed.once(texts, lambda: mail.of(controls))

    def findings(self, view: View, profile: Profile) -> tuple[Finding, ...]:
        """Give what the checks say by the thresholds of a profile; the audit was drawn by the standard ones."""
        if profile is Profile.STANDARD:
            return view.audit.findings
        mail = view.made.once("rehearsals", lambda: _Rehearsals(view))
        return view.made.once(("checked", profile), lambda: mail.checked(view, profile))

    def fates(self, view: View, sender: Sender, controls: tuple[Control, ...]) -> Sequence[tuple[Flow, Fate]]:
        """Give what becomes of each way in which a sender sends. Raises ConfigError for a control without object."""
        trials.need_object(view.case.evidence, controls)
        return view.made.once("rehearsals", lambda: _Rehearsals(view)).fates(sender, controls)

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
            held = _Open(case, case, run, threading.Lock())
            if len(content) > _QUICK_OCTETS:
                self.prepare(self._view(organisation, held))
            with self._lock:
                self._open[run.id] = held
                while len(self._open) > _OPEN:
                    self._open.popitem(last=False)
            return held
        except Exception as error:
            # Beside a request nobody is told, so whoever asks next must be.
            self._failed[run.id] = error
            raise
        finally:
            self._opening.discard(run.id)

    def _view(self, organisation: str, held: _Open) -> View:
        now = datetime.now(UTC)
        # A decision can run out over night. Read first: what changes while decisions are read makes them read again.
        version = (now.date(), self._state.version(organisation))
        with held.lock:
            if held.view is not None and held.version == version:
                return held.view
            revisions = self._state.revisions(organisation)
            acts = self._state.decisions(organisation)
            rules = self._follow(organisation, held)
            signature = (now.date(), tuple(sorted(revisions.items())), rules)
            if held.view is None or (held.signature != signature and held.seconds <= _QUICK_SECONDS):
                self._draw(held, acts, revisions, signature, now)
            elif held.signature != signature:
                held.view = _patched(held, acts, revisions, now)
                held.signature = signature
                if not held.drawing:
                    held.drawing = True
                    self._pool.submit(self._redraw, organisation, held)
            held.version = version
            assert held.view is not None  # noqa: S101 - every branch made it or found it
            return held.view

    def _follow(self, organisation: str, held: _Open) -> Rules:
        """Have a run follow what the organisation accepts and approved now."""
        rules = self._state.rules(organisation)
        if rules != held.rules:
            evidence = held.read.evidence
            ours = tuple(each.acceptance for each in rules.accepted)
            settings = evidence.configuration
            settings = replace(settings, acceptances=(*settings.acceptances, *ours))
            approved = self._state.approved_settings(organisation) if rules.approval else evidence.approved
            held.case = replace(
                held.read, evidence=replace(evidence, configuration=settings, approved=approved)
            )
            held.rules = rules
        return rules

    def _draw(
        self,
        held: _Open,
        acts: tuple[Decision, ...],
        revisions: Mapping[str, int],
        signature: _Signature,
        now: datetime,
    ) -> None:
        started = time.perf_counter()
        audit = audits.conclude(
            held.case.evidence, held.case.inventory, acts, now, Profile.STANDARD, lambda _: None
        )  # fmt: skip
        held.seconds = time.perf_counter() - started
        held.view = View(
            held.run, held.case, audit, True, acts, judgements(acts), revisions,
            {each.id: each for each in audit.senders}, held.rules,
        )  # fmt: skip
        held.signature = signature

    def _redraw(self, organisation: str, held: _Open) -> None:
        while True:
            now = datetime.now(UTC)
            revisions = self._state.revisions(organisation)
            acts = self._state.decisions(organisation)
            fresh = replace(held, view=None, lock=threading.Lock())
            signature = (now.date(), tuple(sorted(revisions.items())), self._follow(organisation, fresh))
            self._draw(fresh, acts, revisions, signature, now)
            assert fresh.view is not None  # noqa: S101 - it was just drawn
            self.prepare(fresh.view)
            with held.lock:
                if held.signature == signature:
                    held.view, held.drawing = fresh.view, False
                    return


class _Rehearsals:
    """The mail of one audit, put to one choice of controls after another."""

    def __init__(self, view: View) -> None:
        self._mail = (view.audit.senders, view.case.inventory.settings, view.case.inventory.outside)
        self._lock = threading.Lock()
        self._replay: Replay | None = None
        self._asked = 0

    def of(self, controls: Sequence[Control]) -> Simulation:
        """Replay controls together."""
        with self._lock:
            # A replay never forgets an answer, and each holds a row for every sender.
            if self._replay is None or self._asked >= _REHEARSED:
                self._replay, self._asked = Replay(*self._mail), 0
            self._asked += 1
            return self._replay.of(controls)

    def checked(self, view: View, profile: Profile) -> tuple[Finding, ...]:
        """Put every check to the evidence by the thresholds of a profile."""
        inventory = replace(view.case.inventory, senders=view.audit.senders)
        with self._lock:
            if self._replay is None:
                self._replay = Replay(*self._mail)
            return audits.judge_posture(
                view.case.evidence, inventory, self._replay, view.audit.simulations[:-1], datetime.now(UTC), profile
            )  # fmt: skip

    def fates(self, sender: Sender, controls: Sequence[Control]) -> Sequence[tuple[Flow, Fate]]:
        """Put the ways of one sender to controls."""
        with self._lock:
            if self._replay is None:
                self._replay = Replay(*self._mail)
            return self._replay.fates(sender, controls)


def _opening() -> OpeningError:
    return OpeningError(Text("The newest run is being opened. This page will follow."), 2.0)


def _patched(held: _Open, acts: tuple[Decision, ...], revisions: Mapping[str, int], now: datetime) -> View:
    """Give the last audit with what was decided since: judgements at once, plan and findings later."""
    assert held.view is not None  # noqa: S101 - the caller has seen it
    senders = decisions.decided(held.case.evidence, held.case.inventory, acts, now)
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
    accepted = held.case.evidence.configuration.acceptances
    findings = tuple(each.with_acceptances(accepted, now) for each in held.view.audit.findings)
    audit = replace(held.view.audit, senders=senders, simulations=simulations, findings=findings)
    return View(held.run, held.case, audit, False, acts, judgements(acts), revisions, judged, held.rules)
