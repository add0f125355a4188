"""The Text API as a server: what it takes, what it answers, and what it refuses in which words."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.model import Msisdn, Submission
from campaigns.web.errors import answer_error
from campaigns.web.sandbox import Sandbox, embedded_sandbox
from campaigns.web.text_api import text_api

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GOOD = {"from": "Butiken", "to": ["+46701740605"], "message": "Hej"}
HUNDREDS = [f"+4670174{number:04}" for number in range(1001)]


@dataclass(frozen=True)
class Answer:
    """One answer, read whole."""

    status: int
    headers: Any
    json: Any


class Client:
    """A client that has logged in, and may say anything."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self._token = ""

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._http.request(method, self._url + path, data=body, headers=fields) as response:
            return Answer(response.status, response.headers, json.loads(await response.read() or b"null"))

    async def log_in(self, form: bytes = b"grant_type=password&username=anna&password=x") -> Answer:
        answer = await self.ask("POST", "/token", form, Content_Type="application/x-www-form-urlencoded")
        self._token = answer.json.get("access_token", "")
        return answer

    async def send(self, body: bytes, content_type: str = "application/json") -> Answer:
        return await self.ask(
            "POST", "/sms/skicka", body, Content_Type=content_type, Authorization=f"Bearer {self._token}"
        )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with embedded_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        client = Client(http, sandbox.url)
        await client.log_in()
        yield client


async def test_a_log_in_answers_all_six_fields(client: Client) -> None:
    answer = await client.log_in(b"grant_type=password&username=anna%40exempel.se&password=%C3%A5%26")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "userName", ".issued", ".expires"}
    assert len(answer.json["access_token"]) > 100
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 86400)
    assert answer.json["userName"] == "anna@exempel.se"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (b"", "invalid_request"),
        (b"grant_type=password&username=anna", "invalid_request"),
        (b"username=anna&password=x", "invalid_request"),
        (b"grant_type=password&username=anna&username=erik&password=x", "invalid_request"),
        (b"grant_type=password&username=%ff&password=x", "invalid_request"),
        (b"grant_type=password&username=\xff&password=x", "invalid_request"),
        (b"&".join(b"a=%d" % number for number in range(50)), "invalid_request"),
        (b"grant_type=refresh_token&refresh_token=x", "unsupported_grant_type"),
        (b"grant_type=password&username=&password=x", "invalid_grant"),
        (b"grant_type=password&username=anna&password=", "invalid_grant"),
    ],
)
async def test_a_wrong_log_in_is_a_400_with_its_code(client: Client, form: bytes, code: str) -> None:
    answer = await client.log_in(form)
    assert (answer.status, answer.json["error"]) == (400, code)
    assert answer.json["error_description"].endswith(".")


async def test_a_log_in_that_is_no_form_is_a_400(client: Client) -> None:
    answer = await client.ask("POST", "/token", b"{}", Content_Type="application/json")
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer nonsense", "Basic YW5uYTp4", "nonsense"])
async def test_without_a_valid_token_nothing_is_taken(client: Client, sandbox: Sandbox, header: str) -> None:
    before = len(sandbox.carrier.messages)
    answer = await client.ask(
        "POST", "/sms/skicka", json.dumps(GOOD).encode(), Content_Type="application/json", Authorization=header
    )
    assert (answer.status, answer.json["error"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert len(sandbox.carrier.messages) == before


@pytest.mark.parametrize("to", ["+46701740606", ["+46701740606"]], ids=["one", "a list"])
async def test_a_text_for_one_or_many_gets_an_answer_for_each(client: Client, sandbox: Sandbox, to: Any) -> None:
    answer = await client.send(json.dumps(GOOD | {"to": to, "message": "Hej åäö 😀"}).encode())
    [entry] = answer.json["messages"]
    taken = sandbox.carrier.messages[-1]
    assert answer.status == 200
    assert entry == {"to": "+46701740606", "id": taken.id, "accepted": True, "code": None, "reason": None}
    assert (taken.sender, taken.to, taken.text) == ("Butiken", "+46701740606", "Hej åäö 😀")


async def test_the_content_type_may_name_its_charset(client: Client) -> None:
    answer = await client.send(json.dumps(GOOD).encode(), "Application/JSON; charset=utf-8")
    assert answer.status == 200


async def test_one_bad_number_among_many_is_no_error(client: Client) -> None:
    to = ["+46701740607", "0701740608", "", "+46 70 174", "+46701740609"]
    answer = await client.send(json.dumps(GOOD | {"to": to}).encode())
    assert answer.status == 200
    assert [entry["to"] for entry in answer.json["messages"]] == to
    assert [entry["code"] for entry in answer.json["messages"]] == [None, *["invalid_number"] * 3, None]
    assert [entry["accepted"] for entry in answer.json["messages"]] == [True, False, False, False, True]


async def test_a_number_that_stands_twice_in_a_request_gets_one_text(client: Client, sandbox: Sandbox) -> None:
    before = len(sandbox.carrier.messages)
    answer = await client.send(json.dumps(GOOD | {"to": ["+46701740610", "+46701740611", "+46701740610"]}).encode())
    assert [entry["to"] for entry in answer.json["messages"]] == ["+46701740610", "+46701740611"]
    assert len(sandbox.carrier.messages) - before == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"[" * 50_000, 400),
        (b'{"from": "A", "to": "+46701740605", "message": "\\ud800"}', 400),
        *((json.dumps({key: value for key, value in GOOD.items() if key != gone}).encode(), 400) for gone in GOOD),
        (json.dumps(GOOD | {"from": 46}).encode(), 400),
        (json.dumps(GOOD | {"from": ""}).encode(), 400),
        (json.dumps(GOOD | {"from": "x" * 17}).encode(), 400),
        (json.dumps(GOOD | {"to": 46701740605}).encode(), 400),
        (json.dumps(GOOD | {"to": [46701740605]}).encode(), 400),
        (json.dumps(GOOD | {"to": []}).encode(), 400),
        (json.dumps(GOOD | {"to": None}).encode(), 400),
        (json.dumps(GOOD | {"message": ""}).encode(), 400),
        (json.dumps(GOOD | {"message": "x" * 40_000}).encode(), 400),
        (json.dumps(GOOD | {"to": HUNDREDS}).encode(), 413),
        (json.dumps(GOOD | {"x": "x" * 1_000_000}).encode(), 413),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
async def test_a_wrong_body_is_refused_with_a_reason_that_repeats_nothing_of_it(
    client: Client, sandbox: Sandbox, body: bytes, status: int
) -> None:
    before = len(sandbox.carrier.messages)
    answer = await client.send(body)
    assert answer.status == status
    assert set(answer.json) == {"error", "error_description"}
    assert "46701740605" not in answer.json["error_description"]
    assert len(sandbox.carrier.messages) == before


async def test_the_reason_names_the_key_that_is_wrong(client: Client) -> None:
    answer = await client.send(json.dumps(GOOD | {"to": 46701740605}).encode())
    assert answer.json["error_description"].startswith('"to": ')


async def test_a_body_that_is_no_json_by_its_type_is_a_400(client: Client) -> None:
    answer = await client.send(json.dumps(GOOD).encode(), "text/plain")
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/token", 405, "method_not_allowed"),
        ("POST", "/sms/skicka/", 401, "invalid_token"),
        ("GET", "/x", 404, "not_found"),
    ],
)
async def test_other_places_answer_in_the_same_form(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.ask(method, path)
    assert (answer.status, answer.json["error"]) == (status, code)
    assert answer.json["error_description"].endswith(".")


class Door:
    """A service that lets one user in, and fails at what it is for."""

    async def log_in(self, username: str, password: str) -> str | None:
        return "token" if (username, password) == ("anna", "x") else None

    async def user_of(self, token: str) -> str | None:
        return "anna" if token == "token" else None

    async def send(self, user: str, sender: str, numbers: Sequence[str], text: str) -> Sequence[Submission]:
        assert (user, sender, text) == ("anna", "Butiken", "Hej")
        return [Submission(number=Msisdn(number), accepted=None) for number in numbers]


@pytest.fixture
def door() -> Iterator[TestClient[Litestar]]:
    now = datetime(2017, 1, 4, 16, 44, 49, 700_000, tzinfo=UTC)
    clock = Clock(now=lambda: now, monotonic=SYSTEM_CLOCK.monotonic, sleep=SYSTEM_CLOCK.sleep)
    application = Litestar([text_api(Door(), clock)], exception_handlers={Exception: answer_error}, openapi_config=None)
    with TestClient(application, raise_server_exceptions=False) as client:
        yield client


def test_a_token_is_issued_now_for_24_hours(door: TestClient[Litestar]) -> None:
    answer = door.post("/token", content=b"grant_type=password&username=anna&password=x", headers=FORM).json()
    assert answer[".issued"] == "Wed, 04 Jan 2017 16:44:49 GMT"
    assert answer[".expires"] == "Thu, 05 Jan 2017 16:44:49 GMT"


def test_a_log_in_that_the_service_refuses_is_an_invalid_grant(door: TestClient[Litestar]) -> None:
    answer = door.post("/token", content=b"grant_type=password&username=anna&password=y", headers=FORM)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_only_what_was_surely_accepted_is_answered_so(door: TestClient[Litestar]) -> None:
    answer = door.post("/sms/skicka", json=GOOD, headers={"Authorization": "Bearer token"})
    assert answer.json()["messages"][0]["accepted"] is False


def test_a_failure_that_nobody_expected_is_told_in_the_same_form_and_shows_nothing(door: TestClient[Litestar]) -> None:
    body = GOOD | {"message": "secret"}  # the service behind it takes no other text than "Hej"
    answer = door.post("/sms/skicka", json=body, headers={"Authorization": "Bearer token"})
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    assert "secret" not in answer.text


PIECES = [
    b"", b"grant_type=password", b"&", b"=", b"username=a", b"password=%C3", b"%", b"+", b"\xff", b"{", b"}", b'"',
    b'"from":', b'"to":', b'"message":', b"[", b"]", b",", b"null", b"1e999", b'"+46701740605"', b'"\\ud800"', b"\x00",
    b"true", b"-0", b'"A"',
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join) | st.binary(max_size=60),
    path=st.sampled_from(["/token", "/sms/skicka"]),
    content_type=st.sampled_from([*FORM.values(), "application/json", "", "text/plain", "a/b; c=\x7f"]),
)
def test_no_body_is_too_odd_to_be_answered(
    door: TestClient[Litestar], body: bytes, path: str, content_type: str
) -> None:
    headers = {"Authorization": "Bearer token", "Content-Type": content_type}
    answer = door.post(path, content=body, headers=headers)
    assert answer.status_code in (200, 400)
    assert isinstance(answer.json(), dict)
