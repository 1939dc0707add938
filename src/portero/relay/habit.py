"""Habits: what a device usually sends, so that a burst, strange recipients or a new kind of attachment stand out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from portero.core.address import mailbox_key
from portero.relay.devices import Outside

# A habit is judged only once it is one: so many messages, over so many different hours.
ENOUGH_MESSAGES = 50
ENOUGH_HOURS = 5
# A burst is beyond every hour so far by this factor, and by this number.
BURST_FACTOR = 5
BURST_MESSAGES = 20
# So many recipients in an hour that the device never wrote to.
NEW_RECIPIENTS = 10
_KNOWN_RECIPIENTS = 5000
_KNOWN_KINDS = 100
_HOUR = 3600.0
_NAME = re.compile(rb"name\*?=[^\r\n;]{0,200}?\.([A-Za-z0-9]{1,8})\"?[ \t]*[;\r]", re.IGNORECASE)
LOOKED_AT = 262_144


@dataclass(slots=True)
class Habit:
    """
    One device's habit.

    hour:        number of the hour under way since 1970; `in_hour`, `new_in_hour` count in it.
    busiest:     most messages in any hour before it.
    recipients:  whom it has written to, in comparison form; bounded, and nobody is new once it is full.
    kinds:       extensions of attachments it has sent.
    """

    messages: int = 0
    hours: int = 0
    hour: int = 0
    in_hour: int = 0
    new_in_hour: int = 0
    busiest: int = 0
    recipients: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    def judge(self, recipients: list[str], kinds: frozenset[str], now: float) -> list[Outside]:
        """
        Tell how far a message is outside the habit, and count it.

        A message that stands out teaches neither its recipients nor its kinds: who releases it may teach them by rule.
        """
        hour = int(now // _HOUR)
        if hour != self.hour:
            self.busiest = max(self.busiest, self.in_hour)
            self.hours += self.in_hour > 0
            self.hour, self.in_hour, self.new_in_hour = hour, 0, 0
        keys = {mailbox_key(each) for each in recipients}
        new = keys - self.recipients if len(self.recipients) < _KNOWN_RECIPIENTS else set()
        self.in_hour += 1
        found: list[Outside] = []
        if self.messages >= ENOUGH_MESSAGES and self.hours >= ENOUGH_HOURS:
            if self.in_hour > max(self.busiest * BURST_FACTOR, BURST_MESSAGES):
                found.append(Outside("burst", str(self.in_hour)))
            if self.new_in_hour + len(new) > NEW_RECIPIENTS:
                found.append(Outside("new-recipients", str(self.new_in_hour + len(new))))
            found += [Outside("attachment", each) for each in sorted(kinds - self.kinds)]
        self.messages += 1
        self.new_in_hour += len(new)
        if not found:
            self.recipients |= new
            if len(self.kinds) < _KNOWN_KINDS:
                self.kinds |= kinds
        return found

    def kept(self) -> dict[str, object]:
        """Give the habit for JSON; `read_habit` reads it."""
        return {
            name: sorted(value) if isinstance(value, set) else value
            for name, value in ((name, getattr(self, name)) for name in self.__slots__)
        }


def read_habit(kept: Mapping[str, object]) -> Habit:
    """Read what `Habit.kept` gave; what is not of it is as if it had not been there."""
    made = Habit()
    for name in Habit.__slots__:
        value, default = kept.get(name), getattr(made, name)
        if isinstance(default, set) and isinstance(value, list):
            setattr(made, name, {each for each in value if isinstance(each, str)})
        elif isinstance(default, int) and isinstance(value, int):
            setattr(made, name, value)
    return made


def attachment_kinds(content: bytes) -> frozenset[str]:
    """Give the extensions of the attachments that the first 256 KiB of a message name; only MIME messages have any."""
    end = content.find(b"\r\n\r\n")
    if b"content-" not in (content if end < 0 else content[:end]).lower():
        return frozenset()
    looked = content[:LOOKED_AT]
    lower, found = looked.lower(), set()
    # An expression tried at each octet takes 5 ms for 100 KB, a search backwards 0.02.
    at = lower.rfind(b"name")
    while at >= 0:
        named = _NAME.match(looked, at)
        if named is not None:
            found.add(named[1].decode("ascii").lower())
        at = lower.rfind(b"name", 0, at)
    return frozenset(found)


@dataclass(slots=True)
class Learnt:
    """What one unknown address has sent while the relay was learning."""

    client: str
    ehlo: set[str] = field(default_factory=set)
    mail_from: set[str] = field(default_factory=set)
    header_from: set[str] = field(default_factory=set)
    recipients: set[str] = field(default_factory=set)
    messages: int = 0
    largest: int = 0
    first_at: float = 0.0
    last_at: float = 0.0


class Memory:
    """All habits and all that was learnt; its text outlives a restart."""

    def __init__(self, kept: str | None = None) -> None:
        self.habits: dict[str, Habit] = {}
        self.learnt: dict[str, Learnt] = {}
        self.changed = False
        if kept is not None:
            self._read(kept)

    def habit(self, device: str) -> Habit:
        """Give a device's habit, an empty one at first."""
        return self.habits.setdefault(device, Habit())

    def learn(
        self,
        client: str,
        ehlo: str,
        mail_from: str,
        header_from: str,
        recipients: list[str],
        octets: int,
        now: float,
    ) -> None:
        """Write down a message of an unknown address; bounded in every way a stranger could grow it."""
        held = self.learnt.get(client)
        if held is None:
            if len(self.learnt) >= 10_000:
                return
            held = self.learnt[client] = Learnt(client, first_at=now)
        for seen, words in (
            (held.ehlo, [ehlo]),
            (held.mail_from, [mail_from]),
            (held.header_from, [header_from]),
            (held.recipients, recipients),
        ):
            for word in words[:100]:
                if len(seen) < 100:
                    seen.add(word[:254])
        held.messages += 1
        held.largest = max(held.largest, octets)
        held.last_at = now
        self.changed = True

    def kept(self) -> str:
        """Give everything as one text."""
        learnt = [
            {
                name: sorted(value) if isinstance(value, set) else value
                for name, value in ((name, getattr(each, name)) for name in each.__slots__)
            }
            for each in self.learnt.values()
        ]
        return json.dumps(
            {"habits": {name: each.kept() for name, each in self.habits.items()}, "learnt": learnt}
        )

    def _read(self, kept: str) -> None:
        try:
            held = json.loads(kept)
            for name, each in held["habits"].items():
                self.habits[name] = read_habit(each)
            for each in held["learnt"]:
                sets = {key: set(value) for key, value in each.items() if isinstance(value, list)}
                self.learnt[each["client"]] = Learnt(**{**each, **sets})
        except (ValueError, KeyError, TypeError, AttributeError):
            # A text of another version: habits are learnt anew.
            self.habits, self.learnt = {}, {}
