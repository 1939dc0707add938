"""Controls: each is a change to the settings, so that controls together are simply one change after the other."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace

from portero.core.address import a_label, mailbox_key, parse_network
from portero.core.exchange.settings import InboundConnector, Settings
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
    "smtp-auth-off",
    "smtp-basic-off",
)


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
        "smtp-auth-off": _smtp_auth_off,
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


def _smtp_auth_off(value: str) -> Callable[[Settings], Settings]:
    mailboxes = frozenset(mailbox_key(part) for part in value.split(",") if part.strip())

    def change(settings: Settings) -> Settings:
        held = settings.smtp_auth_off_for
        everyone = not mailboxes or held == frozenset()
        return replace(
            settings, smtp_auth_off_for=frozenset() if everyone else mailboxes | (held or frozenset())
        )

    return change
