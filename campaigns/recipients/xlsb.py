"""What the records of an .xlsb tell beyond its values: hidden rows, errors and merged cells ([MS-XLSB], BIFF12)."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from campaigns.recipients.archive import Archive, damaged
from campaigns.recipients.sheet_notes import Notes, check_extent
from campaigns.recipients.xlsx import relations

ROW, BLANK, LAST_CELL = 0, 1, 11  #: the records of cells lie between
ERRORS: Final = (3, 11)  #: an error, and a formula that gives one
SHEET, MERGED = 156, 176
IS_HIDDEN: Final = 0x10
NAMES: Final[Mapping[int, str]] = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Xlsb:
    """A workbook that was unpacked once, so that every part is what it says."""

    archive: Archive
    sheets: Mapping[str, str]  #: the part of each sheet, by its name

    def notes(self, sheet: str) -> Notes:
        """What there is to know of a sheet before its values are read; an InputError where they would not fit."""
        notes = Notes(formats_known=False)
        row = 0
        try:
            for kind, body in _records(self.archive.read(self.sheets.get(sheet, ""))):
                if kind == ROW:
                    row = int.from_bytes(body[:4], "little") + 1
                    if body[11] & IS_HIDDEN:
                        notes.hidden.append(row)
                elif BLANK < kind <= LAST_CELL:
                    place = int.from_bytes(body[:4], "little")
                    notes.height, notes.width = max(notes.height, row), max(notes.width, place + 1)
                    if kind in ERRORS:
                        notes.errors.append((row, place, NAMES.get(body[8], "#UNKNOWN!")))
                elif kind == MERGED:
                    top, bottom, left, right = struct.unpack_from("<4I", body)
                    notes.merges.append((top + 1, left, bottom + 1, right))
        except (struct.error, IndexError) as error:
            raise damaged(self.archive.path) from error
        check_extent(self.archive.path, notes)
        return notes


def look_into(archive: Archive) -> Xlsb:
    """Unpack every part once, to know that it is what it says; an InputError where it is not."""
    archive.check_parts()
    targets = relations(archive, "xl/_rels/workbook.bin.rels")
    sheets = {}
    for kind, body in _records(archive.read("xl/workbook.bin")):
        if kind == SHEET:
            relation, end = _text(body, 8)
            name, _ = _text(body, end)
            sheets[name] = targets.get(relation, "")
    return Xlsb(archive, sheets)


def _records(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each record's kind and content; a record that is cut short ends them, as it does for calamine."""
    rest = b""
    for piece in pieces:
        data, at = rest + piece, 0
        while (header := _header(data, at)) and header[1] + header[2] <= len(data):
            kind, start, size = header
            yield kind, data[start : start + size]
            at = start + size
        rest = data[at:]


def _header(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Kind, place and length of a record's content, both numbers in seven bits a byte; None where it is cut."""
    kind, at = _number(data, at, 2)
    size, at = _number(data, at, 4)
    return (kind, at, size) if at <= len(data) else None


def _number(data: bytes, at: int, most: int) -> tuple[int, int]:
    value = 0
    for count in range(most):
        if at >= len(data):
            return 0, len(data) + 1
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            break
    return value, at


def _text(body: bytes, at: int) -> tuple[str, int]:
    start = at + 4
    end = start + 2 * int.from_bytes(body[at:start], "little")
    return body[start:end].decode("utf-16-le", "replace"), end
