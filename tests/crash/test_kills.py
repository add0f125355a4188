"""Senders that are killed for real, at any moment: nobody is texted twice, nobody is forgotten."""

import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from campaigns.ledger import open_ledger
from campaigns.ledger.schema import campaigns, messages, rows
from campaigns.model import MessageState
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.crash.senders import (
    AHEAD_S,
    IN_FLIGHT,
    SEED,
    Desk,
    check_all_accounted,
    finish,
    is_planning,
    kill,
    most_in_a_second,
    put_to_sleep,
    read_until,
    report_lines,
    wait_until,
    wait_while_alive,
    write_list,
)

KILLS = int(os.environ.get("CAMPAIGNS_TEST_KILLS", "10"))
KILLS_EACH = (4, 3, 3)  #: of one campaign, in turn
PEOPLE = 300

MISBEHAVIOURS = (
    Misbehaviour(latency_s=0.005),
    Misbehaviour(latency_s=0.02, fail_after=0.05, fail_before=0.05),
    Misbehaviour(latency_s=0.05, throttle_first=2, retry_after_s=0, refusals=REFUSALS),
    Misbehaviour(fail_after=0.1),
)


@dataclass(frozen=True)
class Round:
    """One campaign and how often its sender is killed."""

    number: int
    kills: int

    @property
    def database(self) -> str:
        return "postgresql" if self.number % 3 == 1 else "sqlite"

    @property
    def account(self) -> str:
        return "campaigns" if self.number % 2 else "sandbox"

    def __str__(self) -> str:
        return f"{self.number}-{self.kills}-{self.database}-{self.account}"


def rounds() -> list[Round]:
    found: list[Round] = []
    while (left := KILLS - sum(round_.kills for round_ in found)) > 0:
        found.append(Round(len(found), min(left, KILLS_EACH[len(found) % len(KILLS_EACH)])))
    return found


@pytest.mark.parametrize("round_", rounds(), ids=str)
def test_a_sender_that_is_killed_at_any_moment_texts_nobody_twice_and_forgets_nobody(
    request: pytest.FixtureRequest, tmp_path: Path, round_: Round
) -> None:
    dice = random.Random(f"{SEED}-{round_.number}")
    misbehaviour = replace(dice.choice(MISBEHAVIOURS), seed=dice.randrange(1000))
    rate = dice.choice((200, 500, 1000))
    print(f"CAMPAIGNS_TEST_SEED={SEED}: {round_} at {rate}/s, {replace(misbehaviour, refusals={})}")
    database = str(tmp_path / "ledger.db")
    if round_.database == "postgresql":
        database = request.getfixturevalue("new_postgres_url")
    write_list(tmp_path, PEOPLE)
    with embedded_sandbox(misbehaviour) as sandbox:
        desk = Desk(folder=tmp_path, database=database, url=sandbox.url, account=round_.account, people=PEOPLE)
        on_their_way = send_and_kill(desk, sandbox, [dice.random() for _ in range(round_.kills)], f"{rate}/s")
        by_status = check_all_accounted(desk, sandbox.carrier.messages)
        reached = {message.to for message in sandbox.carrier.messages}
        lost = [len(numbers - reached) for numbers in on_their_way]
        print(f"{dict(by_status)}; of what each kill left on its way, never at the carrier: {lost}")
        assert set(by_status) <= {"accepted", "unknown", "rejected"}
        assert max(lost, default=0) <= IN_FLIGHT + rate * AHEAD_S
        if round_.account == "campaigns":
            assert not [line for line in report_lines(desk) if line["reason"] == "crashed"]
            settle_by_key(desk, sandbox)


def send_and_kill(desk: Desk, sandbox: Sandbox, moments: Sequence[float], rate: str) -> list[set[str]]:
    """Send, kill at each moment, go on to the end; returns the numbers that each kill left on their way.

    A moment is how much of its share of what was left a sender has sent, 0 to 1; who goes on to the end has one too.
    """
    left = []
    process = desk.send("--rate", rate, "--max-failures", "0")
    for place, moment in enumerate(moments):
        before = len(sandbox.carrier.messages)
        at = before + 1 + int(moment * (PEOPLE - before) / (len(moments) - place + 1))
        wait_while_alive(lambda at=at: len(sandbox.carrier.messages) >= at, process)
        kill(process)
        left.append(numbers_on_their_way(desk))
        process = desk.resume("--rate", rate)
    code, _, errors = finish(process)
    assert code in (0, 1), errors
    return left


def numbers_on_their_way(desk: Desk) -> set[str]:
    """Those that a dead sender had claimed."""
    with open_ledger(desk.database) as ledger, ledger.read() as connection:
        query = select(messages.c.number).where(messages.c.state == MessageState.SENDING)
        return {f"+{number}" for number in connection.scalars(query)}


def settle_by_key(desk: Desk, sandbox: Sandbox) -> None:
    """Where the provider takes a reference once, what is unknown goes again until an answer comes through."""
    for _ in range(10):
        code, _, _ = finish(desk.resume("--rate", "1000/s"))
        by_status = check_all_accounted(desk, sandbox.carrier.messages)
        assert code == (1 if by_status.keys() - {"accepted"} else 0)
        if not by_status["unknown"]:
            assert set(by_status) <= {"accepted", "rejected"}
            return
    pytest.fail(f"{by_status} after ten times")


def test_a_planner_that_is_killed_leaves_nothing_and_send_may_be_given_again(desk: Desk, sandbox: Sandbox) -> None:
    process = desk.send()
    wait_until(lambda: is_planning(desk), process)
    kill(process)
    _, output, _ = finish(desk.start("list", "--json"))
    if json.loads(output):  # it was killed just after the plan was ready
        finish(desk.resume())
    else:
        assert sandbox.carrier.messages == ()
        _, output, _ = finish(desk.send("--rate", "5000/s"))
        assert output.splitlines()[-1].startswith("Report: reports/lista.csv")
    check_all_accounted(desk, sandbox.carrier.messages)
    with open_ledger(desk.database) as opened, opened.read() as connection:
        sizes = [len(connection.execute(table.select()).all()) for table in (campaigns, rows, messages)]
    assert sizes == [1, desk.people, desk.people]


def test_when_the_sender_is_killed_the_watcher_takes_over_within_the_rate(each_desk: Desk, sandbox: Sandbox) -> None:
    rate = 300
    sender = each_desk.send("--rate", f"{rate}/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sender)
    put_to_sleep(sender, each_desk)
    watcher = each_desk.resume("--rate", f"{rate}/s")
    read_until(str(sender.pid), watcher)
    kill(sender)
    code, _, _ = finish(watcher)
    by_status = check_all_accounted(each_desk, sandbox.carrier.messages)
    assert code == (1 if by_status["unknown"] else 0)
    assert set(by_status) <= {"accepted", "unknown"}
    assert most_in_a_second(sandbox.carrier.messages) <= rate
