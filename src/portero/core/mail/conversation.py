"""Conversations: evaluators yield the DNS question they need and are sent the answer, so that they never do I/O."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple, TypeVar

from portero.core.dns import Dns, DnsAnswer

T = TypeVar("T")


class Question(NamedTuple):
    """One DNS question: a name as A-labels and a record type in upper case."""

    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


Conversation = Generator[Question, DnsAnswer, T]


def converse(dns: Dns, conversation: Conversation[T]) -> T:
    """Hold a conversation over recorded answers; a question nobody ever asked is answered UNKNOWN."""
    lookup, send = dns.lookup, conversation.send
    try:
        question = next(conversation)
        while True:
            question = send(lookup(question.name, question.type))
    except StopIteration as end:
        result: T = end.value
        return result
