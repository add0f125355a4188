"""What each failure of the network means, aiohttp's errors one by one; and that no answer is too odd to be read."""

import inspect
from datetime import UTC, datetime

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.errors import AccountProblem, MaybeTaken, NotTaken
from campaigns.providers import exchange

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NEVER_LEFT = {  # a request that ends in one of these surely was not taken
    "ClientConnectorError", "ClientConnectorDNSError", "ClientProxyConnectionError", "UnixClientConnectorError",
    "ClientSSLError", "ClientConnectorSSLError", "ClientConnectorCertificateError", "ServerFingerprintMismatch",
    "ConnectionTimeoutError", "ClientHttpProxyError",
}  # fmt: skip
NO_ADDRESS = {
    "InvalidURL", "InvalidUrlClientError", "InvalidUrlRedirectClientError", "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
}  # fmt: skip
LEFT = {
    "ClientError", "ClientResponseError", "ContentTypeError", "TooManyRedirects", "ClientConnectionError",
    "ClientConnectionResetError", "ClientOSError", "ServerConnectionError", "ServerDisconnectedError",
    "ServerTimeoutError", "SocketTimeoutError", "ClientPayloadError", "RedirectClientError",
    "WSServerHandshakeError", "UploadAbortedError",
}  # fmt: skip


def aiohttp_errors() -> list[type[Exception]]:
    classes = vars(aiohttp.client_exceptions).values()
    return [one for one in classes if inspect.isclass(one) and issubclass(one, aiohttp.ClientError)]


@pytest.mark.parametrize("error", [*aiohttp_errors(), TimeoutError, OSError], ids=lambda error: error.__name__)
def test_each_error_of_aiohttp_has_its_place(error: type[Exception]) -> None:
    name = error.__name__
    assert name in NEVER_LEFT | NO_ADDRESS | LEFT | {"TimeoutError", "OSError"}, f"aiohttp has a new error: {name}"
    expected = NotTaken if name in NEVER_LEFT else AccountProblem if name in NO_ADDRESS else MaybeTaken
    assert next(ours for classes, ours, _ in exchange.FROM_AIOHTTP if issubclass(error, classes)) is expected


@given(st.text())
def test_no_retry_after_is_too_odd_to_read(text: str) -> None:
    wait_s = exchange._wait_s(text, NOW)
    assert wait_s is None or 0 <= wait_s <= 86_400
