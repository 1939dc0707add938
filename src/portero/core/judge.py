"""Judgement: weights of evidence for and against a sender, added to a prior, each with its reason and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from portero.core.case import (
    AUTHENTICATED,
    FAILING,
    Case,
    Context,
    lenders,
    read_for_long,
    regular,
    to_strangers,
)
from portero.core.exchange.attribution import By, author_domain, envelope_domain
from portero.core.grouping import Placed, nameless
from portero.core.naming import tie_of
from portero.core.neighbours import Neighbours, weigh_beside
from portero.core.restraint import hold_back
from portero.core.sender import Path, Reason
from portero.core.subjects import BUSINESS, DEVICE, LURE, about, first_about
from portero.core.text import Text, count

# Of fewer mails nothing shows what is usual.
_FEW_MAILS = 8


def look_at(group: Sequence[Placed], context: Context) -> Case:
    """Collect what a sender's own mail says for and against it; the first reason is the prior."""
    case = Case(group, context)
    for part in (_arranged, _inside, _authentication, _over_time, _appearance, _unlike):
        part(case)
    return case


def weigh_again(case: Case, alone: tuple[Reason, ...], neighbours: Neighbours) -> tuple[Reason, ...]:
    """Give all reasons for and against a sender beside others, of which most have nothing to say: those it has alone."""
    before = len(case.reasons)
    weigh_beside(case, neighbours)
    return alone if len(case.reasons) == before else weigh(case)


def weigh(case: Case) -> tuple[Reason, ...]:
    """Give all reasons for and against a sender that are collected so far, and what keeps them from saying too much."""
    case = case.twin()
    hold_back(case)
    return tuple(case.reasons)


def _arranged(case: Case) -> None:
    """What only the organisation itself can have arranged."""
    if case.paths == {Path.INTERNAL}:
        case.add("inside", Text("It is sent from mailboxes inside the organisation."))
        case.settled = True
    elif case.paths == {Path.AUTHENTICATED}:
        case.add("submitted", Text("It is submitted with the organisation's credentials."))
        case.settled = True
    elif case.gated:
        case.add("gateway", Text("It came through the gateway, which carries anybody's mail."))
    elif case.paths == {Path.CONNECTOR}:
        first = case.group[0].attribution
        held = first.connector
        # Only OnPremises connectors make mail Originating, and those never match by domain alone.
        own_server = all(item.flow.key.direction == "originating" for item in case.group)
        if first.by is By.UNKNOWN and not own_server:
            case.add("connector-doubtful", first.why)
        else:
            origins = (held.origin, *case.origins) if held and held.origin else case.origins
            case.add("connector", first.why, tuple(origins))
            case.settled = True
    elif case.paths == {Path.UNDETERMINED} and all(item.attribution.connector for item in case.group):
        case.add("connector-possible", case.group[0].attribution.why)
    if not case.settled and case.context.settings.smtp_auth_clients and all(map(case.signs_in, case.group)):
        case.add("signed-in", Text("The mailbox signs in to SMTP AUTH from the same address."))
    uses = {case.context.network_use(address) for address in case.addresses}
    if len(uses) == 1 and (use := next(iter(uses))):
        code = {
            "devices": "network-devices",
            "applications": "network-devices",
            "relay": "network-devices",
            "users": "network-users",
            "partner": "network-partner",
            "guest": "network-guest",
        }[use]
        case.add(code, Text("The configuration names its network, used for: {use}.", use=use))


def _inside(case: Case) -> None:
    """Which device inside the organisation's network opened its connections."""
    if case.settled or not case.context.ties:
        return
    keys = [(item.flow.key.client_ip, item.name) for item in case.group if item.flow.key.client_ip]
    tie = tie_of(keys, case.context.ties)
    if tie is not None:
        case.add("host-inside" if tie.settled else "host-open", tie.why, tie.origins)


def _authentication(case: Case) -> None:
    if case.settled:
        return
    facts = case.facts
    if case.gated:
        # Behind a gateway SPF judges the gateway's address, and DMARC may pass or fail by it; only a signature tells.
        aligned = facts.dmarc.get("pass", 0) >= 9 * facts.dmarc.get("fail", 0) and not facts.spf.get("pass")
        if _signed_as_us(case) or (aligned and facts.dmarc.get("pass") and facts.spf):
            case.add("dkim-pass", Text("It carries the organisation's own DKIM signature."))
        return
    if case.notices:
        # The null reverse-path of notices is nobody's domain, so that what it proves is asked of the visible one.
        listed = {
            case.context.spf(item.flow.key.client_ip, author_domain(item.flow.key) or "")
            for item in case.group
            if item.flow.key.client_ip
        }
        if listed == {"pass"}:
            case.add("spf-pass", Text("The organisation's SPF record lists its address."))
            return
    passed = facts.dmarc.get("pass", 0) + facts.dmarc.get("bestguesspass", 0)
    failed = facts.dmarc.get("fail", 0)
    envelopes = case.envelopes - {None, ""}
    own_envelope = any(map(case.context.settings.names_us, envelopes))
    passes = passed >= max(1, 9 * failed)
    if passes and (facts.dkim.get("pass") or not lenders(case.group, case.context)):
        case.add(
            "dmarc-pass",
            count(
                "{n} mail passes DMARC for the organisation's domain.",
                "{n} mails pass DMARC for the organisation's domain.",
                passed,
            ),
        )
    elif (
        own_envelope
        and facts.spf.get("pass", 0)
        and facts.spf["pass"] >= 9 * (sum(facts.spf.values()) - facts.spf["pass"])
    ) or passes:
        _listed(case)
    elif failed or (own_envelope and facts.spf and not facts.spf.get("pass") and not facts.dkim.get("pass")):
        case.add(
            "authentication-fails", Text("Its mail fails SPF, DKIM and DMARC for the organisation's domain.")
        )
        # The null reverse-path of notices is nobody's domain: it can neither align nor be foreign.
        if envelopes and not own_envelope:
            case.add(
                "foreign-unaligned",
                Text("It shows the organisation's address over a foreign envelope and nothing ties the two."),
            )
    elif own_envelope and not facts.spf:
        _published(case)
    elif _signed_as_us(case):
        case.add("dkim-pass", Text("It carries the organisation's own DKIM signature."))
    reported = case.context.outside
    rows = [row for address in case.addresses for row in reported.get(address, ())] if reported else []
    if any(row.aligned_spf or row.aligned_dkim for row in rows):
        case.add(
            "outside-pass",
            Text("DMARC reports show the same address passing for the organisation's domain."),
            tuple(origin for row in rows for origin in row.origins)[:5],
        )
    elif rows and not case.codes & AUTHENTICATED and not case.codes & FAILING:
        case.add(
            "outside-fail",
            Text("DMARC reports show the same address failing for the organisation's domain."),
            tuple(origin for row in rows for origin in row.origins)[:5],
        )


def _listed(case: Case) -> None:
    lent = lenders(case.group, case.context)
    if lent:
        case.add(
            "spf-shared",
            Text(
                "SPF passes only by {record}, a record of others that the organisation's includes: whoever else sends from "
                "there passes too.",
                record=lent,
            ),
        )
    else:
        case.add("spf-pass", Text("The organisation's SPF record lists its address."))


def _signed_as_us(case: Case) -> bool:
    signers = case.facts.dkim_domains
    ours = sum(number for domain, number in signers.items() if case.context.settings.names_us(domain))
    return bool(ours) and ours >= 9 * (case.facts.mails - ours) and not case.facts.dkim.get("fail")


def _published(case: Case) -> None:
    results: set[str | None] = set()
    assumed = False
    for item in case.group:
        domain, shown = envelope_domain(item.flow.key)
        if item.flow.key.client_ip and domain:
            assumed |= shown
            results.add(case.context.spf(item.flow.key.client_ip, domain))
    if results == {"pass"}:
        _listed(case)
    elif results and results <= {"fail", "softfail", "neutral"}:
        if assumed:
            case.add(
                "spf-perhaps-unlisted",
                Text(
                    "The organisation's SPF record does not list its address; that tells little, for only a summary "
                    "saw its envelope sender."
                ),
            )
        else:
            case.add("spf-unlisted", Text("The organisation's SPF record does not list its address."))


def _over_time(case: Case) -> None:
    facts, window = case.facts, case.context.window
    if case.settled or not facts.days:
        return
    days, weeks = case.days, case.weeks
    people = facts.recipients.value
    # Recurrence speaks for a sender because somebody here expects its mail; nobody does who never gets it twice.
    strangers = to_strangers(facts)
    # Where no address is recorded several hosts may share the name, and weeks of activity vouch for none of them.
    one_host = case.all_placed or 0 < facts.distinct_shapes.value <= 3
    for bound in (8, 4, 3, 2):
        if weeks >= bound and one_host and not strangers:
            case.add(
                f"weeks-{bound}",
                count("It was active in {n} week.", "It was active in {n} different weeks.", weeks),
            )
            break
    if one_host and (read := read_for_long(facts)):
        case.add(
            "long-received",
            Text(
                "For {weeks} weeks {people} people here have received it, {mails} mails, and it went on.",
                weeks=read.weeks,
                people=read.people,
                mails=read.mails,
            ),
        )
    if regular(days):
        case.add("regular", Text("Its days of activity keep a steady interval."))
    span = (window[1] - window[0]).days if window else 0
    lifetime = (days[-1] - days[0]).days
    if span >= 14 and len(days) <= 3 and lifetime < 7 and facts.mails >= 8:
        case.add(
            "short-lived", count("All its mail fell on {n} day.", "All its mail fell on {n} days.", len(days))
        )
    elif window and span >= 21 and days[0] >= (window[1] - timedelta(days=7)).date():
        case.add("new", Text("It was first seen in the last week of the evidence."))
    if facts.busiest >= 10 and facts.busiest * 2 >= facts.mails and people >= 10:
        case.add(
            "burst",
            count(
                "{n} mail left within one hour, to {people} people.",
                "{n} mails left within one hour, to {people} people.",
                facts.busiest,
                people=people,
            ),
        )
    if 0 < people * 3 <= facts.mails and weeks >= 2:
        case.add(
            "same-people",
            count(
                "It writes to the same person again and again.",
                "It writes to the same {n} people again and again.",
                people,
            ),
        )
    elif strangers and weeks >= 2 and not case.notices:
        case.add(
            "new-people",
            count(
                "Its {mails} mails went to {n} person.",
                "Its {mails} mails went to {n} different people, hardly ever twice.",
                people,
                mails=facts.mails,
            ),
        )


def _unlike(case: Case) -> None:
    """
    Tell of a burst of lures within the mail of something else: somebody behind the same address, or in the host itself.

    Only where all subjects are kept, for correspondence has some lure's words some day. It accuses nobody.
    Source: reference exchange-online 7.1, lures leave through devices and relays that are trusted, in bursts.
    """
    facts = case.facts
    lures = case.lures
    if case.paths & {Path.INTERNAL, Path.AUTHENTICATED} or case.gated or not facts.distinct_shapes.exact:
        return
    if facts.distinct_shapes.value > len(facts.shapes) or lures < _FEW_MAILS or lures * 2 >= case.kept:
        return
    day = max(facts.days, key=lambda each: facts.days[each], default=None)
    others = sorted(number for each, number in facts.days.items() if each != day)
    if day is None or not others or facts.busiest * 2 < lures:
        return
    usual = others[len(others) // 2]
    if facts.days[day] >= 3 * usual + _FEW_MAILS:
        case.add(
            "unlike-itself",
            count(
                "On {day} {most} mails left there instead of the usual {usual}, and {n} of its mails has the subject of a "
                "known lure, “{shape}”: somebody else may use its address.",
                "On {day} {most} mails left there instead of the usual {usual}, and {n} of its mails have subjects of "
                "known lures, such as “{shape}”: somebody else may use its address.",
                lures,
                day=day,
                most=facts.days[day],
                usual=usual,
                shape=first_about(facts, LURE),
            ),
        )


def _appearance(case: Case) -> None:
    if case.settled:
        return
    facts, weeks, kept = case.facts, case.weeks, case.kept
    varied = facts.distinct_shapes.value
    if facts.mails >= 10 and 0 < varied <= 5 and weeks >= 2:
        case.add(
            "same-subjects",
            count("It repeats {n} subject for weeks.", "It repeats {n} subjects for weeks.", varied),
        )
    elif facts.mails >= 10 and varied * 5 >= facts.mails * 3 and weeks >= 2:
        case.add("varied-subjects", Text("Its subjects vary as correspondence does."))
    if kept and case.lures * 2 >= kept:
        case.add(
            "lure",
            Text(
                "Its subjects are those of known lures, for example “{shape}”.",
                shape=first_about(facts, LURE),
            ),
        )
    elif kept and about(facts, BUSINESS) * 2 >= kept:
        case.add(
            "business-lure",
            Text(
                "Its subjects are about money or staff matters, as lures and real offices write: “{shape}”.",
                shape=first_about(facts, BUSINESS),
            ),
        )
    elif kept and weeks >= 2 and about(facts, DEVICE) * 2 >= kept:
        case.add(
            "device-words",
            Text(
                "Its subjects are those of devices, for example “{shape}”.", shape=first_about(facts, DEVICE)
            ),
        )
    if case.mostly_to_itself and facts.recipients.value > 3:
        case.add("self-addressed", Text("It writes to people under their own address."))
    people = case.names & case.context.mailboxes
    # Without direction and a client's address nothing says that it is not the mailboxes' own mail.
    if (
        len(people) * 2 > len(case.names)
        and Path.CONNECTOR not in case.paths
        and (case.places or any(key.direction for key in case.keys))
    ):
        case.add(
            "as-mailbox",
            Text(
                "From elsewhere it writes as people whose mailboxes are here, such as {name}.",
                name=min(people),
            ),
        )
    # The members of a list write to the same subscribers; a campaign under many names has no regulars.
    if len(case.names) >= 5 and "same-people" not in case.codes:
        case.add(
            "many-names",
            count("It writes under {n} name.", "It writes under {n} different names.", len(case.names)),
        )
    hosts = {key.ehlo for key in case.keys if key.ehlo}
    if hosts and all(nameless(host) and not _own_literal(host) for host in hosts):
        case.add("nameless-host", Text("It calls itself {ehlo}, as any computer may.", ehlo=min(hosts)))
    bad = facts.threats.get("phish", 0) + facts.threats.get("malware", 0)
    unsure = facts.threats.get("perhaps-spoof", 0)
    if not case.codes & FAILING:
        # What fails no authentication was not called phishing for that.
        bad, unsure = bad + unsure, 0
    if bad and bad * 2 >= facts.mails:
        case.add(
            "filter-phish",
            count(
                "Microsoft's filter called {n} mail phishing or malware.",
                "Microsoft's filter called {n} mails phishing or malware.",
                bad,
            ),
        )
    elif bad:
        case.add(
            "filter-some-phish",
            count(
                "Microsoft's filter called {n} mail phishing or malware.",
                "Microsoft's filter called {n} mails phishing or malware.",
                bad,
            ),
        )
    elif unsure and unsure * 2 >= facts.mails:
        case.add(
            "filter-perhaps-spoof",
            Text(
                "Microsoft's filter called most of it phishing, perhaps only because it fails authentication."
            ),
        )
    elif facts.threats and facts.threats.get("spoof", 0) * 2 >= facts.mails:
        case.add("filter-spoof", Text("Microsoft's filter called most of it spoofed."))


def _own_literal(host: str) -> bool:
    """Tell whether an EHLO is an address, as many devices write theirs; the loopback is everybody's."""
    literal = host.strip("[]")
    return literal.replace(".", "").isdigit() and not literal.startswith("127.")
