"""Reads `relay.toml` once into frozen values; everything wrong with it is said at once, by key and line."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from portero.core.address import IPNetwork, a_label
from portero.core.text import Text
from portero.core.toml_lines import key_lines, line_of
from portero.errors import ConfigError
from portero.relay.devices import Device, Organisation, Pattern
from portero.relay.pace import Limits
from portero.relay.protocol import Manners
from portero.relay.secrets import Secret
from portero.relay.settings_table import Book, Table
from portero.relay.transport import Option, Way
from portero.relay.transports import transports
from portero.toml_file import parse_toml, read_toml

FILE_NAME = "relay.toml"


@dataclass(frozen=True, slots=True)
class Listener:
    """
    One door.

    tls:            ``none``, ``offered``, ``required`` (before MAIL) or ``implicit`` (from the first octet).
    old_tls:        TLS 1.0 and 1.1 and weak ciphers are spoken, to the addresses of `only_from` alone.
    proxy_from:     balancers that must open each connection with a PROXY header; empty takes none.
    """

    manners: Manners
    host: str
    port: int
    tls: str = "none"
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None
    old_tls: bool = False
    only_from: tuple[IPNetwork, ...] = ()
    proxy_from: tuple[IPNetwork, ...] = ()
    connections: int = 1000
    connections_per_client: int = 50
    idle_seconds: float = 300.0
    octets_per_second: float = 500.0


@dataclass(frozen=True, slots=True)
class Route:
    """Which ways a recipient may take, where all that is given holds."""

    ways: tuple[str, ...]
    over_octets: int | None = None
    up_to_octets: int | None = None
    recipients: str | None = None
    devices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Dkim:
    """What signs the mail of one domain: the key's PEM text is the secret."""

    domain: str
    selector: str
    key: Secret


@dataclass(frozen=True, slots=True)
class Learning:
    """Networks whose unknown devices are let through and written down until a day."""

    networks: tuple[IPNetwork, ...]
    until: date


@dataclass(frozen=True, slots=True)
class Settings:
    """All that `relay.toml` says."""

    file: str
    hostname: str
    spool: Path
    organisation: Organisation
    listeners: tuple[Listener, ...]
    devices: tuple[Device, ...]
    ways: tuple[Way, ...]
    routes: tuple[Route, ...] = ()
    owner: str = ""
    user: str = ""
    time_zone: ZoneInfo | None = None
    expire_seconds: float = 5 * 86_400.0
    warn_seconds: float = 4 * 3600.0
    free_octets: int = 200 << 20
    stamp: bool = True
    audit: Path | None = None
    status: tuple[str, int] | None = None
    dkim: tuple[Dkim, ...] = ()
    learning: Learning | None = None
    passwords: Mapping[str, Secret] = field(default_factory=dict)

    def way(self, name: str) -> Way:
        """Give a way by its name. Raises KeyError."""
        return next(each for each in self.ways if each.name == name)


def load_settings(path: Path) -> Settings:
    """Read a configuration file. Raises ConfigError with all that is wrong with it."""
    return parse_settings(read_toml(path), str(path))


def parse_settings(text: str, file: str) -> Settings:
    """Read the text of a configuration; `file` is its name for messages. Raises ConfigError with all that is wrong."""
    content = parse_toml(text, file)
    book = Book(file, key_lines(text))
    settings = _settings(Table(book, content, ()), file)
    if book.problems or settings is None:
        raise ConfigError(tuple(problem for _, problem in sorted(book.problems, key=lambda pair: pair[0])))
    return settings


_HOURS = Text('hours such as "06:00-22:00"')
_SOCKET = Text('an address and a port such as "0.0.0.0:25" or "[::1]:25"')


def _socket(value: Any) -> tuple[str, int] | None:
    host, _, port = value.rpartition(":")
    host = host.strip("[]")
    if host != "localhost":
        ipaddress.ip_address(host)
    return (host, int(port)) if 0 <= int(port) <= 65535 else None


def _hours(value: Any) -> tuple[time, time] | None:
    start, _, end = value.partition("-")
    return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())


def _zone(value: Any) -> ZoneInfo | None:
    try:
        return ZoneInfo(value)
    except (KeyError, OSError):
        return None


def _settings(root: Table, file: str) -> Settings | None:
    relay = root.table("relay")
    if relay is None:
        root.missing("relay")
        return None
    organisation = Organisation(
        frozenset(a_label(each) for each in relay.texts("accepted_domains") if each.strip())
    )
    if not organisation.accepted_domains:
        relay.missing("accepted_domains")
    spool = relay.path("spool")
    if spool is None:
        relay.missing("spool")
    ways = _ways(root)
    names = tuple(each.name for each in ways)
    settings = Settings(
        file=file,
        hostname=relay.host("hostname", required=True),
        spool=spool or Path(),
        organisation=organisation,
        listeners=_listeners(root),
        devices=_devices(root, organisation, names),
        ways=ways,
        routes=_routes(root, names),
        owner=relay.mailbox("owner"),
        user=relay.text("user"),
        time_zone=relay.take("time_zone", None, Text("a time zone such as Europe/Madrid"), _zone),
        expire_seconds=relay.count("expire_hours", 120) * 3600.0,
        warn_seconds=relay.count("warn_hours", 4) * 3600.0,
        free_octets=relay.count("free_octets", 200 << 20),
        stamp=relay.flag("stamp", default=True),
        audit=relay.path("audit"),
        status=relay.take("status", None, _SOCKET, _socket),
        dkim=_dkim(root),
        learning=_learning(root),
        passwords=_passwords(root),
    )
    relay.done()
    root.done()
    _not_open(root, settings)
    return settings


def _listeners(root: Table) -> tuple[Listener, ...]:
    found = []
    for table in root.tables("listener"):
        if "address" not in table.content:
            table.missing("address")
        host, port = table.take("address", ("127.0.0.1", 0), _SOCKET, _socket)
        tls = table.one_of("tls", ("none", "offered", "required", "implicit"), "none")
        login = table.flag("login")
        listener = Listener(
            manners=Manners(
                name=table.text("name", f"{host}:{port}"),
                size_octets=table.count("size_octets", 36_700_160),
                recipients=table.count("recipients", 1000),
                starttls=tls in {"offered", "required"},
                tls_required=tls == "required",
                login=login,
                login_clear=table.flag("login_without_tls"),
                normalise=table.one_of("bare_line_ends", ("normalise", "refuse"), "normalise") == "normalise",
                soft_errors=table.count("soft_errors", 10),
                hard_errors=table.count("hard_errors", 20),
                idle_commands=table.count("idle_commands", 100),
            ),
            host=host,
            port=port,
            tls=tls,
            certificate=table.path("certificate"),
            key=table.path("key"),
            client_ca=table.path("client_ca"),
            old_tls=table.flag("old_tls"),
            only_from=table.networks("only_from"),
            proxy_from=table.networks("proxy_from"),
            connections=table.count("connections", 1000),
            connections_per_client=table.count("connections_per_client", 50),
            idle_seconds=float(table.count("idle_seconds", 300)),
            octets_per_second=float(table.count("octets_per_second", 500)),
        )
        if tls != "none" and listener.certificate is None:
            table.missing("certificate")
        if listener.old_tls and not listener.only_from:
            table.say(
                "old_tls",
                lambda file, line: Text(
                    "{file}, line {line}: old_tls speaks protocols that are broken. Name the devices it is for in only_from.",
                    file=file,
                    line=line,
                ),
            )
        table.done()
        found.append(listener)
    if not found:
        root.missing("listener")
    return tuple(found)


def _devices(root: Table, organisation: Organisation, ways: tuple[str, ...]) -> tuple[Device, ...]:
    found = []
    for table in root.tables("device"):
        mail_from = table.pattern("mail_from", organisation, Pattern())
        device = Device(
            name=table.text("name", required=True),
            networks=table.networks("cidr"),
            ehlo=frozenset(each.lower() for each in table.texts("ehlo")),
            login=table.text("login") or None,
            certificate=table.text("certificate") or None,
            mail_from=mail_from,
            header_from=table.pattern("header_from", organisation, mail_from),
            recipients=table.pattern("recipients", organisation, Pattern(domains=organisation.accepted_domains)),
            size_octets=table.number("size_octets", None),
            messages_per_minute=table.number("messages_per_minute", None),
            hours=table.take("hours", None, _HOURS, _hours),
            tls_required=table.flag("tls_required"),
            outside=table.one_of("outside", ("quarantine", "refuse"), "quarantine"),
            rewrite_mail_from=table.mailbox("rewrite_mail_from") or None,
            rewrite_header_from=table.mailbox("rewrite_header_from") or None,
            add_headers=table.take("add_headers", (), _HEADERS, _headers),
            remove_headers=frozenset(each.lower() for each in table.texts("remove_headers")),
            ways=_known(table, "ways", ways),
            owner=table.mailbox("owner"),
            habit=table.flag("habit", default=True),
        )  # fmt: skip
        if "mail_from" not in table.content:
            table.missing("mail_from")
        # Networks that cannot be read have been told of.
        if not (device.networks or device.login or device.certificate or table.content.get("cidr")):
            table.say(
                "name",
                lambda file, line: Text(
                    "{file}, line {line}: this device names none of cidr, login and certificate. Add one.",
                    file=file,
                    line=line,
                ),
            )
        table.done()
        found.append(device)
    return tuple(found)


_HEADERS = Text('a table of header names and texts such as { X-Site = "Madrid" }')
_FIELD_NAME = re.compile(r"[!-9;-~]+\Z")


def _headers(value: Any) -> tuple[tuple[str, str], ...] | None:
    pairs = tuple(value.items())
    good = all(
        _FIELD_NAME.match(name) and isinstance(text, str) and text.isascii() and text.isprintable()
        for name, text in pairs
    )
    return pairs if good else None


def _known(table: Table, key: str, ways: tuple[str, ...]) -> tuple[str, ...]:
    names = table.texts(key)
    for name in names:
        if name not in ways:
            table.wrong(key, Text("a list of ways out; there are {names}", names=ways))
            break
    return names


def _ways(root: Table) -> tuple[Way, ...]:
    kinds = transports()
    found: list[Way] = []
    for table in root.tables("way"):
        name = table.text("name", required=True)
        kind = table.one_of("kind", tuple(kinds), "")
        if "kind" not in table.content:
            table.missing("kind")
        if kind not in kinds:
            continue
        transport = kinds[kind]
        options = {each.name: _option(table, each) for each in transport.options}
        default = transport.limits
        limits = Limits(
            sessions=max(table.count("sessions", default.sessions), 1),
            messages_per_minute=table.number("messages_per_minute", default.messages_per_minute) or None,
            messages_per_hour=table.number("messages_per_hour", default.messages_per_hour) or None,
            recipients_per_day=table.number("recipients_per_day", default.recipients_per_day) or None,
        )
        if any(each.name == name for each in found):
            table.wrong("name", Text("a name of its own"))
        table.done()
        found.append(Way(name, kind, options, limits, line_of(root.book.lines, table.place)))
    if not found:
        root.missing("way")
    return tuple(found)


def _option(table: Table, option: Option) -> object:
    if option.required and option.name not in table.content:
        table.missing(option.name)
    if option.kind == "number":
        return table.number(option.name, option.default if isinstance(option.default, int) else None)
    if option.kind == "flag":
        return table.flag(option.name, default=option.default is True)
    if option.kind == "secret":
        return table.secret(option.name)
    if option.kind == "file":
        return table.path(option.name)
    if option.kind.startswith("choice:"):
        return table.one_of(
            option.name, tuple(option.kind.removeprefix("choice:").split("|")), str(option.default)
        )
    return table.text(option.name, option.default if isinstance(option.default, str) else "")


def _routes(root: Table, ways: tuple[str, ...]) -> tuple[Route, ...]:
    found = []
    for table in root.tables("route"):
        if "ways" not in table.content:
            table.missing("ways")
        found.append(
            Route(
                ways=_known(table, "ways", ways),
                over_octets=table.number("over_octets", None),
                up_to_octets=table.number("up_to_octets", None),
                recipients=table.one_of("recipients", ("inside", "outside"), "") or None,
                devices=frozenset(table.texts("devices")),
            )
        )
        table.done()
    return tuple(found)


def _dkim(root: Table) -> tuple[Dkim, ...]:
    found = []
    for table in root.tables("dkim"):
        key = table.secret("key")
        if key is None:
            table.missing("key")
        domain, selector = (
            table.host("domain", required=True),
            table.host("selector", required=True),
        )
        if key is not None:
            found.append(Dkim(a_label(domain), selector, key))
        table.done()
    return tuple(found)


def _learning(root: Table) -> Learning | None:
    table = root.table("learning")
    if table is None:
        return None
    networks = table.networks("cidr")
    if not networks:
        table.missing("cidr")
    if "until" not in table.content:
        table.missing("until")
    until = table.take(
        "until",
        date.min,
        Text("a day such as 2027-01-31"),
        lambda value: value if isinstance(value, date) else None,
    )
    table.done()
    return Learning(networks, until)


def _passwords(root: Table) -> dict[str, Secret]:
    found = {}
    for table in root.tables("login"):
        user, password = table.text("user", required=True), table.secret("password")
        if password is None:
            table.missing("password")
        else:
            found[user] = password
        table.done()
    return found


# Networks wider than these are no device's and no site's, and would make the relay open.
_WIDEST = {4: 8, 6: 32}


def _not_open(root: Table, settings: Settings) -> None:
    """Refuse to start open: whoever may send anywhere is known by more than an address out of half the world."""
    for index, device in enumerate(settings.devices):
        wide = [each for each in device.networks if each.prefixlen < _WIDEST[each.version]]
        proven = device.login is not None or device.certificate is not None
        if wide and not proven and not all(each.is_private for each in wide):
            root.book.add(("device", index, "cidr"), _too_wide(str(wide[0])))
        elif device.recipients.anything and device.mail_from.anything and not proven:
            root.book.add(("device", index, "recipients"), _open_relay)
    if settings.learning is not None:
        for each in settings.learning.networks:
            if not each.is_private and each.prefixlen < _WIDEST[each.version]:
                root.book.add(("learning", "cidr"), _too_wide(str(each)))


def _too_wide(network: str) -> Callable[[str, int], Text]:
    return lambda file, line: Text(
        "{file}, line {line}: {network} would open the relay to strangers. Name the devices' own networks, or ask for a login or certificate.",
        file=file,
        line=line,
        network=network,
    )


def _open_relay(file: str, line: int) -> Text:
    return Text(
        "{file}, line {line}: any sender and any recipient without a login or certificate is an open relay. Restrict mail_from or recipients.",
        file=file,
        line=line,
    )
