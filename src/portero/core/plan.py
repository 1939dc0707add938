"""The plan: steps that close the open door, ordered so that no mail that must be kept is refused on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from portero.core import plan_steps as write
from portero.core.controls import Control, parse_control
from portero.core.exchange.settings import Settings, Tenant
from portero.core.finding import Finding, Outcome
from portero.core.plan_lock import Lock, find_lock
from portero.core.plan_steps import Draft
from portero.core.plan_ways import give_ways_in, needs
from portero.core.sender import Path, Sender
from portero.core.simulate import Replay
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.step import Step
from portero.core.text import Text
from portero.core.ways_in import must_keep

_PERMISSIONS = ("SPOOF-04", "SPAM-01", "SPAM-02", "SPAM-03", "RULE-01", "CON-05", "CON-06")


@dataclass(frozen=True, slots=True)
class PrefixReplay:
    """
    What the plan up to a step would do to mail that must be kept, in unique mails; `n` is the step's number.

    refused, undetermined: beyond what the settings as they are do already.
    refused is zero for every prefix of a plan that `make_plan` gives.
    """

    n: int
    refused: int
    undetermined: int


def plan_controls(steps: Sequence[Step]) -> tuple[Control, ...]:
    """Give the controls of all steps together, in the plan's order, each once."""
    return tuple(
        parse_control(text) for text in dict.fromkeys(each for step in steps for each in step.controls)
    )


def moved_by(steps: Sequence[Step]) -> frozenset[str]:
    """Name the senders that use another way in once these steps are done."""
    return frozenset(identity for step in steps for identity in step.moved)


def simulate_plan(replay: Replay, steps: Sequence[Step]) -> Simulation:
    """
    Replay the plan's controls together; mail of senders that the plan moves is kept, as the steps' checks demand.

    Abuse is never moved, so what the plan refuses is what it refuses of the recorded mail.
    """
    return _settled(replay.of(plan_controls(steps)), moved_by(steps))


def _settled(found: Simulation, moved: frozenset[str]) -> Simulation:
    why = Text("It uses another way in by then, which the plan has proven before it refuses anything.")
    effects = [
        replace(
            each,
            effect=Effect.KEPT,
            refused=0,
            undetermined=0,
            kept=each.refused + each.kept + each.undetermined,
            reply=None,
            because=why,
        )
        if each.sender in moved
        else each
        for each in found.senders
    ]
    effects.sort(key=lambda each: (-each.refused, -each.undetermined, -each.kept, each.sender))
    return Simulation(found.controls, tuple(effects))


def replay_prefixes(steps: Sequence[Step], replay: Replay) -> list[PrefixReplay]:
    """
    Replay the recorded mail after each step, leaving out senders moved by then.

    Source: architecture section 4, an order of steps is safe only if every prefix is.
    """
    kept = {sender.id for sender in replay.senders if must_keep(sender)}
    today = {each.sender: each for each in replay.of(()).senders}
    replayed: list[PrefixReplay] = []
    moved: set[str] = set()
    worse: dict[str, tuple[int, int]] = {}
    for number, step in enumerate(steps, 1):
        # A way in added to the others refuses nothing, so only a step that brings another control is replayed anew.
        if number == 1 or any(not text.startswith("allow=") for text in step.controls):
            found = replay.of(plan_controls(steps[:number]))
            worse = {
                each.sender: more
                for each in found.senders
                if each.sender in kept and any(more := _beyond(each, today[each.sender]))
            }
        moved.update(step.moved)
        staying = [more for sender, more in worse.items() if sender not in moved]
        replayed.append(
            PrefixReplay(step.n, sum(more[0] for more in staying), sum(more[1] for more in staying))
        )
    return replayed


def _beyond(then: SenderEffect, today: SenderEffect) -> tuple[int, int]:
    """Give how many mails more are refused, and left undetermined, than today."""
    return max(0, then.refused - today.refused), max(0, then.undetermined - today.undetermined)


def make_plan(replay: Replay, tenant: Tenant, findings: Sequence[Finding]) -> tuple[Step, ...]:
    """
    Write the plan, replay its every prefix, and leave out any control whose replay would refuse mail to keep.

    The order is that of the controls catalogue R8. A control that is left out stands in the plan as a step that
    refuses nothing and says how much mail stood against it.
    """
    left_out: dict[str, int] = {}
    while True:
        steps = _write(replay, tenant, findings, left_out)
        unsafe = next((each for each in replay_prefixes(steps, replay) if each.refused), None)
        if unsafe is None:
            return steps
        controls = [text for text in steps[unsafe.n - 1].controls if text not in left_out]
        if not controls:
            # Nothing is left to leave out, so the plan ends before the step: every prefix up to there is safe.
            return steps[: unsafe.n - 1]
        left_out.update(dict.fromkeys(controls, unsafe.refused))


def _write(
    replay: Replay, tenant: Tenant, findings: Sequence[Finding], left_out: dict[str, int]
) -> tuple[Step, ...]:
    senders, settings = replay.senders, replay.settings
    draft = Draft(left_out)
    failed = [each for each in findings if each.outcome in {Outcome.FAIL, Outcome.WARN}]
    write.measure(draft, findings)
    found_lock = find_lock(senders, settings)
    lock = None if found_lock is None or found_lock.control in left_out else found_lock
    refusing = _refusing(settings, lock, left_out)
    needing = needs(senders, settings, refusing)
    write.decide(draft, [each for each in senders if not each.legitimate and must_keep(each)])
    for finding in failed:
        if finding.id in _PERMISSIONS and finding.outcome is Outcome.FAIL:
            write.remove_permission(draft, finding)
    write.authentication(draft, [each for each in failed if each.id.startswith(("DNS-", "SPOOF-0"))])
    ready = give_ways_in(draft, senders, needing, settings, lock is not None)
    _close(draft, replay, tenant, lock, ready, left_out)
    if found_lock is not None and lock is None:
        write.not_yet(draft, found_lock.control, left_out[found_lock.control])
    _raise_dmarc(draft, replay)
    _close_basic(draft, replay)
    write.egress(draft)
    return draft.steps()


def _refusing(settings: Settings, lock: Lock | None, left_out: dict[str, int]) -> list[str]:
    controls = [lock.control] if lock else []
    if settings.reject_direct_send is not True and "reject-direct-send" not in left_out:
        controls.append("reject-direct-send")
    return controls


def _close(
    draft: Draft,
    replay: Replay,
    tenant: Tenant,
    lock: Lock | None,
    ready: tuple[int, ...],
    left_out: dict[str, int],
) -> None:
    if lock is not None:
        numbers = _expected(draft, replay, lock.control)
        ready = (*ready, write.lock(draft, lock, numbers, ready))
    if replay.settings.reject_direct_send is True:
        return
    if "reject-direct-send" in left_out:
        write.not_yet(draft, "reject-direct-send", left_out["reject-direct-send"])
        return
    write.reject(draft, tenant, _expected(draft, replay, "reject-direct-send"), ready)


def _expected(draft: Draft, replay: Replay, control: str) -> Simulation:
    steps = draft.steps()
    found = replay.of((*plan_controls(steps), parse_control(control)))
    return _settled(found, moved_by(steps))


def _raise_dmarc(draft: Draft, replay: Replay) -> None:
    """Raise DMARC for each own domain that people see in mail, where no mail to keep fails or is in doubt."""
    senders = replay.senders
    seen = {name for sender in senders for name in sender.header_from_domains}
    for domain in sorted(
        held.name for held in replay.settings.accepted_domains if held.name in seen and not held.initial
    ):
        control = f"dmarc={domain}:reject"
        before = moved_by(draft.steps())
        found = _expected(draft, replay, control)
        gained = _against(found, replay.of(plan_controls(draft.steps())), senders, before)
        if gained or control in draft.left_out:
            write.dmarc_later(draft, domain, gained)
        else:
            reported = sum(sender.outside for sender in senders if domain in sender.header_from_domains)
            write.dmarc(draft, domain, found, reported)


def _against(
    found: Simulation, base: Simulation, senders: Sequence[Sender], moved: frozenset[str]
) -> list[tuple[Sender, int]]:
    """Name the senders to keep of which a control would refuse, or put in doubt, more than the plan so far does."""
    by_id = {sender.id: sender for sender in senders}
    earlier = {each.sender: each for each in base.senders}
    return [
        (by_id[each.sender], each.refused + each.undetermined)
        for each in found.senders
        if each.sender not in moved
        and must_keep(by_id[each.sender])
        and each.refused + each.undetermined
        > earlier[each.sender].refused + earlier[each.sender].undetermined
    ]


def _close_basic(draft: Draft, replay: Replay) -> None:
    senders, steps = replay.senders, draft.steps()
    base = replay.of(plan_controls(steps))
    found = _expected(draft, replay, "smtp-basic-off")
    # Senders that the plan has moved to credentials already were moved to OAuth.
    concerned = _against(found, base, senders, moved_by(steps))
    if concerned:
        write.prepare_oauth(draft, concerned)
    if "smtp-basic-off" in draft.left_out:
        write.not_yet(draft, "smtp-basic-off", draft.left_out["smtp-basic-off"])
    elif any(sender.path is Path.AUTHENTICATED for sender in senders) or concerned:
        write.basic_off(draft, found)
