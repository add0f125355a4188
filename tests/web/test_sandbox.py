"""The sandbox: it listens at once, keeps what it took, and goes wrong only as told."""

import json
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest

from campaigns.errors import InputError
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox

SEND = {"from": "Butiken", "to": ["+46701740605"], "message": "Hej"}


async def statuses(sandbox: Sandbox, requests: int) -> list[int]:
    """What so many requests, one after the other, were answered."""
    async with aiohttp.ClientSession(sandbox.url) as http:
        headers = await log_in(http)
        answers = []
        for _ in range(requests):
            async with http.post("/sms/skicka", json=SEND, headers=headers) as response:
                answers.append(response.status)
    return answers


async def log_in(http: aiohttp.ClientSession) -> dict[str, str]:
    form = {"grant_type": "password", "username": "anna", "password": "x"}
    async with http.post("/token", data=form) as response:
        return {"Authorization": f"Bearer {(await response.json())['access_token']}"}


async def test_untold_it_takes_every_number() -> None:
    numbers = [f"+46701740{number}" for number in range(605, 700)]
    with embedded_sandbox() as sandbox:
        async with aiohttp.ClientSession(sandbox.url) as http:
            body = SEND | {"to": numbers}
            async with http.post("/sms/skicka", json=body, headers=await log_in(http)) as response:
                answer = await response.json()
        assert all(entry["accepted"] for entry in answer["messages"])
        assert [one.to for one in sandbox.carrier.messages] == numbers
        assert len({one.id for one in sandbox.carrier.messages}) == len(numbers)
        assert sandbox.requests == 1


async def test_told_to_refuse_it_refuses_by_the_last_two_digits() -> None:
    numbers = [f"+46701740{number}" for number in range(605, 700)]
    with embedded_sandbox(Misbehaviour(refusals=REFUSALS)) as sandbox:
        async with aiohttp.ClientSession(sandbox.url) as http:
            body = SEND | {"to": numbers}
            async with http.post("/sms/skicka", json=body, headers=await log_in(http)) as response:
                answer = await response.json()
    refused = {entry["to"][-2:]: entry["code"] for entry in answer["messages"] if not entry["accepted"]}
    assert refused == {ending: refusal.code for ending, refusal in REFUSALS.items()}
    assert sorted(refused) == [str(ending) for ending in range(90, 100)]


async def test_the_first_requests_are_throttled_as_told() -> None:
    with embedded_sandbox(Misbehaviour(throttle_first=2, retry_after_s=7)) as sandbox:
        assert await statuses(sandbox, 4) == [429, 429, 200, 200]
        assert len(sandbox.carrier.messages) == 2


async def test_a_throttled_request_says_how_long_to_wait() -> None:
    with embedded_sandbox(Misbehaviour(throttle_share=1, retry_after_s=7)) as sandbox:
        async with (
            aiohttp.ClientSession(sandbox.url) as http,
            http.post("/sms/skicka", json=SEND, headers=await log_in(http)) as response,
        ):
            assert (response.status, response.headers["Retry-After"]) == (429, "7")
            assert (await response.json())["error"] == "too_many_requests"


@pytest.mark.parametrize(("told", "taken"), [(Misbehaviour(fail_before=1), 0), (Misbehaviour(fail_after=1), 3)])
async def test_a_500_comes_before_or_after_the_texts_were_taken(told: Misbehaviour, taken: int) -> None:
    with embedded_sandbox(told) as sandbox:
        assert await statuses(sandbox, 3) == [500] * 3
        assert len(sandbox.carrier.messages) == taken


async def test_the_same_seed_gives_the_same_faults_and_about_the_shares_asked_for() -> None:
    told = Misbehaviour(throttle_share=0.2, fail_before=0.2, fail_after=0.2, seed=7)
    runs = []
    for _ in range(2):
        with embedded_sandbox(told) as sandbox:
            runs.append(await statuses(sandbox, 100))
            taken = len(sandbox.carrier.messages)
    seen = Counter(runs[0])
    assert runs[0] == runs[1]
    assert 10 <= seen[429] <= 30
    assert 25 <= seen[500] <= 55
    assert seen[200] < taken < seen[200] + seen[500]


async def test_a_late_answer_comes_after_the_text_was_taken() -> None:
    with embedded_sandbox(Misbehaviour(latency_s=60)) as sandbox:
        async with aiohttp.ClientSession(sandbox.url) as http:
            headers = await log_in(http)
            with pytest.raises(TimeoutError):
                await http.post("/sms/skicka", json=SEND, headers=headers, timeout=aiohttp.ClientTimeout(1))
        assert len(sandbox.carrier.messages) == 1


async def test_a_forgotten_token_is_refused() -> None:
    with embedded_sandbox() as sandbox:
        async with aiohttp.ClientSession(sandbox.url) as http:
            headers = await log_in(http)
            sandbox.forget_tokens()
            async with http.post("/sms/skicka", json=SEND, headers=headers) as response:
                assert response.status == 401


async def test_other_processes_can_read_and_forget_what_it_took() -> None:
    with embedded_sandbox() as sandbox:
        await statuses(sandbox, 2)
        async with aiohttp.ClientSession(sandbox.url) as http:
            async with http.get("/sandbox/messages") as response:
                seen = await response.json()
            async with http.delete("/sandbox/messages") as response:
                assert response.status == 204
            async with http.get("/sandbox/messages") as response:
                assert await response.json() == {"requests": 0, "messages": []}
    assert seen["requests"] == 2
    assert set(seen["messages"][0]) == {"at", "from", "to", "text", "id"}
    assert [(one["from"], one["to"], one["text"]) for one in seen["messages"]] == [
        ("Butiken", "+46701740605", "Hej")
    ] * 2


@pytest.mark.parametrize(
    "told",
    [{"throttle_share": -0.1}, {"fail_before": 0.6, "fail_after": 0.6}, {"latency_s": -1}, {"throttle_first": -1}],
)
def test_a_misbehaviour_that_cannot_be_is_an_input_error(told: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Misbehaviour(**told)  # type: ignore[arg-type]  # a count is given as a float of whole value


def test_a_port_that_is_taken_is_an_input_error() -> None:
    with embedded_sandbox() as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(InputError, match=rf"on port {port}: [^\[\]()]+\.$"), embedded_sandbox(port=port):
            pass


def test_it_is_gone_when_its_block_ends() -> None:
    before = set(threading.enumerate())
    with embedded_sandbox() as sandbox:
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) == before
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{sandbox.url}/sandbox/messages")


@contextmanager
def sandbox_process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The sandbox in a process of its own, and the first line that it wrote."""
    code = "from campaigns.web.sandbox import Misbehaviour, run_sandbox; run_sandbox(None, Misbehaviour())"
    command = [sys.executable, "-W", "error", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals between processes")
@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_serves_and_stops_quietly_at_a_signal(word: signal.Signals) -> None:
    with sandbox_process() as (process, line):
        assert line.startswith("Sandbox at http://127.0.0.1:")
        with urllib.request.urlopen(f"{line.removeprefix('Sandbox at ').strip()}/sandbox/messages") as response:
            assert json.load(response) == {"requests": 0, "messages": []}
        process.send_signal(word)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_the_provider_does_not_load_the_web_framework() -> None:
    code = "import sys, campaigns.providers.soluno; sys.exit('litestar' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
