"""Tokens of this machine's own identity, and what all requests for tokens share."""

from __future__ import annotations

from typing import Any

_TIMEOUT_SECONDS = 20.0


class TokenFault(Exception):  # noqa: N818  (what there is none of)
    """There is no token to be had now; the text is the token endpoint's answer, without any secret."""

    def __init__(self, text: str, retry_after_seconds: float) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


def read_answer(answer: Any) -> tuple[str, float]:
    """Read an answer of MSAL: the token and the seconds it lives. Raises TokenFault."""
    if not isinstance(answer, dict):
        raise TokenFault("the token endpoint gave no answer", 0.0)
    token = answer.get("access_token")
    if isinstance(token, str) and token:
        return token, float(answer.get("expires_in", 3600))
    said = str(answer.get("error_description") or answer.get("error") or "no token in the answer")
    raise TokenFault(said.splitlines()[0][:500], 0.0)


class _Timed:
    """Gives requests a time limit, which MSAL does not set by itself."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def post(self, url: str, **words: Any) -> Any:
        return self._session.post(url, timeout=_TIMEOUT_SECONDS, **words)

    def get(self, url: str, **words: Any) -> Any:
        return self._session.get(url, timeout=_TIMEOUT_SECONDS, **words)

    def close(self) -> None:
        self._session.close()


def timed(session: Any) -> Any:
    """Give a session of requests in the shape MSAL asks for, with a time limit, which MSAL does not set by itself."""
    return _Timed(session)


def managed(identity: str, resource: str) -> Any:
    """
    Ask the managed identity of this machine, ``system`` or the client id of a user-assigned one.

    Gives MSAL's answer. Source: Microsoft, "Managed identities for Azure resources".
    """
    import msal
    import requests

    chosen = (
        msal.SystemAssignedManagedIdentity()
        if identity == "system"
        else msal.UserAssignedManagedIdentity(client_id=identity)
    )
    client = msal.ManagedIdentityClient(chosen, http_client=_Timed(requests.Session()))
    return client.acquire_token_for_client(resource=resource)


def managed_identity_token(resource: str) -> str:
    """Give a token of this machine's own identity. Raises OSError."""
    import requests

    try:
        return read_answer(managed("system", resource))[0]
    except (TokenFault, requests.RequestException, ValueError) as error:
        raise OSError(str(error)) from None
