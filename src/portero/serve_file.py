"""``serve.toml``: who may sign in to the dashboard and whose relay it shows; every fault said at once with its line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portero.core.access import Role
from portero.core.sign_in import Grant, Provider
from portero.core.text import Text
from portero.core.toml_lines import Place, shown
from portero.toml_file import TomlReading, parse_toml, read_toml

FILE_NAME = "serve.toml"
_SYSTEM_FILE = Path("/etc/portero") / FILE_NAME
_KEYS = ("sign_in", "relay")
_SIGN_IN_KEYS = ("name", "issuer", "client_id", "client_secret", "scopes", "grant")
_GRANT_KEYS = ("role", "claim", "value", "organisation")
_RELAY_KEYS = ("config", "organisation")
# A secret is a password, never a film.
_OCTETS = 1 << 16


@dataclass(frozen=True, slots=True)
class RelayPlace:
    """A relay of this machine: its ``relay.toml``, and the organisation it belongs to, by name or id; None where there is one."""

    config: Path
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class ServeFile:
    """What ``serve.toml`` says."""

    providers: tuple[Provider, ...] = ()
    relays: tuple[RelayPlace, ...] = ()


def load_serve_file(given: Path | None) -> ServeFile:
    """
    Read the file given, else that of the working folder, else the system's; without any, nobody else signs in.

    Raises ConfigError with every fault, each by file and line.
    """
    path = given or next((each for each in (Path(FILE_NAME), _SYSTEM_FILE) if each.is_file()), None)
    if path is None:
        return ServeFile()
    text = read_toml(path)
    return _Reading(path, text).file(parse_toml(text, str(path)))


class _Reading(TomlReading):
    def file(self, content: Mapping[str, Any]) -> ServeFile:
        self._known(content, (), _KEYS)
        providers = [self._provider(each, place) for each, place in self._tables(content, "sign_in", ())]
        relays = [self._relay(each, place) for each, place in self._tables(content, "relay", ())]
        self._settle()
        return ServeFile(tuple(providers), tuple(relays))

    def _provider(self, table: Mapping[str, Any], place: Place) -> Provider:
        self._known(table, place, _SIGN_IN_KEYS)
        issuer = self._text(table, "issuer", place)
        if issuer and not _safe(issuer):
            self._fault(
                (*place, "issuer"), Text("issuer begins with https://, not {given}.", given=shown(issuer))
            )
        scopes = table.get("scopes", ["openid", "profile", "email"])
        if (
            not isinstance(scopes, list)
            or "openid" not in scopes
            or not all(isinstance(each, str) for each in scopes)
        ):
            self._fault((*place, "scopes"), Text("scopes is a list of texts with openid among them."))
            scopes = []
        grants = tuple(self._grant(each, at) for each, at in self._tables(table, "grant", place))
        return Provider(
            name=self._text(table, "name", place),
            issuer=issuer,
            client_id=self._text(table, "client_id", place),
            secret=self._secret(table.get("client_secret"), (*place, "client_secret")),
            scopes=tuple(map(str, scopes)),
            grants=grants,
        )

    def _grant(self, table: Mapping[str, Any], place: Place) -> Grant:
        self._known(table, place, _GRANT_KEYS)
        role = self._text(table, "role", place)
        known = tuple(each.value for each in Role)
        if role and role not in known:
            self._fault(
                (*place, "role"), Text("role is one of {known}, not {given}.", known=known, given=shown(role))
            )
            role = ""
        return Grant(
            Role(role) if role else Role.READER,
            self._text(table, "claim", place, "roles"),
            self._text(table, "value", place),
            self._text(table, "organisation", place) if "organisation" in table else None,
        )

    def _relay(self, table: Mapping[str, Any], place: Place) -> RelayPlace:
        self._known(table, place, _RELAY_KEYS)
        # Beside the file that names it, wherever the server was started.
        path = self._file.parent / self._text(table, "config", place)
        return RelayPlace(path, self._text(table, "organisation", place) if "organisation" in table else None)

    def _secret(self, held: object, place: Place) -> str | None:
        if held is None:
            return None
        if not isinstance(held, dict) or len(held) != 1 or set(held) - {"file", "env", "credential"}:
            self._fault(
                place, Text('client_secret says where it is kept: {{ file = "…" }}, env or credential.')
            )
            return None
        [(kind, where)] = held.items()
        try:
            secret = _read_secret(kind, str(where))
        except OSError as error:
            reason = error.strerror or str(error)
            self._fault(place, Text("the secret in {kind} {where} cannot be read: {reason}.", kind=kind, where=str(where), reason=reason))  # fmt: skip
            return None
        if not secret:
            self._fault(place, Text("the secret in {kind} {where} is empty.", kind=kind, where=str(where)))
        return secret

    def _text(self, table: Mapping[str, Any], key: str, place: Place, default: str | None = None) -> str:
        held = table.get(key, default)
        if held is None:
            self._fault(place, Text("{key} is missing. Add it.", key=key))
        elif not isinstance(held, str) or not held.strip():
            self._fault((*place, key), Text("{key} is a text that is not empty.", key=key))
        else:
            return held.strip()
        return ""

    def _tables(
        self, content: Mapping[str, Any], key: str, place: Place
    ) -> list[tuple[Mapping[str, Any], Place]]:
        held = content.get(key, [])
        if not isinstance(held, list) or not all(isinstance(each, dict) for each in held):
            self._fault((*place, key), Text("write each {key} as a table in two brackets.", key=key))
            return []
        return [(each, (*place, key, number)) for number, each in enumerate(held)]


def _safe(url: str) -> bool:
    """Tell whether what a provider says cannot be changed on its way: by TLS, or because it never leaves the machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}
    )


def _read_secret(kind: str, where: str) -> str:
    if kind == "env":
        if where not in os.environ:
            raise OSError("the variable is not set")
        return os.environ[where]
    if kind == "credential":
        # Source: systemd.exec(5), LoadCredential=.
        where = str(Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials")) / Path(where).name)
    with Path(where).open("rb") as stream:
        return stream.read(_OCTETS).decode("utf-8", "replace").strip()
