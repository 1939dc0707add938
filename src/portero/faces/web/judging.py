"""Judging a message that somebody hands over, by what the newest run knows."""

from __future__ import annotations

import threading

from portero.core.explain import Unread, Verdict
from portero.faces.web.cases import View
from portero.faces.web.desk import WebDesk

# Each message is opened in a process of its own: more at once would take the machine from everybody else.
_TURNS = threading.BoundedSemaphore(2)


def judged(desk: WebDesk, view: View, name: str, octets: bytes) -> tuple[Verdict | Unread, ...]:
    """Give the judgement of each message of a file; raises ConfigError where what opens mail is not installed."""
    with _TURNS:
        return tuple(desk.work.judge(view.case, view.audit.senders, name, octets))
