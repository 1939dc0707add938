"""Published records replayed: what SPF, DKIM and DMARC say of recorded mail, as it was and under changed records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from portero.core.address import NetworkMap, a_label, is_at_or_below, parse_network
from portero.core.dns import DnsStatus, ProposedDns
from portero.core.exchange.attribution import author_domain, envelope_domain
from portero.core.exchange.settings import Settings
from portero.core.flow import Flow, FlowKey, OutsideFlow
from portero.core.mail import dmarc, spf
from portero.core.mail.dmarc_discovery import registrable_domain
from portero.core.mail.dmarc_record import parse_record as parse_dmarc
from portero.core.mail.spf_expansion import SpfNode, expansion
from portero.core.mail.spf_record import is_spf, term_key, without_terms

UNKNOWN = "unknown"
_PASSES = frozenset({"pass", "bestguesspass"})
# Macros of the sender's mailbox, which flows do not keep, and of the client's EHLO name, which they may lack.
_MAILBOX = re.compile(r"%\{[ls]", re.IGNORECASE)
_EHLO = re.compile(r"%\{h", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Replayed:
    """
    What the records say of a flow's mail; results in RFC 8601 words, and ``unknown`` where the evidence does not say.

    spf:          mails by SPF result as it was: as witnesses recorded it, else by the recorded records; not told
                  where no control changes a record.
    spf_after:    the SPF result under the changed records; None where they leave it as it was.
    dmarc, dmarc_after:  pass, fail or unknown.
    """

    spf: Mapping[str, int]
    spf_after: str | None
    dmarc: str
    dmarc_after: str

    @property
    def passes(self) -> bool | None:
        """Tell whether the mail passes DMARC under the changed records; None where the evidence does not say."""
        return {"pass": True, "fail": False}.get(self.dmarc_after)

    @property
    def changed(self) -> bool:
        """Tell whether a changed record concerns the mail; where SPF's result is not known, it may."""
        if self.spf_after == UNKNOWN or self.dmarc != self.dmarc_after:
            return True
        return self.spf_after is not None and set(self.spf) != {self.spf_after}


class Records:
    """
    The records that settings leave published, put to flows; answers are kept, so one serves many flows.

    Where a DMARC record is simulated and the one in its place is not in evidence, alignment is relaxed, which is the
    default, and organisational domains are those of the public suffix list.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spf: dict[tuple[str, str, str, bool], str] = {}
        self._touched: dict[str, bool] = {}
        self._aligned: dict[tuple[str, str, str], bool | None] = {}
        self._policies: dict[str, str | None] = {}
        self._simulated: dict[str, str | None] = {}

    @cached_property
    def changed(self) -> bool:
        """Tell whether the settings change a record, or where mail comes from; a DMARC policy alone is not meant."""
        held = self._settings
        return bool(held.spf_records or held.spf_without or held.dkim or held.moves)

    # ------------------------------------------------------------------ what is published

    @cached_property
    def _proposed_spf(self) -> Mapping[str, str | None]:
        """Give the SPF records that controls leave, None where the record they change is not in evidence."""
        found: dict[str, str | None] = dict(self._settings.spf_records)
        for domain, terms in self._settings.spf_without.items():
            current = found[domain] if domain in found else self.published_spf(domain)
            found[domain] = current and without_terms(current, terms)
        return found

    @cached_property
    def _known_spf(self) -> Mapping[str, str]:
        return {domain: record for domain, record in self._proposed_spf.items() if record is not None}

    def published_spf(self, domain: str) -> str | None:
        """Give the one SPF record the evidence shows for a domain; None where it shows none or several."""
        answer = self._settings.dns.lookup(domain, "TXT")
        records = [text for text in answer.answers if is_spf(text)]
        return records[0] if answer.status is DnsStatus.NOERROR and len(records) == 1 else None

    def absent_terms(self) -> tuple[tuple[str, str], ...]:
        """Name the domains and terms that a control takes out of records that the evidence shows without them."""
        found = []
        for domain, terms in self._settings.spf_without.items():
            record = self._settings.spf_records.get(domain) or self.published_spf(domain)
            held = {term_key(word) for word in (record or "").split(" ")}
            found += [(domain, term) for term in terms if record is not None and term_key(term) not in held]
        return tuple(found)

    @cached_property
    def _dns(self) -> ProposedDns:
        """Give DNS with the simulated DMARC records in it."""
        proposed = {}
        for domain, policy in self._settings.policies.items():
            texts = self._settings.dns.lookup(f"_dmarc.{domain}", "TXT").answers
            held = [record for record in map(parse_dmarc, texts) if record is not None]
            # What the record says of alignment stays; weaker policies for names below go.
            kept = held[0].tags if len(held) == 1 else ()
            tags = {"p": policy, **{tag: value for tag, value in kept if tag not in _POLICY_TAGS}}
            proposed[f"_dmarc.{domain}"] = "; ".join(
                ["v=DMARC1", *(f"{tag}={value}" for tag, value in tags.items())]
            )
        return ProposedDns(self._settings.dns, proposed)

    def policy(self, author: str) -> str | None:
        """Give the DMARC policy that applies to a visible From's domain; None where the evidence does not say."""
        if author not in self._policies:
            self._policies[author] = self._policy(author)
        return self._policies[author]

    def _policy(self, author: str) -> str | None:
        found = dmarc.evaluate(self._dns, author)
        if found.policy is not None:
            return found.policy.value
        covering = self.simulated_policy(author)
        if covering is not None:
            return covering
        return "none" if found.result is dmarc.DmarcResult.NONE else None

    def simulated_policy(self, author: str) -> str | None:
        """Give the policy that a control publishes for a domain or for one above it; None where none does."""
        if author not in self._simulated:
            covering = [name for name in self._settings.policies if is_at_or_below(author, name)]
            self._simulated[author] = self._settings.policies[max(covering, key=len)] if covering else None
        return self._simulated[author]

    # ------------------------------------------------------------------ flows

    @cached_property
    def _moves(self) -> NetworkMap[str]:
        return NetworkMap((parse_network(network), address) for network, address in self._settings.moves)

    def moved(self, flow: Flow) -> Flow:
        """
        Give a flow as it would come after the simulated moves.

        The connector that took it by its old address is no longer known to; one that it shows a certificate to is.
        """
        if not self._settings.moves or not flow.key.client_ip:
            return flow
        address = next(iter(self._moves.covering(flow.key.client_ip)), None)
        if address is None:
            return flow
        key = flow.key
        held = self._settings.connector(key.connector) if key.connector else None
        by_certificate = held is not None and held.certificate is not None
        listed = bool(self._settings.by_address.covering(address))
        connector = key.connector if by_certificate else None if listed else ""
        # Direction is the connector's doing where there was one; else it says that the mail was submitted.
        direction = key.direction if by_certificate or not key.connector else "incoming"
        return Flow(replace(key, client_ip=address, connector=connector, direction=direction), flow.facts)

    def replay(self, flow: Flow, *, signed_by_exchange: bool = False) -> Replayed:
        """
        Put a flow, as recorded and before any move, to the records.

        signed_by_exchange:  whether Exchange Online itself signs such mail once signing is on.
        """
        before = self._dmarc_before(flow)
        if not self.changed:
            return Replayed({}, None, before, before)
        now = self._spf_before(flow)
        spf_after = self._spf_after(flow)
        after = self._dmarc_after(flow, before, spf_after, signed_by_exchange)
        return Replayed(now, spf_after, before, after)

    def replay_reported(self, row: OutsideFlow) -> Counter[tuple[str, str, str]]:
        """
        Put mail that other people's receivers reported to the records: mails by check, result before and after.

        ``spf`` here is the aligned result that DMARC weighs, which is what reports say. Where a row has mails with either
        alignment and not all with one, the fewest that may have passed are taken to have.
        """
        total, spf, signed = row.mails, row.aligned_spf, row.aligned_dkim
        result, author = self._reported_spf(row), a_label(row.header_from)
        left = self._reported_signed(row, author)
        passed = max(spf, signed)
        if result is None and left == signed:
            return _turned("spf", total, spf, spf, 0) + _turned("dmarc", total, passed, passed, 0)
        spf_after = spf if result is None else total if result == "pass" else 0
        open_spf = total if result == UNKNOWN else 0
        sure = max(spf_after, left or 0)
        unsure = max(open_spf - sure, signed - sure if left is None else 0, 0)
        return _turned("spf", total, spf, spf_after, open_spf) + _turned("dmarc", total, passed, sure, unsure)

    def _reported_spf(self, row: OutsideFlow) -> str | None:
        """Give the aligned SPF result under the changed records; None where they leave it as it was."""
        address = next(iter(self._moves.covering(row.source_ip)), row.source_ip)
        identity = row.spf_domain if row.envelope_from is None else row.envelope_from
        moved = address != row.source_ip
        if not self._proposed_spf and not moved:
            return None
        if not identity:
            return UNKNOWN
        if not moved and not self._is_touched(identity):
            return None
        result = self._evaluated(FlowKey(client_ip=address, mail_from_domain=identity), changed=True)
        aligned = self.aligned(a_label(row.header_from), identity, "spf")
        if result != UNKNOWN and (result != "pass" or aligned is False):
            return "fail"
        return "pass" if result == "pass" and aligned else UNKNOWN

    def _reported_signed(self, row: OutsideFlow, author: str) -> int | None:
        """Count the mails that a signature still makes pass; None where the report does not say whose it was."""
        off = {domain for domain, on in self._settings.dkim.items() if not on}
        if not row.aligned_dkim or not any(
            self.aligned(author, domain, "dkim") is not False for domain in off
        ):
            return row.aligned_dkim
        if row.dkim_domain is None:
            return None
        return 0 if a_label(row.dkim_domain) in off else row.aligned_dkim

    # ------------------------------------------------------------------ SPF

    def _spf_before(self, flow: Flow) -> Mapping[str, int]:
        """Give mails by SPF result as witnesses recorded them; where none did, by the records in evidence."""
        facts, recorded = flow.facts, dict(flow.facts.spf)
        rest = facts.mails - sum(recorded.values())
        if rest <= 0:
            return recorded
        if len(recorded) == 1:
            # The same address and envelope fare alike: what one witness saw holds for the mail it did not see.
            return dict.fromkeys(recorded, facts.mails)
        if recorded or envelope_domain(flow.key)[1]:
            return {**recorded, UNKNOWN: recorded.get(UNKNOWN, 0) + rest}
        return {self._evaluated(flow.key, changed=False): facts.mails}

    def _spf_after(self, flow: Flow) -> str | None:
        key = flow.key
        moved = self.moved(flow).key
        if key.client_ip == "" or not (self._proposed_spf or moved.client_ip != key.client_ip):
            return None
        domain, assumed = envelope_domain(key)
        if domain is None:
            return UNKNOWN
        identity = domain or a_label(key.ehlo or "")
        if not identity:
            return UNKNOWN
        if moved.client_ip == key.client_ip and not self._is_touched(identity):
            return None
        if assumed or not moved.client_ip:
            return UNKNOWN
        return self._evaluated(moved, changed=True)

    def _is_touched(self, domain: str) -> bool:
        """Tell whether a domain's SPF record is, or leads to, one that a control changes."""
        if domain not in self._touched:
            if domain in self._proposed_spf:
                self._touched[domain] = True
            else:
                root = expansion(self._settings.dns, domain, published=self._known_spf).root
                self._touched[domain] = any(name in self._proposed_spf for name in _names(root))
        return self._touched[domain]

    def _evaluated(self, key: FlowKey, *, changed: bool) -> str:
        """Evaluate SPF for a flow, under the changed records or the recorded ones; unknown where they do not tell."""
        identity = key.mail_from_domain or a_label(key.ehlo or "")
        if not key.client_ip or not identity:
            return UNKNOWN
        asked = (key.client_ip, identity, key.ehlo or "", changed)
        if asked not in self._spf:
            self._spf[asked] = self._evaluate(*asked)
        return self._spf[asked]

    def _evaluate(self, address: str, domain: str, ehlo: str, changed: bool) -> str:
        proposed = self._proposed_spf if changed else {}
        if None in proposed.values() and self._is_touched(domain):
            return UNKNOWN
        published = self._known_spf if changed else None
        sender = f"postmaster@{domain}"
        verdict = spf.evaluate(
            self._settings.dns, address, domain, sender, ehlo or domain, published=published
        )
        personal = any(
            _MAILBOX.search(step.term) or (not ehlo and _EHLO.search(step.term)) for step in verdict.trace
        )
        return UNKNOWN if personal else verdict.result.value

    # ------------------------------------------------------------------ DMARC

    def aligned(self, author: str, domain: str, kind: str) -> bool | None:
        """
        Tell whether an authenticated domain is aligned with the visible From's; None where the evidence leaves it open.

        kind:  ``spf`` or ``dkim``, which may differ in strictness.
        Source: RFC 9989 section 4.4.
        """
        asked = (author, domain, kind)
        if asked not in self._aligned:
            self._aligned[asked] = author == domain or self._compare(author, domain, kind)
        return self._aligned[asked]

    def _compare(self, author: str, domain: str, kind: str) -> bool | None:
        identifier = (dmarc.Identifier(domain),)
        by_spf, by_dkim = (identifier, ()) if kind == "spf" else ((), identifier)
        found = dmarc.evaluate(self._dns, author, by_spf, by_dkim)
        if found.result in {dmarc.DmarcResult.PASS, dmarc.DmarcResult.FAIL}:
            return found.result is dmarc.DmarcResult.PASS
        ours, theirs = registrable_domain(author) or author, registrable_domain(domain) or domain
        if ours != theirs:
            return False
        settled = found.result is dmarc.DmarcResult.NONE or self.simulated_policy(author) is not None
        return True if settled else None

    def passed(self, flow: Flow) -> bool | None:
        """Tell whether a flow's mail passed DMARC as it came; None where the evidence does not settle it."""
        return {"pass": True, "fail": False}.get(self._dmarc_before(flow))

    def wants_a_signature(self, flow: Flow) -> bool:
        """Tell whether only a signature makes mail pass DMARC, whoever judges it, and none is known to: its envelope is another's."""
        author, (envelope, assumed) = author_domain(flow.key), envelope_domain(flow.key)
        if not author or not envelope or assumed or self.passed(flow) is True:
            return False
        return self.aligned(author, envelope, "spf") is False and self._by_dkim(flow) is not True

    def signature_carries(self, flow: Flow) -> bool:
        """Tell whether mail that passed DMARC surely did so by a signature, whatever SPF said."""
        by_dkim = self._by_dkim(flow)
        return bool(by_dkim) or (
            by_dkim is None and self._by_spf(flow) is False and self.passed(flow) is True
        )

    def _dmarc_before(self, flow: Flow) -> str:
        """
        Tell the DMARC result as it was.

        A receiver writes ``dmarc=none`` while no policy is published; then SPF and DKIM with their alignment decide.
        """
        recorded = flow.facts.dmarc.keys()
        if recorded and recorded <= _PASSES:
            return "pass"
        if len(recorded) == 1 and "fail" in recorded:
            return "fail"
        return _either(self._by_spf(flow), self._by_dkim(flow))

    def _dmarc_after(self, flow: Flow, before: str, spf_after: str | None, signed_by_exchange: bool) -> str:
        was_spf, was_dkim = self._by_spf(flow), self._by_dkim(flow)
        # What the receiver's own verdict tells of the two it was made of.
        if before == "fail":
            was_spf = was_dkim = False
        elif before == "pass":
            was_dkim = True if was_spf is False and was_dkim is None else was_dkim
            was_spf = True if was_dkim is False and was_spf is None else was_spf
        by_spf = was_spf if spf_after is None else self._spf_aligned(flow, spf_after)
        by_dkim = self._dkim_after(flow, was_dkim, signed_by_exchange)
        if by_spf is was_spf and by_dkim is was_dkim:
            return before
        return _either(by_spf, by_dkim)

    def _by_spf(self, flow: Flow) -> bool | None:
        """Tell whether SPF made the mail pass, by what witnesses recorded."""
        found = set(flow.facts.spf)
        if found == {"pass"}:
            return self._spf_aligned(flow, "pass")
        if found and "pass" not in found:
            return False
        return False if found and self._spf_aligned(flow, "pass") is False else None

    def _spf_aligned(self, flow: Flow, result: str) -> bool | None:
        if result not in {"pass", UNKNOWN}:
            return False
        author = author_domain(flow.key)
        envelope, assumed = envelope_domain(flow.key)
        if author is None or envelope is None or assumed:
            return None
        identity = envelope or a_label(flow.key.ehlo or "")
        if not identity:
            return None
        aligned = self.aligned(author, identity, "spf")
        return aligned if aligned is False or result == "pass" else None

    def _by_dkim(self, flow: Flow) -> bool | None:
        """Tell whether a signature made the mail pass, by what witnesses recorded."""
        return self._signed(flow, flow.facts.dkim_domains)

    def _signed(self, flow: Flow, domains: Mapping[str, int]) -> bool | None:
        results = flow.facts.dkim
        if results and "pass" not in results:
            return False
        author = author_domain(flow.key)
        if author is None or set(results) != {"pass"} or not flow.facts.dkim_domains:
            return None
        answers = {name: self.aligned(author, a_label(name), "dkim") for name in domains}
        if sum(domains[name] for name, answer in answers.items() if answer) >= results["pass"]:
            return True
        named = sum(flow.facts.dkim_domains.values()) >= results["pass"]
        return False if named and not any(answer is not False for answer in answers.values()) else None

    def _dkim_after(self, flow: Flow, was: bool | None, signed_by_exchange: bool) -> bool | None:
        """
        Tell whether a signature makes the mail pass once signatures in some domains' names verify, or fail.

        A key record makes nobody sign: only mail that was signed in that name, or that Exchange Online signs, gains.
        """
        changes = self._settings.dkim
        author = author_domain(flow.key)
        if not changes or author is None:
            return was
        facts = flow.facts
        gained = [
            name
            for name in facts.dkim_domains
            if changes.get(a_label(name)) and self.aligned(author, a_label(name), "dkim")
        ]
        if sum(facts.dkim_domains[name] for name in gained) >= facts.mails > 0:
            return True
        if signed_by_exchange and changes.get(author):
            return True
        if gained:
            return True if was else None
        if was is False or not any(state is False for state in changes.values()):
            return was
        related = [
            name
            for name, state in changes.items()
            if not state and self.aligned(author, name, "dkim") is not False
        ]
        if not related:
            return was
        if not facts.dkim_domains:
            return None
        left = {name: mails for name, mails in facts.dkim_domains.items() if a_label(name) not in related}
        # A witness names one signature; whether another stood beside it is not known, so what is left may be enough.
        return was if len(left) == len(facts.dkim_domains) else self._signed(flow, left)


def _turned(check: str, total: int, before: int, after: int, unsure: int) -> Counter[tuple[str, str, str]]:
    """Spread mails over results before and after: those that passed keep passing first, then may, then fail."""
    kept, gained = min(before, after), max(after - before, 0)
    lost = before - kept
    lost_unsure = min(lost, unsure)
    gained_unsure = min(total - before - gained, unsure - lost_unsure)
    return Counter(
        {
            (check, "pass", "pass"): kept,
            (check, "pass", UNKNOWN): lost_unsure,
            (check, "pass", "fail"): lost - lost_unsure,
            (check, "fail", "pass"): gained,
            (check, "fail", UNKNOWN): gained_unsure,
            (check, "fail", "fail"): total - before - gained - gained_unsure,
        }
    )


_POLICY_TAGS = frozenset({"p", "sp", "np", "t", "pct"})


def _either(by_spf: bool | None, by_dkim: bool | None) -> str:
    if by_spf or by_dkim:
        return "pass"
    return "fail" if by_spf is False and by_dkim is False else UNKNOWN


def _names(node: SpfNode) -> list[str]:
    return [node.domain, *(name for child in node.children for name in _names(child))]
