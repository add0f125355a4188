"""Two processes that want to send at once: one sends, the other watches, refuses, or takes over."""

import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.crash.senders import (
    AHEAD_S,
    IN_FLIGHT,
    Desk,
    check_all_accounted,
    finish,
    put_to_sleep,
    read_until,
    wait_until,
    write_list,
)


def test_a_resume_while_the_sender_lives_watches_and_sends_nothing_itself(desk: Desk, sandbox: Sandbox) -> None:
    sender = desk.send("--rate", "500/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sender)
    put_to_sleep(sender, desk)  # so that it is not done before the other begins
    watcher = desk.resume()
    read_until(str(sender.pid), watcher)
    sender.send_signal(signal.SIGCONT)
    results = [finish(process) for process in (sender, watcher)]
    assert [code for code, _, _ in results] == [0, 0]
    assert check_all_accounted(desk, sandbox.carrier.messages) == {"accepted": desk.people}


def test_a_send_of_another_campaign_watches_and_each_ends_with_the_code_of_its_own(
    tmp_path: Path, new_postgres_url: str
) -> None:
    with embedded_sandbox(Misbehaviour(refusals={"99": REFUSALS["99"]})) as sandbox:
        write_list(tmp_path, 90)
        desk = Desk(folder=tmp_path, database=new_postgres_url, url=sandbox.url, people=90)
        refused = "Namn;Mobil\nÅsa;+46701000099\n"
        (tmp_path / "annan.csv").write_text(refused, encoding="utf-8")
        sender = desk.send("--rate", "60/s")
        wait_until(lambda: len(sandbox.carrier.messages) >= 10, sender)
        put_to_sleep(sender, desk)
        said = ("--message", "Hej!", "--provider", "sandbox", "--from", "Butiken", "--yes", "--json")
        watcher = desk.start("send", "annan.csv", *said)
        read_until(str(sender.pid), watcher)
        sender.send_signal(signal.SIGCONT)
        (code, _, _), (other, output, _) = finish(sender), finish(watcher)
        assert (code, other) == (0, 1)
        assert '"rejected": 1' in output
        assert check_all_accounted(desk, sandbox.carrier.messages) == {"accepted": 90}


@pytest.mark.parametrize(
    ("database", "account"), [("sqlite", "sandbox"), ("sqlite", "campaigns"), ("postgresql", "sandbox")]
)
def test_a_sender_that_sleeps_while_another_takes_over_texts_nobody_twice_when_it_wakes(
    request: pytest.FixtureRequest, desk: Desk, sandbox: Sandbox, database: str, account: str
) -> None:
    if database == "postgresql":
        desk = replace(desk, database=request.getfixturevalue("new_postgres_url"))
    desk, rate = replace(desk, account=account), 300
    sleeper = desk.send("--rate", f"{rate}/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sleeper)
    put_to_sleep(sleeper, desk, for_s=60)
    other = desk.resume("--rate", f"{rate}/s")
    received = len(sandbox.carrier.messages)
    wait_until(lambda: len(sandbox.carrier.messages) >= received + 50, other)
    sleeper.send_signal(signal.SIGCONT)
    codes = {finish(process)[0] for process in (other, sleeper)}
    by_status = check_all_accounted(desk, sandbox.carrier.messages)
    assert codes <= {0, 1}
    assert set(by_status) <= {"accepted", "unknown"}
    assert by_status["unknown"] <= (0 if account == "campaigns" else IN_FLIGHT + rate * AHEAD_S)


def test_of_two_sends_of_the_same_list_at_the_same_moment_one_sends(each_desk: Desk, sandbox: Sandbox) -> None:
    both = [each_desk.send("--rate", "2000/s") for _ in range(2)]
    results = sorted((finish(process) for process in both), key=lambda result: result[0])
    assert [code for code, _, _ in results] == [0, 2]
    assert "are not sent" in results[1][2] or "The same text went to" in results[1][2]
    assert "--again" in results[1][2]
    reached = Counter(message.to for message in sandbox.carrier.messages)
    assert (len(reached), set(reached.values())) == (each_desk.people, {1})


def test_two_accounts_of_one_ledger_plan_and_send_at_once(each_desk: Desk, sandbox: Sandbox) -> None:
    other = replace(each_desk, account="campaigns")
    both = [
        each_desk.send("--rate", "1000/s"),
        other.send("--rate", "1000/s", "--name", "annan", text="Hejdå {{ namn }}!"),
    ]
    assert [finish(process)[0] for process in both] == [0, 0]
    greetings = Counter((message.to, message.text[:4]) for message in sandbox.carrier.messages)
    assert (len(greetings), set(greetings.values())) == (2 * each_desk.people, {1})
