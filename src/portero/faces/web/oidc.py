"""Signing in by OpenID Connect: the code flow with PKCE, and nothing believed that the provider did not sign for us."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from hmac import new as keyed
from typing import Any, cast
from urllib.parse import quote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portero.core.sign_in import Provider
from portero.core.text import Text
from portero.errors import SourceUnavailable

# Signatures by a key that only the provider holds; never the shared secret, never none. Source: RFC 8725 section 3.1.
_ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
]
# How long somebody may take at the provider, how far clocks may differ, how long what a provider says of itself is kept,
# and how soon its keys may be asked for again when a token names one that is not known.
_PATIENCE_SECONDS = 600
_SKEW_SECONDS = 120
_KEPT_SECONDS = 3600
_AGAIN_SECONDS = 30
_USED = 10_000
# Core 1.0 section 2: a subject has at most 255 ASCII characters.
_LONGEST_SUBJECT = 255

# Sends a request and gives status and body: method, address, form, user and password. Raises OSError.
Fetch = Callable[[str, str, Mapping[str, str] | None, tuple[str, str] | None], tuple[int, bytes]]


class SignInError(Exception):
    """Somebody could not be signed in; `text` says why, to them."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody for whom a provider vouches."""

    provider: Provider
    subject: str
    name: str
    claims: Mapping[str, object]


class SignIn:
    """
    The providers of an installation.

    fetch:  does what must leave the machine.
    clock:  seconds since 1970.
    """

    def __init__(
        self,
        providers: Sequence[Provider] = (),
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.providers = tuple(providers)
        self._fetch = fetch
        self._clock = clock
        # A restart makes whoever is at a provider just then begin again, and nothing else.
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._used: OrderedDict[str, None] = OrderedDict()
        self._known: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._keys: dict[str, tuple[float, KeySet]] = {}

    def begin(self, number: int, redirect: str) -> tuple[str, str]:
        """
        Give the provider's address to go to, and what the browser must bring back from there in a cookie.

        Raises SignInError for a provider that there is not or that cannot be reached.
        """
        if not 0 <= number < len(self.providers):
            raise SignInError(Text("There is no such way to sign in."))
        provider = self.providers[number]
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        words = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(provider.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _url64(sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint(provider, "authorization_endpoint")
        held = json.dumps([number, state, nonce, verifier, redirect, int(self._clock()) + _PATIENCE_SECONDS])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(words)}", self._sealed(held)

    def finish(self, cookie: str, answer: Mapping[str, str]) -> Proven:
        """
        Give whom the provider vouches for.

        cookie:  what `begin` gave the browser; it serves once.
        answer:  the query with which the provider sent the browser back.
        Raises SignInError where anything about it is not as it must be.
        """
        provider, state, nonce, verifier, redirect = self._opened(cookie)
        if not compare_digest(answer.get("state", "").encode(), state.encode()):
            raise SignInError(_AGAIN)
        # Which provider answered, where it says so. Source: RFC 9207 section 2.4.
        named = answer.get("iss")
        needed = self._about(provider).get("authorization_response_iss_parameter_supported") is True
        if (named is not None and named != provider.issuer) or (named is None and needed):
            raise SignInError(_FOREIGN)
        if "code" not in answer:
            said = answer.get("error_description") or answer.get("error") or ""
            raise SignInError(Text("{provider} did not sign you in: {reason}", provider=provider.name, reason=said[:300]))  # fmt: skip
        token = self._redeem(provider, answer["code"], verifier, redirect)
        claims = self._verified(provider, token, nonce)
        name = next(
            (text for key in ("name", "preferred_username", "email") if (text := _line(claims.get(key)))),
            str(claims["sub"]),
        )
        return Proven(provider, str(claims["sub"]), name, claims)

    def leave(self, issuer: str, back: str) -> tuple[str, str] | None:
        """Give a provider's name and the address that signs out there too; None where it has none."""
        provider = next((each for each in self.providers if each.issuer == issuer), None)
        if provider is None:
            return None
        try:
            endpoint = self._endpoint(provider, "end_session_endpoint")
        except SignInError:
            return None
        # Source: OpenID Connect RP-Initiated Logout 1.0 section 2.
        words = urlencode({"client_id": provider.client_id, "post_logout_redirect_uri": back})
        return provider.name, f"{endpoint}{'&' if '?' in endpoint else '?'}{words}"

    def _sealed(self, held: str) -> str:
        body = _url64(held.encode())
        return f"{body}.{_url64(keyed(self._key, body.encode(), 'sha256').digest())}"

    def _opened(self, cookie: str) -> tuple[Provider, str, str, str, str]:
        body, _, seal = cookie.partition(".")
        wanted = _url64(keyed(self._key, body.encode(), "sha256").digest())
        if not body or not compare_digest(seal.encode(), wanted.encode()):
            raise SignInError(_AGAIN)
        number, state, nonce, verifier, redirect, until = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))  # fmt: skip
        with self._lock:
            if state in self._used or self._clock() > until:
                raise SignInError(_AGAIN)
            self._used[state] = None
            if len(self._used) > _USED:
                self._used.popitem(last=False)
        return self.providers[number], state, nonce, verifier, redirect

    def _redeem(self, provider: Provider, code: str, verifier: str, redirect: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
            "client_id": provider.client_id,
        }
        login = None
        if provider.secret is not None:
            methods = self._about(provider).get("token_endpoint_auth_methods_supported")
            if isinstance(methods, list) and "client_secret_post" in methods:
                form["client_secret"] = provider.secret
            else:
                # Source: RFC 6749 section 2.3.1, which encodes both before the header does.
                login = (quote_plus(provider.client_id), quote_plus(provider.secret))
        status, body = self._sent(provider, "POST", self._endpoint(provider, "token_endpoint"), form, login)
        document = _document(body)
        token = document.get("id_token")
        if status != 200 or not isinstance(token, str):
            reason = _line(document.get("error_description")) or _line(document.get("error")) or str(status)
            raise SignInError(
                Text("{provider} did not sign you in: {reason}", provider=provider.name, reason=reason)
            )
        return token

    def _verified(self, provider: Provider, token: str, nonce: str) -> Mapping[str, object]:
        """Give the claims of an identity token that is for us and for this sign-in. Source: Core 1.0 section 3.1.3.7."""
        claims = self._signed(provider, token)
        now = self._clock()
        audience = claims.get("aud")
        ours = [audience] if isinstance(audience, str) else audience
        subject, expires, issued = claims.get("sub"), claims.get("exp"), claims.get("iat")
        begins = claims.get("nbf", issued)
        right = (
            claims.get("iss") == provider.issuer
            and isinstance(ours, list)
            and provider.client_id in ours
            and (len(ours) == 1 or claims.get("azp") == provider.client_id)
            and claims.get("azp", provider.client_id) == provider.client_id
            and isinstance(subject, str)
            and 0 < len(subject) <= _LONGEST_SUBJECT
            and isinstance(nonce_given := claims.get("nonce"), str)
            and compare_digest(nonce_given.encode(), nonce.encode())
        )
        if not right:
            raise SignInError(_FOREIGN)
        timely = (
            isinstance(expires, int | float)
            and isinstance(issued, int | float)
            and isinstance(begins, int | float)
            and now < expires + _SKEW_SECONDS
            and issued - _SKEW_SECONDS < now
            and begins - _SKEW_SECONDS < now
        )
        if not timely:
            raise SignInError(
                Text(
                    "What {provider} said holds at another time. Are the clocks right?",
                    provider=provider.name,
                )
            )
        return claims

    def _signed(self, provider: Provider, token: str) -> Mapping[str, object]:
        for fresh in (False, True):
            try:
                return jwt.decode(token, self._key_set(provider, fresh=fresh), algorithms=_ALGORITHMS).claims
            except (JoseError, ValueError):
                # A provider changes its keys now and then, so those that are kept may be the former ones.
                continue
        raise SignInError(_FOREIGN)

    def _key_set(self, provider: Provider, *, fresh: bool) -> KeySet:
        now = self._clock()
        at, held = self._keys.get(provider.issuer, (0.0, None))
        if held is not None and now - at < (_AGAIN_SECONDS if fresh else _KEPT_SECONDS):
            return held
        status, body = self._sent(provider, "GET", self._endpoint(provider, "jwks_uri"), None, None)
        try:
            made = KeySet.import_key_set(cast("Any", _document(body)))
        except (JoseError, ValueError, KeyError, TypeError):
            raise SignInError(_unreachable(provider, f"{status}, jwks_uri")) from None
        self._keys[provider.issuer] = (now, made)
        return made

    def _about(self, provider: Provider) -> Mapping[str, Any]:
        """Give what a provider says of itself. Source: OpenID Connect Discovery 1.0 section 4."""
        at, held = self._known.get(provider.issuer, (0.0, {}))
        if held and self._clock() - at < _KEPT_SECONDS:
            return held
        place = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        status, body = self._sent(provider, "GET", place, None, None)
        document = _document(body)
        if status != 200 or document.get("issuer") != provider.issuer:
            # A provider that calls itself otherwise would pass as this one.
            raise SignInError(_unreachable(provider, f"{status}, {_line(document.get('issuer'))}"))
        self._known[provider.issuer] = (self._clock(), document)
        return document

    def _endpoint(self, provider: Provider, name: str) -> str:
        address = self._about(provider).get(name)
        if not isinstance(address, str) or not _as_safe(address, provider.issuer):
            raise SignInError(_unreachable(provider, name))
        return address

    def _sent(
        self,
        provider: Provider,
        method: str,
        address: str,
        form: Mapping[str, str] | None,
        login: tuple[str, str] | None,
    ) -> tuple[int, bytes]:
        if self._fetch is None:
            raise SignInError(_unreachable(provider, ""))
        try:
            return self._fetch(method, address, form, login)
        except (OSError, SourceUnavailable) as error:
            raise SignInError(_unreachable(provider, str(error))) from error


_AGAIN = Text("This sign-in has run out or was used already. Begin again.")
_FOREIGN = Text(
    "What came back is not for this sign-in. Begin again; if it stays so, tell your administrator."
)


def _unreachable(provider: Provider, reason: str) -> Text:
    return Text("{provider} cannot be asked just now ({reason}). Try again in a moment.", provider=provider.name, reason=reason)  # fmt: skip


def _as_safe(address: str, issuer: str) -> bool:
    """Tell whether an address is encrypted, as the issuer is; a provider on this machine may do without."""
    scheme = urlsplit(address).scheme
    return scheme == "https" or (scheme == "http" and urlsplit(issuer).scheme == "http")


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        made = json.loads(body)
    except ValueError:
        return {}
    return made if isinstance(made, dict) else {}


def _line(value: object) -> str:
    return " ".join(value.split())[:200] if isinstance(value, str) else ""


def _url64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
