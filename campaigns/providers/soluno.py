"""Soluno's Text API. API: the service's own description (its sample log-in is of January 2017), read 2026-11.

    POST /token         form grant_type=password&username=...&password=...  ->  a bearer token, good for 24 h
    POST /sms/skicka    JSON {"from", "to": one or many, "message"}         ->  200 is success; no body is described

It has no schedule, no cancel, no validity, no look-up, no delivery reports and no idempotency key. Our own server and
the sandbox speak it too, and answer {"messages": [{"to", "id", "accepted", "code", "reason"}]}.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import aiohttp
from yarl import URL

from campaigns.clock import Clock
from campaigns.model import Message, Msisdn, ProviderMessageId, Rate, Submission
from campaigns.providers.answers import REFUSED, no_success, refusal, submissions
from campaigns.providers.base import TIMEOUT_S, BatchTexts, Capabilities, Counts, DuplicateGuard, Field
from campaigns.providers.exchange import Exchange, Reply, read_json, read_text, write_json
from campaigns.providers.log_in import PASSWORD, TOKEN_URL, USERNAME, LogIn
from campaigns.settings import SANDBOX, Account

BASE_URL: Final = "https://api.soluno.se"


class Soluno:
    """One account at Soluno, or at whatever speaks its Text API."""

    name: ClassVar[str] = "soluno"
    fields: ClassVar[tuple[Field, ...]] = (
        USERNAME,
        PASSWORD,
        Field(name="url", help=f"Base address of the service, unless {BASE_URL}"),
        TOKEN_URL,
    )

    def __init__(
        self, account: Account, http: aiohttp.ClientSession, clock: Clock, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        base = account.values.get("url", BASE_URL).rstrip("/")
        self.capabilities = self.capabilities_of(account)
        self._account = account
        self._exchange = Exchange(http, clock, timeout_s)
        self._log_in = LogIn(account, self._exchange, clock, base)
        self._send_url = URL(f"{base}/sms/skicka")

    @classmethod
    def capabilities_of(cls, account: Account) -> Capabilities:
        """The published API can do nothing but send, one text to many."""
        return Capabilities(
            batch_size=100,
            batch_texts=BatchTexts.SAME,
            counts=Counts.REQUESTS,
            default_rate=Rate(100.0 if account.name == SANDBOX else 20.0),
            duplicate_guard=DuplicateGuard.NONE,
        )

    async def check(self) -> str:
        """Log in anew, and say for how long the token holds."""
        return await self._log_in.check()

    async def submit(self, batch: Sequence[Message]) -> Sequence[Submission]:
        """Send one text to these numbers, none of them twice, in one request."""
        body = _request_body(batch)
        reply = await self._log_in.under_token(
            lambda token: self._exchange.post(self._send_url, token | {"Content-Type": "application/json"}, body)
        )
        return self._submissions(batch, reply)

    def _submissions(self, batch: Sequence[Message], reply: Reply) -> list[Submission]:
        if reply.is_success:
            return submissions(batch, reply, _entries(reply.body), self._account)
        if reply.status in REFUSED:
            return refusal(batch, reply, self._account)
        raise no_success(reply, self._account, "Text API", self._send_url)


def _request_body(batch: Sequence[Message]) -> bytes:
    first = batch[0]
    numbers = [message.number for message in batch]
    return write_json({"from": first.sender, "to": numbers, "message": first.text})


def _entries(body: bytes) -> dict[str, Submission] | None:
    """What the body says of each number; None where it is no body that we know."""
    answer = read_json(body)
    entries = answer.get("messages") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        return None
    return {
        entry["to"]: _submission(entry)
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("to"), str) and isinstance(entry.get("accepted"), bool)
    }


def _submission(entry: dict[str, Any]) -> Submission:
    given = read_text(entry.get("id"))
    return Submission(
        number=Msisdn(entry["to"]),
        accepted=entry["accepted"],
        provider_id=ProviderMessageId(given) if given else None,
        code=read_text(entry.get("code")),
        reason=read_text(entry.get("reason")),
    )
