"""Soluno's Text API. API: the service's own description (its sample log-in is of January 2017), read 2026-11.

    POST /token         form grant_type=password&username=...&password=...  ->  a bearer token, good for 24 h
    POST /sms/skicka    JSON {"from", "to": one or many, "message"}         ->  200 is success; no body is described

It has no schedule, no cancel, no validity, no look-up, no delivery reports and no idempotency key. Our own server and
the sandbox speak it too, and answer {"messages": [{"to", "id", "accepted", "code", "reason"}]}.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from campaigns.clock import Clock
from campaigns.errors import AccountProblem, BatchRefused, MaybeTaken, NotTaken, ProviderError, Throttled
from campaigns.model import Message, ProviderMessageId, Rate, Submission
from campaigns.providers.base import BatchTexts, Capabilities, Counts, DuplicateGuard, Field
from campaigns.settings import SANDBOX, Account

BASE_URL: Final = "https://api.soluno.se"
LONGEST_TOKEN_LIFE_S: Final = 24 * 3600  # their text says 24 h, while their sample's expires_in says 182 days
UNTOLD_TOKEN_LIFE_S: Final = 60.0  # a token that is over already is used all the same, until it is answered 401
RENEW_BEFORE_S: Final = 300  # so that no request meets the end of its token
LONGEST_WAIT_S: Final = 24 * 3600  # of a Retry-After

REFUSED: Final = frozenset({400, 413, 422})  # the request as such: one of its numbers, or its length
ACCOUNT_PROBLEMS: Final = {
    401: "does not take the token that it has just given",
    402: "has no credit left for this account",
    403: "does not let this user send texts",
}
WRONG_ADDRESS: Final = frozenset({*range(300, 400), 404, 405})  # no redirect is followed: a client makes a POST a GET

FROM_AIOHTTP: Final[tuple[tuple[tuple[type[Exception], ...], type[ProviderError], str], ...]] = (
    # first match wins, so the most specific stands first; what is not listed is MaybeTaken
    ((aiohttp.ClientConnectorDNSError,), NotTaken, "the host name was not found"),
    ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), NotTaken, "no secure connection could be made"),
    ((aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError), NotTaken, "no connection could be made"),
    ((aiohttp.ClientHttpProxyError,), NotTaken, "the proxy made no connection"),
    (
        (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError),
        AccountProblem,
        "The address of the service is no web address.",
    ),
    ((TimeoutError,), MaybeTaken, "no answer within {timeout_s:g} s"),  # the overall time-out is a bare one
    ((aiohttp.ClientPayloadError,), MaybeTaken, "the answer was cut short"),
    ((aiohttp.ClientResponseError,), MaybeTaken, "the answer was no HTTP"),
    ((aiohttp.ClientError, OSError), MaybeTaken, "connection lost after the request left"),
)


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    whole: bool  #: whether a cut would have been seen: the length was announced, or there is none
    retry_after: float | None  #: seconds


@dataclass(frozen=True, slots=True, repr=False)
class _Token:
    value: str
    life_s: float  #: from the log-in on
    renew_at: float  #: of the monotonic clock


class Soluno:
    """One account at Soluno, or at whatever speaks its Text API."""

    name: ClassVar[str] = "soluno"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="username", help="User name at the service", required=True),
        Field(name="password", help="Its password", secret=True, required=True),
        Field(name="url", help=f"Base address of the service, unless {BASE_URL}"),
        Field(name="token_url", help="Whole address of the log-in, /token included, where it lives elsewhere"),
    )

    def __init__(self, account: Account, http: aiohttp.ClientSession, clock: Clock, *, timeout_s: float = 30.0) -> None:
        base = account.values.get("url", BASE_URL).rstrip("/")
        self.capabilities = self.capabilities_of(account)
        self._account = account
        self._http = http
        self._clock = clock
        self._send_url = URL(f"{base}/sms/skicka")
        self._token_url = URL(account.values.get("token_url", f"{base}/token"))
        self._timeout_s = timeout_s
        self._token: _Token | None = None
        self._log_in_turn = asyncio.Lock()
        self._log_ins = 0  # how many have ended, well or not
        self._log_in_error: ProviderError | None = None  # of the last one

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
        token = await self._valid_token(refused=self._token)
        user = self._account.values.get("username", "")
        return f'{self._account.name}: logged in at {self._token_url.host} as "{user}", for {_span(token.life_s)}'

    async def submit(self, batch: Sequence[Message]) -> Sequence[Submission]:
        """Send one text to these numbers, none of them twice, in one request."""
        reply = await self._post_authorised(_request_body(batch))
        if reply.status not in REFUSED:
            return self._submissions(batch, reply)
        if len(batch) > 1:
            raise BatchRefused(f"{self._account.name} refused the request as a whole ({reply.status})")
        return [_refusal(batch[0], reply)]

    async def _post_authorised(self, body: bytes) -> _Reply:
        """Send a request under the token; if the token is refused, log in anew and send it once more."""
        token = await self._valid_token()
        reply = await self._post(self._send_url, body, _json_headers(token))
        if reply.status == 401:
            token = await self._valid_token(refused=token)
            reply = await self._post(self._send_url, body, _json_headers(token))
        return reply

    def _submissions(self, batch: Sequence[Message], reply: _Reply) -> list[Submission]:
        """What an answer says of each message, by number; that 200 is success is all that is published of it."""
        if not 200 <= reply.status < 300:
            raise self._error(reply)
        entries = _entries(reply.body)
        if entries is None:
            if not reply.whole:
                raise MaybeTaken("the answer was cut short")
            return [Submission(number=message.number, accepted=True) for message in batch]
        if not any(message.number in entries for message in batch):
            raise MaybeTaken(f"{self._account.name} answered for none of the numbers")
        return [_submission(message, entries.get(message.number)) for message in batch]

    def _error(self, reply: _Reply) -> ProviderError:
        """What an answer means that is neither a success nor a refusal."""
        name = self._account.name
        if reply.status in WRONG_ADDRESS:
            return self._wrong_address("Text API", "url", self._send_url, reply)
        if what := ACCOUNT_PROBLEMS.get(reply.status):
            fix = f"Ask {name} about this account, then: campaigns providers check {name}"
            return AccountProblem(f"{name} {what} ({reply.status}).", fix=fix)
        return self._passing(reply) or MaybeTaken(f"{name} answered {reply.status}")

    def _passing(self, reply: _Reply) -> NotTaken | None:
        """The two answers that say: nothing was taken, come again."""
        name, wait_s = self._account.name, reply.retry_after
        if reply.status == 429:
            asked = f" with Retry-After: {wait_s:.0f}" if wait_s is not None else ""
            return Throttled(f"{name} answered 429{asked}", retry_after=wait_s)
        if reply.status == 503:
            return NotTaken(f"{name} answered 503", retry_after=wait_s)
        return None

    def _wrong_address(self, sought: str, field: str, url: URL, reply: _Reply) -> AccountProblem:
        return AccountProblem(
            f"{self._account.name} has no {sought} at {url.with_user(None).with_query(None)} ({reply.status}).",
            fix=self._account.how_to_set(field, secret=False),
        )

    async def _valid_token(self, refused: _Token | None = None) -> _Token:
        """The token, made anew when it ends soon or is the one that was refused; many callers share one log-in."""
        log_ins = self._log_ins
        async with self._log_in_turn:
            if self._log_ins > log_ins and self._log_in_error:  # the log-in that we waited for failed: ours would too
                raise self._log_in_error
            token = self._token
            if token is None or token is refused or self._clock.monotonic() >= token.renew_at:
                token = await self._log_in()
            return token

    async def _log_in(self) -> _Token:
        self._log_in_error = None
        try:
            self._token = await self._new_token()
        except ProviderError as error:
            self._log_in_error = error
            raise
        finally:
            self._log_ins += 1
        return self._token

    async def _new_token(self) -> _Token:
        username, password = self._account.values.get("username", ""), self._account.secrets.get("password")
        fields = {
            "grant_type": "password",
            "username": username,
            "password": password.reveal() if password else "",
        }
        form = urlencode(fields, quote_via=quote).encode()
        try:
            reply = await self._post(self._token_url, form, {"Content-Type": "application/x-www-form-urlencoded"})
        except MaybeTaken as error:  # a log-in carries no message
            raise NotTaken(f"log-in: {error.what}") from error
        if not 200 <= reply.status < 300:
            raise self._log_in_problem(reply)
        return self._read_token(reply)

    def _log_in_problem(self, reply: _Reply) -> ProviderError:
        name, status = self._account.name, reply.status
        if status in (400, 401, 403):
            user, how = self._account.values.get("username", ""), self._account.how_to_set("password", secret=True)
            return AccountProblem(f'{name} refused the log-in for the user "{user}" ({status}).', fix=how)
        if passing := self._passing(reply):
            return passing
        if 300 <= status < 500 and status != 408:
            return self._no_log_in(reply)
        return NotTaken(f"log-in: {name} answered {status}", retry_after=reply.retry_after)

    def _no_log_in(self, reply: _Reply) -> AccountProblem:
        field = "token_url" if "token_url" in self._account.values else "url"
        return self._wrong_address("log-in", field, self._token_url, reply)

    def _read_token(self, reply: _Reply) -> _Token:
        answer = _read_json(reply.body)
        value = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value or not value:
            if not reply.whole:
                raise NotTaken("log-in: the answer was cut short")
            raise self._no_log_in(reply)
        life_s = _life_s(answer, self._clock.now())
        renew_after_s = max(life_s - RENEW_BEFORE_S, life_s / 2)
        return _Token(value, life_s, self._clock.monotonic() + renew_after_s)

    async def _post(self, url: URL, body: bytes, headers: Mapping[str, str]) -> _Reply:
        """Send one request and read its answer whole; only a ProviderError leaves, and no redirect is followed."""
        timeout = aiohttp.ClientTimeout(total=self._timeout_s, connect=self._timeout_s / 2)
        try:
            async with self._http.post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return await _read(response, self._clock.now())
        except aiohttp.ClientResponseError as error:
            no_http = _from_aiohttp(error, self._timeout_s)
        except Exception as error:
            raise _from_aiohttp(error, self._timeout_s) from error
        raise no_http  # without its cause, which holds the headers of the request, and so the token


def _request_body(batch: Sequence[Message]) -> bytes:
    first = batch[0]
    numbers = [message.number for message in batch]
    return json.dumps({"from": first.sender, "to": numbers, "message": first.text}).encode()


def _refusal(message: Message, reply: _Reply) -> Submission:
    answer = _read_json(reply.body)
    said = answer if isinstance(answer, dict) else {}
    return Submission(
        number=message.number,
        accepted=False,
        code=_text(said.get("error")) or f"http_{reply.status}",
        reason=_text(said.get("error_description")) or f"the request was refused ({reply.status})",
    )


def _json_headers(token: _Token) -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": f"Bearer {token.value}"}


def _entries(body: bytes) -> dict[str, dict[str, Any]] | None:
    """What the body says of each number; None where it is no body that we know."""
    answer = _read_json(body)
    entries = answer.get("messages") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        return None
    return {
        entry["to"]: entry
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("to"), str) and isinstance(entry.get("accepted"), bool)
    }


def _submission(message: Message, entry: dict[str, Any] | None) -> Submission:
    if entry is None:
        return Submission(number=message.number, accepted=None, error=MaybeTaken("no answer for this number"))
    given = _text(entry.get("id"))
    return Submission(
        number=message.number,
        accepted=entry["accepted"],
        provider_id=ProviderMessageId(given) if given else None,
        code=_text(entry.get("code")),
        reason=_text(entry.get("reason")),
    )


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def _life_s(answer: dict[str, Any], now: datetime) -> float:
    """Seconds that a token lives: the earliest of 24 h, `expires_in` and `.expires`."""
    lives = [float(LONGEST_TOKEN_LIFE_S)]
    expires_in = answer.get("expires_in")
    if isinstance(expires_in, int | float) and 0 <= expires_in < LONGEST_TOKEN_LIFE_S:
        lives.append(float(expires_in))
    if expires := _http_date(answer.get(".expires")):
        # by the service's own clock where it tells it; their sample spells the key with two dots
        issued = _http_date(answer.get(".issued")) or _http_date(answer.get("..issued")) or now
        lives.append((expires - issued).total_seconds())
    return min(lives) if min(lives) > 0 else UNTOLD_TOKEN_LIFE_S


async def _read(response: aiohttp.ClientResponse, now: datetime) -> _Reply:
    try:
        body = await response.read()
    except (aiohttp.ClientError, TimeoutError):
        if 200 <= response.status < 300:
            raise
        body = b""  # any other status says enough by itself
    announced = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    whole = announced or response.status == 204  # which never has a body
    return _Reply(response.status, body, whole, _wait_s(response.headers.get("Retry-After", ""), now))


def _wait_s(retry_after: str, now: datetime) -> float | None:
    """The wait of a Retry-After, which is either seconds or a date."""
    if retry_after.isascii() and retry_after.isdecimal():
        wait_s = float(retry_after)
    elif moment := _http_date(retry_after):
        wait_s = (moment - now).total_seconds()
    else:
        return None
    return min(max(wait_s, 0.0), LONGEST_WAIT_S)


def _http_date(text: object) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if isinstance(text, str) else None  # takes a wrong weekday
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str:
    """A word or sentence of the service, cut where it is too long to be one; what no ledger can hold is replaced."""
    said = str(value)[:200] if isinstance(value, str | int) else ""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in said)


def _from_aiohttp(error: Exception, timeout_s: float) -> ProviderError:
    for classes, ours, what in FROM_AIOHTTP:
        if isinstance(error, classes):
            return ours(what.format(timeout_s=timeout_s))
    return MaybeTaken("connection lost after the request left")
