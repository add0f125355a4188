"""The workbook's list of problems: rows that someone can mend or should know of, the most pressing first."""

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Final

from campaigns.model import ReportRow
from campaigns.reporting.figures import PROBLEMS, ReportFacts
from campaigns.reporting.meanings import meaning_of
from campaigns.reporting.sheet import Column, Value

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

_NOT_THE_NUMBER: Final = ("render_error", "empty_field", "filtered")  #: reasons that do not speak of the phone column
_IN_MEMORY: Final = 65_536  #: characters of one reason's problems that wait in memory before they go to disk


class ProblemSpool:
    """Holds the problems by status and reason while the rows pass, in memory only as long as they are few."""

    def __init__(self) -> None:
        self._spools: dict[tuple[str, str], IO[str]] = {}

    def add(self, row: ReportRow) -> None:
        """Keep what the list needs of one row, where its status is a problem."""
        if row.status not in PROBLEMS:
            return
        key = row.status, row.reason
        if key not in self._spools:
            spool = tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="\n")  # noqa: SIM115  # lives on
            self._spools[key] = spool
        self._spools[key].write(f"{json.dumps((row.row, row.phone, row.detail))}\n")

    def rows(self, facts: ReportFacts) -> Iterator[list[Value]]:
        """All rows of the list: by status in the order of PROBLEMS, then by reason, then as in the file."""
        for status, reason in sorted(self._spools, key=lambda key: (PROBLEMS.index(key[0]), key[1])):
            meaning = meaning_of(status, reason)
            of_number = reason not in _NOT_THE_NUMBER
            spool = self._spools[status, reason]
            spool.seek(0)
            for line in spool:
                row, phone, detail = json.loads(line)
                where = [facts.phone_column, phone] if of_number else ["", ""]
                yield [row, *where, status, reason, detail, meaning.what_to_do, "yes" if meaning.mends_list else "no"]

    def close(self) -> None:
        """Let go of what waits on disk."""
        for spool in self._spools.values():
            spool.close()
