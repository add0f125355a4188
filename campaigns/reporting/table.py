"""The per-recipient report as a plain table: CSV, JSON lines and JSON; and the columns that all formats share."""

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from campaigns.model import REPORT_COLUMNS, RESERVED_COLUMNS, CampaignStatus, ReportRow
from campaigns.reporting.figures import Report

SCHEMA_VERSION: Final = 1  #: rises when a column of ours changes its name or meaning

Cell: TypeAlias = str | int | None

_BEGINNING: Final = r"[\s\x00-\x1f\u200b\ufeff]"
_SIGN: Final = "[=+\\-@＝＋－＠]"
_FORMULA: Final = re.compile(rf"(?!\+[0-9]+\Z){_BEGINNING}*{_SIGN}|[\t\r\n]")
_BETWEEN: Final = "\x7f"  #: between the cells of a column that are looked at together; one inside a cell does no harm
_ODD: Final = re.compile(f"{_BETWEEN}(?:{_BEGINNING}|{_SIGN})")  #: what may be a formula begins so
_SPECIAL: Final = re.compile(r'[",\r\n]')  #: CSV's own signs
_TIMES: Final = frozenset({"sent_at", "updated_at"})
_OF_OUR_MAKING: Final = frozenset({"row", "to", "country", "status", "encoding", "segments", "tries"})


def report_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """All headers of a report: ours, then the file's own; one that bears a name of ours gets `file.` before it."""
    names: list[str] = list(REPORT_COLUMNS)
    ours = {*REPORT_COLUMNS, *RESERVED_COLUMNS}
    for column in columns:
        name = column
        while name in ours or name in names or (name != column and name in columns):
            name = f"file.{name}"
        names.append(name)
    return tuple(names)


def status_object(status: CampaignStatus) -> dict[str, object]:
    """A campaign as `status --json`, `list --json` and the head of a .json report show it."""
    return {
        "id": status.id,
        "name": status.name,
        "state": status.state,
        "reason": status.reason,
        "counts": dict(status.counts),
    }


def neutralise(text: str) -> str:
    """A cell that no spreadsheet program takes for a formula, by OWASP's rule for CSV injection.

    What begins (also behind blanks) with = + - @ or one of their full-width forms, or with a tab or a line break, gets
    a single quote before it. A `+` and digits alone is a phone number and stays as it is; a negative number does not.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC, whole seconds, always of one width so that it sorts as text: "2026-08-13T08:00:00Z"."""
    return f"{moment.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"


class CsvReport:
    """Comma-separated, UTF-8 with a byte order mark so that Excel shows å, CRLF; formulas neutralised.

    It is written column by column, since what must be quoted or neutralised is told for a column at one look: `csv`
    takes twice as long.
    """

    def __init__(self, part: Path, columns: Sequence[str]) -> None:
        self._file = part.open("w", encoding="utf-8-sig", newline="")
        self._write([_harmless([column]) for column in columns])

    def add(self, rows: Sequence[ReportRow]) -> None:
        """Write rows."""
        *ours, cells = zip(*rows, strict=True)
        columns = [_written(name, column) for name, column in zip(REPORT_COLUMNS, ours, strict=True)]
        self._write([*columns, *map(_harmless, zip(*cells, strict=True))])

    def finish(self, report: Report) -> None:  # noqa: ARG002  # a plain table has no place for figures
        """Write out what is buffered."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _write(self, columns: Sequence[Sequence[str]]) -> None:
        lines = map(",".join, zip(*columns, strict=True))
        self._file.write("\r\n".join((*lines, "")))


class JsonLinesReport:
    """One object a row, its keys the columns; numbers as numbers, what is not known as null."""

    def __init__(self, part: Path, columns: Sequence[str]) -> None:
        self._file = part.open("w", encoding="utf-8", newline="\n")
        self._columns = columns

    def add(self, rows: Sequence[ReportRow]) -> None:
        """Write rows."""
        self._file.writelines(f"{_object(self._columns, row)}\n" for row in rows)

    def finish(self, report: Report) -> None:  # noqa: ARG002  # as above
        """Write out what is buffered."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class JsonReport:
    """One object: the campaign as in `status --json`, and `rows`, an array of the objects of JSON lines."""

    def __init__(self, part: Path, columns: Sequence[str]) -> None:
        self._part = part
        self._columns = columns
        # The campaign stands first but is known last, so the rows wait in a file of their own, beside the report's.
        self._rows = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=part.parent)  # noqa: SIM115
        self._separator = ""

    def add(self, rows: Sequence[ReportRow]) -> None:
        """Write rows."""
        for row in rows:
            self._rows.write(f"{self._separator}\n{_object(self._columns, row)}")
            self._separator = ","

    def finish(self, report: Report) -> None:
        """Write the campaign, then all rows."""
        head = json.dumps(status_object(report.status), ensure_ascii=False, indent=2).removesuffix("\n}")
        self._rows.seek(0)
        with self._part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(f'{head},\n  "rows": [')
            shutil.copyfileobj(self._rows, file)
            file.write("\n  ]\n}\n")
        self.close()

    def close(self) -> None:
        """Let go of the waiting rows."""
        self._rows.close()


def _written(name: str, column: Sequence[Any]) -> Sequence[str]:
    if name in _TIMES:
        return ["" if moment is None else instant(moment) for moment in column]
    if name in _OF_OUR_MAKING:
        return ["" if value is None else str(value) for value in column]
    return _harmless(column)


def _harmless(column: Sequence[str]) -> Sequence[str]:
    """The cells as they stand in CSV."""
    together = _BETWEEN.join(("", *column))
    if _ODD.search(together):
        column = [neutralise(cell) for cell in column]
    if _SPECIAL.search(together):
        column = [_quoted(cell) if _SPECIAL.search(cell) else cell for cell in column]
    return column


def _quoted(cell: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


def _cells(row: ReportRow) -> list[Cell]:
    times = (None if moment is None else instant(moment) for moment in (row.sent_at, row.updated_at))
    return [*row[:-3], *times, *row.cells]


def _object(columns: Sequence[str], row: ReportRow) -> str:
    return json.dumps(dict(zip(columns, _cells(row), strict=True)), ensure_ascii=False)
