"""What every format is read into: text cells in rows, numbered as a spreadsheet program shows them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.errors import InputError
from campaigns.model import Remark

HEAD_ROWS: Final = 120  #: the rows in which header and phone column are looked for


@dataclass(frozen=True, slots=True)
class CellRemark:
    """What a reader noticed about one cell, or about a whole row."""

    row: int
    place: int | None  #: of the column, starts at 0; None: the whole row
    value: str
    remark: Remark
    detail: str  #: one sentence for people


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that follow one another, blank ones included: one Arrow string array a column, empty cells ""."""

    first_row: int  #: starts at 1
    columns: Sequence[pa.Array]
    remarks: Sequence[CellRemark] = ()
    hidden: Collection[int] = ()  #: row numbers that the workbook hides
    lengths: pa.Array | None = None  #: cells that each row has in the file; None where the format has no such thing

    def __len__(self) -> int:
        return len(self.columns[0])

    def filled(self) -> pa.Array:
        """Which rows have a cell that is not blank."""
        filled = pa.repeat(False, len(self))
        for column in self.columns:
            filled = pc.or_(filled, pc.not_equal(pc.utf8_trim_whitespace(column), ""))
            if pc.all(filled).as_py():
                break
        return filled


class Grid(Protocol):
    """One table of a file, opened afresh each time that it is read."""

    @property
    def sheet(self) -> str | None: ...

    @property
    def encoding(self) -> str | None: ...

    @property
    def delimiter(self) -> str | None: ...

    @property
    def width(self) -> int:
        """Cells of the widest row; every row is given with that many."""

    @property
    def height(self) -> int:
        """How many rows there are, blank ones included."""

    @property
    def doubt(self) -> InputError | None:
        """Why the letters may have been read wrongly, so that nothing should be sent; None where that is sure."""

    def head(self) -> list[list[str]]:
        """The first HEAD_ROWS rows, or fewer where there are no more."""

    def blocks(self) -> Iterator[Block]:
        """All rows, in blocks of at most CHUNK_ROWS."""
