import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import OperationalError

from campaigns.errors import SettingsError
from campaigns.ledger import Ledger, open_ledger
from campaigns.ledger.schema import pace
from campaigns.ledger.writer import Writer


def _add(account: str):
    def unit(connection: Connection) -> str:
        connection.execute(insert(pace).values(account=account, next_us=0))
        return account

    return unit


def _size(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return connection.scalar(select(func.count()).select_from(pace))


async def test_a_unit_is_on_disk_when_it_is_answered(ledger: Ledger) -> None:
    assert await ledger.run(_add("soluno")) == "soluno"
    assert _size(ledger) == 1


async def test_many_units_share_a_commit(ledger: Ledger) -> None:
    commits, first_may_end = [], threading.Event()
    original = ledger.write

    def counted():
        commits.append(1)
        return original()

    writer = Writer(counted)
    blocked = asyncio.create_task(writer.run(lambda _connection: first_may_end.wait(10)))
    others = [asyncio.create_task(writer.run(_add(f"a{number}"))) for number in range(50)]
    await asyncio.sleep(0)
    first_may_end.set()
    await asyncio.gather(blocked, *others)
    writer.close()
    assert _size(ledger) == 50
    assert len(commits) <= 3


async def test_a_unit_that_fails_takes_no_other_with_it(ledger: Ledger) -> None:
    def broken(_connection: Connection) -> None:
        raise ValueError("mine")

    results = await asyncio.gather(
        ledger.run(_add("one")), ledger.run(broken), ledger.run(_add("two")), return_exceptions=True
    )
    assert results[0] == "one"
    assert isinstance(results[1], ValueError)
    assert results[2] == "two"
    assert _size(ledger) == 2


async def test_a_unit_of_a_cancelled_caller_is_done_all_the_same(ledger: Ledger) -> None:
    task = asyncio.create_task(ledger.run(_add("one")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ledger.run(_add("two"))
    assert _size(ledger) == 2


async def test_a_locked_or_full_database_is_tried_again(ledger: Ledger) -> None:
    failures = iter([OperationalError("x", None, Exception("disk full"))] * 3)

    def failing():
        for error in failures:
            raise error
        return ledger.write()

    writer = Writer(failing)
    assert await writer.run(_add("one")) == "one"
    writer.close()
    assert _size(ledger) == 1


async def test_after_the_word_to_give_up_all_that_wait_are_told_by_one_try(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db") as ledger:
        tries, first_failed, may_fail = [], threading.Event(), threading.Event()

        def failing():
            tries.append(1)
            first_failed.set()
            may_fail.wait(10)
            raise OperationalError("x", None, Exception("disk full"))

        ledger._writer = Writer(failing)
        tasks = [asyncio.create_task(ledger.run(_add("one")))]
        await asyncio.to_thread(first_failed.wait, 10)
        tasks += [asyncio.create_task(ledger.run(_add(f"a{number}"))) for number in range(20)]
        await asyncio.sleep(0)
        ledger.give_up()
        may_fail.set()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(error) for error in errors} == {SettingsError}
    assert "Make room" in errors[0].fix
    assert len(tries) == 2


async def test_the_word_to_end_stops_the_tries_and_tells_the_caller(ledger: Ledger) -> None:
    failed = threading.Event()

    def failing():
        failed.set()
        raise OperationalError("x", None, Exception("disk full"))

    writer = Writer(failing)
    task = asyncio.create_task(writer.run(_add("one")))
    await asyncio.to_thread(failed.wait)
    await asyncio.to_thread(writer.close)
    with pytest.raises(OperationalError, match="disk full"):
        await task
