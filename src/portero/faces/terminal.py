"""What the terminal shows of an audit: who sends, what closing the door would do, what a person should decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from portero.core.finding import Outcome
from portero.core.questions import About
from portero.core.sender import Judgement
from portero.core.text import Text, count
from portero.faces.render import Renderer, plain
from portero.faces.report.summary import block_of, summarise

if TYPE_CHECKING:
    from portero.core.audit import Audit
    from portero.core.coverage import Answer, Standing
    from portero.core.design import Design
    from portero.core.dmarc_road import Road
    from portero.core.domain import DomainReport
    from portero.core.evidence import Gap
    from portero.core.finding import Finding
    from portero.core.questions import Question
    from portero.core.scenario import Difference
    from portero.core.segmentation import Segmentation
    from portero.core.sender import Sender
    from portero.core.simulation import Simulation, Turn
    from portero.core.spf_authoring import SpfDraft
    from portero.core.step import Step
    from portero.faces.comparison import Row

# What fits on a screen; the files hold all.
_SHOWN_SENDERS = 12
_SHOWN_QUESTIONS = 5
_SHOWN_GAPS = 5
# Columns where nobody looks on, so that a log or a README does not depend on who ran the command.
_UNWATCHED_COLUMNS = 110
_COLOURS = {
    "legitimate": "green", "abuse": "red", "undecided": "yellow",
    "done": "green", "open": "yellow", "pass": "green", "fail": "red", "warn": "yellow", "unknown": "yellow",
}  # fmt: skip
_WORST_FIRST = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN, Outcome.PASS, Outcome.NOT_APPLICABLE)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Pass a closed pipe on: rich would leave with 1, which is the code of a tripped gate."""
        raise BrokenPipeError


class Terminal:
    """
    Prints for a person.

    error:  True for progress and complaints, which go to standard error; results go to standard output.
    Evidence reaches the screen only through the renderer, which leaves nothing in it that a terminal obeys.
    """

    def __init__(self, renderer: Renderer, *, error: bool = False) -> None:
        self._renderer = renderer
        # No markup: a sender that calls itself "[red]" is shown by that name.
        self._console = _Console(stderr=error, markup=False, highlight=False, emoji=False)
        if not self._console.is_terminal:
            self._console.width = _UNWATCHED_COLUMNS

    def say(self, text: Text, style: str = "") -> None:
        """Print one sentence; it is never cut, and only the terminal breaks it."""
        self._console.print(Cell(self._renderer.text(text), style), soft_wrap=True)

    def audit(self, audit: Audit, *, verbose: bool = False) -> None:
        """Print an audit's first screen."""
        summary = summarise(audit)
        self.say(summary.headline, "bold")
        self.senders(audit)
        block = block_of(audit)
        if block is not None:
            self._block(block)
        self._questions(audit.questions)
        if summary.first_step is not None:
            self.say(Text("First step of the plan: {title}", title=summary.first_step.title))
        self.gaps(audit.gaps, verbose=verbose)

    def senders(self, audit: Audit, shown: int | None = _SHOWN_SENDERS) -> None:
        """Print the inventory, busiest first; shown None prints all."""
        senders = audit.senders
        if not senders and not audit.accepted_domains:
            # That nobody was found says nothing where nobody was looked for.
            for said in audit.assumptions:
                self.say(said, "yellow")
            return
        if not senders:
            self.say(Text("No sender in the organisation's name was found in this evidence."))
            return
        ordered = sorted(senders, key=_busiest)[:shown]
        numbers = [Text("Messages")]
        # Mail that went to others is no message here, and a sender of thousands is not one of none.
        if any(each.outside and not each.mails for each in ordered):
            numbers.append(Text("Seen by others"))
        table = self._table(
            Text("Who sends in the organisation's name"),
            (Text("Sender"), Text("Judgement"), Text("Way in"), Text("Network")),
            numbers,
        )
        for each in ordered:
            table.add_row(
                self._cell(each.label),
                Cell(self._renderer.certainty(each), _COLOURS[each.judgement.value]),
                self._cell(each.path),
                Cell(_first(each.client_networks)),
                *(Cell(self._renderer.number(n)) for n in (each.mails, each.outside)[: len(numbers)]),
            )
        self._console.print(table)
        rest = len(senders) - len(ordered)
        if rest:
            self.say(count("{n} more sender is in the files.", "{n} more senders are in the files.", rest))

    def simulation(self, simulation: Simulation, senders: Sequence[Sender] = ()) -> None:
        """Print what controls would do, sender by sender, as far as anything changes."""
        labels = {each.id: each.label for each in senders}
        controls = Text("Under {controls}", controls=simulation.controls)
        heads = (Text("Sender"), Text("Judgement"), Text("Effect"), Text("Why"))
        table = self._table(controls, heads, _FATES)
        for each in simulation.senders:
            table.add_row(
                self._cell(labels.get(each.sender, each.sender)),
                self._cell(each.judgement),
                self._cell(each.effect),
                self._cell(each.because),
                *(Cell(self._renderer.number(n)) for n in (each.refused, each.kept, each.undetermined)),
            )
        self._console.print(table)
        self._turns(simulation, labels)
        self.say(
            Text(
                "Messages refused: {refused}. Kept: {kept}. Undetermined: {undetermined}.",
                refused=simulation.refused,
                kept=simulation.kept,
                undetermined=simulation.undetermined,
            )
        )
        if simulation.dry_run:
            caught = simulation.caught_by_judgement()
            self.say(
                Text(
                    "The rule in audit mode would report {legitimate} legitimate messages, {undecided} undecided and "
                    "{abuse} of abuse; of {perhaps} more the evidence does not say. Prove first, with a test message, "
                    "that rules see the header AuthAs in this tenant.",
                    legitimate=caught[Judgement.LEGITIMATE],
                    undecided=caught[Judgement.UNDECIDED],
                    abuse=caught[Judgement.ABUSE],
                    perhaps=simulation.perhaps_caught,
                )
            )
        for made in simulation.commands:
            self.say(Text("To make it: {command}", command=made.do))
            self.say(Text("To undo it: {command}", command=made.undo))

    def _turns(self, simulation: Simulation, labels: Mapping[str, Text]) -> None:
        """Print what changed records turn: results before and after, sender by sender, as far as they differ."""
        turned: list[tuple[object, Turn]] = [
            (labels.get(each.sender, each.sender), turn)
            for each in simulation.senders
            for turn in each.turns
            if turn.changes
        ]
        turned += [
            (Text("{sender}, reported elsewhere", sender=labels.get(sender, sender or _NOBODY_KNOWN)), turn)
            for sender, turns in simulation.elsewhere
            for turn in turns
            if turn.changes
        ]
        if not turned:
            if simulation.elsewhere or any(each.turns for each in simulation.senders):
                self.say(Text("No SPF or DMARC result of the recorded mail changes."))
            return
        heads = (Text("Sender"), Text("Check"), Text("Before"), Text("After"))
        table = self._table(Text("Results that change"), heads, (Text("Messages"),))
        for sender, turn in turned:
            table.add_row(
                self._cell(sender),
                Cell(turn.check.upper()),
                self._cell(turn.before),
                self._cell(turn.after),
                Cell(self._renderer.number(turn.mails)),
            )
        self._console.print(table)

    def findings(self, findings: Sequence[Finding]) -> None:
        """Print the checks, what fails and what nobody knows first."""
        heads = (Text("Check"), Text("Outcome"), Text("Severity"), Text("Finding"))
        table = self._table(Text("Posture"), heads)
        for each in sorted(findings, key=lambda each: (_WORST_FIRST.index(each.outcome), each.id)):
            table.add_row(
                Cell(each.id),
                Cell(self._renderer.value(each.outcome), _COLOURS.get(each.outcome.value, "")),
                self._cell(each.severity),
                self._cell(Text("{title}: {because}", title=each.title, because=each.because)),
            )
        self._console.print(table)

    def domain(self, report: DomainReport) -> None:
        """Print a domain's records and what is said of each, with what to publish where something is wrong."""
        posture = report.posture
        for name, kind, text in posture.published:
            self.say(Text("{name} {kind}: {text}", name=name, kind=kind, text=text), "dim")
        heads = (Text("Record"), Text("Outcome"), Text("Finding"))
        table = self._table(Text("Mail records of {domain}", domain=posture.domain), heads)
        for line in posture.lines:
            table.add_row(
                Cell(plain(line.id)),
                Cell(self._renderer.value(line.outcome), _COLOURS.get(line.outcome.value, "")),
                self._cell(line.because),
            )
        self._console.print(table)
        for line in posture.lines:
            if line.fix is not None:
                self.say(Text("Mend {record}: {fix}", record=line.id, fix=line.fix))
        if report.spf is not None:
            self._draft(report.spf, report.labels)
        if report.road is not None:
            self._road(report.road, report.labels)

    def _draft(self, draft: SpfDraft, labels: Mapping[str, Text]) -> None:
        heads = (Text("Term"), Text("Senders"))
        numbers = (Text("Addresses"), Text("Look-ups"), Text("Messages"))
        table = self._table(
            Text("What the SPF record of {domain} authorises", domain=draft.domain), heads, numbers
        )
        for each in draft.uses:
            names = tuple(labels.get(name, _NOBODY_KNOWN) for name in each.senders)
            table.add_row(
                Cell(plain(each.term)),
                self._cell(names if each.complete or names else _NOT_SEEN_WHOLE),
                *(Cell(self._renderer.number(n)) for n in (each.addresses, each.lookups, each.mails)),
            )
        self._console.print(table)
        if draft.record is not None:
            self.say(
                Text(
                    "The least record that covers the decided senders, with {number} look-ups: {record}",
                    number=draft.lookups,
                    record=draft.record,
                ),
                "bold",
            )
        if draft.dropped:
            self.say(Text("It drops {terms}, which no decided sender needs.", terms=draft.dropped))
        for ids, said in (
            (
                draft.uncovered,
                Text("Not covered for sure, since their address or envelope sender is not certain:"),
            ),
            (draft.undecided, Text("Undecided senders that it would leave out:")),
        ):
            if ids:
                self.say(
                    Text("{said} {senders}", said=said, senders=tuple(labels.get(each, each) for each in ids))
                )
        for remark in draft.remarks:
            self.say(remark)

    def _road(self, road: Road, labels: Mapping[str, Text]) -> None:
        heads = (Text("Milestone"), Text("State"), Text("Measured"), Text("Senders in the way"))
        table = self._table(Text("The road of {domain} to p=reject", domain=road.domain), heads)
        for each in road.milestones:
            table.add_row(
                self._cell(each.title),
                Cell(self._renderer.value(each.state), _COLOURS.get(each.state.value, "")),
                self._cell(each.because),
                self._cell(tuple(labels.get(name, _NOBODY_KNOWN) for name in each.senders)),
            )
        self._console.print(table)
        if road.next is not None:
            self.say(
                Text(
                    "Publish next at _dmarc.{domain}, and let a month of reports pass: {record}",
                    domain=road.domain,
                    record=road.next,
                ),
                "bold",
            )
        for said in road.exposure:
            self.say(said, "yellow")

    def protection(self, recipient: str, found: Sequence[Answer]) -> None:
        """Print which policies one mailbox really has, and why."""
        heads = (Text("Kind of policy"), Text("Policy"), Text("Why"))
        table = self._table(Text("Protection of {recipient}", recipient=recipient), heads)
        for each in found:
            table.add_row(
                Cell(each.family.value),
                Cell(plain(each.policy) if each.policy else "?", "" if each.certain else "yellow"),
                self._cell(each.derivation),
            )
        self._console.print(table)

    def coverage(self, standings: Sequence[Standing]) -> None:
        """Print how many mailboxes stand under each policy."""
        if not standings:
            self.say(
                Text("The evidence lists no mailboxes: export Get-Mailbox or Get-CASMailbox to count them.")
            )
            return
        table = self._table(
            Text("Mailboxes by the policy that really applies"),
            (Text("Kind of policy"), Text("Policy")),
            (Text("Mailboxes"),),
        )
        for each in sorted(standings, key=lambda each: (each.family.value, -each.mailboxes)):
            table.add_row(
                Cell(each.family.value),
                Cell(plain(each.policy)) if each.policy else self._cell(Text("not surely known")),
                Cell(self._renderer.number(each.mailboxes)),
            )
        self._console.print(table)

    def comparison(self, names: Sequence[str], rows: Sequence[Row]) -> None:
        """Print results side by side, with what changed from the first to the last."""
        table = self._table(
            Text("Results side by side"),
            (Text("Check"), *(Text("{name}", name=name) for name in names), Text("Change")),
        )
        for each in rows:
            cells = [
                Cell(self._renderer.label("outcome", held) if held else "", _COLOURS.get(held or "", ""))
                for held in each.outcomes
            ]
            table.add_row(Cell(each.id), *cells, Cell(self._renderer.label("change", each.change)))
        self._console.print(table)

    def plan(self, steps: Sequence[Step]) -> None:
        """Print the plan's steps in their order."""
        if not steps:
            self.say(Text("The plan has no step: nothing in this evidence calls for one."))
        for each in steps:
            self.say(Text("Step {step}: {title}", step=each.n, title=each.title), "bold")
            self.say(Text("Why: {why}", why=each.why))
            self.say(Text("Do: {do}", do=each.do))
            self.say(Text("Verify: {verify}", verify=each.verify))
            self.say(Text("Undo: {undo}", undo=each.undo))

    def questions(self, questions: Sequence[Question]) -> None:
        """Print the questions to people, those that settle most first."""
        if not questions:
            self.say(Text("Nobody needs to decide anything: the evidence settled every sender."))
            return
        table = self._table(
            Text("Questions to people"),
            (Text("Whom to ask"), Text("About"), Text("Why this one")),
            (Text("Senders"), Text("Messages")),
        )
        for each in questions:
            table.add_row(
                self._cell(each.to.address or each.to.role),
                self._cell(each.title),
                self._cell(each.to.why),
                *(Cell(self._renderer.number(n)) for n in (len(each.senders), each.mails)),
            )
        self._console.print(table)

    def design(self, design: Design, labels: Mapping[str, Text]) -> None:
        """Print the connectors designed, what each range admits, and whom no connector helps."""
        if not design.connectors:
            self.say(Text("No connector is called for."))
        for connector in design.connectors:
            table = self._table(
                Text("Connector “{name}”, type {type}", name=connector.name, type=connector.type),
                (Text("Range"), Text("Made for"), Text("Admits besides"), Text("Beware")),
                (Text("Addresses"), Text("Seen")),
            )
            for each in connector.ranges:
                table.add_row(
                    Cell(plain(each.network)),
                    self._cell(tuple(labels.get(sender, sender) for sender in each.senders)),
                    self._cell(tuple(labels.get(sender, sender) for sender in each.besides)),
                    self._cell(each.cautions),
                    *(Cell(self._renderer.number(n)) for n in (each.addresses, each.seen)),
                )
            self._console.print(table)
            self.say(connector.why)
            if connector.certificate is not None:
                self.say(Text("Better by certificate: {name}", name=connector.certificate))
        if design.mails:
            self.say(
                count(
                    "By the replay they keep {n} message that refusing Direct Send would not surely keep.",
                    "By the replay they keep {n} messages that refusing Direct Send would not surely keep.",
                    design.mails,
                ),
                "bold",
            )
        if not design.unhelped:
            return
        heads = (Text("Sender"), Text("Why no connector helps"), Text("Instead"))
        table = self._table(Text("No connector helps"), heads)
        for held in design.unhelped:
            label = labels.get(held.sender, held.sender)
            table.add_row(self._cell(label), self._cell(held.why), self._cell(held.instead))
        self._console.print(table)

    def segmentation(self, found: Segmentation) -> None:
        """Print who may open the mail ports, and what the rules would have blocked."""
        heads = (Text("Host"), Text("Why"))
        table = self._table(Text("Hosts that may open the mail ports"), heads)
        for permit in found.permits:
            table.add_row(self._cell(permit.host.label), self._cell(permit.why))
        self._console.print(table)
        numbers = (Text("Port 25"), Text("Not known whether outside"))
        table = self._table(Text("What the rules would have blocked"), (Text("Host"),), numbers)
        for held in found.blocked:
            cells = (Cell(self._renderer.number(n)) for n in (held.opened, held.unknown))
            table.add_row(self._cell(held.host.label), *cells)
        self._console.print(table)

    def differences(
        self, names: tuple[str, str], found: Sequence[Difference], labels: Mapping[str, Text]
    ) -> None:
        """Print how each sender fares in two scenarios, where it fares differently."""
        if not found:
            self.say(Text("Every sender fares alike in both scenarios."))
            return
        table = self._table(
            Text("What differs from {before} to {after}", before=names[0], after=names[1]),
            (Text("Sender"), Text("Before"), Text("After"), Text("Why")),
            (Text("Refused"),),
        )
        for each in found:
            then, now = each.before, each.after
            table.add_row(
                self._cell(labels.get(now.sender, now.sender)),
                self._cell(then.effect),
                self._cell(now.effect),
                self._cell(now.because),
                Cell(self._renderer.number(now.refused - then.refused, signed=True)),
            )
        self._console.print(table)

    def gaps(self, gaps: Sequence[Gap], *, verbose: bool = False) -> None:
        """Name what was handed over and could not be used; only a few of many unless verbose."""
        shown = gaps if verbose else gaps[:_SHOWN_GAPS]
        for each in shown:
            self.say(Text("Gap in {origin}: {reason}", origin=each.origin, reason=each.reason), "yellow")
        if len(gaps) > len(shown):
            rest = len(gaps) - len(shown)
            self.say(count("{n} more gap: --verbose names it.", "{n} more gaps: --verbose names them.", rest))

    def _block(self, block: Simulation) -> None:
        table = self._table(Text("What closing Direct Send would do"), (Text("Sender's judgement"),), _FATES)
        for judgement in Judgement:
            held = [each for each in block.senders if each.judgement is judgement]
            if held:
                fates = (
                    sum(each.refused for each in held),
                    sum(each.kept for each in held),
                    sum(each.undetermined for each in held),
                )
                table.add_row(
                    Cell(self._renderer.value(judgement), _COLOURS[judgement.value]),
                    *(Cell(self._renderer.number(n)) for n in fates),
                )
        self._console.print(table)

    def _questions(self, questions: Sequence[Question]) -> None:
        for each in questions[:_SHOWN_QUESTIONS]:
            self.say(_asked(each), "yellow")

    def _table(self, title: Text, words: Sequence[Text], numbers: Sequence[Text] = ()) -> Table:
        table = Table(
            title=Cell(self._renderer.text(title)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
        )
        for head in words:
            table.add_column(Cell(self._renderer.text(head)), overflow="fold")
        for head in numbers:
            table.add_column(Cell(self._renderer.text(head)), justify="right", no_wrap=True)
        return table

    def _cell(self, value: object) -> Cell:
        return Cell(self._renderer.value(value))


_NOBODY_KNOWN = Text("nobody known")
_NOT_SEEN_WHOLE = Text("not all it stands for is in the evidence")
_FATES = (Text("Refused"), Text("Kept"), Text("Undetermined"))


def _asked(question: Question) -> Text:
    if question.about is About.CHANGE:
        return Text("To look into: {title}. Its reasons say what.", title=question.title)
    outside = sum(each.outside for each in question.senders)
    alone = len(question.senders) == 1
    if outside and not question.mails:
        # It never came here, so no answer settles any of it.
        if alone:
            return count(
                "To decide: is {sender} yours? Others reported {n} message of it.",
                "To decide: is {sender} yours? Others reported {n} messages of it.",
                outside,
                sender=question.senders[0].label,
            )
        return count(
            "To decide: {title}: which of its {number} senders are yours? Others reported {n} message of them.",
            "To decide: {title}: which of its {number} senders are yours? Others reported {n} messages of them.",
            outside,
            title=question.title,
            number=len(question.senders),
        )
    if alone:
        return count(
            "To decide: is {sender} yours? The answer settles {n} message.",
            "To decide: is {sender} yours? The answer settles {n} messages.",
            question.mails,
            sender=question.senders[0].label,
        )
    return count(
        "To decide: {title}: which of its {number} senders are yours? The answers settle {n} message.",
        "To decide: {title}: which of its {number} senders are yours? The answers settle {n} messages.",
        question.mails,
        title=question.title,
        number=len(question.senders),
    )


def _busiest(sender: Sender) -> tuple[int, int, str]:
    return -sender.mails, -sender.outside, sender.id


def _first(networks: Sequence[str]) -> str:
    if len(networks) < 2:
        return plain("".join(networks))
    return f"{plain(networks[0])} +{len(networks) - 1}"
