"""Starts the server: opens the door no wider than is safe, prints the owner's link, serves until told to stop."""

from __future__ import annotations

import ipaddress
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import uvicorn

from portero.core.address import IPNetwork, parse_network
from portero.core.ledger import Organisation, Person
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.web import reading
from portero.faces.web.application import create
from portero.faces.web.cases import Cases
from portero.faces.web.desk import WebDesk
from portero.faces.web.evidence_files import expire
from portero.faces.web.guard import Door
from portero.faces.web.jobs import Jobs
from portero.faces.web.oidc import SignIn
from portero.faces.web.ports import RelayDoor, State, Work
from portero.faces.web.visitor import now

_LINK = timedelta(hours=1)
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Serving:
    """
    How to serve.

    host:         address to listen on.
    port:         0 takes a free one.
    names:        host names under which browsers reach the server, beside those of loopback.
    certificate, key:  files for TLS, both or neither.
    proxies:      networks of a proxy in front that speaks TLS.
    data:         folder for uploads, and for the database where no other is named.
    sign_in:      who may vouch for people.
    relays:       relays of this machine.
    """

    host: str
    port: int
    names: tuple[str, ...]
    certificate: Path | None
    key: Path | None
    proxies: tuple[str, ...]
    data: Path
    sign_in: SignIn = field(default_factory=SignIn)
    relays: tuple[RelayDoor, ...] = ()


def door_of(serving: Serving) -> Door:
    """
    Say how the server may be reached.

    Raises ConfigError where others than this machine could reach it without TLS.
    """
    networks: list[IPNetwork] = []
    for text in serving.proxies:
        try:
            networks.append(parse_network(text))
        except ValueError:
            raise ConfigError(
                (Text("--behind-proxy takes an address or a network, not {text}.", text=text),)
            ) from None
    if (serving.certificate is None) != (serving.key is None):
        raise ConfigError((Text("--tls-cert and --tls-key belong together."),))
    tls = serving.certificate is not None
    if not _loopback(serving.host) and not tls and not networks:
        raise ConfigError(
            (
                Text(
                    "Others would reach {host} without encryption. Give --tls-cert and --tls-key, or --behind-proxy with the address of a proxy that speaks TLS, or leave out --host.",
                    host=serving.host,
                ),
            )
        )
    own = {serving.host.lower()} if serving.host not in {"0.0.0.0", "::"} else set()  # noqa: S104 - compared, not bound
    return Door(_LOOPBACK_NAMES | own | {name.lower() for name in serving.names}, tls, tuple(networks))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def serve(
    serving: Serving,
    state: State,
    work: Work,
    evidence: Sequence[Path],
    say: Callable[[Text], None],
    name: str | None,
) -> None:
    """
    Serve until SIGINT or SIGTERM.

    evidence:  files and folders of this machine to read first.
    name:      name of the first organisation, where there is none yet.
    """
    door = door_of(serving)
    uploads = serving.data / "uploads"
    uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    desk = WebDesk(state, work, Cases(state, work), Jobs(state), uploads, serving.sign_in, serving.relays)
    owner = state.person("local", "owner", say_plain(Text("Local owner")), now(), owner=True)
    first = _first(state, owner, name)
    expire(state, uploads, now())
    names = {name for each in state.organisations() for name in (each.id, each.name)}
    for relay in serving.relays:
        if relay.organisation is not None and relay.organisation not in names:
            say(
                Text(
                    "No organisation is called {name} yet, so nobody sees its relay.", name=relay.organisation
                )
            )
    if evidence:
        reading.start_places(desk, first.id, [path.absolute() for path in evidence], owner.name, here=True)
    try:
        listening = socket.create_server(
            (serving.host.strip("[]"), serving.port),
            family=socket.AF_INET6 if ":" in serving.host else socket.AF_INET,
        )
    except OSError as error:
        raise ConfigError(
            (
                Text(
                    "Nobody can listen on {host}, port {port}: {error}.",
                    host=serving.host,
                    port=serving.port,
                    error=error.strerror or str(error),
                ),
            )
        ) from error
    port = listening.getsockname()[1]
    link = state.add_link(owner.id, now() + _LINK)
    shown = serving.names[0] if serving.names else serving.host
    scheme = "https" if door.tls else "http"
    say(Text("Serving on {url}. Stop with Ctrl+C.", url=f"{scheme}://{shown}:{port}/"))
    say(
        Text(
            "Sign in as the owner, once, within the hour: {url}",
            url=f"{scheme}://{shown}:{port}/sign-in?link={link}",
        )
    )
    sys.stderr.flush()
    config = uvicorn.Config(
        create(desk, door),
        log_level=logging.WARNING,
        # The address of the one-time link must not end up in a log.
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ssl_certfile=serving.certificate,
        ssl_keyfile=serving.key,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32 << 10,
        limit_concurrency=512,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listening])
    state.close()


def say_plain(text: Text) -> str:
    """Give a name that is stored, in the language of the source."""
    return str(text)


def _first(state: State, owner: Person, name: str | None) -> Organisation:
    known = state.organisations()
    if known:
        return known[0]
    return state.add_organisation(name or str(Text("My organisation")), owner.name, now())
