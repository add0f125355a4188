import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from campaigns.ledger import Ledger, open_ledger
from campaigns.ledger.checking import BROKEN_PROMISES, Fault, check
from campaigns.ledger.schema import campaigns, messages, rows
from tests.builders import a_campaign, a_chunk

FIRST = messages.c.row == 2
BREAK = {  # one way to break each promise
    "messages without a row": [delete(rows).where(rows.c.row == 2)],
    "rows that may be sent, without a message": [delete(messages).where(FIRST)],
    "rows that are skipped, with a message": [update(rows).where(rows.c.row == 2).values(skip_reason="hidden")],
    "messages to another number than that of their row": [update(messages).where(FIRST).values(number=46701740699)],
    "numbers with several messages in one campaign": [
        update(table).where(table.c.row.in_((2, 3))).values(number=46701740699) for table in (rows, messages)
    ],
    "rows of no campaign": [
        insert(rows).values(campaign_id=99, row=2, phone="", cells=[], skip_reason="missing"),
    ],
    "messages of no campaign": [
        insert(rows).values(campaign_id=99, row=2, phone="", cells=[], number=46701740699),
        insert(messages).values(
            campaign_id=99, row=2, number=46701740699, state="planned", tries=0, due_ms=0, closes_ms=0, updated_ms=0
        ),
    ],
    "messages still to go in campaigns that are done": [update(campaigns).values(state="done")],
    "messages in a state that does not exist": [update(messages).where(FIRST).values(state="lost")],
    "campaigns in a state that does not exist": [update(campaigns).values(state="asleep")],
}


def test_a_ledger_in_use_is_sound(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(4, skipped=[1]))
    a_campaign(ledger, name="planned", ready=False)
    found = check(ledger)
    assert found.faults == ()
    assert (found.campaigns, found.rows, found.messages) == (2, 7, 6)


@pytest.mark.parametrize("what", BROKEN_PROMISES)
def test_a_broken_promise_is_found(ledger: Ledger, what: str) -> None:
    a_campaign(ledger)
    with ledger.write() as connection:
        for statement in BREAK[what]:
            connection.execute(statement)
    counts = {fault.what: fault.count for fault in check(ledger).faults}
    assert counts.pop(what) == (3 if "done" in what else 1)
    assert set(counts) <= {"rows of no campaign"}  # its message has one, to be no message without a row


def test_a_damaged_file_is_said_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with open_ledger(path) as ledger:
        a_campaign(ledger, a_chunk(2000))
    with closing(sqlite3.connect(path)) as connection:
        page, size = connection.execute(
            "SELECT rootpage, page_size FROM sqlite_master, pragma_page_size WHERE name = 'messages_by_number'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with open_ledger(path) as ledger:
        faults = check(ledger).faults
    assert faults
    assert all(isinstance(fault, Fault) and fault.what.startswith("file: ") for fault in faults)
