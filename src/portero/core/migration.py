"""Migration: how each sender to keep can send from now on, judged by what it can do, whom it reaches, volume, date and cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise

from portero.core.design import Design
from portero.core.exchange.settings import Settings
from portero.core.sender import Kind, Path, Sender
from portero.core.text import Text, count
from portero.core.ways_in import must_keep

# Source of the limits, dates and prices: reference exchange-online 3.0, 3.1, 3.4 to 3.6.
SUBMISSION_PER_MINUTE = 30
SUBMISSION_RECIPIENTS_PER_DAY = 10_000
ACS_PER_MINUTE = 30
ACS_PER_HOUR = 100
HVE_DOLLARS_PER_MILLION = 42
BASIC_OFF_BY_DEFAULT = date(2026, 12, 31)
HVE_BASIC_UNTIL = date(2028, 9, 30)
# Silent for this long, and for twice its longest pause, a machine may be gone.
_SILENT_DAYS = 45


class Road(StrEnum):
    """A way of sending."""

    STAY = "stay"  # as it does: no step concerns it
    CONNECTOR = "connector"  # by the connector designed for it
    RELAY = "relay"  # through an authenticated relay inside
    SMTP_OAUTH = "smtp-oauth"  # SMTP AUTH with OAuth
    HVE = "high-volume-email"
    ACS = "communication-services"  # Azure Communication Services, from a sub-domain of its own
    GRAPH = "graph"
    RETURN_PATH = "return-path"  # at the vendor, on a sub-domain that is no accepted domain
    REWRITE = "rewrite"  # the forwarder rewrites the envelope
    HYBRID = "hybrid"  # the connector of the organisation's Exchange servers
    GATEWAY = "gateway"
    RETIRE = "retire"
    PROVE = "prove"  # a better witness has to say first whether its envelope sender is foreign, so that nothing concerns it
    DECIDE = "decide"  # somebody has to say first whether it is wanted


@dataclass(frozen=True, slots=True)
class Option:
    """
    One way of sending, put to a sender.

    fits:  True or False by the evidence; None where it does not say, and `why` says what to find out.
    """

    road: Road
    fits: bool | None
    why: Text


@dataclass(frozen=True, slots=True)
class Volume:
    """
    What a sender sends at most, in unique mails that reached this tenant.

    hour, day:   the busiest hour of one day, and the busiest day (UTC).
    month:       a month at the rate of the days between first and last mail.
    recipients:  distinct recipients over the whole evidence.
    inside, outside:  mails with a recipient in an accepted domain, with one elsewhere.
    """

    hour: int
    day: int
    month: int
    recipients: int
    inside: int
    outside: int


@dataclass(frozen=True, slots=True)
class Migration:
    """
    How one sender sends from now on.

    road:     the way advised.
    by:       the day by which it must be done, or None where no date presses.
    cost:     what it costs, where it has a price that is known.
    options:  the ways considered, the advised one among them.
    """

    sender: str
    road: Road
    why: Text
    volume: Volume
    by: date | None = None
    cost: Text | None = None
    options: tuple[Option, ...] = ()


def migrate(
    senders: Sequence[Sender], settings: Settings, made: Design, window: tuple[datetime, datetime] | None
) -> Mapping[str, Migration]:
    """
    Choose each sender's way, by sender id; abuse has none.

    made:    the connectors designed, which settle who can stay direct.
    window:  aware UTC bounds of the message evidence; without them nobody is called silent.
    """
    answers = {each.sender: Option(Road.CONNECTOR, False, each.why) for each in made.unhelped}
    for each in made.connectors:
        why = Text(
            "Its addresses are its own, so a connector by address admits it and nothing changes in the machine."
        )
        answers.update(dict.fromkeys(each.senders, Option(Road.CONNECTOR, True, why)))
    return {
        sender.id: _migration(
            sender, settings, answers.get(sender.id), window, proving=sender.id in made.proving
        )
        for sender in senders
        if must_keep(sender)
    }


def volume(sender: Sender) -> Volume:
    """Measure a sender's mail."""
    facts = sender.facts
    span = 1
    if facts.first_seen is not None and facts.last_seen is not None:
        span = max(1, (facts.last_seen.date() - facts.first_seen.date()).days + 1)
    return Volume(
        hour=facts.busiest,
        day=max(facts.days.values(), default=0),
        month=round(sender.mails * 30 / max(span, 30)),
        recipients=facts.recipients.value,
        inside=facts.inside,
        outside=facts.outside,
    )


def _migration(
    sender: Sender,
    settings: Settings,
    connector: Option | None,
    window: tuple[datetime, datetime] | None,
    *,
    proving: bool,
) -> Migration:
    measured = volume(sender)
    if not sender.legitimate:
        why = Text("Nobody has decided whether it is wanted; until then nothing is moved.")
        return Migration(sender.id, Road.DECIDE, why, measured)
    silent = _silent(sender, window)
    if silent is not None:
        why = count(
            "It has been silent for {n} day at the end of the evidence, far longer than it ever paused: ask its owner "
            "whether it is gone.",
            "It has been silent for {n} days at the end of the evidence, far longer than it ever paused: ask its owner "
            "whether it is gone.",
            silent,
        )
        return Migration(sender.id, Road.RETIRE, why, measured)
    if sender.path is Path.AUTHENTICATED:
        return _authenticated(sender, settings, measured)
    if proving:
        why = Text(
            "Only a trace summary saw it, and its envelope sender may be of another domain: then refusing Direct Send does not "
            "concern it."
        )
        return Migration(sender.id, Road.PROVE, why, measured)
    if connector is None:
        return Migration(sender.id, Road.STAY, Text("Refusing Direct Send does not concern it."), measured)
    fixed = {
        Kind.SERVICE: (Road.RETURN_PATH, _RETURN_PATH),
        Kind.FORWARDER: (Road.REWRITE, _REWRITE),
        Kind.HYBRID: (Road.HYBRID, _HYBRID),
        Kind.GATEWAY: (Road.GATEWAY, _GATEWAY),
    }
    if sender.kind in fixed:
        road, why = fixed[sender.kind]
        return Migration(sender.id, road, why, measured, options=(Option(road, True, why),))
    options = tuple(_machine_options(sender, measured, connector))
    road = _choose(sender, options)
    why = next(each.why for each in options if each.road is road)
    return Migration(sender.id, road, why, measured, cost=_cost(road, measured), options=options)


_RETURN_PATH = Text(
    "A vendor's addresses serve its other customers too; its own return-path on a sub-domain that is no accepted domain "
    "needs no trust in them."
)
_REWRITE = Text(
    "Its envelope sender comes back unchanged; rewritten (SRS), Direct Send is no longer concerned."
)
_HYBRID = Text("The organisation's Exchange servers have a connector of their own, by certificate.")
_GATEWAY = Text("The gateway's ranges are known as such, in the lock or by a connector.")


def _silent(sender: Sender, window: tuple[datetime, datetime] | None) -> int | None:
    """Give for how many days a sender has been silent, where that is far longer than it ever paused."""
    last = sender.facts.last_seen
    if window is None or last is None:
        return None
    days = sorted(sender.facts.days)
    longest = max(((after - before).days for before, after in pairwise(days)), default=None)
    silent = (window[1].date() - last.date()).days
    if longest is None or silent < _SILENT_DAYS or silent <= 2 * longest:
        # Of a sender seen on one day nobody can say how often it comes.
        return None
    return silent


def _authenticated(sender: Sender, settings: Settings, measured: Volume) -> Migration:
    """Judge a sender that submits with credentials already: which form of SMTP AUTH is the question."""
    used = {
        protocol
        for mailbox in sender.header_from
        for protocol in (
            settings.smtp_auth_protocols.get(mailbox),
            *settings.smtp_auth_clients.get(mailbox, {}).values(),
        )
        if protocol
    }
    if used == {"oauth"}:
        return Migration(sender.id, Road.STAY, Text("It signs in with OAuth already."), measured)
    oauth = Option(Road.SMTP_OAUTH, _within_submission(measured), _submission_words(measured))
    relay = Option(Road.RELAY, None, Text("For a machine that cannot learn OAuth, if it stands inside."))
    options = (oauth, relay, _hve(measured))
    if "basic" in used:
        why = Text(
            "It signs in with Basic authentication, which Exchange Online switches off by default on {day}.",
            day=BASIC_OFF_BY_DEFAULT,
        )
        return Migration(sender.id, Road.SMTP_OAUTH, why, measured, by=BASIC_OFF_BY_DEFAULT, options=options)
    why = Text(
        "It submits with credentials, and no report shows whether by Basic authentication: export the SMTP AUTH report. "
        "Basic is switched off by default on {day}.",
        day=BASIC_OFF_BY_DEFAULT,
    )
    return Migration(sender.id, Road.STAY, why, measured, by=BASIC_OFF_BY_DEFAULT, options=options)


def _machine_options(sender: Sender, measured: Volume, connector: Option) -> Iterable[Option]:
    yield connector
    mailbox = sender.kind is Kind.MAILBOX
    device = sender.kind is Kind.DEVICE
    yield Option(
        Road.RELAY,
        False if mailbox else True if device else None,
        Text("People's mail belongs into mailboxes, not through a relay.")
        if mailbox
        else Text(
            "It speaks plain SMTP, as it does today; the relay signs in for it. It has to stand inside."
        )
        if device
        else Text("It works where the machine stands inside, which the evidence may not show."),
    )
    fits = _within_submission(measured)
    yield Option(
        Road.SMTP_OAUTH,
        None if fits and device else fits,
        Text(
            "Few devices can sign in with OAuth: look in its manual. {limits}",
            limits=_submission_words(measured),
        )
        if device
        else _submission_words(measured),
    )
    yield _hve(measured)
    yield Option(
        Road.GRAPH,
        False if device else fits,
        Text("A device does not speak Graph.")
        if device
        else Text("For a program that somebody can change. {limits}", limits=_submission_words(measured)),
    )
    yield _acs(measured)


def _choose(sender: Sender, options: Sequence[Option]) -> Road:
    """Take the first way that fits for certain; then the first that may."""
    order = {
        Kind.DEVICE: (Road.CONNECTOR, Road.RELAY, Road.HVE, Road.SMTP_OAUTH),
        Kind.MAILBOX: (Road.SMTP_OAUTH, Road.GRAPH, Road.HVE, Road.ACS),
    }.get(sender.kind, (Road.CONNECTOR, Road.SMTP_OAUTH, Road.HVE, Road.GRAPH, Road.ACS, Road.RELAY))
    fits = {each.road: each.fits for each in options}
    for wanted in (True, None):
        for road in order:
            if fits[road] is wanted:
                return road
    return order[-1]


def _within_submission(measured: Volume) -> bool | None:
    """
    Compare with what one mailbox may send; None where only its least is known to be within.

    The busiest hour bounds the busiest minute from above, and a mail has at least one recipient.
    """
    if measured.hour > SUBMISSION_PER_MINUTE * 60 or measured.day > SUBMISSION_RECIPIENTS_PER_DAY:
        return False
    known = measured.hour <= SUBMISSION_PER_MINUTE
    return True if known and measured.day * measured.recipients <= SUBMISSION_RECIPIENTS_PER_DAY else None


def _submission_words(measured: Volume) -> Text:
    return Text(
        "One mailbox may send {limit} messages a minute and to {most} recipients a day; it sent {hour} in its busiest hour "
        "and {day} on its busiest day.",
        limit=SUBMISSION_PER_MINUTE,
        most=SUBMISSION_RECIPIENTS_PER_DAY,
        hour=measured.hour,
        day=measured.day,
    )


def _hve(measured: Volume) -> Option:
    if measured.outside:
        why = count(
            "High Volume Email reaches people inside alone, and {n} mail went outside.",
            "High Volume Email reaches people inside alone, and {n} mails went outside.",
            measured.outside,
        )
        return Option(Road.HVE, False, why)
    if not measured.inside:
        return Option(
            Road.HVE, None, Text("It reaches people inside alone; whom this sender reaches is not known.")
        )
    return Option(
        Road.HVE,
        True,
        Text(
            "All its recipients are inside, and no limit of rate applies. Basic authentication works there until {day}.",
            day=HVE_BASIC_UNTIL,
        ),
    )


def _acs(measured: Volume) -> Option:
    fits = False if measured.hour > ACS_PER_HOUR else True if measured.hour <= ACS_PER_MINUTE else None
    return Option(
        Road.ACS,
        fits,
        Text(
            "From a sub-domain of its own that is no accepted domain; {minute} a minute and {limit} an hour unless "
            "Microsoft raises it, and it sent {hour} in its busiest hour.",
            minute=ACS_PER_MINUTE,
            limit=ACS_PER_HOUR,
            hour=measured.hour,
        ),
    )


def _cost(road: Road, measured: Volume) -> Text | None:
    if road is not Road.HVE:
        return None
    return Text(
        "USD {price} for a million recipients: at least USD {month} a month for {mails} mails, more where a mail has "
        "several recipients.",
        price=HVE_DOLLARS_PER_MILLION,
        month=round(measured.month * HVE_DOLLARS_PER_MILLION / 1_000_000, 4),
        mails=measured.month,
    )
