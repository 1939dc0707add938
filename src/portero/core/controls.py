"""Controls: each is a change to the settings, so that controls together are simply one change after the other."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from portero.core.address import a_label, client_address, mailbox_key, neighbourhood, parse_network
from portero.core.exchange.new_connector import connector_blocks
from portero.core.exchange.settings import InboundConnector, MailRule, Settings, SpoofPair
from portero.core.mail.spf_record import is_spf, parse_record
from portero.core.text import Text


class UnknownControlError(ValueError):
    """A control that cannot be applied as written; carries a sentence that says what would be right."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class Control:
    """
    A control of the contract.

    text:   as written, for example ``lock-gateway=203.0.113.0/24``.
    apply:  gives the settings with the control in force.
    """

    text: str
    apply: Callable[[Settings], Settings]


NAMES = (
    "reject-direct-send",
    "lock-gateway",
    "allow",
    "remove-connector",
    "dmarc",
    "spf",
    "spf-without",
    "dkim",
    "move",
    "smtp-auth-off",
    "smtp-basic-off",
    "mail-flow-rule",
    "spoof-block",
    "spoof-allow",
)


@lru_cache(maxsize=4096)
def parse_control(text: str) -> Control:
    """
    Read a control as the contract writes it.

    Raises UnknownControlError with what would be right.
    Source: contract section 4, CONTROL.
    """
    name, equals, value = text.strip().partition("=")
    value = value.strip()
    readers: dict[str, Callable[[str], Callable[[Settings], Settings]]] = {
        "lock-gateway": _lock_gateway,
        "allow": _allow,
        "remove-connector": _remove_connector,
        "dmarc": _dmarc,
        "spf": _spf,
        "spf-without": _spf_without,
        "dkim": _dkim,
        "move": _move,
        "smtp-auth-off": _smtp_auth_off,
        "mail-flow-rule": _mail_flow_rule,
        "spoof-block": partial(_spoof_pair, allow=False),
        "spoof-allow": partial(_spoof_pair, allow=True),
    }
    if name in {"reject-direct-send", "smtp-basic-off"}:
        if equals:
            raise UnknownControlError(Text("The control {name} takes no value.", name=name))
        change = {"reject_direct_send": True} if name == "reject-direct-send" else {"smtp_basic_off": True}
        return Control(name, lambda settings: replace(settings, **change))  # type: ignore[arg-type]  # keys above
    if name not in readers:
        near = difflib.get_close_matches(name, NAMES, 1)
        if near:
            raise UnknownControlError(
                Text("There is no control {name}. Did you mean {near}?", name=name, near=near[0])
            )
        raise UnknownControlError(
            Text("There is no control {name}. The controls are {names}.", name=name, names=NAMES)
        )
    return Control(text.strip(), readers[name](value))


def apply_controls(settings: Settings, controls: tuple[Control, ...]) -> Settings:
    """Apply controls one after the other."""
    for control in controls:
        settings = control.apply(settings)
    return settings


def _ranges(value: str, control: str) -> tuple[str, ...]:
    ranges = []
    for part in value.split(","):
        try:
            ranges.append(str(parse_network(part)))
        except ValueError:
            raise UnknownControlError(
                Text(
                    "{part} is no address range. Write {control}=203.0.113.0/24,198.51.100.7 or {control}=cert:NAME.",
                    part=part.strip() or "“”",
                    control=control,
                )
            ) from None
        if connector_blocks(ranges[-1:]) is None:
            raise UnknownControlError(
                Text(
                    "No connector takes {range}: Exchange Online lists IPv4 addresses and blocks of /24 to /32 alone, and more "
                    "than 256 blocks are no list of anybody's servers.",
                    range=ranges[-1],
                )
            )
    return tuple(ranges)


def _lock_gateway(value: str) -> Callable[[Settings], Settings]:
    certificate = value.removeprefix("cert:") if value.startswith("cert:") else None
    given = _ranges(value, "lock-gateway") if value and certificate is None else ()

    def change(settings: Settings) -> Settings:
        ranges = given or settings.gateway_networks
        lock = InboundConnector(
            name=f"lock-gateway{'=' + value if value else ''}",
            type="Partner",
            sender_domains=("*",),
            addresses=() if certificate else ranges,
            certificate=certificate,
            # With nothing known to lock to, the answer must be undetermined rather than "locks nothing".
            restrict_to_addresses=False if certificate else bool(ranges) or None,
            restrict_to_certificate=certificate is not None,
            presumed=True,
        )
        return settings.with_connector(lock)

    return change


def _allow(value: str) -> Callable[[Settings], Settings]:
    certificate = value.removeprefix("cert:") if value.startswith("cert:") else None
    ranges = () if certificate else _ranges(value, "allow")
    way_in = InboundConnector(
        name=f"allow={value}",
        type="Partner",
        sender_domains=("*",),
        addresses=ranges,
        certificate=certificate,
        presumed=True,
    )
    return lambda settings: settings.with_connector(way_in)


def _remove_connector(value: str) -> Callable[[Settings], Settings]:
    if not value:
        raise UnknownControlError(Text("Name the connector: remove-connector=NAME."))

    return lambda settings: replace(settings, removed=settings.removed | {value.lower()})


def _dmarc(value: str) -> Callable[[Settings], Settings]:
    domain, _, policy = value.partition(":")
    if policy not in {"quarantine", "reject"} or not domain:
        raise UnknownControlError(Text("Write dmarc=DOMAIN:quarantine or dmarc=DOMAIN:reject."))
    return lambda settings: replace(settings, policies={**settings.policies, a_label(domain): policy})


def _spf(value: str) -> Callable[[Settings], Settings]:
    name, _, record = value.partition(":")
    domain, record = a_label(name), record.strip()
    if not domain or not is_spf(record):
        raise UnknownControlError(Text("Write spf=DOMAIN:RECORD, the record from v=spf1 on."))
    faults = parse_record(record).faults
    if faults:
        raise UnknownControlError(
            Text(
                "The SPF record for {domain} is wrong at {term}: {reason}.",
                domain=domain,
                term=faults[0].term,
                reason=faults[0].reason,
            )
        )
    return lambda settings: replace(settings, spf_records={**settings.spf_records, domain: record})


def _spf_without(value: str) -> Callable[[Settings], Settings]:
    name, _, term = value.partition(":")
    domain, term = a_label(name), term.strip()
    if not domain or not term or " " in term:
        raise UnknownControlError(
            Text(
                "Write spf-without=DOMAIN:TERM, for example spf-without=contoso.com:include:_spf.vendor.example."
            )
        )

    def change(settings: Settings) -> Settings:
        terms = (*settings.spf_without.get(domain, ()), term)
        return replace(settings, spf_without={**settings.spf_without, domain: terms})

    return change


def _dkim(value: str) -> Callable[[Settings], Settings]:
    name, _, state = value.partition(":")
    domain = a_label(name)
    if not domain or state not in {"on", "off"}:
        raise UnknownControlError(Text("Write dkim=DOMAIN:on or dkim=DOMAIN:off."))
    return lambda settings: replace(settings, dkim={**settings.dkim, domain: state == "on"})


def _move(value: str) -> Callable[[Settings], Settings]:
    source, _, target = value.partition(",")
    address = client_address(target.strip())
    try:
        network = str(parse_network(source.strip()))
    except ValueError:
        network = ""
    if not network or address is None:
        raise UnknownControlError(
            Text("Write move=NETWORK,ADDRESS, for example move=198.51.100.20/32,203.0.113.9.")
        )
    return lambda settings: replace(settings, moves=(*settings.moves, (network, address)))


def _smtp_auth_off(value: str) -> Callable[[Settings], Settings]:
    mailboxes = frozenset(mailbox_key(part) for part in value.split(",") if part.strip())

    def change(settings: Settings) -> Settings:
        held = settings.smtp_auth_off_for
        everyone = not mailboxes or held == frozenset()
        return replace(
            settings, smtp_auth_off_for=frozenset() if everyone else mailboxes | (held or frozenset())
        )

    return change


def _mail_flow_rule(value: str) -> Callable[[Settings], Settings]:
    mode, colon, exceptions = value.partition(":")
    if mode not in {"audit", "quarantine"} or (colon and not exceptions.strip()):
        raise UnknownControlError(
            Text(
                "Write mail-flow-rule=audit or mail-flow-rule=quarantine, with exceptions as "
                "mail-flow-rule=audit:203.0.113.0/24."
            )
        )
    rule = MailRule(mode == "quarantine", _ranges(exceptions, "mail-flow-rule") if exceptions else ())
    return lambda settings: replace(settings, mail_rule=rule)


def _spoof_pair(value: str, *, allow: bool) -> Callable[[Settings], Settings]:
    sender, _, source = value.partition(",")
    sender, infrastructure = mailbox_key(sender), a_label(source)
    if source.strip() and source.strip()[-1].isdigit():
        try:
            network = parse_network(source)
            near = network.version == 4 and network.prefixlen in {24, 32}
            infrastructure = neighbourhood(str(network.network_address)) if near else ""
        except ValueError:
            infrastructure = ""
    if not infrastructure or not (sender == "*" or "@" in sender[1:]):
        raise UnknownControlError(
            Text(
                "Write {control}=SENDER,SOURCE: SENDER an address or *, SOURCE a domain or an IPv4 /24, for example "
                "{control}=scanner@contoso.com,198.51.100.0/24.",
                control="spoof-allow" if allow else "spoof-block",
            )
        )
    pair = SpoofPair(sender, infrastructure, allow)
    return lambda settings: replace(settings, spoof_pairs=(*settings.spoof_pairs, pair))
