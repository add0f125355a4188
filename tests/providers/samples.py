"""What each provider's service says on the wire: all that the contract suite needs to know of a provider.

A new provider adds its Samples here and has the whole suite; one without is named by a failing test.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import aiohttp

from campaigns.clock import Clock
from campaigns.model import Encoding, Message, Msisdn
from campaigns.providers.base import Provider
from campaigns.providers.campaigns import Campaigns
from campaigns.providers.soluno import Soluno
from campaigns.settings import Account, Secret
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, embedded_sandbox
from tests.scripted import ScriptedService, http

PASSWORD = "mycket-hemligt-77"
TOKEN = "bearer-token-" + "q" * 64
TEXT = "Hej Anna! Din kod är ÅÄÖ-{}[]€ 1234"


BROKEN = {  # answers that are none, whatever the API
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "a body cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{}",
    "a chunk cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",
    "a body of unknown length cut short": b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"messages": [{"to": "',
    "no gzip": http(200, b"{}", Content_Encoding="gzip"),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a head without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
}
UNKNOWN_BODIES = (  # of a success, whatever the API
    b"",
    b"OK",
    b"<html></html>",
    b"[]",
    b"7",
    b'{"messages": 3}',
    b'{"a": 1}',
    b"\xff\xfe",
    b"[" * 9_000,
)

OpenAt = Callable[..., Provider]
"""Opens the provider at a URL; `clock` and `timeout_s` may be given."""
Script = Callable[..., AbstractAsyncContextManager[ScriptedService]]
"""A service whose log-in succeeds, or answers `log_in`; its other answers come in turn, the last again and again."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A well-built server of the provider's service: the sandbox, or its like."""

    url: str
    received: Callable[[], Sequence[tuple[str, str, str]]]  #: sender, number and text of what was taken
    refused_number: Msisdn  #: a number that it does not take


@dataclass(frozen=True, kw_only=True)
class Samples:
    """How to open the provider at a URL, and how its service talks."""

    open: Callable[[str, aiohttp.ClientSession, Clock, float], Provider]  #: url, http, clock, time-out in seconds
    serve: Callable[[], AbstractContextManager[Server]]
    log_in_path: str
    send_path: str
    logged_in: bytes  #: a whole HTTP answer
    answer: Callable[..., bytes]  #: a whole HTTP answer to (number: accepted), its ids and words ending in a given text
    secrets: Sequence[str] = field(default=(PASSWORD, TOKEN))  #: what no error and no log may show


def a_message(number: int = 605, *, text: str = TEXT, send_at: datetime | None = None) -> Message:
    """A message to a number of the fiction range, by its last three digits: 605 to 699; one text, one reference."""
    return Message(
        id=f"c1-{number}",
        reference=f"led-c1-{number}" if text == TEXT else f"led-c1-{number}-{text}",
        number=Msisdn(f"+46701740{number}"),
        text=text,
        sender="Butiken",
        encoding=Encoding.GSM7,
        segments=1,
        send_at=send_at,
    )


def _open(kind: Callable[..., Provider], url: str, session: aiohttp.ClientSession, clock: Clock, s: float) -> Provider:
    account = Account(
        name="lund",
        type="lund",
        values={"url": url, "username": "lindbergs"},
        secrets={"password": Secret(PASSWORD)},
    )
    return kind(account, session, clock, timeout_s=s)


@contextmanager
def _serve_sandbox() -> Iterator[Server]:
    with embedded_sandbox(Misbehaviour(refusals=REFUSALS)) as sandbox:
        yield Server(
            url=sandbox.url,
            received=lambda: [(one.sender, one.to, one.text) for one in sandbox.carrier.messages],
            refused_number=Msisdn("+46701740690"),
        )


def _soluno_answer(accepted: Mapping[str, bool], odd: str = "") -> bytes:
    refusal = {"id": None, "accepted": False, "code": f"number_blocked{odd}", "reason": f"The number is blocked{odd}"}
    entries = [
        {"to": number, "id": f"id-{number[-3:]}{odd}", "accepted": True, "code": None, "reason": None}
        if good
        else {"to": number, **refusal}
        for number, good in accepted.items()
    ]
    return http(200, json.dumps({"messages": entries}).encode())


def _campaigns_answer(accepted: Mapping[str, bool], odd: str = "") -> bytes:
    refusal = {"id": None, "state": "rejected", "code": f"number_blocked{odd}", "reason": f"It is blocked{odd}"}
    entries = [
        {"to": number, "reference": f"led-c1-{number[-3:]}"}
        | ({"id": f"id-{number[-3:]}{odd}", "state": "accepted", "code": None, "reason": None} if good else refusal)
        for number, good in accepted.items()
    ]
    return http(200, json.dumps({"messages": entries}).encode())


LOGGED_IN = http(200, json.dumps({"access_token": TOKEN, "token_type": "bearer", "expires_in": 86400}).encode())
SAMPLES: Mapping[str, Samples] = {
    "soluno": Samples(
        open=partial(_open, Soluno),
        serve=_serve_sandbox,
        log_in_path="/token",
        send_path="/sms/skicka",
        logged_in=LOGGED_IN,
        answer=_soluno_answer,
    ),
    "campaigns": Samples(
        open=partial(_open, Campaigns),
        serve=_serve_sandbox,
        log_in_path="/token",
        send_path="/v1/messages",
        logged_in=LOGGED_IN,
        answer=_campaigns_answer,
    ),
}
