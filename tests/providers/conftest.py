"""The provider under test, once for each that is registered."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager

import aiohttp
import pytest

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.providers.base import Provider, provider_types
from tests.providers.samples import SAMPLES, OpenAt, Samples, Script, Server
from tests.scripted import Asked, ScriptedService, open_service


@pytest.fixture(scope="session", params=sorted(provider_types()))
def samples(request: pytest.FixtureRequest) -> Samples:
    """What the provider's service says."""
    assert request.param in SAMPLES, f"tests/providers/samples.py has no samples for {request.param}"
    return SAMPLES[request.param]


@pytest.fixture(scope="session")
def server(samples: Samples) -> Iterator[Server]:
    """A well-built server of the service."""
    with samples.serve() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """The session that delivery would hand down."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def open_at(samples: Samples, http: aiohttp.ClientSession) -> OpenAt:
    """Opens the provider at a URL."""

    def open_at(url: str, *, clock: Clock = SYSTEM_CLOCK, timeout_s: float = 10.0) -> Provider:
        return samples.open(url, http, clock, timeout_s)

    return open_at


@pytest.fixture
def script(samples: Samples) -> Script:
    """A service whose log-in succeeds, and whose other answers come in turn, the last one again and again."""

    def script(*sends: bytes, log_in: bytes = samples.logged_in) -> AbstractAsyncContextManager[ScriptedService]:
        turn = list(sends)

        def answer(asked: Asked) -> bytes:
            if asked.path == samples.log_in_path:
                return log_in
            return turn.pop(0) if len(turn) > 1 else turn[0]

        return open_service(answer)

    return script
