"""One request to a service and its answer, read whole; what each failure of the network means for a message."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
from yarl import URL

from campaigns.clock import Clock
from campaigns.errors import AccountProblem, MaybeTaken, NotTaken, ProviderError

LONGEST_WAIT_S: Final = 24 * 3600  # of a Retry-After

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


class Reply(NamedTuple):
    """One answer; a tuple, as what is made of it."""

    status: int
    body: bytes
    whole: bool  #: whether a cut would have been seen: the length was announced, or there is none
    retry_after: float | None  #: seconds

    @property
    def is_success(self) -> bool:
        """Whether its status is one of the 200s."""
        return 200 <= self.status < 300


class Exchange:
    """Asks a service, one request at a time; only a ProviderError leaves, and no redirect is followed."""

    def __init__(self, http: aiohttp.ClientSession, clock: Clock, timeout_s: float) -> None:
        self._http = http
        self._clock = clock
        self._timeout_s = timeout_s
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=timeout_s / 2)

    async def post(self, url: URL, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Send a body."""
        return await self._ask("POST", url, headers, body)

    async def get(self, url: URL, headers: Mapping[str, str]) -> Reply:
        """Ask for what is there."""
        return await self._ask("GET", url, headers, None)

    async def _ask(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Reply:
        try:
            async with self._http.request(
                method, url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                return await _read(response, self._clock)
        except aiohttp.ClientResponseError as error:
            no_http = _from_aiohttp(error, self._timeout_s)
        except Exception as error:
            raise _from_aiohttp(error, self._timeout_s) from error
        raise no_http  # without its cause, which holds the headers of the request, and so the token


def write_json(value: object) -> bytes:
    """A JSON body."""
    return msgspec.json.encode(value)


def read_json(body: bytes) -> Any:
    """The value of a JSON body; None where it is none."""
    try:
        return msgspec.json.decode(body)  # in a tenth of the time
    except (ValueError, RecursionError):
        return _read_odd_json(body)


def read_text(value: object) -> str:
    """A word or sentence of the service, cut where it is too long to be one; what no ledger can hold is replaced."""
    said = str(value)[:200] if isinstance(value, str | int) else ""
    if said.isprintable():  # nearly always, and at once
        return said
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in said)


def read_http_date(text: object) -> datetime | None:
    """The moment of an HTTP date, whatever its weekday; None where it is none."""
    try:
        moment = parsedate_to_datetime(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _read_odd_json(body: bytes) -> Any:
    """The same for what is no strict JSON, such as half a pair of surrogates."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


async def _read(response: aiohttp.ClientResponse, clock: Clock) -> Reply:
    try:
        body = await response.read()
    except (aiohttp.ClientError, TimeoutError):
        if 200 <= response.status < 300:
            raise
        body = b""  # any other status says enough by itself
    announced = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    whole = announced or response.status == 204  # which never has a body
    asked = None if response.ok else response.headers.get("Retry-After")
    return Reply(response.status, body, whole, _wait_s(asked, clock.now()) if asked else None)


def _wait_s(retry_after: str, now: datetime) -> float | None:
    """The wait of a Retry-After, which is either seconds or a date."""
    if retry_after.isascii() and retry_after.isdecimal():
        wait_s = float(retry_after)
    elif moment := read_http_date(retry_after):
        wait_s = (moment - now).total_seconds()
    else:
        return None
    return min(max(wait_s, 0.0), LONGEST_WAIT_S)


def _from_aiohttp(error: Exception, timeout_s: float) -> ProviderError:
    for classes, ours, what in FROM_AIOHTTP:
        if isinstance(error, classes):
            return ours(what.format(timeout_s=timeout_s))
    return MaybeTaken("connection lost after the request left")
