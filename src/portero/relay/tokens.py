"""Access tokens for Microsoft's ways in: one request at a time for each credential, renewed ahead, used to their end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from portero.relay.identity import TokenFault, managed, read_answer, timed
from portero.relay.secrets import Secret
from portero.relay.transport import Way

# A token is renewed so much before its end, and not used in its last seconds: the far side's clock is its own.
_AHEAD_SECONDS = 600.0
_LAST_SECONDS = 30.0
# After a failure nobody asks again before this, growing: a service that comes back must not be met by a stampede.
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 600.0

log = structlog.get_logger("portero.relay")


@dataclass(slots=True)
class _Held:
    """One credential's token and what is known of its endpoint."""

    token: str = ""
    expires_at: float = 0.0
    task: asyncio.Task[None] | None = None
    failures: int = 0
    not_before: float = 0.0
    fault: str = ""


# Gives (token, seconds it lives), or raises TokenFault; it may block.
Fetch = Callable[[Way], tuple[str, float]]


class Tokens:
    """
    Tokens by credential.

    fetch:  asks the endpoint; called in a thread.
    clock:  seconds since 1970.
    """

    def __init__(self, fetch: Fetch | None = None, clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch or fetch_token
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._chance = random.Random()  # noqa: S311  (spreads retries only)

    async def get(self, way: Way) -> str:
        """Give a token for a way. Raises TokenFault while the endpoint gives none and the last one is over."""
        held = self._held.setdefault(_key(way), _Held())
        now = self._clock()
        left = held.expires_at - now
        if left > _AHEAD_SECONDS:
            return held.token
        if held.task is None and now >= held.not_before:
            held.task = asyncio.get_running_loop().create_task(self._renew(way, held))
        if left > _LAST_SECONDS:
            # Renewal goes on beside: nobody waits for it while the old one is good.
            return held.token
        if held.task is not None:
            await asyncio.shield(held.task)
        if held.expires_at - self._clock() > _LAST_SECONDS:
            return held.token
        raise TokenFault(held.fault or "no token", max(held.not_before - self._clock(), 1.0))

    def forget(self, way: Way) -> None:
        """Ask anew next time: the far side has refused this token."""
        held = self._held.get(_key(way))
        if held is not None:
            held.expires_at = 0.0

    async def _renew(self, way: Way, held: _Held) -> None:
        try:
            held.token, life = await asyncio.to_thread(self._fetch, way)
        except TokenFault as fault:
            held.failures += 1
            wait = min(_FIRST_WAIT * 2.0 ** min(held.failures - 1, 10), _LONGEST_WAIT)
            wait *= 0.75 + 0.5 * self._chance.random()
            held.not_before = self._clock() + max(wait, fault.retry_after_seconds)
            held.fault = str(fault)
            log.warning("token-refused", way=way.name, fault=held.fault, again_in_seconds=round(wait))
        else:
            held.failures, held.not_before, held.fault = 0, 0.0, ""
            held.expires_at = self._clock() + life
        finally:
            held.task = None


def _key(way: Way) -> str:
    return "|".join(way.text(name) for name in ("authority", "tenant", "client_id", "scope", "identity"))


def fetch_token(way: Way) -> tuple[str, float]:
    """
    Ask Microsoft Entra, or the managed identity of this machine.

    Source: MSAL for Python; Microsoft, "OAuth 2.0 client credentials flow". Raises TokenFault.
    """
    import msal
    import requests

    scope = way.text("scope")
    try:
        if way.text("identity"):
            answer = managed(way.text("identity"), scope.removesuffix("/.default"))
        else:
            session = requests.Session()
            ca = way.options.get("authority_ca")
            if isinstance(ca, Path):
                # requests lets its environment variables win over a session's setting.
                session.trust_env = False
                session.verify = str(ca)
            authority = way.text("authority") or "https://login.microsoftonline.com"
            application = msal.ConfidentialClientApplication(
                way.text("client_id"),
                client_credential=_credential(way),
                authority=f"{authority}/{way.text('tenant')}",
                instance_discovery=None if authority.endswith("microsoftonline.com") else False,
                http_client=timed(session),
            )
            answer = application.acquire_token_for_client(scopes=[scope])
    except (requests.RequestException, ValueError, OSError) as error:
        raise TokenFault(f"{type(error).__name__}: {error}", 0.0) from None
    return read_answer(answer)


def _credential(way: Way) -> object:
    secret = way.options.get("client_secret")
    if isinstance(secret, Secret):
        return secret.read()
    certificate, key = way.options.get("certificate"), way.options.get("certificate_key")
    if isinstance(certificate, Path) and isinstance(key, Path):
        text = certificate.read_text("ascii")
        return {
            "private_key": key.read_text("ascii"),
            "public_certificate": text,
            "thumbprint": _thumbprint(text),
        }
    raise ValueError("neither client_secret, nor certificate and certificate_key, nor identity is set")


def _thumbprint(pem: str) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    # SHA-1 names the certificate at Entra and secures nothing; with it MSAL signs RS256.
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1()).hex()  # noqa: S303
