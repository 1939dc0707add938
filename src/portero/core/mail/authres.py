"""Authentication-Results as RFC 8601 and as Exchange Online write them, ARC's copy of them, and Received-SPF."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portero.core.address import client_address
from portero.core.mail.trace_text import parts, unfold

# method[/version]=result: the first words of a result. Source: RFC 8601 section 2.2.
_METHOD = re.compile(r"([a-z][a-z0-9_-]*)\s*(?:/\s*[0-9]+\s*)?=\s*([a-z][a-z0-9_-]*)(?=\s|\Z)", re.IGNORECASE)
_PROPERTY = re.compile(
    r'([a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_.-]*)?)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]*)', re.IGNORECASE
)
_SENDER_IP = re.compile(r"sender ip is\s+\[?([0-9a-f.:]+)", re.IGNORECASE)
_INSTANCE = re.compile(r"i\s*=\s*([0-9]{1,2})\Z", re.IGNORECASE)
_SPF_RESULT = re.compile(r"\s*([a-z]+)(?=[\s(;]|\Z)", re.IGNORECASE)
_SPF_WORDS = frozenset(["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"])


@dataclass(frozen=True, slots=True)
class MethodResult:
    """
    One method's result.

    method, result:  lower case, for example ``dkim`` and ``pass``; what a receiver invents is kept as it is.
    comments:        without their brackets.
    properties:      ``smtp.mailfrom``, ``header.d``, and Exchange's ``action`` and ``reason``; names in lower case.
    """

    method: str
    result: str
    comments: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()

    def named(self, name: str) -> str | None:
        """Give a property's value, ``""`` where it is there and empty, None where it is not there."""
        return next((value for held, value in self.properties if held == name), None)


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """
    One Authentication-Results field.

    authserv_id:  who wrote it; None in Exchange Online's form, which has none.
    instance:     the number of ARC-Authentication-Results, else None.
    """

    authserv_id: str | None
    instance: int | None
    results: tuple[MethodResult, ...]

    def all(self, method: str) -> tuple[MethodResult, ...]:
        """Give the results of a method: several signatures give several of ``dkim``."""
        return tuple(each for each in self.results if each.method == method)

    def first(self, method: str) -> MethodResult | None:
        """Give the first result of a method, or None."""
        return next(iter(self.all(method)), None)

    @property
    def client_ip(self) -> str | None:
        """Give the address Exchange writes beside ``spf=``, canonical, or None."""
        for each in self.all("spf"):
            for comment in each.comments:
                found = _SENDER_IP.search(comment)
                if found:
                    return client_address(found[1])
        return None


def parse_authentication_results(text: str) -> AuthenticationResults:
    """
    Read Authentication-Results or ARC-Authentication-Results; nothing raises, and what is no result is passed over.

    Exchange Online writes no authserv-id and may write the recipient's domain between two results.
    Source: RFC 8601 section 2.2; RFC 8617 section 4.1.1; reference exchange-online 4.2 and 4.4.
    """
    authserv_id: str | None = None
    instance: int | None = None
    results: list[MethodResult] = []
    for number, (words, comments) in enumerate(parts(unfold(text))):
        arc = _INSTANCE.match(words) if number == 0 else None
        if arc:
            instance = int(arc[1])
            continue
        found = _METHOD.match(words)
        if found:
            pairs = _PROPERTY.findall(words, found.end())
            properties = tuple((name.lower(), _unquote(value)) for name, value in pairs)
            results.append(MethodResult(found[1].lower(), found[2].lower(), tuple(comments), properties))
        elif authserv_id is None and not results and words:
            authserv_id = _unquote(words.split()[0])
    return AuthenticationResults(authserv_id, instance, tuple(results))


@dataclass(frozen=True, slots=True)
class ReceivedSpf:
    """
    One Received-SPF field.

    result:      in RFC 7208 words, or None where the field names none of them.
    properties:  ``client-ip``, ``envelope-from``, ``helo``, ``receiver`` and others, names in lower case.
    """

    result: str | None
    comment: str
    properties: tuple[tuple[str, str], ...]

    def named(self, name: str) -> str | None:
        """Give a property's value, or None."""
        return next((value for held, value in self.properties if held == name), None)

    @property
    def client_ip(self) -> str | None:
        """Give the client's address, canonical, or None."""
        return client_address(self.named("client-ip") or "")


def parse_received_spf(text: str) -> ReceivedSpf:
    """Read Received-SPF; nothing raises. Source: RFC 7208 section 9.1; reference exchange-online 4.3."""
    value = unfold(text)
    word = _SPF_RESULT.match(value)
    result = word[1].lower() if word and word[1].lower() in _SPF_WORDS else None
    comments: list[str] = []
    properties: list[tuple[str, str]] = []
    for words, found in parts(value):
        comments += found
        properties += [(name.lower(), _unquote(held)) for name, held in _PROPERTY.findall(words)]
    return ReceivedSpf(result, comments[0] if comments else "", tuple(properties))


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text.strip('"')
