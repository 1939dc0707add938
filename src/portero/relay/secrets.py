"""Secrets: named in the configuration by where they are kept, read late, and never shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from portero.core.text import Text
from portero.errors import ConfigError

# A secret is a password or a key, never a film.
_OCTETS = 1 << 20


@dataclass(frozen=True, slots=True)
class Secret:
    """
    Where a secret is kept.

    kind:   ``file``, ``env``, ``credential`` (systemd), ``keyring`` (of the operating system) or ``key_vault`` (Azure).
    where:  path, variable's name, credential's name, ``service/user``, or the secret's address.
    """

    kind: str
    where: str
    _reader: Callable[[str], str] | None = field(default=None, repr=False, compare=False)

    def read(self) -> str:
        """Give the secret itself. Raises ConfigError that says where it was looked for, never what was found."""
        try:
            text = (self._reader or READERS[self.kind])(self.where)
        except OSError as error:
            raise ConfigError((_missing(self, error.strerror or str(error)),)) from None
        if not text:
            raise ConfigError((_missing(self, "empty"),))
        return text


def _missing(secret: Secret, reason: str) -> Text:
    return Text(
        "The secret in {kind} {where} cannot be read: {reason}. Put it there, readable by the relay alone.",
        kind=secret.kind,
        where=secret.where,
        reason=reason,
    )


def _from_file(where: str) -> str:
    with Path(where).open("rb") as stream:
        return stream.read(_OCTETS).decode("utf-8", "replace").rstrip("\r\n")


def _from_env(where: str) -> str:
    return _variable(os.environ, where)


def _variable(environ: Mapping[str, str], where: str) -> str:
    if where not in environ:
        raise OSError(f"the variable {where} is not set")
    return environ[where]


def _from_credential(where: str) -> str:
    # Source: systemd.exec(5), LoadCredential=.
    return _from_file(str(Path(_variable(os.environ, "CREDENTIALS_DIRECTORY")) / Path(where).name))


def _from_keyring(where: str) -> str:
    try:
        import keyring  # optional; only who names a keyring needs it
    except ImportError:
        raise OSError("the package keyring is not installed") from None
    service, _, user = where.partition("/")
    return str(keyring.get_password(service, user) or "")


def _from_key_vault(where: str) -> str:
    import httpx2  # an extra

    from portero.relay.identity import managed_identity_token  # brings in msal

    token = managed_identity_token("https://vault.azure.net")
    try:
        answer = httpx2.get(
            where, params={"api-version": "7.4"}, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
    except httpx2.HTTPError as error:
        raise OSError(str(error)) from None
    if answer.status_code != 200:
        raise OSError(f"the key vault answered {answer.status_code}")
    return str(answer.json().get("value", ""))


READERS: dict[str, Callable[[str], str]] = {
    "file": _from_file,
    "env": _from_env,
    "credential": _from_credential,
    "keyring": _from_keyring,
    "key_vault": _from_key_vault,
}
