"""What is our own API's: the form of its requests, and what a state there means here."""

import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import AccountProblem, MaybeTaken, ProviderError
from campaigns.model import Message, MessageState
from campaigns.providers.campaigns import EVENTS, Campaigns
from campaigns.providers.exchange import Reply
from campaigns.settings import Account, Secret
from tests.providers.samples import LOGGED_IN, TEXT, TOKEN, a_message
from tests.scripted import Asked, ScriptedService, open_service
from tests.scripted import http as answer


def a_provider(http: aiohttp.ClientSession | None, url: str) -> Campaigns:
    account = Account(
        name="lund", type="campaigns", values={"username": "anna", "url": url}, secrets={"password": Secret("x")}
    )
    return Campaigns(account, http, SYSTEM_CLOCK)  # type: ignore[arg-type]  # one without a session is never asked


def answers_with(status: int, body: Any) -> Any:
    def said(asked: Asked) -> bytes:
        return LOGGED_IN if asked.path == "/token" else answer(status, json.dumps(body).encode())

    return open_service(said)


def posts(service: ScriptedService) -> list[Asked]:
    return [asked for asked in service.asked if asked.path == "/v1/messages"]


async def test_each_message_has_its_own_text_and_our_reference(http: aiohttp.ClientSession) -> None:
    at = datetime(2026, 12, 24, 15, 0, tzinfo=UTC)
    async with answers_with(200, None) as service:
        await a_provider(http, service.url + "/").submit([a_message(605), a_message(606, text="God jul", send_at=at)])
    [asked] = posts(service)
    assert asked.fields["content-type"] == "application/json"
    assert asked.fields["authorization"] == f"Bearer {TOKEN}"
    first = {"to": "+46701740605", "text": TEXT, "from": "Butiken", "reference": "led-c1-605"}
    second = {"to": "+46701740606", "text": "God jul", "from": "Butiken", "reference": "led-c1-606-God jul"}
    assert json.loads(asked.body) == {"messages": [first, second | {"send_at": "2026-12-24T15:00:00+00:00"}]}


async def test_the_same_batch_has_the_same_key_and_another_has_another(http: aiohttp.ClientSession) -> None:
    batches: list[list[Message]] = [[a_message(605)], [a_message(605)], [a_message(606)], [a_message(605, text="x")]]
    async with answers_with(200, None) as service:
        for batch in batches:
            await a_provider(http, service.url).submit(batch)
    first, same, *others = (asked.fields["idempotency-key"] for asked in posts(service))
    assert first == same
    assert len({first, *others}) == 3
    assert first.startswith('"')
    assert first.endswith('"')


async def test_a_look_up_names_each_reference(http: aiohttp.ClientSession) -> None:
    async with answers_with(200, {"messages": []}) as service:
        assert await a_provider(http, service.url).find(["led-c1-605", "å&=#"]) == []
    assert service.asked[-1].line == "GET /v1/messages?reference=led-c1-605&reference=%C3%A5%26%3D%23 HTTP/1.1"


def test_every_state_there_has_a_meaning_here() -> None:
    assert set(EVENTS) == set(MessageState)


ENTRY = {"to": "+46701740605", "reference": "led-c1-605", "id": "7", "state": "accepted", "code": None, "reason": None}


@pytest.mark.parametrize("wrong", [{"state": "vanished"}, {"state": None}, {"reference": None}, {"to": 7}])
async def test_an_entry_that_cannot_be_read_spoils_a_look_up(
    http: aiohttp.ClientSession, wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with answers_with(200, {"messages": [ENTRY, ENTRY | wrong]}) as service:
        with pytest.raises(MaybeTaken):
            await a_provider(http, service.url).find(["led-c1-605", "led-c1-606"])
    assert ("which is no state that we know" in caplog.text) is ("state" in wrong)


async def test_a_state_that_is_not_known_is_maybe_taken_and_said_in_the_log(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with answers_with(200, {"messages": [ENTRY | {"state": "vanished"}]}) as service:
        [submission] = await a_provider(http, service.url).submit([a_message(605)])
    assert (submission.accepted, type(submission.error)) == (None, MaybeTaken)
    assert '"vanished"' in caplog.text


async def test_a_cancel_at_a_wrong_address_says_which_setting_mends_it(http: aiohttp.ClientSession) -> None:
    async with answers_with(404, {}) as service:
        with pytest.raises(AccountProblem) as raised:
            await a_provider(http, service.url).cancel("7")
    assert raised.value.what == f"lund has no messages API at {service.url}/v1/messages/7/cancel (404)."
    assert "CAMPAIGNS_LUND_URL" in raised.value.fix


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*ENTRY.values()]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["messages", *ENTRY]), inner),
)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(), st.integers(200, 599))
def test_no_answer_is_too_odd_to_read(body: bytes, status: int) -> None:
    try:
        [submission] = a_provider(None, "http://127.0.0.1")._submissions([a_message()], Reply(status, body, True, None))
    except ProviderError:
        return
    assert submission.number == a_message().number
