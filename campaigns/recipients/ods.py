"""What the XML of an .ods tells beyond its values: hidden rows, errors, merged cells, long times, other formats."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from campaigns.recipients.archive import Archive, damaged, too_large
from campaigns.recipients.cell_texts import duration_text
from campaigns.recipients.number_formats import stored_text
from campaigns.recipients.sheet_notes import MOST_ROWS, Notes, check_extent, parse_xml

CELLS: Final = ("table:table-cell", "table:covered-table-cell")
MOST_TEXTS: Final = 2**20
DURATION: Final = re.compile(r"(-?)PT(\d{1,9})H(\d{1,2})M(\d{1,2})(?:[.,]\d+)?S")
ERROR: Final = re.compile(r"#[A-Z0-9/]+[!?]?|Err:\d+")


def look_into(archive: Archive) -> Mapping[str, Notes]:
    """The notes of each sheet, by its name; an InputError where a sheet would not fit into memory."""
    archive.check_parts()
    reader = _Reader(archive)
    try:
        parse_xml(archive.read("content.xml"), reader.start, reader.end, reader.text)
    except ValueError as error:
        raise damaged(archive.path) from error
    return reader.sheets


class _Reader:
    """Follows the elements of content.xml; rows and cells that are alike stand there once, with a count."""

    def __init__(self, archive: Archive) -> None:
        self.sheets: dict[str, Notes] = {}
        self._archive = archive
        self._notes = Notes()
        self._depth = 0  # of comments, whose paragraphs are no text of the cell
        self._row = self._place = self._rows = self._columns = 0
        self._cell: Mapping[str, str] = {}
        self._text: list[str] | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in CELLS:
            self._cell, self._text = attributes, []
            self._columns = _count(attributes, "table:number-columns-repeated")
        elif name == "office:annotation":
            self._depth += 1
        elif name == "table:table-row":
            self._row, self._place = self._row + self._rows, 0
            self._rows = _count(attributes, "table:number-rows-repeated")
            if attributes.get("table:visibility") in ("collapse", "filter"):
                self._notes.hidden.extend(range(self._row, min(self._row + self._rows, MOST_ROWS + 1)))
        elif name == "table:table":
            self._notes = self.sheets[attributes.get("table:name", "")] = Notes()
            self._row, self._rows = 1, 0

    def end(self, name: str) -> None:
        if name in CELLS:
            text = "".join(self._text or ())
            if text or "office:value-type" in self._cell:
                self._note(text)
            self._place += self._columns
            self._text = None
        elif name == "office:annotation":
            self._depth -= 1

    def text(self, text: str) -> None:
        if self._text is not None and not self._depth:
            self._text.append(text)

    def _note(self, text: str) -> None:
        notes, cell = self._notes, self._cell
        rows = range(self._row, self._row + self._rows)
        places = range(self._place, self._place + self._columns)
        notes.height, notes.width = max(notes.height, rows.stop - 1), max(notes.width, places.stop)
        check_extent(self._archive.path, notes)
        if down := _count(cell, "table:number-rows-spanned") - 1:
            across = _count(cell, "table:number-columns-spanned") - 1
            notes.merges.append((rows.start, places.start, rows.start + down, places.start + across))
        kind = cell.get("office:value-type")
        if cell.get("calcext:value-type") == "error" or (kind == "float" and ERROR.fullmatch(text)):
            self._say("", rows, places)
            notes.errors += [(row, place, text) for row in rows for place in places]
        elif kind == "time" and (long := _duration(cell.get("office:time-value", ""))):
            self._say(long, rows, places)
        elif reason := _reason(kind, cell.get("office:value", ""), text):
            for place in places:
                notes.add_format(rows, place, reason)

    def _say(self, text: str, rows: range, places: range) -> None:
        """Set the text of cells; an InputError where a few bytes say so of millions."""
        if len(self._notes.texts) + len(rows) * len(places) > MOST_TEXTS:
            raise too_large(self._archive.path, "repeats a cell millions of times")
        self._notes.texts |= {(row, place): text for row in rows for place in places}


def _count(attributes: Mapping[str, str], name: str) -> int:
    return max(1, int(attributes.get(name, "1")))


def _duration(written: str) -> str | None:
    """Hours, minutes and seconds of a whole day or more, which calamine gives as they are written."""
    parts = DURATION.fullmatch(written)
    if parts is None or int(parts[2]) < 24:
        return None
    length = timedelta(hours=int(parts[2]), minutes=int(parts[3]), seconds=int(parts[4]))
    return duration_text(-length if parts[1] else length)


def _reason(kind: str | None, value: str, text: str) -> str | None:
    """Why somebody should know that a number is given as it is stored; None where it is shown so."""
    if kind == "percentage":
        return "a percentage in the workbook, read as it is stored (only .xlsx tells how it is shown)"
    if kind == "currency":
        return "an amount of money in the workbook, read as it is stored (only .xlsx tells how it is shown)"
    if kind == "float" and text.strip().replace(",", ".") != stored_text(float(value)):
        return "shown in another way in the workbook, read as it is stored (only .xlsx tells how it is shown)"
    return None
