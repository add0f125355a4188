"""Open a recipient file, decide how it is to be read, and give its data rows, each with its number or a reason."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.errors import InputError
from campaigns.model import CHUNK_ROWS, CHUNK_SCHEMA, Chunk
from campaigns.recipients.columns import Found, find_columns, settle
from campaigns.recipients.delimited import open_text
from campaigns.recipients.files import TEXT_ENDINGS, WORKBOOK_ENDINGS, check_file
from campaigns.recipients.grid import HEAD_ROWS, Grid
from campaigns.recipients.layout import Layout
from campaigns.recipients.numbers import check_region, read_number
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
    grid: Grid = field(repr=False)

    def chunks(self) -> Iterator[Chunk]:
        """All data rows, from a file that must be the one that was opened, and stay so to the last row."""
        self._check_unchanged()
        place = self.columns.index(self.phone_column)
        for rows, columns in _data_rows(self.grid, self.header_row):
            cells = pa.table(columns, names=list(self.columns))
            yield _chunk(rows, columns[place], cells, self.phone_column, self.region)
        self._check_unchanged()

    def describe(self) -> str:
        """One line on what was decided: lista.csv: UTF-8, ";", header in row 1, numbers in "Mobil", region SE."""
        sign = "tab" if self.delimiter == "\t" else self.delimiter and f'"{self.delimiter}"'
        header = f"header in row {self.header_row}" if self.header_row else "no header"
        facts = (
            self.sheet and f'sheet "{self.sheet}"', self.encoding, sign, header,
            f'numbers in "{self.phone_column}"', f"region {self.region}",
        )  # fmt: skip
        return f"{self.name}: {', '.join(filter(None, facts))}"

    def _check_unchanged(self) -> None:
        if not self.path.exists() or _sha256(self.path) != self.sha256:
            raise InputError(f"{self.name} was changed while it was in use.", fix="Give the command again.")


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

    def chunks(self) -> Iterator[Chunk]:
        """The numbers in the order given, as rows 1, 2, 3 ... without cells."""
        for start in range(0, len(self.values), CHUNK_ROWS):
            phones = pa.array(self.values[start : start + CHUNK_ROWS], pa.string())
            rows = pa.array(range(start + 1, start + 1 + len(phones)), pa.int64())
            yield _chunk(rows, phones, pa.table({"": phones}).select([]), None, self.region)

    def describe(self) -> str:
        """How many numbers were given, and how national ones are read."""
        return f"{len(self.values)} {'number' if len(self.values) == 1 else 'numbers'}, region {self.region}"


def open_recipients(path: Path, layout: Layout) -> RecipientFile:
    """Decide everything about a recipient file; an InputError says what cannot be used, and how to mend it."""
    region = check_region(layout.region)
    try:
        grids = READERS[check_file(path)](path, layout)
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
            phone_column=settle(found, layout.phone_column, place),
            region=region,
            columns=found.columns,
            sha256=_sha256(path),
            grid=grid,
        )
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {(error.strerror or 'unknown reason').lower()}.") from error


def from_numbers(values: Sequence[str], region: str) -> NumberList:
    """Recipients from numbers alone."""
    digest = hashlib.sha256("\n".join(values).encode()).hexdigest()
    return NumberList(values=tuple(values), region=check_region(region), sha256=digest)


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


def _data_rows(grid: Grid, header_row: int) -> Iterator[tuple[pa.Array, list[pa.Array]]]:
    """Row numbers and columns of what is below the header and not blank."""
    for block in grid.blocks():
        rows = pa.array(range(block.first_row, block.first_row + len(block.columns[0])), pa.int64())
        keep = pc.and_(block.filled(), pc.greater(rows, header_row))
        if pc.any(keep).as_py():
            yield rows.filter(keep), [column.filter(keep) for column in block.columns]


def _chunk(rows: pa.Array, phones: pa.Array, cells: pa.Table, phone_column: str | None, region: str) -> Chunk:
    """The rows with what their numbers are; each distinct text is read once."""
    encoded = phones.dictionary_encode()
    results = [read_number(text, region) for text in encoded.dictionary.to_pylist()]
    judged = pa.table(
        {
            "number": pa.array([int(result.number[1:]) if result.number else None for result in results], pa.int64()),
            "reason": pa.array([result.reason and result.reason.value for result in results], pa.string()),
            "detail": pa.array([result.detail or None for result in results], pa.string()),
        }
    ).take(encoded.indices)
    column = pc.if_else(pc.is_valid(judged["detail"]), pa.scalar(phone_column, pa.string()), None)
    nothing = [pa.nulls(len(rows), schema_field.type) for schema_field in list(CHUNK_SCHEMA)[6:]]
    values = [rows, phones, judged["number"], judged["reason"], judged["detail"], column, *nothing]
    return Chunk(pa.table(values, schema=CHUNK_SCHEMA), cells)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
