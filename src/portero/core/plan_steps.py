"""The fixed steps of a plan, and the draft that numbers them and ties each to what must be done before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from portero.core.exchange.change import Change, setting
from portero.core.exchange.own_name_rule import RULE_NAME, rule_changes
from portero.core.exchange.settings import Settings, Tenant
from portero.core.finding import Finding, Outcome, called
from portero.core.migration import BASIC_OFF_BY_DEFAULT
from portero.core.plan_lock import LOCK_NAME, Lock, connector_of
from portero.core.sender import Judgement, Sender
from portero.core.simulation import Simulation
from portero.core.step import Risk, Step
from portero.core.text import Text, count, sentences

ADMINISTRATOR = Text("Exchange administrator")
SENDER_OWNER = Text("The owner of the sender")
NETWORK = Text("Network team")
DNS = Text("Whoever manages DNS")


class Draft:
    """
    A plan being written: steps are numbered in the order they are added.

    left_out:  controls that a replay has shown to be unsafe, with the mails to keep that they would refuse.
    """

    def __init__(self, left_out: dict[str, int]) -> None:
        self.left_out = left_out
        self._steps: list[Step] = []
        self._named: dict[str, list[int]] = {}

    def add(
        self,
        *,
        title: Text,
        why: Text,
        do: Text,
        verify: Text,
        undo: Text,
        risk: Risk,
        owner: Text,
        after: tuple[int, ...] = (),
        senders: tuple[str, ...] = (),
        controls: tuple[str, ...] = (),
        moved: tuple[str, ...] = (),
        commands: tuple[Change, ...] = (),
        by: date | None = None,
        name: str = "",
    ) -> int:
        """Add a step and give its number; `name` lets later steps depend on it."""
        number = len(self._steps) + 1
        self._steps.append(
            Step(
                n=number,
                title=title,
                why=why,
                do=do,
                verify=verify,
                undo=undo,
                after=tuple(sorted(set(after))),
                senders=senders,
                risk=risk,
                owner=owner,
                controls=controls,
                moved=moved,
                commands=commands,
                name=name,
                by=by,
            )
        )
        self._named.setdefault(name, []).append(number)
        return number

    def numbers(self, *names: str) -> tuple[int, ...]:
        """Give the numbers of the steps added under these names."""
        return tuple(number for name in names for number in self._named.get(name, ()))

    def steps(self) -> tuple[Step, ...]:
        """Give the steps so far."""
        return tuple(self._steps)


def labels(senders: Iterable[Sender]) -> tuple[Text, ...]:
    """Name senders in a sentence."""
    return tuple(sender.label for sender in senders)


def measure(draft: Draft, findings: Sequence[Finding], *, seen: bool) -> None:
    """
    Evidence and measurement come first.

    seen:  whether any mail was recorded; without, the plan can refuse none.
    """
    unknown = [each for each in findings if each.outcome is Outcome.UNKNOWN]
    unanswered = count(
        "{n} check could not be answered from this evidence.",
        "{n} checks could not be answered from this evidence.",
        len(unknown),
    )
    blind = Text(
        "No mail in the organisation's name was recorded, so nobody knows whom a refusing control would cut off: the plan "
        "refuses nothing until there is some. {checks}",
        checks=unanswered,
    )
    draft.add(
        name="measure",
        title=Text("Export the configuration and at least 30 days of mail"),
        why=unanswered if seen else blind,
        do=sentences(
            [
                Text(
                    "Keep the present exports as the record of the prior state. Export the connector report, the message "
                    "traces and the DMARC reports of 30 days or more, so that monthly mail is seen."
                ),
                *_wanted(unknown),
            ]
        ),
        verify=Text("Run the audit again: no gap stands against the exports, and the window covers 30 days."),
        undo=Text("Nothing is changed."),
        risk=Risk.LOW,
        owner=ADMINISTRATOR,
    )


# As many exports are named; the findings say what the other checks lack.
_NAMED_EXPORTS = 8


def _wanted(unknown: Sequence[Finding]) -> Iterable[Text]:
    """Name the exports that would answer most checks, with how many each is missing for."""
    checks = Counter(need for each in unknown for need in each.lacking)
    if checks:
        most = sorted(checks.items(), key=lambda item: (-item[1], item[0]))[:_NAMED_EXPORTS]
        yield Text(
            "These exports are missing for most of the unanswered checks: {exports}.",
            exports=tuple(
                count("{export} ({n} check)", "{export} ({n} checks)", number, export=called(need))
                for need, number in most
            ),
        )


def decide(draft: Draft, undecided: Sequence[Sender]) -> None:
    """One step asks for every decision, with the mails that each settles."""
    if not undecided:
        return
    ordered = sorted(undecided, key=lambda each: (-each.mails, -each.outside, each.id))
    draft.add(
        name="decide",
        title=Text("Decide about the undecided senders"),
        why=Text(
            "Of senders about which the evidence does not decide only others reported mail. Until a person does, no step "
            "touches them."
        )
        if not any(sender.mails for sender in ordered)
        else count(
            "{n} mail is of senders about which the evidence does not decide. Until a person does, the plan keeps it.",
            "{n} mails are of senders about which the evidence does not decide. Until a person does, the plan keeps them.",
            sum(sender.mails for sender in ordered),
        ),
        do=Text(
            "Say of each whether it is wanted, and who owns it: {questions}.",
            questions=tuple(
                count(
                    "{sender}, of which others reported {n} mail",
                    "{sender}, of which others reported {n} mails",
                    sender.outside,
                    sender=sender.label,
                )
                if sender.outside and not sender.mails
                else count(
                    "{sender}, which settles {n} mail",
                    "{sender}, which settles {n} mails",
                    sender.mails,
                    sender=sender.label,
                )
                for sender in ordered
            ),
        ),
        verify=Text("Run the audit again: it lists no undecided sender."),
        undo=Text("Take the answer out of the register; the sender is undecided again."),
        senders=tuple(sender.id for sender in ordered),
        risk=Risk.LOW,
        owner=SENDER_OWNER,
        after=draft.numbers("measure"),
    )


def remove_permission(draft: Draft, finding: Finding) -> None:
    """Take back one standing permission to spoof."""
    draft.add(
        name="permission",
        title=Text("Take back a permission to spoof: {finding}", finding=finding.title),
        why=finding.because,
        do=Text(
            "{fix} A sender that reached inboxes only thanks to it may be filtered from then on.",
            fix=finding.fix,
        ),
        verify=Text("Run the audit again: check {check} passes.", check=finding.id),
        undo=finding.undo,
        risk=Risk.MEDIUM,
        owner=ADMINISTRATOR,
        after=draft.numbers("measure"),
        commands=finding.changes,
    )


def ask_about_hybrid(draft: Draft, finding: Finding, held: Sequence[Sender]) -> None:
    """
    Have a permission that carries recorded mail of own servers looked at, instead of taken back.

    Without it their mail is anonymous: groups that take only senders inside refuse it, and filters judge it.
    Source: controls catalogue CON-06, find out first.
    """
    connectors = tuple(dict.fromkeys(each.connector for each in held if each.connector))
    draft.add(
        name="hybrid-permission",
        title=Text("Find out whether {connectors} is of your own hybrid servers", connectors=connectors),
        why=Text(
            "{because} Yet recorded mail comes through it: {senders}. Without the permission such mail is anonymous, and groups "
            "that take only senders inside refuse it.",
            because=finding.because,
            senders=labels(held),
        ),
        do=Text(
            "Ask who runs the servers behind it, and look at Get-HybridConfiguration there. Where they are yours, run the "
            "Hybrid Configuration Wizard again, so that the connector is the wizard's with your certificate. Where they are "
            "not: {fix}",
            fix=finding.fix,
        ),
        verify=Text("Run the audit again: check {check} passes.", check=finding.id),
        undo=finding.undo,
        risk=Risk.MEDIUM,
        owner=ADMINISTRATOR,
        senders=tuple(each.id for each in held),
        after=draft.numbers("measure"),
    )


def authentication(draft: Draft, findings: Sequence[Finding]) -> None:
    """
    Bring the authentication records in order, but for the policy that refuses mail: that is for later, replayed steps.
    """
    held = [each for each in findings if each.id not in {"SPOOF-04", "DNS-09"}]
    if not held:
        return
    draft.add(
        name="authentication",
        title=Text("Bring SPF, DKIM and the anti-spoofing policy in order"),
        why=count(
            "{n} check of authentication did not pass.",
            "{n} checks of authentication did not pass.",
            len(held),
        ),
        do=sentences(
            [
                *(Text("{check}: {fix}", check=each.id, fix=each.fix) for each in held),
                Text("Leave the DMARC policy as it is: later steps raise it."),
            ]
        ),
        verify=Text(
            "Run the audit again with fresh DNS answers: {checks} pass.",
            checks=tuple(each.id for each in held),
        ),
        undo=sentences(list(dict.fromkeys(each.undo for each in held))),
        risk=Risk.MEDIUM,
        owner=DNS,
        after=draft.numbers("measure"),
    )


def _expectation(found: Simulation, before: Simulation) -> Text:
    """Say what a step does of its own: beyond what the steps before it do."""
    from_abuse = (
        found.refused_by_judgement()[Judgement.ABUSE] - before.refused_by_judgement()[Judgement.ABUSE]
    )
    said = [
        count(
            "Replayed on the recorded mail, it refuses {n} mail of senders judged to be abuse.",
            "Replayed on the recorded mail, it refuses {n} mails of senders judged to be abuse.",
            from_abuse,
        )
        if from_abuse > 0
        else Text(
            "The recorded mail holds no abuse that it would refuse beyond the steps before it; it shuts the door on what is "
            "still to come."
        )
    ]
    doubtful = found.undetermined - before.undetermined
    if doubtful > 0:
        said.append(
            count(
                "The fate of {n} mail is not settled by the evidence.",
                "The fate of {n} mails is not settled by the evidence.",
                doubtful,
            )
        )
    return sentences(said)


def lock(
    draft: Draft, tenant: Tenant, held: Lock, found: Simulation, before: Simulation, ready: tuple[int, ...]
) -> int:
    """Lock the back door beside the gateway: switch on the connector whose list an earlier step has proven."""
    name = held.standing or LOCK_NAME
    item = connector_of(tenant, held.standing) if held.standing else None
    return draft.add(
        name="lock",
        title=Text("Take mail only from the gateway and the sources that stay direct"),
        why=_expectation(found, before),
        do=Text(
            "In a change window switch the Partner connector “{name}” on, whose list is proven by then. "
            "The direct sources stand in the same list, because no document says whether a second connector wins. "
            "Mail of partners that still use a former MX, and of domains whose MX is at Microsoft, is refused too: "
            "look for both in the traces first.",
            name=name,
        ),
        verify=Text(
            "After an hour a mail by way of the gateway arrives, one from each direct source arrives, and one from "
            "anywhere else is refused with 550 5.7.51. Watch for 30 days."
        ),
        undo=Text("Switch the connector “{name}” off.", name=name),
        senders=held.direct,
        risk=Risk.HIGH,
        owner=ADMINISTRATOR,
        after=(*draft.numbers("measure", "decide", "dry-run"), *ready),
        controls=(held.control,),
        # A script that makes the list and switches it on in one go would prove nothing in between; and it would cut off
        # the machines that are not in the list until their owners confirm them.
        commands=setting(item, {"Enabled": True}) if item is not None and not held.unvouched else (),
    )


def reject(
    draft: Draft, tenant: Tenant, found: Simulation, before: Simulation, ready: tuple[int, ...]
) -> int:
    """Refuse Direct Send."""
    held = tenant.single("Get-OrganizationConfig")
    return draft.add(
        name="reject",
        title=Text("Refuse Direct Send"),
        why=_expectation(found, before),
        do=Text(
            "In a change window set RejectDirectSend. Agree beforehand that it is taken back when a business-critical "
            "sender is silent beyond its usual interval. Refusals do not appear in message traces."
        ),
        verify=Text(
            "After 30 minutes a probe from an address of yours that matches no connector, with your domain in MAIL "
            "FROM, is refused with 550 5.7.68. Each moved sender still arrives. Watch for 30 days."
        ),
        undo=Text("Set RejectDirectSend to false, and wait 30 minutes before judging."),
        risk=Risk.HIGH,
        owner=ADMINISTRATOR,
        after=(*draft.numbers("measure", "decide", "dry-run"), *ready),
        controls=("reject-direct-send",),
        commands=() if held is None else setting(held, {"RejectDirectSend": True}),
    )


def dry_run(draft: Draft, tenant: Tenant, settings: Settings, concerned: Sequence[tuple[Sender, int]]) -> int:
    """
    Have a mail flow rule in audit mode report what comes anonymously, where the evidence does not say it.

    settings:   with the rule in them.
    concerned:  senders to keep, with the mails of each of which it is open.
    """
    standing = any(
        each.properties.get("Name") == RULE_NAME for each in tenant.objects("Get-TransportRule") or ()
    )
    return draft.add(
        name="dry-run",
        title=Text("Watch anonymous mail in the own name by a rule in audit mode"),
        why=count(
            "Of {n} mail that must be kept the evidence does not say whether it came anonymously, so a later step may refuse "
            "it. A rule in audit mode reports such mail and touches none.",
            "Of {n} mails that must be kept the evidence does not say whether they came anonymously, so a later step may "
            "refuse them. A rule in audit mode reports such mail and touches none.",
            sum(number for _, number in concerned),
        ),
        do=Text(
            "Have the mail flow rule “{name}” in audit mode for 30 days, then look its hits up in Get-MessageTraceDetailV2. "
            "Of {senders}, whoever is not among them does not come anonymously. Whoever is needs another way in, unless the "
            "same trace shows a connector by address or certificate.",
            name=RULE_NAME,
            senders=labels(sender for sender, _ in concerned),
        ),
        verify=Text(
            "After 30 minutes a test mail in the own name, from a machine that no connector takes, is among the hits. If it "
            "is not, rules do not see the header that they ask for here, and no hit means nothing."
        ),
        undo=Text("Remove the rule; it has changed no mail."),
        senders=tuple(sender.id for sender, _ in concerned),
        risk=Risk.LOW,
        owner=ADMINISTRATOR,
        after=draft.numbers("measure"),
        commands=() if standing else rule_changes(settings),
    )


def not_yet(draft: Draft, control: str, mails: int) -> None:
    """Say that a control is left out, and why."""
    draft.add(
        title=Text("Leave out {control} for now", control=control),
        why=count(
            "The replay of this plan refused {n} mail that must be kept, so the plan does without this control.",
            "The replay of this plan refused {n} mails that must be kept, so the plan does without this control.",
            mails,
        ),
        do=Text("Find another way in for the senders concerned in its simulation, and plan again."),
        verify=Text("The simulation of this control refuses no mail that must be kept."),
        undo=Text("Nothing is changed."),
        risk=Risk.LOW,
        owner=ADMINISTRATOR,
        after=draft.numbers("measure", "decide"),
    )


def dmarc(
    draft: Draft,
    domain: str,
    found: Simulation,
    before: Simulation,
    reported: int,
    ready: tuple[int, ...] = (),
) -> None:
    """
    Raise DMARC of one domain.

    ready:     steps that give senders another way in, which it waits for.

    reported:  mails of its senders that other people's receivers reported; no replay of this tenant's mail tells how
               they would fare.
    """
    draft.add(
        name="dmarc",
        title=Text("Raise DMARC of {domain} to reject", domain=domain),
        why=sentences(
            [
                _expectation(found, before),
                *(
                    [
                        count(
                            "Other receivers reported {n} mail of its senders, which only the DMARC reports can judge.",
                            "Other receivers reported {n} mails of its senders, which only the DMARC reports can judge.",
                            reported,
                        )
                    ]
                    if reported
                    else []
                ),
            ]
        ),
        do=Text(
            "Publish p=quarantine for {domain}, read the reports for 30 days, then publish p=reject. Switch on "
            "HonorDmarcPolicy in the anti-phishing policies.",
            domain=domain,
        ),
        verify=Text(
            "The aggregate reports of {domain} show no failing mail of a wanted sender.", domain=domain
        ),
        undo=Text(
            "Publish the TXT record of _dmarc.{domain} again as it was before; the exports hold it.",
            domain=domain,
        ),
        risk=Risk.MEDIUM,
        owner=DNS,
        after=(*draft.numbers("measure", "decide", "authentication"), *ready),
        controls=(f"dmarc={domain}:reject",),
    )


def dmarc_later(draft: Draft, domain: str, concerned: Sequence[tuple[Sender, int]]) -> None:
    """Say what stands against raising DMARC of one domain."""
    draft.add(
        title=Text("Clear the way for DMARC of {domain}", domain=domain),
        why=count(
            "{n} recorded mail that must be kept fails DMARC or lacks a result, so the policy of {domain} stays.",
            "{n} recorded mails that must be kept fail DMARC or lack a result, so the policy of {domain} stays.",
            sum(number for _, number in concerned) or draft.left_out.get(f"dmarc={domain}:reject", 0),
            domain=domain,
        ),
        do=Text(
            "Give {senders} an aligned DKIM signature, or an aligned envelope sender with its address in SPF.",
            senders=labels(sender for sender, _ in concerned) or (domain,),
        ),
        verify=Text("Their new mail shows dmarc=pass in its header; then plan again."),
        undo=Text("Take the added records out of DNS."),
        senders=tuple(sender.id for sender, _ in concerned),
        risk=Risk.LOW,
        owner=SENDER_OWNER,
        after=draft.numbers("measure", "decide"),
    )


def find_basic(draft: Draft, concerned: Sequence[tuple[Sender, int]]) -> None:
    """Ask whether senders use SMTP AUTH at all, where nothing shows it: nothing of theirs is changed on a guess."""
    draft.add(
        name="find-basic",
        title=Text("Find out who submits by SMTP AUTH"),
        why=count(
            "{n} mail comes from mailboxes, and nothing shows whether any of it is submitted by SMTP AUTH.",
            "{n} mails come from mailboxes, and nothing shows whether any of them is submitted by SMTP AUTH.",
            sum(number for _, number in concerned),
        ),
        do=Text(
            "Export the SMTP AUTH clients report for {senders}. Whoever stands in it with Basic is moved to OAuth by {day}; "
            "the others stay as they are.",
            senders=labels(sender for sender, _ in concerned),
            day=BASIC_OFF_BY_DEFAULT,
        ),
        verify=Text("Run the audit again with the report: it tells who uses Basic."),
        undo=Text("Nothing is changed."),
        senders=tuple(sender.id for sender, _ in concerned),
        risk=Risk.LOW,
        owner=ADMINISTRATOR,
        after=draft.numbers("measure"),
        by=BASIC_OFF_BY_DEFAULT,
    )


def prepare_oauth(draft: Draft, concerned: Sequence[tuple[Sender, int]]) -> None:
    """Move submissions from Basic authentication."""
    ids = tuple(sender.id for sender, _ in concerned)
    draft.add(
        name="oauth",
        title=Text("Move SMTP AUTH from Basic to OAuth before the end of December 2026"),
        why=count(
            "{n} mail is submitted with Basic authentication, or nothing tells how. Microsoft switches Basic off by "
            "default at the end of December 2026.",
            "{n} mails are submitted with Basic authentication, or nothing tells how. Microsoft switches Basic off by "
            "default at the end of December 2026.",
            sum(number for _, number in concerned),
        ),
        do=Text(
            "Read the SMTP AUTH clients report for {senders}. Move each that uses Basic to OAuth, to High Volume Email "
            "or to a relay that uses OAuth.",
            senders=labels(sender for sender, _ in concerned),
        ),
        verify=Text("The SMTP AUTH clients report of seven days shows no Basic submission of any of them."),
        undo=Text("Set the former authentication in the machine again, while the tenant still admits Basic."),
        senders=ids,
        risk=Risk.MEDIUM,
        owner=SENDER_OWNER,
        after=draft.numbers("measure", "decide"),
        moved=ids,
        by=BASIC_OFF_BY_DEFAULT,
    )


def basic_off(draft: Draft, found: Simulation, before: Simulation) -> None:
    """Close the Basic form of SMTP AUTH."""
    draft.add(
        title=Text("Close the Basic form of SMTP AUTH"),
        why=_expectation(found, before),
        do=Text(
            "Assign an authentication policy without AllowBasicAuthSmtp, first to a pilot, then to everybody."
        ),
        verify=Text("A Basic submission is answered with 535 5.7.139, and every moved sender still sends."),
        undo=Text("Assign the former authentication policy again; the exports name it."),
        risk=Risk.MEDIUM,
        owner=ADMINISTRATOR,
        after=draft.numbers("measure", "decide", "find-basic", "oauth"),
        controls=("smtp-basic-off",),
    )


def egress(draft: Draft) -> None:
    """Close port 25 of the own network last."""
    draft.add(
        name="egress",
        title=Text("Let only mail servers use port 25 to the internet"),
        why=Text("A machine inside the network could otherwise use the connector's address as its own."),
        do=Text(
            "Log outgoing port 25 for 30 days, then deny it for all but the machines of the steps above."
        ),
        verify=Text(
            "The firewall's log shows refusals from other machines only, and every wanted sender still sends."
        ),
        undo=Text("Set the firewall's rule back to logging."),
        risk=Risk.MEDIUM,
        owner=NETWORK,
        after=draft.numbers("measure", "lock", "reject"),
    )
