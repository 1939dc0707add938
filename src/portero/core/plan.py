"""The plan: steps that close the open door, ordered so that no mail that must be kept is refused on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from portero.core import plan_steps as write
from portero.core.controls import Control, apply_controls, parse_control
from portero.core.exchange.attribution import author_domain, through_gateway
from portero.core.exchange.author_policy import judged_in_front
from portero.core.exchange.new_connector import connector_blocks
from portero.core.exchange.settings import Settings, Tenant
from portero.core.finding import Finding, Outcome
from portero.core.plan_lock import Lock, find_lock
from portero.core.plan_needs import Need, cut_off, needs
from portero.core.plan_order import Closing, best_order
from portero.core.plan_steps import Draft
from portero.core.plan_ways import give_ways_in
from portero.core.records import Records
from portero.core.sender import Kind, Path, Sender
from portero.core.simulate import Replay, most_refused_first
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.step import Step
from portero.core.text import Text
from portero.core.waves import duration
from portero.core.ways_in import meet_neighbours

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
    if not moved:
        return Simulation(found.controls, found.senders)
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
    return Simulation(found.controls, tuple(most_refused_first(effects)))


def replay_prefixes(steps: Sequence[Step], replay: Replay) -> list[PrefixReplay]:
    """
    Replay the recorded mail after each step, leaving out senders moved by then.

    Source: architecture section 4, an order of steps is safe only if every prefix is.
    """
    today = {each.sender: each for each in replay.of(()).senders if each.sender in replay.to_keep}
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
                if each.sender in today and any(more := _beyond(each, today[each.sender]))
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

    The order is that of the controls catalogue R8, but for the controls that refuse mail: of all orders that keep the
    same mail safe they take the one with the least abuse still coming in (`best_order`). A control that is left out stands
    in the plan as a step that refuses nothing and says how much mail stood against it. Without any recorded mail
    no step refuses any.
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
    seen = any(sender.mails for sender in senders)
    write.measure(draft, findings, seen=seen)
    # Where the MX is Microsoft's, or not known, the lock would refuse what strangers rightly deliver there.
    found_lock = find_lock(senders, settings) if settings.mx_at_microsoft is False else None
    lock = None if found_lock is None or found_lock.control in left_out else found_lock
    write.decide(draft, [each for each in replay.to_keep.values() if not each.legitimate])
    for finding in failed:
        if finding.id in _PERMISSIONS and finding.outcome is Outcome.FAIL:
            hybrid = [each for each in replay.to_keep.values() if each.kind is Kind.HYBRID]
            used = [each for each in hybrid if finding.id == "CON-06" and each.connector in finding.subjects]
            if used:
                write.ask_about_hybrid(draft, finding, used)
            else:
                write.remove_permission(draft, finding)
    write.authentication(draft, [each for each in failed if each.id.startswith(("DNS-", "SPOOF-0"))])
    if not seen:
        # A replay of nothing shows nothing to be safe, so no control that refuses mail comes before there is some.
        return draft.steps()
    _prepare_basic(draft, replay)
    refusing = _refusing(settings, lock, left_out)
    needing = needs(replay, refusing) if refusing else cut_off(replay)
    if refusing:
        _dry_run(draft, replay, tenant, needing)
    ahead = Draft(left_out)
    neighbours = meet_neighbours(senders)
    give_ways_in(ahead, neighbours, needing, replay, tenant, lock)
    closings = {each.control: each for each in best_order(*_closings(replay, lock, ahead.steps(), left_out))}
    ready: tuple[int, ...] | None = None
    if needing and not refusing:
        # Whoever is cut off already waits for nothing.
        ready = give_ways_in(draft, neighbours, needing, replay, tenant, lock)
    for control in _all_controls(replay, closings):
        waits = control in closings and closings[control].waits
        if waits and ready is None:
            ready = give_ways_in(draft, neighbours, needing, replay, tenant, lock)
        if lock is not None and control == lock.control:
            write.lock(
                draft, tenant, lock, _expected(draft, replay, control), _so_far(draft, replay), ready or ()
            )
        elif control == "reject-direct-send":
            after = (*(ready or ()), *draft.numbers("lock"))
            write.reject(draft, tenant, _expected(draft, replay, control), _so_far(draft, replay), after)
        elif control == _BASIC:
            _close_basic(draft, replay)
        else:
            _raise_dmarc(draft, replay, control, (ready or ()) if waits else ())
    for control in (found_lock.control if found_lock else "", "reject-direct-send"):
        if control in left_out:
            write.not_yet(draft, control, left_out[control])
    write.egress(draft)
    return draft.steps()


def _dry_run(draft: Draft, replay: Replay, tenant: Tenant, needing: Sequence[Need]) -> None:
    """Let a rule report, before anything is refused, the doubtful mail of which it would settle whether it is anonymous."""
    doubtful = {need.sender.id: need for need in needing if need.undetermined}
    if not doubtful:
        return
    # Rules see the last hop, through which everybody's mail comes behind a gateway.
    last_hops = ",".join(
        each for each in replay.settings.gateway_networks if connector_blocks((each,)) is not None
    )
    rule = parse_control("mail-flow-rule=audit" + (f":{last_hops}" if last_hops else ""))
    concerned = [
        (need.sender, min(need.undetermined, each.perhaps_caught))
        for each in replay.of((rule,)).senders
        if (need := doubtful.get(each.sender)) is not None and each.perhaps_caught
    ]
    if concerned:
        concerned.sort(key=lambda each: (-each[1], each[0].id))
        write.dry_run(draft, tenant, apply_controls(replay.settings, (rule,)), concerned)


_BASIC = "smtp-basic-off"


def _refusing(settings: Settings, lock: Lock | None, left_out: dict[str, int]) -> list[str]:
    controls = [lock.control] if lock else []
    if settings.reject_direct_send is not True and "reject-direct-send" not in left_out:
        controls.append("reject-direct-send")
    return controls


def _all_controls(replay: Replay, ordered: Iterable[str]) -> list[str]:
    """Give the ordered controls with those that may not be used yet, of which the plan says why: behind, before Basic."""
    controls = list(ordered)
    basic = controls.pop() if controls[-1:] == [_BASIC] else _BASIC
    controls += [each for each in (*_dmarc_controls(replay), basic) if each not in controls]
    return controls


def _closings(
    replay: Replay, lock: Lock | None, ahead: Sequence[Step], left_out: dict[str, int]
) -> tuple[list[Closing], dict[frozenset[str], int], int]:
    """
    Give the controls to be ordered, the abuse by the controls that refuse it, and the days that the ways in take.

    ahead:  the steps that give senders their other ways in.
    A domain's DMARC waits for them where it would touch mail to keep that they move. Where it would touch other mail to
    keep, it is not among them; nor is a control that is left out.
    """
    moved = moved_by(ahead)
    refusing = _refusing(replay.settings, lock, left_out)
    closings = [
        Closing(control, waits=True, after=frozenset(refusing[:number]))
        for number, control in enumerate(refusing)
    ]
    today = replay.of(())
    for control in _dmarc_controls(replay):
        touched = {
            each.id
            for each, _ in _against(replay.of((parse_control(control),)), today, replay.to_keep, frozenset())
        }
        if touched <= moved and control not in left_out:
            closings.append(Closing(control, waits=bool(touched)))
    if _BASIC not in left_out and any(each.path is Path.AUTHENTICATED for each in replay.senders):
        closings.append(Closing(_BASIC, waits=True, lead=_PREPARED))
    alone = [
        replay.refusals(tuple(map(parse_control, (*refusing[: len(each.after)], each.control))))
        for each in closings
    ]
    mails: Counter[tuple[bool, ...]] = Counter()
    for (sender, flow), *by in zip(replay.flows(), *alone, strict=True):
        if sender.id not in replay.to_keep:
            mails[*by,] += flow.facts.mails
    abuse = {
        frozenset(each.control for each, refuses in zip(closings, by, strict=True) if refuses): number
        for by, number in mails.items()
        if any(by)
    }
    return closings, abuse, duration(ahead, replay.senders)


# Days to move submissions from Basic to OAuth, and to see that it holds.
_PREPARED = 8


def _expected(draft: Draft, replay: Replay, control: str) -> Simulation:
    steps = draft.steps()
    found = replay.of((*plan_controls(steps), parse_control(control)))
    return _settled(found, moved_by(steps))


def _so_far(draft: Draft, replay: Replay) -> Simulation:
    steps = draft.steps()
    return _settled(replay.of(plan_controls(steps)), moved_by(steps))


def _dmarc_controls(replay: Replay) -> list[str]:
    """Give DMARC at reject for each own domain that people see in mail."""
    seen = {name for sender in replay.senders for name in sender.header_from_domains}
    held = replay.settings.accepted_domains
    return [
        f"dmarc={name}:reject"
        for name in sorted(each.name for each in held if not each.initial)
        if name in seen
    ]


def _raise_dmarc(draft: Draft, replay: Replay, control: str, ready: tuple[int, ...]) -> None:
    """Raise DMARC of one domain, where no mail to keep fails or is in doubt."""
    domain = control.removeprefix("dmarc=").removesuffix(":reject")
    before = moved_by(draft.steps())
    found = _expected(draft, replay, control)
    gained = _against(found, replay.of(plan_controls(draft.steps())), replay.to_keep, before)
    gained += _failing_in_front(replay, domain, before | {each.id for each, _ in gained})
    if gained or control in draft.left_out:
        write.dmarc_later(draft, domain, gained)
    else:
        reported = sum(sender.outside for sender in replay.senders if domain in sender.header_from_domains)
        write.dmarc(draft, domain, found, _so_far(draft, replay), reported, ready)


def _against(
    found: Simulation, base: Simulation, to_keep: Mapping[str, Sender], moved: frozenset[str]
) -> list[tuple[Sender, int]]:
    """Name the senders to keep of which a control would refuse, or put in doubt, more than the plan so far does."""
    earlier = {
        each.sender: each.refused + each.undetermined for each in base.senders if each.sender in to_keep
    }
    return [
        (to_keep[each.sender], each.refused + each.undetermined)
        for each in found.senders
        if each.sender in to_keep
        and each.sender not in moved
        and each.refused + each.undetermined > earlier[each.sender]
    ]


def _failing_in_front(replay: Replay, domain: str, known: Collection[str]) -> list[tuple[Sender, int]]:
    """Name the senders to keep whose mail a gateway in front may refuse for DMARC, before Exchange Online sees it."""
    settings = replay.settings
    records = Records(settings)
    if not judged_in_front(settings) or records.policy(domain) in {"quarantine", "reject"}:
        return []
    found = []
    for sender in replay.to_keep.values():
        failing = [
            flow.facts.mails
            for flow in sender.flows
            if author_domain(flow.key) == domain
            and through_gateway(flow.key, settings)
            and records.wants_a_signature(flow)
        ]
        if sender.id not in known and any(failing):
            found.append((sender, sum(failing)))
    return found


def _prepare_basic(draft: Draft, replay: Replay) -> None:
    """Move submissions to OAuth before anything else is moved: Microsoft's day for Basic waits for no control of ours."""
    before = replay.of(plan_controls(draft.steps()))
    found = _expected(draft, replay, "smtp-basic-off")
    concerned = _against(found, before, replay.to_keep, moved_by(draft.steps()))
    refused = {each.sender for each in found.senders if each.refused}
    seen = [each for each in concerned if each[0].path is Path.AUTHENTICATED or each[0].id in refused]
    unseen = [each for each in concerned if each not in seen]
    if unseen:
        write.find_basic(draft, unseen)
    if seen:
        write.prepare_oauth(draft, seen)


def _close_basic(draft: Draft, replay: Replay) -> None:
    concerned = draft.numbers("find-basic", "oauth")
    if "smtp-basic-off" in draft.left_out:
        write.not_yet(draft, "smtp-basic-off", draft.left_out["smtp-basic-off"])
    elif concerned or any(sender.path is Path.AUTHENTICATED for sender in replay.senders):
        write.basic_off(draft, _expected(draft, replay, "smtp-basic-off"), _so_far(draft, replay))
