"""Our own API for messages, as its client. API: campaigns/web/messages_api.py; the sandbox speaks it too.

    POST /token                      as in the Text API
    POST /v1/messages                messages, each with its own text and our reference, under an Idempotency-Key
    GET  /v1/messages?reference=a    what became of them; a reference that was never taken is left out
    POST /v1/messages/ID/cancel      200 where it was taken back, 409 where it has left, 404 where there is none

A reference that was seen before is answered as it was the first time. It reports no delivery by itself yet.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

import aiohttp
from yarl import URL

from campaigns.clock import Clock
from campaigns.errors import MaybeTaken
from campaigns.model import (
    DeliveryReport,
    Message,
    MessageEvent,
    MessageState,
    Msisdn,
    ProviderMessageId,
    Rate,
    Submission,
)
from campaigns.providers.answers import REFUSED, no_success, refusal, submissions
from campaigns.providers.base import TIMEOUT_S, BatchTexts, Capabilities, Counts, DuplicateGuard, Field
from campaigns.providers.exchange import Exchange, Reply, read_json, read_text, write_json
from campaigns.providers.log_in import PASSWORD, TOKEN_URL, USERNAME, LogIn
from campaigns.settings import Account

log = logging.getLogger(__name__)

EVENTS: Final[Mapping[str, MessageEvent]] = {  # what a state there means for the message here
    MessageState.PLANNED: MessageEvent.ACCEPT,  # they have it, and it has not left them
    MessageState.SENDING: MessageEvent.ACCEPT,
    MessageState.ACCEPTED: MessageEvent.ACCEPT,
    MessageState.UNKNOWN: MessageEvent.ACCEPT,  # to them, of their own provider; they are the ones to settle it
    MessageState.DELIVERED: MessageEvent.DELIVER,
    MessageState.UNDELIVERED: MessageEvent.NOT_DELIVER,
    MessageState.CANCELLED: MessageEvent.NOT_DELIVER,
    MessageState.EXPIRED: MessageEvent.EXPIRE,
    MessageState.REJECTED: MessageEvent.REJECT,
    MessageState.FAILED: MessageEvent.REJECT,
    MessageState.SKIPPED: MessageEvent.REJECT,
}


class Campaigns:
    """One account at a server of our own, or at the sandbox."""

    name: ClassVar[str] = "campaigns"
    fields: ClassVar[tuple[Field, ...]] = (
        USERNAME,
        PASSWORD,
        Field(name="url", help="Base address of the server", required=True),
        TOKEN_URL,
    )

    def __init__(
        self, account: Account, http: aiohttp.ClientSession, clock: Clock, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        base = account.values["url"].rstrip("/")
        self.capabilities = self.capabilities_of(account)
        self._account = account
        self._exchange = Exchange(http, clock, timeout_s)
        self._log_in = LogIn(account, self._exchange, clock, base)
        self._url = URL(f"{base}/v1/messages")

    @classmethod
    def capabilities_of(cls, account: Account) -> Capabilities:  # noqa: ARG003 - all accounts can do the same
        """Each message with its own text; asked by reference, which is its key too."""
        return Capabilities(
            batch_size=100,
            batch_texts=BatchTexts.PER_RECIPIENT,
            counts=Counts.SEGMENTS,
            default_rate=Rate(100.0),
            schedule_horizon=timedelta(days=90),
            cancel=True,
            duplicate_guard=DuplicateGuard.LOOKUP | DuplicateGuard.KEY,
        )

    async def check(self) -> str:
        """Log in anew, and say for how long the token holds."""
        return await self._log_in.check()

    async def submit(self, batch: Sequence[Message]) -> Sequence[Submission]:
        """Send these messages, no number twice, in one request; what was taken before is not taken again."""
        body = _request_body(batch)
        # made of the body, so that the same batch has the same key also after a crash
        fields = {"Content-Type": "application/json", "Idempotency-Key": f'"{hashlib.sha256(body).hexdigest()}"'}
        reply = await self._log_in.under_token(lambda token: self._exchange.post(self._url, token | fields, body))
        return self._submissions(batch, reply)

    async def find(self, references: Sequence[str]) -> Sequence[DeliveryReport]:
        """What became of at most `batch_size` references; one that was never taken is left out."""
        url = self._url.with_query([("reference", reference) for reference in references])
        reply = await self._log_in.under_token(lambda token: self._exchange.get(url, token))
        if not reply.is_success:
            raise no_success(reply, self._account, "messages API", self._url)
        entries = _entries(reply.body)
        reports = [report for report in map(_report, entries or ()) if report is not None]
        if entries is None or len(reports) < len(entries):  # what cannot be read must not pass for "never taken"
            raise MaybeTaken(f"{self._account.name} gave no answer that can be read")
        return reports

    async def cancel(self, provider_id: str) -> bool:
        """Take back a message that has not left; False where it has, or was never there."""
        url = self._url / provider_id / "cancel"
        reply = await self._log_in.under_token(lambda token: self._exchange.post(url, token))
        if reply.is_success:
            return True
        if reply.status == 409 or (reply.status == 404 and _error_code(reply) == "unknown_message"):
            return False
        raise no_success(reply, self._account, "messages API", url)

    def _submissions(self, batch: Sequence[Message], reply: Reply) -> list[Submission]:
        if reply.is_success:
            return submissions(batch, reply, _said(reply.body), self._account)
        if reply.status in REFUSED:
            return refusal(batch, reply, self._account)
        raise no_success(reply, self._account, "messages API", self._url)


def _request_body(batch: Sequence[Message]) -> bytes:
    messages = [
        {"to": message.number, "text": message.text, "from": message.sender, "reference": message.reference}
        | ({"send_at": message.send_at.isoformat()} if message.send_at else {})
        for message in batch
    ]
    return write_json({"messages": messages})


def _said(body: bytes) -> dict[str, Submission] | None:
    """What the body says of each number; None where it is no body that we know."""
    entries = _entries(body)
    return None if entries is None else {one.number: one for one in map(_submission, entries) if one is not None}


def _entries(body: bytes) -> list[object] | None:
    answer = read_json(body)
    entries = answer.get("messages") if isinstance(answer, dict) else None
    return entries if isinstance(entries, list) else None


def _submission(entry: object) -> Submission | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("to"), str):
        return None
    event, number = _event(entry), Msisdn(entry["to"])
    if event is None:
        return Submission(number=number, accepted=None, error=MaybeTaken("the answer has a state that is not known"))
    return Submission(
        number=number,
        accepted=event is not MessageEvent.REJECT,
        provider_id=_id(entry),
        code=read_text(entry.get("code")),
        reason=read_text(entry.get("reason")),
    )


def _report(entry: object) -> DeliveryReport | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("to"), str):
        return None
    event, reference = _event(entry), read_text(entry.get("reference"))
    if event is None or not reference:
        return None
    return DeliveryReport(
        number=Msisdn(entry["to"]),
        provider_id=_id(entry),
        event=event,
        code=read_text(entry.get("code")),
        reason=read_text(entry.get("reason")),
        reference=reference,
    )


def _event(entry: dict[str, Any]) -> MessageEvent | None:
    """What the state of a message means; one that is not known is logged, never guessed."""
    state = read_text(entry.get("state"))
    event = EVENTS.get(state)
    if event is None:
        log.warning('The server says that a message is "%s", which is no state that we know.', state)
    return event


def _id(entry: dict[str, Any]) -> ProviderMessageId | None:
    given = read_text(entry.get("id"))
    return ProviderMessageId(given) if given else None


def _error_code(reply: Reply) -> str:
    answer = read_json(reply.body)
    return read_text(answer.get("error")) if isinstance(answer, dict) else ""
