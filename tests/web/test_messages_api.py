"""/v1/messages as a server: what it takes, what it answers the second time, and what it refuses in which words."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from campaigns.clock import SYSTEM_CLOCK
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox

ONE = {"to": "+46701740605", "text": "Hej Anna", "from": "Butiken", "reference": "a"}
TWO = {"to": "+46701740606", "text": "Hej Bo", "from": "Butiken", "reference": "b"}
FIELDS = ["id", "reference", "to", "state", "code", "reason", "send_at", "created_at", "updated_at"]


class Client:
    """A client that has logged in as one user, and may say anything."""

    def __init__(self, http: aiohttp.ClientSession, sandbox: Sandbox, token: str) -> None:
        self._http, self._url, self._token = http, f"{sandbox.url}/v1/messages", token

    async def post(self, *messages: Any, key: str | None = None) -> tuple[int, Any]:
        return await self.send(json.dumps({"messages": messages}).encode(), key)

    async def send(self, body: bytes, key: str | None = None, content_type: str = "application/json") -> Any:
        headers = {"Content-Type": content_type} | ({"Idempotency-Key": key} if key is not None else {})
        return await self.ask("POST", "", data=body, headers=headers)

    async def find(self, *references: str) -> tuple[int, Any]:
        return await self.ask("GET", "", params=[("reference", reference) for reference in references])

    async def cancel(self, message_id: str) -> tuple[int, Any]:
        return await self.ask("POST", f"/{message_id}/cancel")

    async def ask(self, method: str, path: str, headers: Any = None, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        async with self._http.request(method, self._url + path, headers=headers, **more) as response:
            assert response.headers["Content-Type"].startswith("application/json")
            return response.status, json.loads(await response.read())


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with embedded_sandbox(Misbehaviour(refusals=REFUSALS)) as sandbox:
        yield sandbox


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client(http, sandbox, await log_in(sandbox, "anna"))


async def log_in(sandbox: Sandbox, name: str) -> str:
    token = await sandbox.log_in(name, "x")
    assert token is not None
    return token


def taken(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(one.to, one.text) for one in sandbox.carrier.messages]


async def test_each_message_has_its_own_text_and_one_refused_stops_no_other(client: Client, sandbox: Sandbox) -> None:
    bad = TWO | {"to": "+46701740690", "reference": "c"}
    status, answer = await client.post(ONE, bad, TWO)
    first, refused, last = answer["messages"]
    assert (status, list(first)) == (200, FIELDS)
    assert [(one["reference"], one["to"], one["state"]) for one in (first, refused, last)] == [
        ("a", ONE["to"], "accepted"),
        ("c", bad["to"], "rejected"),
        ("b", TWO["to"], "accepted"),
    ]
    assert (refused["id"], refused["code"], refused["reason"]) == (None, *REFUSALS["90"])
    assert taken(sandbox) == [(ONE["to"], "Hej Anna"), (TWO["to"], "Hej Bo")]
    assert datetime.fromisoformat(first["created_at"]) <= SYSTEM_CLOCK.now()


async def test_a_reference_seen_before_is_answered_as_the_first_time_whatever_comes_with_it(
    client: Client, sandbox: Sandbox
) -> None:
    _, first = await client.post(ONE)
    _, again = await client.post(TWO, ONE | {"text": "Something else", "to": "+46701740607"})
    assert again["messages"][1] == first["messages"][0]
    assert taken(sandbox) == [(ONE["to"], "Hej Anna"), (TWO["to"], "Hej Bo")]


async def test_without_a_reference_each_request_is_new(client: Client, sandbox: Sandbox) -> None:
    nameless = {key: value for key, value in ONE.items() if key != "reference"}
    answers = [await client.post(nameless) for _ in range(2)]
    assert len({answer["messages"][0]["id"] for _, answer in answers}) == 2
    assert len(taken(sandbox)) == 2


async def test_a_number_gets_one_message_of_a_request(client: Client, sandbox: Sandbox) -> None:
    _, answer = await client.post(ONE, ONE | {"reference": "other"})
    assert [(one["state"], one["code"]) for one in answer["messages"]] == [
        ("accepted", None),
        ("rejected", "duplicate"),
    ]
    assert len(taken(sandbox)) == 1


async def test_requests_with_one_reference_at_once_bring_one_message(client: Client, sandbox: Sandbox) -> None:
    answers = await asyncio.gather(*(client.post(ONE) for _ in range(20)))
    assert len({answer["messages"][0]["id"] for _, answer in answers}) == 1
    assert len(taken(sandbox)) == 1


async def test_each_user_has_references_of_their_own(client: Client, sandbox: Sandbox) -> None:
    _, first = await client.post(ONE)
    async with aiohttp.ClientSession() as http:
        other = Client(http, sandbox, await log_in(sandbox, "bo"))
        assert await other.find("a") == (200, {"messages": []})
        assert (await other.cancel(first["messages"][0]["id"]))[0] == 404
        _, second = await other.post(ONE)
    assert first["messages"][0]["id"] != second["messages"][0]["id"]


@pytest.mark.parametrize("key", ['"8e03978e-40d5"', "8e03978e-40d5", '"two words"'])
async def test_a_key_is_answered_as_the_first_time_and_refused_with_another_body(
    client: Client, sandbox: Sandbox, key: str
) -> None:
    nameless = {key: value for key, value in ONE.items() if key != "reference"}
    first = await client.post(nameless, key=key)
    assert await client.post(nameless, key=key) == first
    status, answer = await client.post(nameless | {"text": "Other"}, key=key)
    assert (status, answer["error"]) == (422, "key_reused")
    assert len(taken(sandbox)) == 1
    assert (await client.post(nameless, key="another"))[1] != first[1]


@pytest.mark.parametrize("key", ["", '""', '"open', '"å"', "x" * 256, 'a"b'])
async def test_a_key_that_is_none_is_refused(client: Client, sandbox: Sandbox, key: str) -> None:
    status, answer = await client.post(ONE, key=key)
    assert (status, answer["error"]) == (400, "invalid_request")
    assert taken(sandbox) == []


async def test_a_look_up_gives_id_state_and_times_and_leaves_out_what_was_never_taken(client: Client) -> None:
    _, posted = await client.post(ONE, TWO)
    assert await client.find("b", "never", "a", "b") == (200, {"messages": posted["messages"][::-1]})
    assert await client.find("never") == (200, {"messages": []})


@pytest.mark.parametrize(
    ("references", "status"), [([], 400), ([f"r{number}" for number in range(100)], 200), (["x"] * 101, 200)]
)
async def test_as_many_references_as_messages_may_be_asked_for(
    client: Client, references: list[str], status: int
) -> None:
    assert (await client.find(*references))[0] == status


async def test_more_references_than_that_are_too_many(client: Client) -> None:
    status, answer = await client.find(*(f"r{number}" for number in range(101)))
    assert (status, answer["error"]) == (413, "too_large")


async def test_a_scheduled_message_waits_and_can_be_taken_back(client: Client, sandbox: Sandbox) -> None:
    at = SYSTEM_CLOCK.now() + timedelta(hours=1)
    _, answer = await client.post(ONE | {"send_at": at.isoformat()})
    [held] = answer["messages"]
    assert (held["state"], datetime.fromisoformat(held["send_at"])) == ("planned", at)
    status, answer = await client.cancel(held["id"])
    [cancelled] = answer["messages"]
    assert (status, cancelled["state"], cancelled["id"]) == (200, "cancelled", held["id"])
    assert cancelled["updated_at"] > held["updated_at"]
    assert (await client.find("a"))[1]["messages"] == [cancelled]
    assert (await client.cancel(held["id"]))[0] == 200
    assert taken(sandbox) == []


async def test_what_has_left_cannot_be_taken_back(client: Client) -> None:
    past = (SYSTEM_CLOCK.now() - timedelta(hours=1)).isoformat()
    _, answer = await client.post(ONE | {"send_at": past})
    status, answer = await client.cancel(answer["messages"][0]["id"])
    assert (status, answer["error"]) == (409, "has_left")


async def test_a_message_that_nobody_knows_cannot_be_taken_back(client: Client) -> None:
    status, answer = await client.cancel("never")
    assert (status, answer["error"]) == (404, "unknown_message")


@pytest.mark.parametrize(
    ("messages", "status", "said"),
    [
        ([], 400, '"messages": '),
        ([ONE | {"to": 46701740605}], 400, '"messages[0].to": '),
        ([ONE, TWO | {"text": ""}], 400, '"messages[1].text": '),
        ([ONE | {"from": "x" * 17}], 400, '"messages[0].from": '),
        ([ONE | {"reference": ""}], 400, '"messages[0].reference": '),
        ([ONE | {"reference": "x" * 129}], 400, '"messages[0].reference": '),
        ([ONE | {"sent_at": None}], 400, '"messages[0].sent_at": '),
        ([ONE | {"send_at": "tomorrow"}], 400, '"messages[0].send_at": '),
        ([ONE | {"send_at": "2026-11-25T12:00:00"}], 400, '"messages[0].send_at": '),  # of which zone?
        ([ONE | {"send_at": "2226-11-25T12:00:00Z"}], 400, '"messages[0].send_at": more than 90 days ahead.'),
        ([ONE | {"reference": str(number)} for number in range(101)], 413, "The request has 101 messages; 100 are "),
    ],
)
async def test_a_wrong_request_is_refused_whole_with_its_place(
    client: Client, sandbox: Sandbox, messages: list[Any], status: int, said: str
) -> None:
    given, answer = await client.post(*messages)
    assert (given, set(answer)) == (status, {"error", "error_description"})
    assert answer["error_description"].startswith(said)
    assert "46701740605" not in answer["error_description"]
    assert taken(sandbox) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 50_000, b'{"messages": {}}'])
async def test_a_body_that_is_none_is_refused(client: Client, body: bytes) -> None:
    assert (await client.send(body))[0] == 400


async def test_a_body_that_is_no_json_by_its_type_is_refused(client: Client) -> None:
    status, _ = await client.send(json.dumps({"messages": [ONE]}).encode(), content_type="text/plain")
    assert status == 400


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("GET", "?reference=a"), ("POST", "/x/cancel")])
async def test_every_route_needs_a_token(sandbox: Sandbox, method: str, path: str) -> None:
    async with aiohttp.ClientSession() as http:
        status, answer = await Client(http, sandbox, "none").ask(method, path, json={"messages": [ONE]})
    assert (status, answer["error"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("told", "statuses", "received"),
    [
        (Misbehaviour(throttle_first=1), [429, 200, 200, 404], 1),
        (Misbehaviour(throttle_share=1), [429, 429, 429, 429], 0),
        (Misbehaviour(fail_before=1), [500, 500, 200, 404], 0),
        (Misbehaviour(fail_after=1), [500, 500, 200, 404], 1),
    ],
)
async def test_the_sandbox_goes_wrong_here_as_it_does_at_the_text_api(
    told: Misbehaviour, statuses: list[int], received: int
) -> None:
    with embedded_sandbox(told) as sandbox:
        async with aiohttp.ClientSession() as http:
            client = Client(http, sandbox, await log_in(sandbox, "anna"))
            asked = [await client.post(ONE), await client.post(ONE), await client.find("a"), await client.cancel("x")]
        assert [status for status, _ in asked] == statuses
        assert len(taken(sandbox)) == received
        if statuses[2] == 200:  # what a 500 hid can be asked for
            assert len(asked[2][1]["messages"]) == received
