"""Checks the passwords of devices that can log in."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from portero.errors import ConfigError
from portero.relay.secrets import Secret


class Passwords:
    """The logins of the configuration; a secret is read when it is first asked for, and compared in constant time."""

    def __init__(self, secrets: Mapping[str, Secret]) -> None:
        self._secrets = dict(secrets)
        self._known: dict[str, bytes] = {}

    def right(self, user: str, password: str) -> bool:
        """Tell whether a password is the user's; an unknown user takes as long as a wrong password."""
        known = self._known.get(user)
        if known is None and user in self._secrets:
            try:
                known = self._known[user] = self._secrets[user].read().encode()
            except ConfigError:
                known = None
        same = hmac.compare_digest(known or b"\0", password.encode())
        return same and known is not None
