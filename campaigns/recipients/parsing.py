"""Cut a text file into rows and cells as a spreadsheet program would, some megabytes at a time (Arrow's parser)."""

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from campaigns.errors import InputError

BLOCK_BYTES: Final = 1 << 20
MOST_ROW_BYTES: Final = 4 << 20  #: a longer row is refused before memory is spent on it
MOST_COLUMNS: Final = 16_384  #: as in Excel
NO_DELIMITER: Final = "\x1f"  #: what the parser gets for a file of one column: a sign that nobody types
BOM: Final = codecs.BOM_UTF8
FIRST_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)?")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the bytes of a text file become rows."""

    encoding: str
    delimiter: str | None  #: None for a file of one column
    hides_first_line: bool  #: Excel's sep=; is no row
    usual: int  #: cells that most rows have: others are read too, but more slowly


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with the same number of cells."""

    places: pa.Array  #: of the rows among those of the block, ascending, starts at 0
    columns: Sequence[pa.Array]

    def slice(self, start: int, stop: int) -> "Group":
        low, high = (pc.sum(pc.less(self.places, place)).as_py() or 0 for place in (start, stop))
        return Group(self.places.slice(low, high - low), [column.slice(low, high - low) for column in self.columns])


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that follow one another, with the cells that each has in the file; a blank line has the usual number."""

    first_row: int  #: starts at 1
    groups: Sequence[Group]

    def __len__(self) -> int:
        return sum(len(group.places) for group in self.groups)

    def slices(self, most: int) -> Iterator["Rows"]:
        """The same in pieces of at most so many rows."""
        for start in range(0, len(self), most):
            pieces = [group.slice(start, start + most) for group in self.groups]
            yield Rows(self.first_row + start, [piece for piece in pieces if len(piece.places)])

    def columns(self, width: int) -> list[pa.Array]:
        """So many columns over all rows; cells that a row does not have are empty."""
        parts = [(group.columns, pa.repeat("", len(group.places))) for group in self.groups]
        order = self._order()
        return [
            _joined([columns[place] if place < len(columns) else empty for columns, empty in parts], order)
            for place in range(width)
        ]

    def lengths(self) -> pa.Array:
        """How many cells each row has."""
        return _joined([pa.repeat(len(group.columns), len(group.places)) for group in self.groups], self._order())

    def _order(self) -> pa.Array | None:
        """Where each row is among those of the groups one after the other; None where there is but one group."""
        places = [group.places for group in self.groups]
        return pc.sort_indices(pa.concat_arrays(places)) if len(places) > 1 else None


def _joined(parts: Sequence[pa.Array], order: pa.Array | None) -> pa.Array:
    return parts[0] if order is None else pa.concat_arrays(parts).take(order)


def read_rows(path: Path, dialect: Dialect, block_bytes: int = BLOCK_BYTES) -> Iterator[Rows]:
    """All rows of the file, in blocks of about so many bytes.

    Raises InputError for a quotation mark that is never closed and for a row that is too long or too wide, and what the
    codec raises where the file does not fit the encoding.
    """
    delimiter, usual = dialect.delimiter or NO_DELIMITER, dialect.usual
    first_row, rest = 1, b""
    for piece, is_last in _pieces(path, dialect, block_bytes):
        if b"\0" in piece:
            raise _nul_bytes(path, dialect)
        if is_last:
            rest, piece = b"", _ended(rest + piece)
        end = len(piece) if is_last else _last_line_end(piece)
        columns, odd, unfinished = _split([rest, memoryview(piece)[:end]] if end else [], delimiter, usual)
        for row in odd:
            if row.actual_columns > MOST_COLUMNS:
                raise _too_wide(path, first_row + row.number - 1, row.actual_columns)
        rows = Rows(first_row, _groups(columns, odd, delimiter))
        first_row += len(rows)
        if unfinished and is_last:
            raise _never_closed(path, first_row)
        if rows.groups:
            yield rows
            usual = len(max(rows.groups, key=lambda group: len(group.places)).columns)
        rest = unfinished + piece[end:] if end else rest + piece
        if len(rest) > MOST_ROW_BYTES:
            raise (_never_closed if unfinished else _too_long)(path, first_row)


def _pieces(path: Path, dialect: Dialect, block_bytes: int) -> Iterator[tuple[bytes, bool]]:
    """The text in UTF-8 from its first visible row on; with the last piece True."""
    decoder = None if dialect.encoding == "UTF-8" else codecs.getincrementaldecoder(dialect.encoding)()
    is_first = True
    with path.open("rb") as file:
        while True:
            piece = file.read(block_bytes)
            is_last = len(piece) < block_bytes
            if decoder is not None:
                piece = decoder.decode(piece, final=is_last).encode()
            if is_first:
                piece = piece.removeprefix(BOM)
                if dialect.hides_first_line and (line := FIRST_LINE.match(piece)):
                    piece = piece[line.end() :]
            is_first = False
            yield piece, is_last
            if is_last:
                return


def _ended(text: bytes) -> bytes:
    return text if not text or text.endswith((b"\n", b"\r")) else text + b"\n"


def _last_line_end(text: bytes) -> int:
    """Where the last whole line ends; a carriage return at the very end may have its line feed in the next piece."""
    return max(text.rfind(b"\n"), text.rfind(b"\r", 0, len(text) - 1)) + 1


def _split(lines: Sequence[bytes | memoryview], delimiter: str, usual: int) -> tuple[list[pa.Array], list[Any], bytes]:
    """The columns of the usual rows in the lines, the odd rows, and the bytes of a last row whose quoted cell is open.

    A guard row behind the lines tells whether one is: it has more cells than usual, so the parser hands it out as text,
    and what stands before it in that text is the row that swallowed it.
    """
    if not lines:
        return [], [], b""
    guard = f'"x"{delimiter * (usual + 1)}'
    odd: list[Any] = []

    def put_aside(row: Any) -> str:
        odd.append(row)
        return "skip"

    columns = _cells(b"".join((*lines, guard.encode())), delimiter, usual, put_aside)
    return columns, odd, odd.pop().text.removesuffix(guard).encode()


def _groups(columns: list[pa.Array], odd: Sequence[Any], delimiter: str) -> list[Group]:
    places = pa.arange(0, len(odd) + (len(columns[0]) if columns else 0))
    if odd:
        places = places.filter(pc.invert(pc.is_in(places, pa.array([row.number - 1 for row in odd], pa.int64()))))
    groups = [Group(places, columns)] if len(places) else []
    by_count: dict[int, list[Any]] = {}
    for row in odd:
        by_count.setdefault(row.actual_columns, []).append(row)
    for count, rows in by_count.items():
        text = "".join(f"{row.text}\n" for row in rows).encode()
        numbers = pa.array([row.number - 1 for row in rows], pa.int64())
        groups.append(Group(numbers, _cells(text, delimiter, count)))
    return groups


def _cells(text: bytes, delimiter: str, count: int, on_odd_row: Callable[[Any], str] | None = None) -> list[pa.Array]:
    """The columns of rows that have `count` cells; no word such as NA is taken for an empty cell."""
    names = [str(place) for place in range(count)]
    table = csv.read_csv(
        pa.BufferReader(text),
        read_options=csv.ReadOptions(column_names=names, block_size=len(text) + 1, use_threads=False),
        parse_options=csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=on_odd_row,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    return [column.chunk(0) for column in table.columns]  # all in one: the text is one block


def _nul_bytes(path: Path, dialect: Dialect) -> InputError:
    line = 2 if dialect.hides_first_line else 1
    for piece, _ in _pieces(path, dialect, BLOCK_BYTES):
        before, found, _ = piece.partition(b"\0")
        line += before.count(b"\n") or before.count(b"\r")
        if found:
            break
    return InputError(
        f"{path.name} holds NUL bytes, which no table has.",
        where=f"{path.name}, line {line}",
        fix="It may be damaged or no text: save the list anew as .csv (UTF-8) or .xlsx.",
    )


def _never_closed(path: Path, row: int) -> InputError:
    return InputError(
        "A quotation mark is never closed, so all rows after it would be one cell.",
        where=f"{path.name}, row {row}",
        fix='Close it there; inside a quoted cell write "" for a quotation mark.',
    )


def _too_long(path: Path, row: int) -> InputError:
    return InputError(
        f"A row is longer than {MOST_ROW_BYTES >> 20} MB, and a cell may hold 1 MB.",
        where=f"{path.name}, row {row}",
        fix="It may be no table, or have no line ends: save the list anew as .csv (UTF-8) or .xlsx.",
    )


def _too_wide(path: Path, row: int, count: int) -> InputError:
    return InputError(
        f"{path.name} has a row of {count:,} cells, and a table may have {MOST_COLUMNS:,} columns.",
        where=f"{path.name}, row {row}",
        fix="It may be no table, or lie on its side: each recipient is to have a row.",
    )
