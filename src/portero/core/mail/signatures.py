"""
DKIM signatures and ARC chains verified by dkimpy over recorded keys, behind values of ours; needs the extra ``dkim``.

The library is imported when a signature is verified and not before; ModuleNotFoundError says that it is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from portero.core.address import a_label
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.mail.conversation import Conversation, Question
from portero.core.mail.dkim_key import SHORTEST_BITS, parse_key
from portero.core.mail.dmarc import Identifier
from portero.core.mail.spf_names import askable
from portero.core.text import Text

# Hostile mail: signatures and sets beyond these are not looked at, and longer fields are not parsed.
MAX_SIGNATURES = 10
MAX_SETS = 50  # RFC 8617 section 4.2.1
MAX_FIELD = 16384
# Clocks differ; a signature from the future is forgiven this much.
CLOCK_LEEWAY = timedelta(hours=10)

_ARC_FIELDS = frozenset({b"arc-seal", b"arc-message-signature", b"arc-authentication-results"})


class SignatureResult(StrEnum):
    """The results of RFC 8601 section 2.7.1, and one that is ours."""

    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"  # the key is there, and the signature or the body hash does not match
    PERMERROR = "permerror"  # the signature or the key cannot be used, ever
    TEMPERROR = "temperror"
    UNKNOWN = "unknown"  # not the RFC's: the evidence holds no answer for the key


@dataclass(frozen=True, slots=True)
class Signature:
    """
    One DKIM signature.

    domain, selector, algorithm:  as the signature names them; domain as A-labels.
    identity:     i=, ``""`` where it is not given.
    body_octets:  how much of the body is signed (l=), None for all of it.
    testing:      the key is marked as a test: verifiers are to treat the mail as if unsigned.
    problem:      why it does not pass, or None.
    """

    domain: str
    selector: str
    algorithm: str
    result: SignatureResult
    identity: str = ""
    body_octets: int | None = None
    testing: bool = False
    problem: Text | None = None

    @property
    def identifier(self) -> Identifier:
        """Give what DMARC asks about; a key under test authenticates nothing."""
        return Identifier(self.domain, "neutral" if self.testing else self.result.value)


class ArcResult(StrEnum):
    """The chain validation status of RFC 8617 section 4.4, and two ways in which it stays open."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"
    TEMPERROR = "temperror"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ArcSet:
    """
    One set of an ARC chain.

    sealer:  d= of its seal; status: its cv= word.
    seal_valid, message_valid:  whether the seal, and the message signature, verify.
    """

    instance: int
    sealer: str
    status: str
    seal_valid: bool
    message_valid: bool


@dataclass(frozen=True, slots=True)
class ArcChain:
    """
    An ARC chain.

    ended:    an earlier sealer found the chain broken and said so, which ends it (RFC 8617 section 5.1.2).
    sets:     those that could be read, the newest first.
    problem:  why the chain does not pass, in the library's English, or None.
    """

    result: ArcResult
    ended: bool = False
    sets: tuple[ArcSet, ...] = ()
    problem: str | None = None


def key_questions(message: bytes) -> tuple[Question, ...]:
    """Name the keys that the DKIM signatures and the ARC sets of a message point to."""
    found: dict[Question, None] = {}
    for name, value in _fields(message):
        if name == b"dkim-signature" or name in _ARC_FIELDS:
            question = _question(_tags(value))
            if question is not None:
                found[question] = None
    return tuple(found)[: MAX_SIGNATURES + 2 * MAX_SETS]


def keys(message: bytes) -> Conversation[Dns]:
    """Ask for all keys of a message, as a conversation that gives them as recorded DNS."""
    answers: list[DnsAnswer] = []
    for question in key_questions(message):
        answers.append((yield question))  # noqa: PERF401 - a comprehension cannot yield
    return Dns(answers)


def named_signatures(values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Give domain and selector of DKIM-Signature fields by their values, at most ten, without verifying anything."""
    held = [_tags(value.encode("utf-8", "replace")) for value in list(values)[:MAX_SIGNATURES]]
    return tuple((a_label(_word(tags, "d")), _word(tags, "s")) for tags in held)


def verify_dkim(message: bytes, dns: Dns, at: datetime | None = None) -> tuple[Signature, ...]:
    """
    Verify the DKIM signatures of a message, topmost first, at most ten. Nothing raises but a missing library.

    message:  whole, headers and body, with either line end.
    at:       when the mail was received, aware; signatures may expire. None leaves their times aside.
    Source: RFC 6376 section 6.1; RFC 8301; RFC 8463.
    """
    import dkim

    headers = list(_fields(message))
    values = [value for name, value in headers if name == b"dkim-signature"][:MAX_SIGNATURES]
    return tuple(_verify(dkim, message, dns, at, number, value) for number, value in enumerate(values))


def verify_arc(message: bytes, dns: Dns) -> ArcChain:
    """
    Verify the ARC chain of a message. Nothing raises but a missing library.

    Source: RFC 8617 section 5.2.
    """
    import dkim

    held = [value for name, value in _fields(message) if name in _ARC_FIELDS]
    if len(held) > 3 * MAX_SETS or any(len(value) > MAX_FIELD for value in held):
        return ArcChain(ArcResult.FAIL, problem="too many or too long ARC fields")
    keys_of = _Keys(dns)
    try:
        status, found, reason = dkim.arc_verify(message, dnsfunc=keys_of.text, minkey=SHORTEST_BITS)
    except Exception as error:  # the library raises whatever hostile mail makes its parsing meet
        status, found, reason = dkim.CV_Fail, [], f"{type(error).__name__}: {error}"
    sets = tuple(_arc_set(each) for each in found)
    if status == dkim.CV_None:
        return ArcChain(ArcResult.NONE)
    if status == dkim.CV_Pass:
        return ArcChain(ArcResult.PASS, sets=sets)
    # A chain that fails where a key was never seen may be whole.
    if keys_of.lacking(DnsStatus.UNKNOWN):
        return ArcChain(ArcResult.UNKNOWN, sets=sets, problem=reason)
    if keys_of.failed:
        return ArcChain(ArcResult.TEMPERROR, sets=sets, problem=reason)
    return ArcChain(ArcResult.FAIL, status is None, sets, reason)


class _Keys:
    """Hands recorded keys to the library and remembers which were not to be had."""

    def __init__(self, dns: Dns) -> None:
        self._dns = dns
        self.answers: list[DnsAnswer] = []

    def text(self, name: bytes | str, timeout: float = 0) -> bytes:  # noqa: ARG002 - the library's own signature
        """Give the TXT record at a name, empty where there is none."""
        text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
        domain = a_label(text)
        if not askable(domain):
            return b""
        answer = self._dns.lookup(domain, "TXT")
        self.answers.append(answer)
        # Several records are a mistake of the domain's; RFC 6376 section 3.6.2.2 leaves the choice open.
        found = [each for each in answer.answers if parse_key(each) is not None] or list(answer.answers)
        return found[0].encode("utf-8", "surrogateescape") if found else b""

    def lacking(self, status: DnsStatus) -> bool:
        """Tell whether an answer has a status."""
        return any(answer.status is status for answer in self.answers)

    @property
    def failed(self) -> bool:
        """Tell whether DNS failed for a key."""
        return any(answer.status.failed for answer in self.answers)


def _verify(
    library: Any, message: bytes, dns: Dns, at: datetime | None, number: int, value: bytes
) -> Signature:
    tags = _tags(value)
    domain = a_label(_word(tags, "d"))
    selector, algorithm = _word(tags, "s"), _word(tags, "a").lower()
    octets = _word(tags, "l")
    limit = int(octets) if octets.isascii() and octets.isdigit() and len(octets) < 77 else None

    def signature(
        result: SignatureResult, problem: Text | None = None, *, testing: bool = False
    ) -> Signature:
        return Signature(domain, selector, algorithm, result, _word(tags, "i"), limit, testing, problem)

    if len(value) > MAX_FIELD:
        return signature(SignatureResult.PERMERROR, Text("the signature is too long to be read"))
    expired = _time_problem(tags, at)
    if expired is not None:
        return signature(SignatureResult.PERMERROR, expired)
    # RFC 8301 section 3.1: rsa-sha1 must not be verified, and most receivers no longer do.
    if algorithm == "rsa-sha1":
        return signature(SignatureResult.PERMERROR, Text("it is made with SHA-1, which no longer counts"))
    keys_of = _Keys(dns)
    unreadable = problem = None
    try:
        if not _valid(library, message, number, keys_of):
            problem = Text("the signature does not match the message")
    except _Unusable as error:
        unreadable = error.text
    except Exception as error:  # the library raises whatever hostile mail makes its parsing meet
        if "body hash mismatch" in str(error):
            problem = Text("the body was changed after signing")
        else:
            unreadable = Text("it cannot be read: {error}", error=str(error)[:200])
    if keys_of.lacking(DnsStatus.UNKNOWN):
        return signature(SignatureResult.UNKNOWN, Text("the evidence holds no answer for the key"))
    if keys_of.failed:
        return signature(SignatureResult.TEMPERROR, Text("DNS failed for the key"))
    found = [parse_key(text) for answer in keys_of.answers for text in answer.answers]
    key = next((each for each in found if each is not None), None)
    if keys_of.answers and key is None:
        return signature(SignatureResult.PERMERROR, Text("no key stands at the selector"))
    if key is not None and not key.usable:
        return signature(
            SignatureResult.PERMERROR, Text("the key does not count: {faults}", faults=key.faults)
        )
    if unreadable is not None or key is None:
        return signature(SignatureResult.PERMERROR, unreadable or Text("the selector is no name"))
    # RFC 6376 section 3.6.1, t=s: no identity below the domain.
    strict = "s" in _tags(key.text.encode()).get("t", "").split(":")
    if strict and a_label(_word(tags, "i").rpartition("@")[2]) not in {"", domain}:
        return signature(SignatureResult.PERMERROR, Text("the key allows no sub-domain in i="))
    result = SignatureResult.PASS if problem is None else SignatureResult.FAIL
    return signature(result, problem, testing=key.testing)


class _Unusable(Exception):  # noqa: N818 - control flow inside this file
    """The key cannot be used with the signature."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


def _valid(library: Any, message: bytes, number: int, keys_of: _Keys) -> bool:
    """Verify one signature with the library's parts, leaving out its look at the machine's clock."""
    held = library.DKIM(message, minkey=SHORTEST_BITS)
    fields = [(name, value) for name, value in held.headers if name.lower() == b"dkim-signature"]
    sig = library.parse_tag_value(fields[number][1])
    library.validate_signature_fields(
        {name: value for name, value in sig.items() if name not in {b"t", b"x"}}
    )
    included = [name.strip().lower() for name in sig[b"h"].split(b":")]
    # RFC 6376 section 5.4: a signature that leaves the visible sender unsigned vouches for nothing.
    if b"from" not in included:
        raise _Unusable(Text("it does not sign the visible From"))
    held.domain, held.selector = sig[b"d"], sig[b"s"]
    return bool(held.verify_sig(sig, included, fields[number], keys_of.text))


def _time_problem(tags: Mapping[str, str], at: datetime | None) -> Text | None:
    """Tell what is wrong with a signature's times. Source: RFC 6376 section 3.5, t= and x=."""
    times: dict[str, int] = {}
    for tag in ("t", "x"):
        value = tags.get(tag)
        if value is None:
            continue
        if not (value.isascii() and value.isdigit() and len(value) <= 12):
            return Text("{tag}= is no time", tag=tag)
        times[tag] = int(value)
    if "t" in times and "x" in times and times["x"] < times["t"]:
        return Text("it expires before it was made")
    if at is None:
        return None
    now = at.timestamp()
    if "x" in times and times["x"] < now:
        return Text("it had expired when the mail was received")
    if "t" in times and times["t"] > now + CLOCK_LEEWAY.total_seconds():
        return Text("it was made after the mail was received")
    return None


def _arc_set(found: Mapping[str, Any]) -> ArcSet:
    def word(key: str) -> str:
        return bytes(found.get(key) or b"").decode("utf-8", "replace").strip()

    return ArcSet(
        int(found.get("instance", 0)),
        a_label(word("as-domain")),
        word("cv").lower(),
        bool(found.get("as-valid")),
        bool(found.get("ams-valid")),
    )


def _fields(message: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the header fields of a message as lower-case name and unfolded value; what is no field ends nothing."""
    head = re.split(rb"\r?\n\r?\n", message, maxsplit=1)[0]
    name, parts = b"", list[bytes]()
    for line in re.split(rb"\r?\n", head):
        if line[:1] in {b" ", b"\t"} and name:
            parts.append(line)
            continue
        if name:
            yield name, b"".join(parts)
        before, colon, after = line.partition(b":")
        name, parts = (before.strip().lower(), [after]) if colon else (b"", [])
    if name:
        yield name, b"".join(parts)


def _tags(value: bytes) -> dict[str, str]:
    """Read a tag list without complaint; the library complains. White space inside values is dropped."""
    tags: dict[str, str] = {}
    for piece in value[:MAX_FIELD].decode("utf-8", "replace").split(";"):
        name, equals, text = piece.partition("=")
        if equals:
            tags.setdefault(name.strip(), "".join(text.split()))
    return tags


def _word(tags: Mapping[str, str], name: str) -> str:
    return tags.get(name, "")[:255]


def _question(tags: Mapping[str, str]) -> Question | None:
    domain, selector = tags.get("d"), tags.get("s")
    if not domain or not selector:
        return None
    name = a_label(f"{selector}._domainkey.{domain}")
    return Question(name, "TXT") if askable(name) else None


def identifiers(signatures: Iterable[Signature]) -> tuple[Identifier, ...]:
    """Give the identifiers that DMARC weighs."""
    return tuple(each.identifier for each in signatures)
