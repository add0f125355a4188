"""The log-in of the Text API: a user name and a password for a token, made anew in time, one for all senders."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeGuard
from urllib.parse import quote, urlencode

from yarl import URL

from campaigns.clock import Clock
from campaigns.errors import AccountProblem, MaybeTaken, NotTaken, ProviderError
from campaigns.providers.answers import passing, wrong_address
from campaigns.providers.base import Field
from campaigns.providers.exchange import Exchange, Reply, read_http_date, read_json
from campaigns.settings import Account

LONGEST_TOKEN_LIFE_S: Final = 24 * 3600  # the service says 24 h, while its sample's expires_in says 182 days
UNTOLD_TOKEN_LIFE_S: Final = 60.0  # a token that is over already is used all the same, until it is answered 401
RENEW_BEFORE_S: Final = 300  # so that no request meets the end of its token

USERNAME: Final = Field(name="username", help="User name at the service", required=True)
PASSWORD: Final = Field(name="password", help="Its password", secret=True, required=True)
TOKEN_URL: Final = Field(
    name="token_url", help="Whole address of the log-in, /token included, where it lives elsewhere"
)


@dataclass(frozen=True, slots=True, repr=False)
class _Token:
    value: str
    life_s: float  #: from the log-in on
    renew_at: float  #: of the monotonic clock
    ends_at: float


class LogIn:
    """The log-in of one account, at /token under `base` unless its settings say otherwise."""

    def __init__(self, account: Account, exchange: Exchange, clock: Clock, base: str) -> None:
        self._account = account
        self._exchange = exchange
        self._clock = clock
        self._url = URL(account.values.get("token_url", f"{base}/token"))
        self._token: _Token | None = None
        self._turn = asyncio.Lock()
        self._ended = 0  # how many have ended, well or not
        self._error: ProviderError | None = None  # of the last one

    async def check(self) -> str:
        """Log in anew, and say for how long the token holds."""
        token = await self._valid_token(refused=self._token)
        user = self._account.values.get("username", "")
        return f'{self._account.name}: logged in at {self._url.host} as "{user}", for {_span(token.life_s)}'

    async def under_token(self, request: Callable[[dict[str, str]], Awaitable[Reply]]) -> Reply:
        """Make a request with the header of the token; if the token is refused, log in anew and make it once more."""
        token = await self._valid_token()
        reply = await request(_header(token))
        if reply.status == 401:
            token = await self._valid_token(refused=token)
            reply = await request(_header(token))
        return reply

    async def _valid_token(self, refused: _Token | None = None) -> _Token:
        """The token, made anew when it ends soon or is the one that was refused; many callers share one log-in."""
        if self._holds(self._token, refused):
            return self._token
        if self._turn.locked() and self._may_still_do(self._token, refused):
            return self._token  # who waited for the new one had to leave with all others at once, over the rate
        ended = self._ended
        async with self._turn:
            if self._ended > ended and self._error:  # the log-in that we waited for failed: ours would too
                raise self._error
            return self._token if self._holds(self._token, refused) else await self._log_in()

    def _holds(self, token: _Token | None, refused: _Token | None) -> TypeGuard[_Token]:
        return token is not None and token is not refused and self._clock.monotonic() < token.renew_at

    def _may_still_do(self, token: _Token | None, refused: _Token | None) -> TypeGuard[_Token]:
        return token is not None and token is not refused and self._clock.monotonic() < token.ends_at

    async def _log_in(self) -> _Token:
        self._error = None
        try:
            self._token = await self._new_token()
        except ProviderError as error:
            self._error = error
            raise
        finally:
            self._ended += 1
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
            reply = await self._exchange.post(self._url, {"Content-Type": "application/x-www-form-urlencoded"}, form)
        except MaybeTaken as error:  # a log-in carries no message
            raise NotTaken(f"log-in: {error.what}") from error
        if not reply.is_success:
            raise self._problem(reply)
        return self._read_token(reply)

    def _problem(self, reply: Reply) -> ProviderError:
        name, status = self._account.name, reply.status
        if status in (400, 401, 403):
            user, how = self._account.values.get("username", ""), self._account.how_to_set("password", secret=True)
            return AccountProblem(f'{name} refused the log-in for the user "{user}" ({status}).', fix=how)
        if comes_again := passing(reply, self._account):
            return comes_again
        if 300 <= status < 500 and status != 408:
            return self._no_log_in(reply)
        return NotTaken(f"log-in: {name} answered {status}", retry_after=reply.retry_after)

    def _no_log_in(self, reply: Reply) -> AccountProblem:
        field = "token_url" if "token_url" in self._account.values else "url"
        return wrong_address(reply, self._account, "log-in", self._url, field)

    def _read_token(self, reply: Reply) -> _Token:
        answer = read_json(reply.body)
        value = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value or not value:
            if not reply.whole:
                raise NotTaken("log-in: the answer was cut short")
            raise self._no_log_in(reply)
        life_s = _life_s(answer, self._clock.now())
        renew_after_s = max(life_s - RENEW_BEFORE_S, life_s / 2)
        now = self._clock.monotonic()
        return _Token(value, life_s, renew_at=now + renew_after_s, ends_at=now + life_s)


def _header(token: _Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.value}"}


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def _life_s(answer: dict[str, Any], now: datetime) -> float:
    """Seconds that a token lives: the earliest of 24 h, `expires_in` and `.expires`."""
    lives = [float(LONGEST_TOKEN_LIFE_S)]
    expires_in = answer.get("expires_in")
    if isinstance(expires_in, int | float) and 0 <= expires_in < LONGEST_TOKEN_LIFE_S:
        lives.append(float(expires_in))
    if expires := read_http_date(answer.get(".expires")):
        # by the service's own clock where it tells it; their sample spells the key with two dots
        issued = read_http_date(answer.get(".issued")) or read_http_date(answer.get("..issued")) or now
        lives.append((expires - issued).total_seconds())
    return min(lives) if min(lives) > 0 else UNTOLD_TOKEN_LIFE_S
