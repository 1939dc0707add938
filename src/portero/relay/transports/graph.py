"""Microsoft Graph's sendMail: the message as MIME, and over its limit as a draft with uploaded attachments."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from portero.core.text import Text
from portero.relay.graph_mime import addressed, as_draft
from portero.relay.identity import TokenFault
from portero.relay.outcome import Kind, Outcome, Scope, lost
from portero.relay.pace import Limits
from portero.relay.smtp_carrier import answered
from portero.relay.submission import ENTRA_OPTIONS
from portero.relay.transport import Carrier, Kit, Option, Outgoing, Sign, Transport, Way

# A request may hold about 4 MB; base64 makes four octets of three. Source: Microsoft, "user: sendMail".
_MIME_OCTETS = 2_900_000
# An attachment over 3 MB is uploaded, in pieces that are a multiple of 320 KiB. Source: "attachment: createUploadSession".
_ATTACHMENT_OCTETS = 3_000_000
_PIECE_OCTETS = 10 * 320 * 1024
_TIMEOUT_SECONDS = 120.0
_SCOPE = "https://graph.microsoft.com/.default"

# The application may not send as this mailbox, or not at all: nothing is wrong with the message.
_OF_THE_WAY = frozenset(
    {
        "ErrorAccessDenied", "InvalidAuthenticationToken", "Authorization_RequestDenied", "ErrorInvalidUser", "ResourceNotFound",
        "MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorQuotaExceeded",
    }
)  # fmt: skip


def outcome_of(status: int, code: str, message: str, retry_after: str | None) -> Outcome:
    """
    Read Graph's answer as a delivery outcome.

    status:       HTTP status code.
    code:         the error's code, for example ``ErrorSendAsDenied``.
    retry_after:  the Retry-After header, seconds or a date, or None.
    Returns Deferred for 401, 408, 429, 5xx and for errors that speak of the way, Refused for every other 4xx.
    Source: RFC 9110 section 10.2.3; Microsoft, "Microsoft Graph throttling guidance", "Error responses".
    """
    reply = f"{status} {code} {message}".strip()[:500]
    wait = seconds_of(retry_after)
    if status == 202 or status == 200:
        return Outcome(Kind.DELIVERED, reply or "202", Scope.MESSAGE)
    if status in {401, 429} or code in _OF_THE_WAY or status == 404:
        return Outcome(Kind.DEFERRED, reply, Scope.WAY, wait)
    if status == 408 or status >= 500:
        return Outcome(Kind.DEFERRED, reply, Scope.MESSAGE, wait)
    if 400 <= status < 500:
        return Outcome(Kind.REFUSED, reply, Scope.MESSAGE)
    return Outcome(Kind.DEFERRED, reply, Scope.MESSAGE, wait)


def seconds_of(retry_after: str | None, now: datetime | None = None) -> float | None:
    """Read a Retry-After header; None where there is none or it cannot be read. Source: RFC 9110 section 10.2.3."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    with suppress(ValueError, TypeError):
        moment = parsedate_to_datetime(retry_after)
        return max((moment - (now or datetime.now(UTC))).total_seconds(), 0.0)
    return None


class GraphCarrier:
    """Carries messages for one mailbox."""

    def __init__(self, way: Way, kit: Kit) -> None:
        import httpx2

        self._way = way
        self._tokens = kit.tokens
        self._errors = httpx2.HTTPError
        ca = way.options.get("ca")
        self._client = httpx2.AsyncClient(
            timeout=_TIMEOUT_SECONDS,
            **({"verify": _context(ca)} if isinstance(ca, Path) else {}),
        )
        base = way.text("endpoint").rstrip("/") or "https://graph.microsoft.com"
        self._mailbox = f"{base}/v1.0/users/{quote(way.text('mailbox'), safe='@')}"

    async def deliver(self, message: Outgoing) -> list[Outcome]:
        """
        Carry a message; see `Carrier`.

        Where one recipient is wrong Graph refuses all and does not say which: halves are tried until it stands alone.
        """
        outcome, number = await self._send(message), len(message.recipients)
        if number == 1 or outcome.kind is not Kind.REFUSED or "ErrorInvalidRecipients" not in outcome.reply:
            return [outcome] * number
        outcomes: list[Outcome] = []
        for part in (message.recipients[: number // 2], message.recipients[number // 2 :]):
            failed = next((each for each in outcomes if each.scope is Scope.WAY), None)
            if failed is not None:
                # A throttle or an outage: the rest waits with those it met.
                outcomes += [failed] * len(part)
            else:
                outcomes += await self.deliver(message._replace(recipients=part))
        return outcomes

    async def close(self) -> None:
        """Leave; see `Carrier`."""
        await self._client.aclose()

    async def check(self) -> list[Sign]:
        """Ask for a token and look at its permissions; see `Carrier`."""
        what = Text("Microsoft Entra gives a token to {client}", client=self._way.text("client_id") or "-")
        try:
            token = await self._tokens.get(self._way)
        except TokenFault as fault:
            return [Sign(what, False, answered(str(fault)))]
        roles = _claims(token).get("roles")
        good = None if not isinstance(roles, list) else "Mail.Send" in roles
        return [
            Sign(what, True),
            Sign(
                Text("The token holds the permission {permission}", permission="Mail.Send"),
                good,
                None
                if good
                else Text(
                    "Grant the application permission {permission} in Microsoft Entra, or a role of RBAC for Applications for this mailbox alone.",
                    permission="Mail.Send",
                ),
            ),
        ]

    async def _send(self, message: Outgoing) -> Outcome:
        try:
            token = await self._tokens.get(self._way)
        except TokenFault as fault:
            return Outcome(Kind.DEFERRED, str(fault), Scope.WAY, fault.retry_after_seconds)
        try:
            plain = addressed(message.plain(), [address for address, _, _ in message.recipients])
            if len(plain) <= _MIME_OCTETS:
                answer = await self._post(
                    token, "/sendMail", base64.b64encode(plain), {"Content-Type": "text/plain"}
                )
            else:
                answer = await self._send_large(token, plain)
        except self._errors as error:
            # Whether it was taken nobody knows: a second copy is better than none. Source: RFC 1047.
            return lost(f"{type(error).__name__}: {error}")
        if answer.kind is Kind.DEFERRED and answer.reply.startswith("401"):
            self._tokens.forget(self._way)
        return answer

    async def _send_large(self, token: str, plain: bytes) -> Outcome:
        draft, attachments = as_draft(plain)
        made = await self._request(token, "POST", f"{self._mailbox}/messages", _json(draft))
        if made.status_code != 201:
            return _outcome(made)
        place = f"/messages/{quote(str(made.json()['id']), safe='')}"
        for attachment in attachments:
            failed = await self._attach(token, place, attachment)
            if failed is not None:
                break
        else:
            failed = await self._post(token, f"{place}/send", b"", {"Content-Type": "application/json"})
            if failed.kind is Kind.DELIVERED:
                return failed
        # What was not sent must not lie in the mailbox as a draft, one more with each try.
        with suppress(self._errors):
            await self._request(token, "DELETE", self._mailbox + place, b"")
        return failed

    async def _attach(self, token: str, place: str, attachment: Mapping[str, Any]) -> Outcome | None:
        """Attach one file; None where that went well."""
        content: bytes = attachment["content"]
        words = {key: value for key, value in attachment.items() if key != "content"}
        if len(content) <= _ATTACHMENT_OCTETS:
            body = words | {
                "@odata.type": "#microsoft.graph.fileAttachment",
                "contentBytes": base64.b64encode(content).decode(),
            }
            made = await self._request(
                token, "POST", f"{self._mailbox}{place}/attachments", json.dumps(body).encode()
            )
            return None if made.status_code == 201 else _outcome(made)
        asked = {"AttachmentItem": words | {"attachmentType": "file", "size": len(content)}}
        session = await self._request(
            token,
            "POST",
            f"{self._mailbox}{place}/attachments/createUploadSession",
            json.dumps(asked).encode(),
        )
        if session.status_code != 201:
            return _outcome(session)
        address = str(session.json()["uploadUrl"])
        for start in range(0, len(content), _PIECE_OCTETS):
            piece = content[start : start + _PIECE_OCTETS]
            # The address is its own credential: the token must not go there.
            put = await self._client.put(
                address,
                content=piece,
                headers={
                    "Content-Range": f"bytes {start}-{start + len(piece) - 1}/{len(content)}",
                    "Content-Type": "application/octet-stream",
                },
            )
            if put.status_code not in {200, 201, 202}:
                return _outcome(put)
        return None

    async def _post(self, token: str, path: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        return _outcome(await self._request(token, "POST", self._mailbox + path, body, headers))

    async def _request(
        self, token: str, method: str, address: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Any:
        words = {"Authorization": f"Bearer {token}", **(headers or {"Content-Type": "application/json"})}
        return await self._client.request(method, address, content=body, headers=words)


def _json(value: Mapping[str, Any]) -> bytes:
    # An octet that no text can be made of must not end the delivery.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _outcome(answer: Any) -> Outcome:
    code = message = ""
    with suppress(ValueError, AttributeError, TypeError):
        error = answer.json().get("error", {})
        code, message = str(error.get("code", "")), str(error.get("message", ""))
    return outcome_of(answer.status_code, code, message, answer.headers.get("Retry-After"))


def _context(ca: Path) -> Any:
    import ssl

    return ssl.create_default_context(cafile=str(ca))


def _claims(token: str) -> dict[str, Any]:
    """Read a token's claims without believing them: only its issuer's other side checks it."""
    with suppress(ValueError, IndexError):
        part = token.split(".")[1]
        held = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        if isinstance(held, dict):
            return held
    return {}


def _open(way: Way, kit: Kit) -> Carrier:
    return GraphCarrier(way, kit)


# Source of the limits: Microsoft, "Microsoft Graph service-specific throttling limits", Outlook; "Exchange Online limits".
TRANSPORT = Transport(
    id="graph",
    title=Text("Microsoft Graph"),
    options=(
        Option("mailbox", required=True),
        *(Option("scope", default=_SCOPE) if each.name == "scope" else each for each in ENTRA_OPTIONS),
        Option("endpoint", default="https://graph.microsoft.com"),
        Option("ca", "file"),
    ),
    limits=Limits(sessions=4, messages_per_minute=30, recipients_per_day=10_000),
    open=_open,
    size_octets=150_000_000,
    recipients=500,
)
