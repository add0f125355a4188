"""What is Soluno's own: the form of its requests, and the life of its token."""

import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import AccountProblem, ProviderError
from campaigns.model import Rate
from campaigns.providers.exchange import Reply
from campaigns.providers.soluno import Soluno
from campaigns.settings import Account, Secret
from tests.providers.samples import TEXT, a_message
from tests.scripted import Asked, open_service
from tests.scripted import http as answer

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


async def a_provider(http: aiohttp.ClientSession, **values: str) -> Soluno:
    account = Account(
        name="soluno",
        type="soluno",
        values={"username": "anna@exempel.se", **values},
        secrets={"password": Secret("å&=+ %")},
    )
    return Soluno(account, http, Clock(lambda: NOW, lambda: 0.0, SYSTEM_CLOCK.sleep))


def logs_in_with(fields: dict[str, Any], *, log_in: str = "/token") -> Any:
    body = json.dumps({"access_token": "t0k3n"} | fields).encode()

    def said(asked: Asked) -> bytes:
        return answer(200, body if asked.path == log_in else b"")

    return open_service(said)


async def test_the_log_in_is_a_percent_encoded_form(http: aiohttp.ClientSession) -> None:
    async with logs_in_with({}) as service:
        await (await a_provider(http, url=service.url)).check()
    [asked] = service.asked
    assert asked.line == "POST /token HTTP/1.1"
    assert asked.fields["content-type"] == "application/x-www-form-urlencoded"
    assert asked.body == b"grant_type=password&username=anna%40exempel.se&password=%C3%A5%26%3D%2B%20%25"


async def test_a_text_is_json_under_the_bearer_token(http: aiohttp.ClientSession) -> None:
    async with logs_in_with({}) as service:
        await (await a_provider(http, url=service.url + "/")).submit([a_message(605), a_message(606)])
    [asked] = service.requests("/sms/skicka")
    assert asked.fields["content-type"] == "application/json"
    assert asked.fields["authorization"] == "Bearer t0k3n"
    assert json.loads(asked.body) == {"from": "Butiken", "to": ["+46701740605", "+46701740606"], "message": TEXT}


async def test_the_log_in_may_live_at_another_address(http: aiohttp.ClientSession) -> None:
    async with logs_in_with({}) as texts, open_service(lambda _: answer(200, b'{"access_token": "far"}')) as log_ins:
        provider = await a_provider(http, url=texts.url, token_url=f"{log_ins.url}/oauth/token")
        await provider.submit([a_message()])
    assert [asked.path for asked in log_ins.asked] == ["/oauth/token"]
    assert [asked.fields["authorization"] for asked in texts.asked] == ["Bearer far"]


@pytest.mark.parametrize("base", ["", "/", "/api/v2", "/api/v2/", "/a%20b//"])
async def test_a_base_address_may_hold_a_path(http: aiohttp.ClientSession, base: str) -> None:
    path = base.rstrip("/")
    async with logs_in_with({}, log_in=f"{path}/token") as service:
        await (await a_provider(http, url=service.url + base)).submit([a_message()])
    assert [asked.path for asked in service.asked] == [f"{path}/token", f"{path}/sms/skicka"]


async def test_a_proxy_of_the_environment_is_not_used(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with logs_in_with({}) as service:
        await (await a_provider(http, url=service.url)).submit([a_message()])
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    ("fields", "span"),
    [
        ({}, "24 h"),
        ({"expires_in": 15724799}, "24 h"),  # their sample: 182 days, though a token lives for one
        ({"expires_in": 3600}, "1 h"),
        ({"expires_in": 7200, ".expires": "Wed, 25 Nov 2026 13:00:00 GMT"}, "1 h"),
        ({"expires_in": 3600, ".expires": "Fri, 27 Nov 2026 13:00:00 GMT"}, "1 h"),
        ({".expires": "Sun, 25 Nov 2026 15:00:00 GMT"}, "3 h"),  # a wrong weekday
        (  # the service's clock is not ours
            {".issued": "Wed, 04 Jan 2017 16:44:49 GMT", ".expires": "Wed, 04 Jan 2017 18:44:49 GMT"},
            "2 h",
        ),
        ({"..issued": "Wed, 04 Jan 2017 16:44:49 GMT", ".expires": "Wed, 04 Jan 2017 18:44:49 GMT"}, "2 h"),
        ({"expires_in": 3600, ".expires": "tomorrow", ".issued": 7}, "1 h"),
        ({"expires_in": "soon"}, "24 h"),
        ({"expires_in": -1}, "24 h"),
        ({"expires_in": 10**400}, "24 h"),
        ({"expires_in": float("nan")}, "24 h"),
        ({".expires": "Wed, 04 Jan 2017 18:44:49 GMT"}, "1 min"),  # over already: used until it is answered 401
    ],
)
async def test_a_token_lives_until_the_earliest_of_what_is_said_of_it(
    http: aiohttp.ClientSession, fields: dict[str, Any], span: str
) -> None:
    async with logs_in_with(fields) as service:
        line = await (await a_provider(http, url=service.url)).check()
    assert line == f'soluno: logged in at 127.0.0.1 as "anna@exempel.se", for {span}'


async def test_a_refused_log_in_names_the_user_and_what_to_type(http: aiohttp.ClientSession) -> None:
    async with open_service(lambda _: answer(400, b'{"error": "invalid_grant"}')) as service:
        with pytest.raises(AccountProblem) as raised:
            await (await a_provider(http, url=service.url)).check()
    assert raised.value.what == 'soluno refused the log-in for the user "anna@exempel.se" (400).'
    assert raised.value.fix == "campaigns providers login soluno, or set CAMPAIGNS_SOLUNO_PASSWORD."


async def test_a_missing_address_says_which_setting_mends_it(http: aiohttp.ClientSession) -> None:
    async with open_service(lambda _: answer(404)) as service:
        with pytest.raises(AccountProblem) as raised:
            await (await a_provider(http, url=service.url)).check()
    assert raised.value.what == f"soluno has no log-in at {service.url}/token (404)."
    assert "CAMPAIGNS_SOLUNO_URL" in raised.value.fix


@pytest.mark.parametrize(("name", "rate"), [("soluno", 20), ("lund", 20), ("sandbox", 100)])
async def test_only_the_sandbox_is_fast_unless_told(http: aiohttp.ClientSession, name: str, rate: int) -> None:
    capabilities = Soluno(Account(name=name, type="soluno"), http, SYSTEM_CLOCK).capabilities
    assert capabilities.default_rate == Rate(rate)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(a_message().number),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["messages", "to", "id", "accepted", "x"]), inner),
)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(), st.integers(200, 599))
def test_no_answer_is_too_odd_to_read(body: bytes, status: int) -> None:
    message = a_message()
    provider = Soluno(Account(name="soluno", type="soluno"), None, SYSTEM_CLOCK)  # type: ignore[arg-type]  # never asked
    try:
        [submission] = provider._submissions([message], Reply(status, body, whole=True, retry_after=None))
    except ProviderError:
        return
    assert submission.number == message.number
