"""The relay's commands: run it, try it, look into its queue and change that."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from portero.core.relay_words import device_words, fate_words, reason, state_words
from portero.core.text import Text, count
from portero.errors import ConfigError
from portero.faces.desk import GATE_TRIPPED, Desk
from portero.faces.options import Options
from portero.faces.relay_cases import RelayUseCases, Sign

UNREACHABLE = 4
_TAKES_NO_MAIL = Text(
    "It takes no mail: the queue's disk is full or does not write. Make room on it; until then devices are told to try again later."
)


def add_relay(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add the commands of `portero relay`."""
    relay = desk.use_cases.relay
    say = desk.renderer.text
    config_option = typer.Option(
        "--config",
        metavar="FILE",
        help=say(
            Text("The relay.toml to use; by default that of the working folder, then that of /etc/portero.")
        ),
    )
    json_option = options.json

    @face.command(cls=cls, help=say(Text("Run the relay until it is told to stop.")))
    def run(config: Annotated[Path | None, config_option] = None) -> None:
        relay().run(config, desk.progress, desk.renderer.text)

    @face.command(
        cls=cls,
        help=say(
            Text("Try credentials, names, ports and certificates, and say what is missing; no mail is sent.")
        ),
    )
    def check(
        config: Annotated[Path | None, config_option] = None,
        json: Annotated[bool, json_option] = False,
    ) -> None:
        signs = relay().check(config, desk.progress)
        if json:
            desk.print_json([_sign_document(desk, each) for each in signs])
        else:
            for each in signs:
                _show_sign(desk, each)
        if any(each.good is False for each in signs):
            raise typer.Exit(UNREACHABLE)

    _add_rules(face, desk, relay, cls, config_option)
    _add_proofs(face, desk, relay, cls, config_option, json_option)
    _add_queue(face, desk, relay, cls, config_option, json_option)


def _add_rules(
    face: typer.Typer,
    desk: Desk,
    relay: Callable[[], RelayUseCases],
    cls: type[TyperCommand],
    config_option: Any,
) -> None:
    say = desk.renderer.text
    evidence_argument = typer.Argument(
        metavar="[EVIDENCE...]", help=say(Text("The evidence whose senders get rules, as for portero audit."))
    )
    learnt_option = typer.Option(
        "--learnt", help=say(Text("Rules for what has sent while the relay was learning."))
    )

    @face.command(
        cls=cls,
        help=say(Text("Write a device rule for each sender that will need the relay; nothing is changed.")),
    )
    def rules(
        evidence: Annotated[list[Path] | None, evidence_argument] = None,
        learnt: Annotated[bool, learnt_option] = False,
        config: Annotated[Path | None, config_option] = None,
    ) -> None:
        if learnt:
            text = relay().learnt_rules(config, say)
        elif evidence:
            held = desk.audit(evidence, config=None)
            text = relay().rules(held.senders, say)
        else:
            raise ConfigError((Text("Name evidence, or --learnt."),))
        if not text:
            desk.aside(Text("There is no sender here that needs a rule."))
        typer.echo(text, nl=False)


def _add_proofs(
    face: typer.Typer,
    desk: Desk,
    relay: Callable[[], RelayUseCases],
    cls: type[TyperCommand],
    config_option: Any,
    json_option: Any,
) -> None:
    say = desk.renderer.text
    to_option = typer.Option("--to", metavar="MAILBOX", help=say(Text("Who gets the message.")))
    from_option = typer.Option("--from", metavar="MAILBOX", help=say(Text("Who it comes from.")))
    way_option = typer.Option(
        "--way", metavar="NAME", help=say(Text("The way out to try; by default the first of the file."))
    )

    @face.command(
        "send-test", cls=cls, help=say(Text("Send one small message straight to a way out, past the queue."))
    )
    def send_test(
        to: Annotated[str, to_option],
        sender: Annotated[str, from_option],
        way: Annotated[str, way_option] = "",
        config: Annotated[Path | None, config_option] = None,
        json: Annotated[bool, json_option] = False,
    ) -> None:
        sign = relay().send(config, way, sender, to, say)
        if json:
            desk.print_json(_sign_document(desk, sign))
        else:
            _show_sign(desk, sign)
        if not sign.good:
            raise typer.Exit(UNREACHABLE)

    @face.command(cls=cls, help=say(Text("Check that nobody has changed the audit trail's past.")))
    def audit(
        config: Annotated[Path | None, config_option] = None,
        json: Annotated[bool, json_option] = False,
    ) -> None:
        held = relay().audit_verdict(config)
        if json:
            desk.print_json(held)
        else:
            screen = desk.terminal()
            screen.say(
                count(
                    "{n} record; the last has the hash {last}.",
                    "{n} records; the last has the hash {last}.",
                    held["records"],
                    last=held["last"],
                )
            )
            for line in held["broken"]:
                screen.say(Text("Line {line} does not follow from the one before it.", line=line), "red")
        if held["broken"]:
            raise typer.Exit(GATE_TRIPPED)


def _sign_document(desk: Desk, sign: Sign) -> dict[str, object]:
    say = desk.renderer.text
    return {
        "what": say(sign.what),
        "good": sign.good,
        "advice": None if sign.advice is None else say(sign.advice),
    }


def _show_sign(desk: Desk, sign: Sign) -> None:
    colours = {True: "green", False: "red", None: "yellow"}
    known = {
        True: Text("Yes: {what}.", what=sign.what),
        False: Text("No: {what}.", what=sign.what),
        None: Text("Unknown: {what}.", what=sign.what),
    }
    desk.terminal().say(known[sign.good], colours[sign.good])
    if sign.advice is not None:
        desk.terminal().say(sign.advice)


def _add_queue(
    face: typer.Typer,
    desk: Desk,
    relay: Callable[[], RelayUseCases],
    cls: type[TyperCommand],
    config_option: Any,
    json_option: Any,
) -> None:
    say = desk.renderer.text
    queue = typer.Typer(cls=face.info.cls, add_completion=False, rich_markup_mode=None)
    face.add_typer(queue, name="queue", help=say(Text("Look into the queue, and change what waits in it.")))
    one = typer.Argument(metavar="ID", help=say(Text("The queue id of a message.")))
    some = typer.Argument(metavar="[ID...]", help=say(Text("The queue ids of messages.")))
    every = typer.Option("--all", help=say(Text("All messages this can be done to.")))
    state_option = typer.Option(
        "--state",
        metavar="fresh|waiting|held|quarantined",
        help=say(Text("Only messages in this state; give it again for several.")),
    )
    limit_option = typer.Option("--limit", metavar="N", help=say(Text("How many messages to show at most.")))
    out_option = typer.Option(
        "--out",
        metavar="FILE",
        help=say(Text("File for the message; by default it goes to standard output.")),
    )

    @queue.command("list", cls=cls, help=say(Text("List what waits, and say why.")))
    def list_(
        state: Annotated[list[str] | None, state_option] = None,
        limit: Annotated[int, limit_option] = 100,
        config: Annotated[Path | None, config_option] = None,
        json: Annotated[bool, json_option] = False,
    ) -> None:
        held = relay().queue(config, state or (), limit, desk.renderer.text)
        if json:
            desk.print_json(held)
        else:
            _show_queue(desk, held)

    @queue.command(cls=cls, help=say(Text("Show all that is known of one message.")))
    def show(
        id: Annotated[str, one],  # noqa: A002  (its name on the command line)
        config: Annotated[Path | None, config_option] = None,
        json: Annotated[bool, json_option] = False,
    ) -> None:
        held = relay().show(config, id, desk.renderer.text)
        if json:
            desk.print_json(held)
        else:
            _show_message(desk, held)

    @queue.command(cls=cls, help=say(Text("Write out a message as it will travel.")))
    def export(
        id: Annotated[str, one],  # noqa: A002  (its name on the command line)
        out: Annotated[Path | None, out_option] = None,
        config: Annotated[Path | None, config_option] = None,
    ) -> None:
        content = relay().export(config, id)
        if out is None:
            sys.stdout.buffer.write(content)
            return
        try:
            out.write_bytes(content)
        except OSError as error:
            raise ConfigError(
                (
                    Text(
                        "The message cannot be written to {path}: {error}. Name another file with --out.",
                        path=str(out),
                        error=error.strerror or str(error),
                    ),
                )
            ) from error

    helps = {
        "retry": Text("Try messages again now; what was held waits again."),
        "hold": Text("Put messages aside: they stay in the queue and are not sent."),
        "release": Text("Let messages out of quarantine or from being held: they are sent."),
        "drop": Text("Delete messages from the queue for good."),
        "report": Text("Tell the owners of messages in quarantine what is kept and why; the messages stay."),
    }
    for name, words in helps.items():
        _add_change(queue, desk, relay, cls, name, say(words), some, every, config_option, json_option)


def _add_change(
    queue: typer.Typer,
    desk: Desk,
    relay: Callable[[], RelayUseCases],
    cls: type[TyperCommand],
    name: str,
    words: str,
    some: Any,
    every: Any,
    config_option: Any,
    json_option: Any,
) -> None:
    @queue.command(name, cls=cls, help=words)
    def change(
        ids: Annotated[list[str] | None, some] = None,
        everything: Annotated[bool, every] = False,
        config: Annotated[Path | None, config_option] = None,
        json: Annotated[bool, json_option] = False,
    ) -> None:
        if not ids and not everything:
            raise ConfigError((Text("Name at least one queue id, or --all."),))
        told = relay().change(config, name, ids or (), everything=everything, render=desk.renderer.text)
        if json:
            desk.print_json(told)
            return
        if not told:
            desk.terminal().say(Text("No message in the queue is in a state for this."), "dim")
        for number, state in told.items():
            desk.terminal().say(Text("{id}: {state}", id=number, state=state_words(state)))


def _show_queue(desk: Desk, held: Mapping[str, Any]) -> None:
    screen = desk.terminal()
    screen.say(
        Text("The relay is running.") if held["running"] else Text("The relay is not running."),
        "green" if held["running"] else "yellow",
    )
    if held["accepting"] is False:
        screen.say(_TAKES_NO_MAIL, "red")
    for way in held["ways"]:
        if way["trouble"]:
            screen.say(
                Text(
                    "The way out {way} fails with “{reply}”. It is tried again in {n} s.",
                    way=way["name"],
                    reply=way["trouble"],
                    n=max(way["again_in_seconds"], 1),
                ),
                "red",
            )
        elif way["drain_seconds"]:
            screen.say(
                Text(
                    "The way out {way} needs at least {n} seconds for what it holds.",
                    way=way["name"],
                    n=round(way["drain_seconds"]),
                )
            )
    total = sum(held["counts"].values())
    screen.say(count("{n} message in the queue.", "{n} messages in the queue.", total), "bold")
    for each in held["messages"]:
        screen.say(
            Text(
                "{id}  {state}  {device}  from <{mail_from}> to {to}",
                id=each["id"],
                state=state_words(each["state"]),
                device=device_words(each["device"]),
                mail_from=each["mail_from"],
                to=tuple(one["address"] for one in each["recipients"][:5]),
            )
        )
        for one in each["recipients"][:5]:
            if one["reply"] and one["fate"] == "waiting":
                screen.say(Text("    {address}: {reply}", address=one["address"], reply=one["reply"]), "dim")
                if one["explained"]:
                    screen.say(Text("    {explained}", explained=one["explained"]), "yellow")
        if each["reasons"]:
            reasons = tuple(reason(one["code"], one["value"]) for one in each["reasons"])
            screen.say(Text("    {reasons}", reasons=reasons), "yellow")
    more = total - len(held["messages"])
    if more > 0:
        screen.say(count("… and {n} more.", "… and {n} more.", more), "dim")


def _show_message(desk: Desk, held: Mapping[str, Any]) -> None:
    screen = desk.terminal()
    screen.say(Text("{id}: {state}", id=held["id"], state=state_words(held["state"])), "bold")
    due = held["due_at"] and datetime.fromisoformat(held["due_at"])
    for label, value in (
        (Text("Came in"), datetime.fromisoformat(held["received_at"])),
        (Text("Next try"), due if held["state"] == "waiting" else None),
        (Text("Device"), device_words(held["device"])),
        (Text("Its address"), held["client"]),
        (Text("The name it gives itself"), held["ehlo"]),
        (Text("Sender on the envelope"), f"<{held['mail_from']}>"),
        (Text("Author in the header"), held["header_from"]),
        (Text("Subject"), held["subject"]),
        (Text("Message-ID"), held["message_id"]),
        (Text("Octets"), held["size"]),
        (Text("Is told of failures"), held["owner"]),
        (Text("Kept because"), tuple(reason(one["code"], one["value"]) for one in held["reasons"])),
    ):
        if value:
            screen.say(Text("{label}: {value}", label=label, value=value))
    for one in held["recipients"]:
        screen.say(
            count(
                "{address}: {fate}, {n} try so far", "{address}: {fate}, {n} tries so far", one["attempts"],
                address=one["address"], fate=fate_words(one["fate"]),
            )
        )  # fmt: skip
        if one["reply"]:
            screen.say(Text("    {way}: {reply}", way=one["way"] or "-", reply=one["reply"]), "dim")
            if one["explained"]:
                screen.say(Text("    {explained}", explained=one["explained"]), "yellow")
