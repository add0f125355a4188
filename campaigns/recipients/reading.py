"""Open a recipient file, decide how it is to be read, and give its data rows, each with its number or a reason."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.errors import InputError
from campaigns.model import CHUNK_ROWS, CHUNK_SCHEMA, Chunk, Problem, SkipReason
from campaigns.recipients.columns import Found, find_columns, settle
from campaigns.recipients.delimited import open_text
from campaigns.recipients.files import TEXT_ENDINGS, WORKBOOK_ENDINGS, check_file
from campaigns.recipients.grid import HEAD_ROWS, Block, Grid
from campaigns.recipients.layout import Layout
from campaigns.recipients.numbers import check_region, read_numbers
from campaigns.recipients.ragged import with_ragged
from campaigns.recipients.workbook import open_workbook

READERS: Final[Mapping[str, Callable[[Path, Layout], Sequence[Grid]]]] = {
    **dict.fromkeys(TEXT_ENDINGS, open_text),
    **dict.fromkeys(WORKBOOK_ENDINGS, open_workbook),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientFile:
    """A recipient file and all that was decided about it; its rows are read anew each time."""

    path: Path
    name: str  #: of the file, without its folder
    sheet: str | None  #: None for a text file
    encoding: str | None  #: None for a workbook
    delimiter: str | None  #: None for a workbook, and for a text file of one column
    header_row: int  #: as a spreadsheet program counts; 0 where there is no header
    phone_column: str
    region: str
    columns: tuple[str, ...]  #: unique names, in the order of the file
    sha256: str
    skip_hidden: bool
    allow_landline: bool
    grid: Grid = field(repr=False)

    @property
    def height(self) -> int:
        """Rows of the file, blank ones and the header included: at most so many are given."""
        return self.grid.height

    @property
    def doubt(self) -> InputError | None:
        """Why nothing should be sent before the user has said how the file is to be read; None where all is sure."""
        return self.grid.doubt

    def chunks(self) -> Iterator[Chunk]:
        """All data rows, from a file that must be the one that was opened, and stay so to the last row."""
        try:
            yield from self._chunks()
            is_same = _sha256(self.path) == self.sha256
        except OSError:
            is_same = False
        if not is_same:
            raise InputError(f"{self.name} was changed while it was in use.", fix="Give the command again.")

    def describe(self) -> str:
        """One line on what was decided: lista.csv: UTF-8, ";", header in row 1, numbers in "Mobil", region SE."""
        sign = "tab" if self.delimiter == "\t" else self.delimiter and f'"{self.delimiter}"'
        header = f"header in row {self.header_row}" if self.header_row else "no header"
        facts = (
            self.sheet and f'sheet "{self.sheet}"', self.encoding, sign, header,
            f'numbers in "{self.phone_column}"', f"region {self.region}",
        )  # fmt: skip
        return f"{self.name}: {', '.join(filter(None, facts))}"

    def _chunks(self) -> Iterator[Chunk]:
        place = self.columns.index(self.phone_column)
        for block, rows, columns in _data_rows(self.grid, self.header_row):
            cells = pa.table(columns, names=list(self.columns))
            judged = read_numbers(columns[place], self.region, allow_landline=self.allow_landline)
            chunk = _chunk(rows, columns[place], judged, self.phone_column, cells)
            if self.skip_hidden and block.hidden:
                chunk = _without_hidden(chunk, block)
            yield _with_remarks(chunk, block, self.columns) if block.remarks else chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberList:
    """Numbers that were given one by one, with the face of a RecipientFile."""

    values: tuple[str, ...]
    region: str
    sha256: str
    name: str = "numbers"
    path: None = None
    sheet: None = None
    encoding: None = None
    delimiter: None = None
    header_row: int = 0
    phone_column: str = ""
    columns: tuple[str, ...] = ()
    allow_landline: bool = False
    doubt: None = None

    @property
    def height(self) -> int:
        """How many numbers there are."""
        return len(self.values)

    def chunks(self) -> Iterator[Chunk]:
        """The numbers in the order given, as rows 1, 2, 3 ... without cells."""
        for start in range(0, len(self.values), CHUNK_ROWS):
            phones = pa.array(self.values[start : start + CHUNK_ROWS], pa.string())
            rows = pa.array(range(start + 1, start + 1 + len(phones)), pa.int64())
            judged = read_numbers(phones, self.region, allow_landline=self.allow_landline)
            yield _chunk(rows, phones, judged, None, pa.table({"": phones}).select([]))

    def describe(self) -> str:
        """How many numbers were given, and how national ones are read."""
        return f"{len(self.values)} {'number' if len(self.values) == 1 else 'numbers'}, region {self.region}"


def open_recipients(path: Path, layout: Layout) -> RecipientFile:
    """Decide everything about a recipient file; an InputError says what cannot be used, and how to mend it."""
    region = check_region(layout.region)
    try:
        ending = check_file(path)
        if layout.encoding is not None and ending in WORKBOOK_ENDINGS:
            raise InputError(f"{path.name} is a workbook and knows its own encoding.", fix="Leave --encoding out.")
        sha256 = _sha256(path)  # first: what is read from here on must be what chunks() still finds
        grids = READERS[ending](path, layout)
        grid, found = _choose(path, grids, layout, region)
        many = len(grids) > 1 or layout.sheet is not None
        place = f'{path.name}, sheet "{grid.sheet}"' if grid.sheet and many else path.name
        _check_rows(place, grid, found)
        return RecipientFile(
            path=path,
            name=path.name,
            sheet=grid.sheet,
            encoding=grid.encoding,
            delimiter=grid.delimiter,
            header_row=found.header_row,
            phone_column=settle(found, layout.phone_column, region, place),
            region=region,
            columns=found.columns,
            sha256=sha256,
            skip_hidden=layout.skip_hidden,
            allow_landline=layout.allow_landline,
            grid=grid,
        )
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {(error.strerror or 'unknown reason').lower()}.") from error


def from_numbers(values: Sequence[str], region: str, *, allow_landline: bool = False) -> NumberList:
    """Recipients from numbers alone."""
    digest = hashlib.sha256("\n".join(values).encode()).hexdigest()
    return NumberList(values=tuple(values), region=check_region(region), sha256=digest, allow_landline=allow_landline)


def _choose(path: Path, grids: Sequence[Grid], layout: Layout, region: str) -> tuple[Grid, Found]:
    """The table that holds the numbers: the only one, or the only one of several sheets that shows any."""
    heads = [(grid, grid.head()) for grid in grids]
    found = [
        (grid, find_columns(head, layout.phone_column, region))
        for grid, head in heads
        if any(cell.strip() for row in head for cell in row)
    ]
    if not found:
        beginning = any(len(head) == HEAD_ROWS for _, head in heads)
        what = f"has nothing in its first {HEAD_ROWS} rows" if beginning else "is empty: 0 recipients"
        place = path.name if layout.sheet is None else f'{path.name}, sheet "{layout.sheet}"'
        raise InputError(f"{place} {what}.", fix="Give a file with a header and rows.")
    with_numbers = [each for each in found if each[1].has_numbers]
    if len(with_numbers) > 1:
        names = [f'"{grid.sheet}"' for grid, _ in with_numbers]
        raise InputError(
            f"{len(names)} sheets of {path.name} hold numbers: {', '.join(names)}.",
            fix=" or ".join(f"--sheet {name}" for name in names),
        )
    return next(iter(with_numbers or [each for each in found if each[1].candidates] or found))


def _check_rows(place: str, grid: Grid, found: Found) -> None:
    if next(_data_rows(grid, found.header_row), None) is None:
        raise InputError(
            f"{place} has a header but no rows: 0 recipients.",
            fix=f"Add rows below row {found.header_row}, or give another file.",
        )


def _data_rows(grid: Grid, header_row: int) -> Iterator[tuple[Block, pa.Array, list[pa.Array]]]:
    """Each block with the row numbers and columns of what is below the header and not blank in it."""
    for block in with_ragged(grid.blocks(), header_row, grid.delimiter):
        start = min(max(header_row + 1 - block.first_row, 0), len(block))
        rows = pa.arange(block.first_row + start, block.first_row + len(block))
        columns = [column.slice(start) for column in block.columns]
        filled = block.filled().slice(start)
        if not pc.all(filled).as_py():
            rows, columns = rows.filter(filled), [column.filter(filled) for column in columns]
        if len(rows):
            yield block, rows, columns


def _chunk(rows: pa.Array, phones: pa.Array, judged: pa.Table, phone_column: str | None, cells: pa.Table) -> Chunk:
    """The rows with what their numbers are."""
    column = pc.if_else(pc.is_valid(judged["detail"]), pa.scalar(phone_column, pa.string()), None)
    nothing = [pa.nulls(len(rows), schema_field.type) for schema_field in list(CHUNK_SCHEMA)[6:]]
    values = [rows, phones, judged["number"], judged["reason"], judged["detail"], column, *nothing]
    return Chunk(pa.table(values, schema=CHUNK_SCHEMA), cells)


def _without_hidden(chunk: Chunk, block: Block) -> Chunk:
    """The chunk with the rows that the workbook hides as skipped, whatever else is wrong with them."""
    hidden = pc.is_in(chunk.table["row"], pa.array(sorted(block.hidden), pa.int64()))
    return chunk.with_columns(
        skip_reason=pc.if_else(hidden, SkipReason.HIDDEN.value, chunk.table["skip_reason"]),
        detail=pc.if_else(hidden, "hidden in the workbook", chunk.table["detail"]),
        column=pc.if_else(hidden, pa.scalar(None, pa.string()), chunk.table["column"]),
    )


def _with_remarks(chunk: Chunk, block: Block, columns: Sequence[str]) -> Chunk:
    """The chunk with the block's remarks on its rows; where nothing else is said of a row, its first is the detail."""
    table = chunk.table
    rows = pa.array([remark.row for remark in block.remarks], pa.int64())
    places = pc.index_in(rows, value_set=table["row"].combine_chunks()).to_pylist()  # None: no data row
    problems = [
        Problem(
            row=remark.row,
            column=None if remark.place is None else columns[remark.place],
            value=remark.value,
            reason=remark.remark.value,
            detail=remark.detail,
        )
        for remark, place in zip(block.remarks, places, strict=True)
        if place is not None
    ]
    firsts = {problem.row: problem for problem in reversed(problems)}
    is_free = pc.and_(pc.is_null(table["detail"]), pc.is_in(table["row"], rows)).combine_chunks()
    shown = [firsts[row] for row in table["row"].filter(is_free).to_pylist()]
    texts = {
        name: pc.replace_with_mask(
            table[name].combine_chunks(), is_free, pa.array([getattr(each, name) for each in shown], pa.string())
        )
        for name in ("detail", "column")
    }
    return replace(chunk.with_columns(**texts), problems=problems)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
