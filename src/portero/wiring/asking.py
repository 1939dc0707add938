"""Live DNS is asked what the evidence leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from portero.collect.dns_lines import dns_lines
from portero.collect.live_dns import LiveDns, read_server, system_servers
from portero.core.dns import Dns, DnsAnswer, DnsZone
from portero.core.domain import open_questions
from portero.core.exchange.selectors import SELECTORS
from portero.core.mail.conversation import Question
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.desk import Asking, Progress


@dataclass(frozen=True, slots=True)
class About:
    """What live DNS is asked about: domains, their DKIM selectors, and SPF records that are to be replayed."""

    domains: tuple[str, ...]
    selectors: tuple[str, ...] = SELECTORS
    proposed: Mapping[str, str] = field(default_factory=dict)


def ask(
    held: Sequence[DnsAnswer], zones: Sequence[DnsZone], asking: Asking, about: About, progress: Progress
) -> tuple[DnsAnswer, ...]:
    """
    Ask live DNS what the evidence leaves open about some domains, and keep the answers where asked to.

    held, zones:  what the evidence says of DNS.
    """
    try:
        servers = tuple(map(read_server, asking.resolvers)) or system_servers()
    except ValueError:
        raise ConfigError(
            (Text("--resolver takes an address, or ADDRESS:PORT, not {given}.", given=asking.resolvers),)
        ) from None
    progress(Text("Asking DNS about {domains}…", domains=about.domains))
    now = datetime.now(UTC)

    def wanted(found: Sequence[DnsAnswer]) -> tuple[Question, ...]:
        dns = Dns([*held, *found], zones)
        return open_questions(dns, about.domains, now, about.selectors, about.proposed)

    answers = LiveDns(servers).settle(wanted)
    if asking.record is not None:
        try:
            asking.record.write_text(dns_lines(answers), "ascii")
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(
                (Text("{file} cannot be written: {reason}.", file=str(asking.record), reason=reason),)
            ) from error
    return answers
