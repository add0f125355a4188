"""Open a text file (.csv .tsv .txt): its encoding, its delimiter and how large its table is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.errors import InputError
from campaigns.model import CHUNK_ROWS
from campaigns.recipients.delimiters import find_dialect
from campaigns.recipients.encodings import decide_encoding
from campaigns.recipients.grid import HEAD_ROWS, Block
from campaigns.recipients.layout import Layout
from campaigns.recipients.parsing import Dialect, Rows, read_rows

MOST_CELLS: Final = 1_000_000  #: in one block; a wide table comes in blocks of fewer rows
MOST_CELL_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class TextGrid:
    """A text file, with what was found out about it."""

    path: Path
    dialect: Dialect = field(repr=False)
    width: int  #: cells of the widest row, without empty ones at its end; at least 1
    height: int
    doubt: InputError | None = None
    sheet: None = None

    @property
    def encoding(self) -> str:
        return self.dialect.encoding

    @property
    def delimiter(self) -> str | None:
        return self.dialect.delimiter

    def head(self) -> list[list[str]]:
        rows: list[list[str]] = []
        for block in self.blocks():
            cells = (column.slice(0, HEAD_ROWS - len(rows)).to_pylist() for column in block.columns)
            rows += map(list, zip(*cells, strict=True))
            if len(rows) >= HEAD_ROWS:
                break
        return rows

    def blocks(self) -> Iterator[Block]:
        most = min(CHUNK_ROWS, MOST_CELLS // self.width + 1)
        try:
            for rows in read_rows(self.path, self.dialect):
                for piece in rows.slices(most):
                    yield Block(piece.first_row, piece.columns(self.width), lengths=piece.lengths())
        except (InputError, pa.ArrowInvalid, UnicodeError) as error:
            raise InputError(f"{self.path.name} changed while it was read.", fix="Give the command again.") from error


def open_text(path: Path, layout: Layout) -> Sequence[TextGrid]:
    """The one table of a text file; the whole file is read to find its encoding and its widest row."""
    if layout.sheet is not None:
        raise InputError(f"{path.name} is a text file and has no sheets.", fix="Leave --sheet out.")
    if layout.skip_hidden:
        raise InputError(f"{path.name} is a text file and hides no rows.", fix="Leave --skip-hidden out.")
    encoding, doubt = decide_encoding(path, layout.encoding)
    dialect = find_dialect(path, encoding)
    width, height = _measure(path, dialect)
    return [TextGrid(path, dialect, width, height, doubt)]


def _measure(path: Path, dialect: Dialect) -> tuple[int, int]:
    """Cells of the widest row, without empty ones at its end, and the number of rows."""
    width, height = 1, 0
    for rows in read_rows(path, dialect):
        height += len(rows)
        for group in rows.groups:
            for place, column in enumerate(group.columns):
                longest = pc.max(pc.binary_length(column)).as_py()
                if longest > MOST_CELL_BYTES:
                    raise _too_long(path, rows, group.places, column)
                if longest:
                    width = max(width, place + 1)
    return width, height


def _too_long(path: Path, rows: Rows, places: pa.Array, column: pa.Array) -> InputError:
    first = pc.index(pc.greater(pc.binary_length(column), MOST_CELL_BYTES), True).as_py()
    return InputError(
        f"{path.name} has a cell of over 1 MB.",
        where=f"{path.name}, row {rows.first_row + places[first].as_py()}",
        fix="Shorten it. A quotation mark that is closed too late may be the cause.",
    )
