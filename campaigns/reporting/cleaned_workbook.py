"""The cleaned list as a workbook: the sheets Recipients and Refused, all of their cells text."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl import Workbook
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from campaigns.reporting.sheet import MOST_CHARACTERS, Column, TableSheet, discard

_TITLES: Final = ("Recipients", "Refused")
_OURS: Final = {"row": 8, "reason": 16, "detail": 44}
_TEXT: Final = "@"  #: a number that is typed into such a cell keeps its leading zero
_NOT_XML: Final = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]"
_MEASURED_ROWS: Final = 1000  #: the rows that decide how wide a column is


class CleanedWorkbook:
    """Takes the rows of both sheets as they come; a sheet that is full goes on on "<title> 2"."""

    def __init__(self, part: Path, headers: tuple[Sequence[str], Sequence[str]], phone_column: str) -> None:
        self.altered: Counter[str] = Counter()
        self._part = part
        self._headers = headers
        self._phone_column = phone_column
        self._book = Workbook(write_only=True)
        self._sheets: list[TableSheet] = []

    def add(self, place: int, columns: Sequence[pa.Array]) -> None:
        """Write rows; the first ones decide how wide the columns of their sheet are."""
        if len(self._sheets) == place:
            self._begin(place, columns)
        self._count_altered(self._headers[place], columns)
        for values in zip(*(column.to_pylist() for column in columns), strict=True):
            self._sheets[place].append(values)

    def finish(self) -> None:
        """Write the file."""
        for sheet in [sheet for table in self._sheets for sheet in table.finish()]:
            self._book.move_sheet(sheet.title, len(self._book.worksheets))  # "Recipients 2" was begun after "Refused"
        self._book.properties.creator = None
        self._book.save(self._part)
        self.close()

    def close(self) -> None:
        """Let go of what waits on disk."""
        for sheet in self._book.worksheets:
            if isinstance(sheet, WriteOnlyWorksheet):
                discard(sheet)

    def _begin(self, place: int, columns: Sequence[pa.Array]) -> None:
        named = zip(self._headers[place], columns, strict=True)
        own = [self._column(name, column) for name, column in named]
        self._sheets.append(TableSheet(self._book, _TITLES[place], own))
        self._sheets[place].begin()

    def _column(self, name: str, values: pa.Array) -> Column:
        longest = pc.max(pc.utf8_length(values[:_MEASURED_ROWS].cast(pa.string()))).as_py() or 0
        width = _OURS.get(name, min(max(longest + 2, len(name) + 4, 12), 40))  # the header has the filter's button
        if name == self._phone_column:
            return Column(name=name, width=max(width, 16), means="", format=_TEXT)
        return Column(name=name, width=width, means="")

    def _count_altered(self, names: Sequence[str], columns: Sequence[pa.Array]) -> None:
        for name, column in zip(names, columns, strict=True):
            if column.type == pa.string():
                too_long = pc.greater(pc.utf8_length(column), MOST_CHARACTERS)
                unfit = pc.or_(too_long, pc.match_substring_regex(column, _NOT_XML))
                if altered := unfit.true_count:
                    self.altered[name] += altered
