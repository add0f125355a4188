"""A pretend service on this machine: both of our APIs over a simulated network, for trying out and for tests.

It listens on loopback alone, and any user name and password log in. Beside the Text API and /v1/messages it has, for
other processes:

    GET /sandbox/messages       {"requests": n, "messages": [{"at", "from", "to", "text", "id"}]}
    DELETE /sandbox/messages    forgets them
"""

import asyncio
import os
import random
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import uvicorn
from litestar import Litestar, Router, delete, get
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import InputError
from campaigns.model import Submission
from campaigns.web.carrier import Carrier, Refusal
from campaigns.web.errors import ApiError, answer_error
from campaigns.web.messages_api import KeptMessage, NewMessage, RequestKey, messages_api
from campaigns.web.postbox import Postbox
from campaigns.web.text_api import text_api

T = TypeVar("T")

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """What the sandbox does wrong. Untold, it takes every number at once.

    A 500 is only ever the answer to a request that brings texts: it says nothing of whether they were taken.
    """

    latency_s: float = 0.0  #: from taking a request to answering it
    throttle_first: int = 0  #: so many first requests are answered 429
    throttle_share: float = 0.0  #: share of the other requests that are answered 429, 0 to 1
    retry_after_s: int = 1  #: what a 429 asks for
    fail_before: float = 0.0  #: share of the requests that are answered 500, with nothing taken
    fail_after: float = 0.0  #: share of the requests that are answered 500 although they were taken
    refusals: Mapping[str, Refusal] = field(default_factory=dict)  #: by the last two digits of a number; as REFUSALS
    seed: int = 1  #: of the dice for the shares: the same requests in the same order meet the same faults

    def __post_init__(self) -> None:
        shares = (self.throttle_share, self.fail_before, self.fail_after)
        if min(shares) < 0 or sum(shares) > 1:
            raise InputError("The shares of faults must be 0 or more, and together at most 1.")
        if min(self.latency_s, self.throttle_first, self.retry_after_s) < 0:
            raise InputError("A time or a count of faults must be 0 or more.")


WELL_BEHAVED: Final = Misbehaviour()


class Sandbox:
    """One sandbox: the service behind its APIs, and what tests ask of it."""

    def __init__(self, url: str, misbehaviour: Misbehaviour) -> None:
        self.url = url
        self.carrier = Carrier(SYSTEM_CLOCK, misbehaviour.refusals)
        self.requests = 0  #: how many came with a valid token and a valid body
        self._postbox = Postbox(self.carrier, SYSTEM_CLOCK)
        self._misbehaviour = misbehaviour
        self._dice = random.Random(misbehaviour.seed)  # noqa: S311 - faults to try things out with, no secret
        self._users: dict[str, str] = {}

    async def log_in(self, username: str, password: str) -> str | None:
        """A token for anyone who gives both a name and a password."""
        if not username or not password:
            return None
        token = secrets.token_urlsafe(96)
        self._users[token] = username
        return token

    async def user_of(self, token: str) -> str | None:
        """Whose token this is."""
        return self._users.get(token)

    async def send(self, user: str, sender: str, numbers: Sequence[str], text: str) -> Sequence[Submission]:  # noqa: ARG002 - the Text API has nothing to ask for later, so that all users are alike
        """Take the text as the carrier does, and go wrong as told."""
        return await self._bring(lambda: self.carrier.take(sender, numbers, text))

    async def take(self, user: str, messages: Sequence[NewMessage], key: RequestKey | None) -> Sequence[KeptMessage]:
        """Take the messages that are new, and go wrong as told."""
        return await self._bring(lambda: self._postbox.take(user, messages, key))

    async def find(self, user: str, references: Sequence[str]) -> Sequence[KeptMessage]:
        """What was taken under these references."""
        self._arrive()
        await self._dawdle()
        return self._postbox.find(user, references)

    async def cancel(self, user: str, message_id: str) -> KeptMessage | None:
        """Take a message back that has not left."""
        self._arrive()
        await self._dawdle()
        return self._postbox.cancel(user, message_id)

    def forget(self) -> None:
        """Forget what came, as a new sandbox would."""
        self.requests = 0
        self.carrier.forget()
        self._postbox.forget()

    def forget_tokens(self) -> None:
        """End every log-in: the next request of each client is answered 401."""
        self._users.clear()

    async def _bring(self, take: Callable[[], T]) -> T:
        """A request that brings texts: it may fail before or after they are taken."""
        fault, wrong = self._arrive(), self._misbehaviour
        if fault < wrong.fail_before:
            raise ApiError(500, "server_error", "Told to fail before taking the request.")
        answer = take()
        await self._dawdle()
        if fault - wrong.fail_before < wrong.fail_after:
            raise ApiError(500, "server_error", "Told to fail after taking the request.")
        return answer

    def _arrive(self) -> float:
        """A request is there, and may be throttled; what is left of the throw tells what else goes wrong."""
        self.requests += 1
        wrong, fault = self._misbehaviour, self._dice.random()
        if self.requests <= wrong.throttle_first or fault < wrong.throttle_share:
            raise ApiError(429, "too_many_requests", "Too many requests.", retry_after=wrong.retry_after_s)
        return fault - wrong.throttle_share

    async def _dawdle(self) -> None:
        if self._misbehaviour.latency_s:
            await asyncio.sleep(self._misbehaviour.latency_s)


@contextmanager
def embedded_sandbox(misbehaviour: Misbehaviour = WELL_BEHAVED, *, port: int | None = None) -> Iterator[Sandbox]:
    """A sandbox in a thread of this process, listening when the block begins and gone when it ends."""
    listener = _listen(port or 0)
    sandbox = Sandbox(f"http://{LOOPBACK}:{listener.getsockname()[1]}", misbehaviour)
    server = _Server(_config(sandbox))
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    server.listening.wait()
    try:
        yield sandbox
    finally:
        server.force_exit = server.should_exit = True
        thread.join()
        listener.close()


def run_sandbox(port: int | None, misbehaviour: Misbehaviour) -> None:
    """A sandbox until SIGINT or SIGTERM; the first line on stdout says where it is."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        with embedded_sandbox(misbehaviour, port=port) as sandbox:
            sys.stdout.write(f"Sandbox at {sandbox.url}\n")
            sys.stdout.flush()
            while not stop.wait(0.5):  # on Windows a wait without end does not hear Ctrl-C
                pass
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """uvicorn, telling when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.listening.set()


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port), backlog=1024)
    except (OSError, OverflowError) as error:
        raise InputError(
            f"The sandbox cannot listen on port {port}: {_why(error)}.",
            fix="Give another port, or none: a free one is then found.",
        ) from error


def _why(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


def _config(sandbox: Sandbox) -> uvicorn.Config:
    return uvicorn.Config(
        _application(sandbox),
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than clients keep an idle connection, so that none is closed under a request
    )


def _application(sandbox: Sandbox) -> Litestar:
    return Litestar(
        route_handlers=[text_api(sandbox, SYSTEM_CLOCK), messages_api(sandbox, SYSTEM_CLOCK), _inspection(sandbox)],
        exception_handlers={Exception: answer_error},
        openapi_config=None,
        logging_config=None,
    )


Ours = NamedDependency[SkipValidation[Sandbox]]


def _inspection(sandbox: Sandbox) -> Router:
    return Router(
        path="/sandbox/messages",
        route_handlers=[_show, _forget],
        dependencies={"sandbox": Provide(lambda: sandbox, sync_to_thread=False)},
    )


@get("/", sync_to_thread=False)
def _show(sandbox: Ours) -> dict[str, Any]:
    messages = [
        {"at": one.at.isoformat(), "from": one.sender, "to": one.to, "text": one.text, "id": one.id}
        for one in sandbox.carrier.messages
    ]
    return {"requests": sandbox.requests, "messages": messages}


@delete("/", sync_to_thread=False)
def _forget(sandbox: Ours) -> None:
    sandbox.forget()
