"""Tries what the relay needs before it is needed: files, secrets, names, ports, certificates, credentials."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from portero.core.text import Text, count
from portero.errors import ConfigError
from portero.relay.secrets import Secret
from portero.relay.settings import Listener, Settings
from portero.relay.tokens import Tokens
from portero.relay.transport import Kit, Sign, Way
from portero.relay.transports import transports

# Long enough to order a certificate and to roll it out.
_SOON = timedelta(days=30)


async def check_relay(settings: Settings, say: Callable[[Text], None]) -> list[Sign]:
    """Give one sign for each thing that was looked at, in the order of the file."""
    signs = [_spool(settings)]
    for listener in settings.listeners:
        signs += _listener(listener)
    for user, secret in settings.passwords.items():
        signs += _secret(Text("The password of {user} can be read", user=user), secret)
    for signer in settings.dkim:
        signs += _secret(Text("The DKIM key of {domain} can be read", domain=signer.domain), signer.key)
    tokens = Tokens()
    for way in settings.ways:
        say(Text("Trying the way out {way}…", way=way.name))
        signs += await _way(way, Kit(settings.hostname, tokens))
    return signs


def _spool(settings: Settings) -> Sign:
    what = Text("The queue's folder {path} can be written", path=str(settings.spool))
    folder = settings.spool
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    good = folder.is_dir() and os.access(folder, os.W_OK)
    return Sign(what, good, None if good else Text("Make the folder, owned by the user that runs the relay."))


def _listener(listener: Listener) -> list[Sign]:
    return [
        _certificate(path)
        for path in (listener.certificate, listener.client_ca)
        if path is not None and listener.tls != "none"
    ]


def _certificate(path: Path) -> Sign:
    what = Text("The certificate {path} is valid", path=str(path))
    try:
        from cryptography import x509

        held = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError) as error:
        return Sign(what, False, Text("It cannot be read: {reason}.", reason=str(error)))
    left = held.not_valid_after_utc - datetime.now(UTC)
    if left < timedelta(0):
        return Sign(what, False, Text("It expired on {day}. Renew it.", day=held.not_valid_after_utc.date()))
    days = left.days
    advice = (
        count("It expires in {n} day. Renew it.", "It expires in {n} days. Renew it.", days)
        if left < _SOON
        else None
    )
    return Sign(what, True, advice)


def _secret(what: Text, secret: Secret) -> list[Sign]:
    try:
        secret.read()
    except ConfigError as error:
        return [Sign(what, False, error.problems[0])]
    return [Sign(what, True)]


async def _way(way: Way, kit: Kit) -> list[Sign]:
    signs: list[Sign] = []
    for value in way.options.values():
        if isinstance(value, Secret):
            signs += _secret(Text("The secret of the way out {way} can be read", way=way.name), value)
    for name in ("client_certificate",):
        path = way.options.get(name)
        if isinstance(path, Path):
            signs.append(_certificate(path))
    host = way.text("host")
    if host:
        signs.append(await _name(host))
    if any(each.good is False for each in signs):
        return signs
    try:
        carrier = transports()[way.kind].open(way, kit)
    except ConfigError as error:
        return [*signs, Sign(Text("The way out {way} can be used", way=way.name), False, error.problems[0])]
    try:
        return signs + await carrier.check()
    finally:
        await carrier.close()


async def _name(host: str) -> Sign:
    what = Text("The name {host} leads to an address", host=host)
    try:
        async with asyncio.timeout(15):
            await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        return Sign(
            what,
            False,
            Text("DNS answered: {reason}. Check the name and the resolver.", reason=str(error)),
        )
    return Sign(what, True)
