"""Make blocks of text of the values of a sheet and what is noted of it: formats, errors, merged cells, hidden rows."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, time
from typing import Any, Final, NamedTuple

import pyarrow as pa

from campaigns.model import Remark
from campaigns.recipients.cell_texts import column_texts, date_text, plain_texts
from campaigns.recipients.grid import Block, CellRemark
from campaigns.recipients.number_formats import DateParts, stored_text
from campaigns.recipients.sheet_notes import MOST_COLUMNS, Format, Notes

UNKNOWN_FORMAT: Final = "read as it is stored; the workbook may show it as a percentage or an amount (only .xlsx tells)"
HIDDEN: Final = "hidden in the workbook, and sent all the same"


class Merge(NamedTuple):
    """Cells that are merged over several rows; the first of them holds the value."""

    first_row: int
    last_row: int
    place: int
    is_header: bool  #: beside a title over several columns: the value is the name of what stands below


class BlockMaker:
    """Gives the blocks of one sheet, which are asked for in the order of their rows."""

    def __init__(self, notes: Notes, before: int, *, tell_hidden: bool) -> None:
        self._notes = notes
        self._before = before  # columns to the left of the first that has a value
        self._tell_hidden = tell_hidden
        self._formats: dict[int, list[tuple[Format, Sequence[int]]]] = defaultdict(list)
        for (place, shown), rows in notes.formats.items():
            self._formats[place].append((shown, sorted(rows)))
        self._hidden = sorted(notes.hidden)
        self._errors = sorted(notes.errors)
        self._texts = sorted((row, place, text) for (row, place), text in notes.texts.items())
        self._merges = _merges(notes)
        self._merged_texts: dict[Merge, str] = {}

    def block(self, values: Sequence[Sequence[Any]], first_row: int) -> Block:
        """The block of these rows."""
        rows = range(first_row, first_row + len(values))
        columns = [("",) * len(values)] * self._before + list(zip(*values, strict=True))
        remarks: list[CellRemark] = []
        lists = {
            place: plain_texts(columns[place], self._notes.dates)
            for place in self._places(rows)
            if place < len(columns)
        }
        for place, texts in lists.items():
            remarks += self._show(texts, columns[place], place, rows)
        for row, place, text in self._texts[_span(self._texts, rows)]:
            lists[place][row - first_row] = text
        remarks += self._merge(lists, values, rows)
        if not self._notes.formats_known:
            remarks += _decimals(columns, first_row)
        for row, place, error in self._errors[_span(self._errors, rows)]:
            remarks.append(CellRemark(row, place, error, Remark.ERROR_CELL, f"{error} is read as empty"))
        hidden = self._hidden[bisect_left(self._hidden, rows.start) : bisect_left(self._hidden, rows.stop)]
        if self._tell_hidden:
            remarks += [CellRemark(row, None, "", Remark.HIDDEN_ROW, HIDDEN) for row in hidden]
        remarks.sort(key=_by_place)
        arrays = [
            pa.array(lists[place], pa.string()) if place in lists else column_texts(column, self._notes.dates)
            for place, column in enumerate(columns)
        ]
        return Block(first_row, arrays, remarks, frozenset(hidden))

    def _places(self, rows: range) -> set[int]:
        """The columns in which more than the bare values counts."""
        merged = {merge.place for merge in self._merges if merge.first_row < rows.stop}
        return {*self._formats, *merged, *(place for _, place, _ in self._texts[_span(self._texts, rows)])}

    def _show(self, texts: list[str], values: Sequence[Any], place: int, rows: range) -> list[CellRemark]:
        """Put what the formats of a column show in place of the bare values; remarks where they are not understood."""
        remarks = []
        for shown, marked in self._formats.get(place, ()):
            for row in marked[bisect_left(marked, rows.start) : bisect_left(marked, rows.stop)]:
                at = row - rows.start
                value = values[at]
                if isinstance(shown, DateParts):
                    if isinstance(value, (date, time)):
                        texts[at] = date_text(value, shown)
                elif isinstance(value, (int, float)) and not isinstance(value, bool):
                    text = None if isinstance(shown, str) else shown(value)
                    if text is not None:
                        texts[at] = text
                    else:
                        reason = shown if isinstance(shown, str) else UNKNOWN_FORMAT
                        remarks.append(CellRemark(row, place, texts[at], Remark.AS_STORED, reason))
        return remarks

    def _merge(self, lists: dict[int, list[str]], values: Sequence[Sequence[Any]], rows: range) -> list[CellRemark]:
        """Give the value of a merged cell to the rows below its first that hold something of their own."""
        remarks = []
        for merge in self._merges:
            if merge.first_row >= rows.stop:
                break
            texts = lists.get(merge.place)
            if texts is None:
                continue
            if merge.first_row >= rows.start:
                self._merged_texts[merge] = texts[merge.first_row - rows.start]
            text = self._merged_texts.get(merge, "")
            if merge.is_header and text and merge.last_row in rows:
                texts[merge.first_row - rows.start], texts[merge.last_row - rows.start] = "", text
                continue
            for row in range(max(merge.first_row + 1, rows.start), min(merge.last_row + 1, rows.stop)):
                at = row - rows.start
                if text.strip() and not texts[at] and any(str(value).strip() for value in values[at]):
                    texts[at] = text
                    told = f"merged with row {merge.first_row}, whose value is read here too"
                    remarks.append(CellRemark(row, merge.place, text, Remark.MERGED_CELL, told))
        self._merges = [merge for merge in self._merges if merge.last_row >= rows.stop]
        return remarks


def _merges(notes: Notes) -> list[Merge]:
    """Those over several rows, by row, without any that overlap in a column."""
    titles = {top for top, left, bottom, right in notes.merges if top == bottom and left < right}
    ends: dict[int, int] = defaultdict(int)
    merges = []
    for top, left, bottom, _ in sorted(notes.merges):
        if bottom > top > ends[left]:
            ends[left] = bottom
            merges.append(Merge(top, bottom, left, top in titles))
    return merges


def _by_place(remark: CellRemark) -> tuple[int, int]:
    return remark.row, MOST_COLUMNS if remark.place is None else remark.place


def _span(entries: Sequence[tuple[int, int, str]], rows: range) -> slice:
    return slice(bisect_left(entries, (rows.start, -1, "")), bisect_left(entries, (rows.stop, -1, "")))


def _decimals(columns: Sequence[Sequence[Any]], first_row: int) -> list[CellRemark]:
    return [
        CellRemark(first_row + at, place, stored_text(value), Remark.AS_STORED, UNKNOWN_FORMAT)
        for place, column in enumerate(columns)
        for at, value in enumerate(column)
        if type(value) is float and not value.is_integer()
    ]
