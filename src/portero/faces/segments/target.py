"""What a kind of firewall is to the rest: an id, two files, and how they are written; and the words all of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portero.core.segmentation import INSIDE, PORTS, Segmentation
from portero.core.text import Text, count
from portero.faces.render import Renderer

# Hosts that a comment names; `--json` gives all.
_NAMED = 40


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What a writer is given. Addresses are canonical; nothing else of the evidence reaches a rule.

    deny:  False for rules that only log what they would refuse.
    """

    version_4: tuple[str, ...]
    version_6: tuple[str, ...]
    deny: bool
    inside_4: tuple[str, ...] = tuple(each for each in INSIDE if ":" not in each)
    inside_6: tuple[str, ...] = tuple(each for each in INSIDE if ":" in each)
    ports: tuple[int, ...] = PORTS

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give all permitted addresses."""
        return self.version_4 + self.version_6

    @property
    def port_list(self) -> str:
        """Give the ports with commas between."""
        return ",".join(map(str, self.ports))


@dataclass(frozen=True, slots=True)
class Target:
    """
    A kind of firewall.

    file, undo_file:  names of the two files.
    comment:          what begins a comment line.
    apply, undo:      give the lines of each file, without comments.
    notes:            what whoever applies them has to know or to put in.
    logs:             whether it can log what it would refuse without refusing it.
    """

    id: str
    file: str
    undo_file: str
    comment: str
    apply: Callable[[Rules], list[str]]
    undo: Callable[[Rules], list[str]]
    notes: tuple[Text, ...]
    logs: bool = True


def write(target: Target, held: Segmentation, renderer: Renderer, *, deny: bool) -> dict[str, bytes]:
    """Write the rules of one kind of firewall and what takes them back, with what they would have blocked as comments."""
    rules = Rules(held.addresses(4), held.addresses(6), deny)
    said = [f"{target.comment} {renderer.text(each)}" for each in (*target.notes, *_said(held, deny=deny))]
    undo = [f"{target.comment} {renderer.text(_UNDO)}", *target.undo(rules)]
    return {
        target.file: ("\n".join([*said, *target.apply(rules)]) + "\n").encode(),
        target.undo_file: ("\n".join(undo) + "\n").encode(),
    }


_UNDO = Text("Takes back what the rules of the same folder put in.")


def _said(held: Segmentation, *, deny: bool) -> list[Text]:
    said = [
        Text("Only these hosts may open ports {ports} to the internet:", ports=tuple(map(str, PORTS))),
        *(Text("  {host}: {why}", host=each.host.label, why=each.why) for each in held.permits[:_NAMED]),
    ]
    if not held.permits:
        said.append(Text("  none that the evidence shows"))
    opened = sum(each.opened for each in held.blocked)
    said.append(
        count(
            "In the recorded traffic this would have refused {n} connection to port 25:",
            "In the recorded traffic this would have refused {n} connections to port 25:",
            opened,
        )
    )
    said += [
        Text(
            "  {host}: {opened} refused; of {unknown} more it is not known whether they left the organisation",
            host=each.host.label,
            opened=each.opened,
            unknown=each.unknown,
        )
        for each in held.blocked[:_NAMED]
    ]
    if held.unseen:
        said.append(
            Text(
                "No network evidence says by which host the mail of these senders leaves; find out before anything is refused: {senders}",
                senders=tuple(each.label for each in held.unseen[:_NAMED]),
            )
        )
    if not deny:
        said.append(
            Text("These rules only log what they would refuse. After 30 quiet days write them with --deny.")
        )
    return said
