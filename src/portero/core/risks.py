"""The risk register of a plan: what each step may break, how the evidence speaks to it, who watches for it and what then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portero.core.flow import calendar_week
from portero.core.hosts import Host
from portero.core.plan import plan_controls
from portero.core.plan_steps import ADMINISTRATOR, DNS, NETWORK, SENDER_OWNER
from portero.core.sender import DecidedBy, Judgement
from portero.core.simulate import Replay
from portero.core.simulation import SenderEffect
from portero.core.step import Step
from portero.core.text import Text, count
from portero.core.ways_in import must_keep


class Likelihood(StrEnum):
    """How likely something is, by the evidence alone."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"
    UNSEEN = "unseen"  # the evidence cannot show it


@dataclass(frozen=True, slots=True)
class Risk:
    """
    Something that a step may break.

    step:     its number in the plan.
    what:     what happens, and to whom.
    why:      what the likelihood rests on.
    senders:  ids of those concerned, most mail first; mails counts their recorded mails that are concerned.
    owner:    who watches for it and answers.
    sign:     by what it is noticed.
    answer:   what is done then.
    """

    step: int
    what: Text
    likelihood: Likelihood
    why: Text
    owner: Text
    sign: Text
    answer: Text
    senders: tuple[str, ...] = ()
    mails: int = 0


# As many senders are named in a sentence; the register lists all.
_NAMED = 3
# A judgement less certain than this is worth a second look before it refuses mail.
_SURE = 0.95
# Probability from which a wrong judgement is more than unlikely.
_DOUBTFUL = 0.1
# Days of evidence in which a job that runs once a quarter is seen.
_QUARTER = 92


def assess(
    steps: Sequence[Step],
    replay: Replay,
    window: tuple[datetime, datetime] | None = None,
    hosts: Sequence[Host] = (),
) -> tuple[Risk, ...]:
    """
    List the risks of each step of a plan, in its order.

    window:  aware UTC bounds of the message evidence; None without any.
    hosts:   hosts inside that network evidence shows.
    A step that changes nothing has none.
    """
    return tuple(_Register(replay, window, hosts).of(steps))


class _Register:
    """What is known beside a plan, and how each sender fares after the refusing steps so far."""

    def __init__(
        self, replay: Replay, window: tuple[datetime, datetime] | None, hosts: Sequence[Host]
    ) -> None:
        self._replay, self._window, self._hosts = replay, window, hosts
        self._senders = {each.id: each for each in replay.senders}

    def of(self, steps: Sequence[Step]) -> Iterator[Risk]:
        before = _by_sender(self._replay.of(()).senders)
        ways: list[Step] = []
        for number, step in enumerate(steps, 1):
            if step.refuses:
                after = _by_sender(self._replay.of(plan_controls(steps[:number])).senders)
                yield from self._refusing(step, before, after, ways)
                before = after
            elif step.controls or step.moved:
                ways.append(step)
                yield from self._way_in(step)
            elif step.name == "decide":
                yield self._deciding(step)
            elif step.name == "permission":
                yield _permission(step)
            elif step.name == "authentication":
                yield _records(step)
            elif step.name == "egress":
                yield self._egress(step)

    # ------------------------------------------------------------------ steps that refuse mail

    def _refusing(
        self,
        step: Step,
        before: Mapping[str, SenderEffect],
        after: Mapping[str, SenderEffect],
        ways: Sequence[Step],
    ) -> Iterator[Risk]:
        more = {
            each: (now.refused - before[each].refused, now.undetermined - before[each].undetermined)
            for each, now in after.items()
        }
        yield from self._doubtful(
            step, {each: doubt for each, (_, doubt) in more.items() if doubt > 0}, after, ways
        )
        yield from self._relying(step, ways)
        yield from self._misjudged(step, {each: lost for each, (lost, _) in more.items() if lost > 0})
        if step.name == "lock":
            yield _beside_the_gateway(step)
        if step.name == "dmarc":
            yield self._elsewhere(step)
        yield self._rare(step)

    def _doubtful(
        self,
        step: Step,
        doubt: Mapping[str, int],
        after: Mapping[str, SenderEffect],
        ways: Sequence[Step],
    ) -> Iterator[Risk]:
        moved = {each for way in ways for each in way.moved}
        kept = {each for each in doubt if each not in moved and must_keep(self._senders[each])}
        held = self._most(doubt, kept)
        if held:
            mails = sum(doubt[each] for each in held)
            yield Risk(
                step.n,
                count(
                    "{n} mail of {senders} may be refused.",
                    "{n} mails of {senders} may be refused.",
                    mails,
                    senders=self._names(held),
                ),
                Likelihood.UNSEEN,
                Text("The evidence does not settle its fate. {why}", why=after[held[0]].because),
                self._owner(held),
                _silent(step),
                Text(
                    "Settle it by a test mail of theirs before the step. Afterwards: {undo}", undo=step.undo
                ),
                held,
                mails,
            )

    def _relying(self, step: Step, ways: Sequence[Step]) -> Iterator[Risk]:
        """Tell of senders that have another way in by now: the replay takes it for used, the evidence cannot show it."""
        for moved in (True, False):
            held: dict[str, list[int]] = {}
            for way in ways:
                if way.n in step.after:
                    for each in way.senders:
                        if (each in way.moved) is moved:
                            held.setdefault(each, []).append(way.n)
            mails = {each: self._senders[each].mails for each in held if each in self._senders}
            senders = self._most(mails, mails)
            if not senders:
                continue
            if moved:
                likelihood = Likelihood.POSSIBLE
                numbers = sorted({number for each in senders for number in held[each]})
                why = count(
                    "No recorded mail shows them on the new way yet: the plan counts on the check of step {steps}.",
                    "No recorded mail shows them on the new way yet: the plan counts on the checks of steps {steps}.",
                    len(numbers),
                    steps=tuple(map(str, numbers)),
                )
            else:
                likelihood = Likelihood.UNLIKELY if self._steady(senders) else Likelihood.POSSIBLE
                why = (
                    Text("Each was seen at its listed addresses for four weeks and more.")
                    if likelihood is Likelihood.UNLIKELY
                    else Text(
                        "Some were seen at their listed addresses for less than four weeks, and may move on."
                    )
                )
            yield Risk(
                step.n,
                count(
                    "{senders} is cut off where its new way in is not in use.",
                    "{senders} are cut off where their new way in is not in use.",
                    len(senders),
                    senders=self._names(senders),
                ),
                likelihood,
                why,
                self._owner(senders),
                _silent(step),
                Text(
                    "{undo} Do so within the hour, and repeat the check of the step that gave the sender its way in.",
                    undo=step.undo,
                ),
                senders,
                sum(mails.values()),
            )

    def _misjudged(self, step: Step, lost: Mapping[str, int]) -> Iterator[Risk]:
        held = sorted(
            (
                self._senders[each]
                for each in lost
                if self._senders[each].judgement is Judgement.ABUSE
                and self._senders[each].decided_by is DecidedBy.EVIDENCE
                and self._senders[each].confidence < _SURE
            ),
            key=lambda each: (each.confidence, each.id),
        )
        if held:
            least = held[0]
            yield Risk(
                step.n,
                count(
                    "{n} sender judged to be abuse may be wanted after all, first of all {sender}.",
                    "{n} senders judged to be abuse may be wanted after all, first of all {sender}.",
                    len(held),
                    sender=least.label,
                ),
                Likelihood.POSSIBLE if 1 - least.confidence >= _DOUBTFUL else Likelihood.UNLIKELY,
                Text(
                    "By the evidence, the probability that this judgement is right is {share}.",
                    share=least.confidence,
                ),
                ADMINISTRATOR,
                Text("Somebody misses mail from one of them, or its owner gets refusals."),
                Text(
                    "Look at the reasons of each before the step, and record who vouches for it in the register."
                ),
                tuple(each.id for each in held),
                sum(lost[each.id] for each in held),
            )

    def _elsewhere(self, step: Step) -> Risk:
        domains = {text.removeprefix("dmarc=").partition(":")[0] for text in step.controls}
        reported = {
            each.id: each.outside
            for each in self._replay.senders
            if must_keep(each) and each.outside and domains & set(each.header_from_domains)
        }
        held = self._most(reported, reported)
        mails = sum(reported.values())
        return Risk(
            step.n,
            Text("Other people's receivers refuse or quarantine wanted mail that fails DMARC there."),
            Likelihood.POSSIBLE if held else Likelihood.UNSEEN,
            count(
                "They reported {n} mail of senders to keep; the replay covers this tenant's own mail alone.",
                "They reported {n} mails of senders to keep; the replay covers this tenant's own mail alone.",
                mails,
            )
            if held
            else Text("No DMARC report shows how mail of the domain fares elsewhere."),
            DNS,
            Text("The aggregate reports show failing mail of a wanted sender, or its readers miss it."),
            step.undo,
            held,
            mails,
        )

    def _rare(self, step: Step) -> Risk:
        if self._window is None:
            why = Text("There is no message evidence.")
        else:
            days = max(1, (self._window[1] - self._window[0]).days)
            why = count("The evidence covers {n} day.", "The evidence covers {n} days.", days)
            if days < _QUARTER:
                why = Text("{covered} What runs once a quarter need not be in it.", covered=why)
        return Risk(
            step.n,
            Text("Somebody who sends seldom, such as a year-end job, is refused."),
            Likelihood.UNSEEN,
            why,
            ADMINISTRATOR,
            _silent(step),
            Text("{undo} Then give it a way in like the others.", undo=step.undo),
        )

    # ------------------------------------------------------------------ the other steps

    def _way_in(self, step: Step) -> Iterator[Risk]:
        mails = {each: self._senders[each].mails for each in step.senders if each in self._senders}
        held = self._most(mails, mails)
        ranges = tuple(
            each for text in step.controls if text.startswith("allow=") for each in text[6:].split(",")
        )
        if ranges:
            yield Risk(
                step.n,
                Text("Whoever else sends from {ranges} is let in too.", ranges=_some(ranges)),
                Likelihood.UNLIKELY,
                Text(
                    "Nobody else was seen there in the recorded mail. Who shares the addresses, the evidence cannot show."
                ),
                ADMINISTRATOR,
                Text(
                    "Mail through the connector has another From address or EHLO name than these machines'."
                ),
                step.undo,
                held,
                sum(mails.values()),
            )
        if step.moved:
            moved = tuple(each for each in held if each in step.moved)
            yield Risk(
                step.n,
                count(
                    "{senders} sends nothing while it is changed over, or cannot use the new way.",
                    "{senders} send nothing while they are changed over, or cannot use the new way.",
                    len(moved),
                    senders=self._names(moved),
                ),
                Likelihood.POSSIBLE,
                Text("What a machine can be set to do, recorded mail does not show."),
                self._owner(moved),
                Text("No mail of a changed sender arrives within its usual interval."),
                step.undo,
                moved,
                sum(mails[each] for each in moved),
            )

    def _deciding(self, step: Step) -> Risk:
        mails = {each: self._senders[each].mails for each in step.senders if each in self._senders}
        held = self._most(mails, mails)
        return Risk(
            step.n,
            Text("Somebody vouches for a sender that is abuse, or disowns one that is wanted."),
            Likelihood.POSSIBLE,
            count(
                "The evidence leaves {n} sender open, so that the answer alone decides.",
                "The evidence leaves {n} senders open, so that the answer alone decides.",
                len(held),
            ),
            self._owner(held),
            Text(
                "A vouched sender writes to new people or under other names; of a disowned one somebody misses mail."
            ),
            step.undo,
            held,
            sum(mails.values()),
        )

    def _egress(self, step: Step) -> Risk:
        held = sorted(
            (each for each in self._hosts if each.port_25 and not each.relay),
            key=lambda each: (-each.port_25, each.address),
        )
        labels = tuple(each.label for each in held[:_NAMED])
        return Risk(
            step.n,
            Text("A machine inside that still sends by port 25 falls silent."),
            Likelihood.LIKELY if held else Likelihood.UNSEEN,
            count(
                "{n} host that is no relay was seen to use it: {hosts}.",
                "{n} hosts that are no relays were seen to use it, such as {hosts}.",
                len(held),
                hosts=labels,
            )
            if held
            else Text("No network evidence shows who uses it."),
            NETWORK,
            Text("The firewall's log shows refusals from a machine that somebody needs."),
            step.undo,
        )

    # ------------------------------------------------------------------ words

    def _most(self, mails: Mapping[str, int], among: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(among, key=lambda each: (-mails[each], each)))

    def _names(self, held: Sequence[str]) -> tuple[Text, ...]:
        names = tuple(self._senders[each].label for each in held[:_NAMED])
        rest = len(held) - len(names)
        return (*names, count("{n} more", "{n} more", rest)) if rest else names

    def _owner(self, held: Sequence[str]) -> Text:
        """Name who owns the senders, where the register knows it of all of them."""
        owners = dict.fromkeys(self._senders[each].owner for each in held)
        if not owners or None in owners or len(owners) > _NAMED:
            return SENDER_OWNER
        return Text("{names}", names=tuple(owners))

    def _steady(self, held: Sequence[str]) -> bool:
        return all(len({calendar_week(day) for day in self._senders[each].facts.days}) >= 4 for each in held)


def _by_sender(effects: Iterable[SenderEffect]) -> dict[str, SenderEffect]:
    return {each.sender: each for each in effects}


def _some(ranges: Sequence[str]) -> tuple[object, ...]:
    rest = len(ranges) - _NAMED
    return (*ranges[:_NAMED], count("{n} more", "{n} more", rest)) if rest > 0 else tuple(ranges)


# What a refused client is told, by the first word of the control.
_REPLIES = {
    "reject-direct-send": "550 5.7.68",
    "lock-gateway": "550 5.7.51",
    "dmarc": "550 5.7.509",
    "smtp-basic-off": "535 5.7.139",
}


def _silent(step: Step) -> Text:
    """Say how a refusal is noticed: at the client, for Exchange Online's traces do not show it."""
    replies = tuple(
        dict.fromkeys(
            _REPLIES[name] for text in step.controls if (name := text.partition("=")[0]) in _REPLIES
        )
    )
    return Text(
        "A sender is silent beyond its usual interval, and its own log shows {replies}; the message trace shows nothing.",
        replies=replies,
    )


def _beside_the_gateway(step: Step) -> Risk:
    return Risk(
        step.n,
        Text(
            "Mail is refused that never came by the listed addresses: of partners who use a former MX, to domains whose "
            "MX is Microsoft's, or of a server that the gateway adds later."
        ),
        Likelihood.UNSEEN,
        Text("Mail that is not in the organisation's name is no sender of this inventory."),
        ADMINISTRATOR,
        Text("Partners report 550 5.7.51, or the gateway's own queue grows."),
        step.undo,
    )


def _permission(step: Step) -> Risk:
    return Risk(
        step.n,
        Text(
            "A wanted sender that reached inboxes only thanks to the permission goes to junk or quarantine."
        ),
        Likelihood.POSSIBLE,
        Text("No trace says which mail the permission carried."),
        ADMINISTRATOR,
        Text("Mail of a wanted sender lies in junk or quarantine."),
        step.undo,
    )


def _records(step: Step) -> Risk:
    return Risk(
        step.n,
        Text("A mistake in a record makes all mail of the domain fail, here and elsewhere."),
        Likelihood.UNLIKELY,
        Text("A record is changed by hand; how careful that is, no evidence shows."),
        DNS,
        Text("A test mail to another provider shows spf=permerror, or dkim=fail."),
        Text("Publish the records as they were before; the undo of the step lists them."),
    )
