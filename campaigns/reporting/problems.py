"""The workbook's list of problems: rows that someone can mend or should know of, the most pressing first."""

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Final

from campaigns.model import ReportRow
from campaigns.reporting.figures import PROBLEMS, ReportFacts
from campaigns.reporting.meanings import Meaning, meaning_of
from campaigns.reporting.sheet import MOST_CHARACTERS, Column, Value

PROBLEM_COLUMNS: Final = (
    Column(name="row", width=8, means="The row's number in the source file."),
    Column(name="column", width=16, means="The column that the problem is in; empty for the row as a whole."),
    Column(name="value", width=24, means="What stands there."),
    Column(name="status", width=13, means="What became of the row."),
    Column(name="reason", width=20, means="Why, as a code."),
    Column(name="detail", width=48, means="The same in a sentence."),
    Column(name="what_to_do", width=60, means="What you can do about it."),
    Column(name="to_mend", width=9, means="yes where the source file can be mended, else no.", example="yes"),
)

CUT_REASON: Final = "cut"
CUT_MEANING: Final = Meaning(
    f"A text is over {MOST_CHARACTERS:,} characters, more than a cell of a workbook holds, so it is cut here.",
    "Nothing: the CSV and JSON reports hold it whole.",
)

_NOT_THE_NUMBER: Final = ("render_error", "empty_field", "filtered")  #: reasons that do not speak of the phone column
_IN_MEMORY: Final = 65_536  #: characters of one reason's problems that wait in memory before they go to disk


class ProblemSpool:
    """Holds the problems by status and reason while the rows pass, in memory only as long as they are few."""

    def __init__(self) -> None:
        self._spools: dict[tuple[str, str], IO[str]] = {}

    def add(self, row: ReportRow) -> None:
        """Keep what the list needs of one row, where its status is a problem."""
        if row.status in PROBLEMS:
            column = "" if row.reason in _NOT_THE_NUMBER else None
            self._keep(row.status, row.reason, (row.row, column, row.phone if column is None else "", row.detail))

    def add_cut(self, row: ReportRow, column: str, text: str) -> None:
        """Keep that a text of this column is longer than a cell of a workbook can be."""
        self._keep(row.status, CUT_REASON, (row.row, column, f"{text[:60]}…", CUT_MEANING.means))

    def rows(self, facts: ReportFacts) -> Iterator[list[Value]]:
        """All rows of the list: by status in the order of PROBLEMS, others last; by reason; then as in the file."""
        for status, reason in sorted(self._spools, key=_urgency):
            meaning = CUT_MEANING if reason == CUT_REASON else meaning_of(status, reason)
            spool = self._spools[status, reason]
            spool.seek(0)
            for line in spool:
                row, column, value, detail = json.loads(line)
                where = [facts.phone_column if column is None else column, value]
                yield [row, *where, status, reason, detail, meaning.what_to_do, "yes" if meaning.mends_list else "no"]

    def close(self) -> None:
        """Let go of what waits on disk."""
        for spool in self._spools.values():
            spool.close()

    def _keep(self, status: str, reason: str, problem: tuple[int, str | None, str, str]) -> None:
        key = status, reason
        if key not in self._spools:
            spool = tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="\n")  # noqa: SIM115  # lives on
            self._spools[key] = spool
        self._spools[key].write(f"{json.dumps(problem)}\n")


def _urgency(key: tuple[str, str]) -> tuple[int, str]:
    status, reason = key
    return PROBLEMS.index(status) if status in PROBLEMS else len(PROBLEMS), reason
