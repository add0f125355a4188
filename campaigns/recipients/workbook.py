"""Read workbooks (.xlsx .xlsm .xlsb .xls .ods): every cell as the text that a spreadsheet program shows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from campaigns.errors import InputError
from campaigns.model import CHUNK_ROWS
from campaigns.recipients import ods, xls, xlsb, xlsx
from campaigns.recipients.archive import damaged, locked, open_archive
from campaigns.recipients.files import OLE
from campaigns.recipients.grid import HEAD_ROWS, Block
from campaigns.recipients.layout import Layout
from campaigns.recipients.panics import Panic, quiet_panics
from campaigns.recipients.sheet_blocks import BlockMaker
from campaigns.recipients.sheet_notes import Notes
from campaigns.spelling import nearest

ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")  # the stream that holds a workbook under a password
LONGEST_CELL: Final = 2**20  #: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """A sheet in memory."""

    sheet: CalamineSheet
    notes: Notes


@dataclass(slots=True)
class SheetGrid:
    """One sheet of a workbook."""

    path: Path
    sheet: str
    width: int
    height: int
    tell_hidden: bool
    content: Content | None  #: kept from its opening until all rows were read once: that takes longest
    encoding: None = None
    delimiter: None = None
    doubt: None = None

    def head(self) -> list[list[str]]:
        for block in self._blocks(HEAD_ROWS):
            columns = [column.to_pylist() for column in block.columns]
            return [list(row) for row in zip(*columns, strict=True)]
        return []

    def blocks(self) -> Iterator[Block]:
        yield from self._blocks(CHUNK_ROWS)
        self.content = None

    def _blocks(self, most: int) -> Iterator[Block]:
        content = self.content or next(_contents(self.path, lambda _: [self.sheet]))
        before = content.sheet.start[1] if content.sheet.start else 0
        maker = BlockMaker(content.notes, before, tell_hidden=self.tell_hidden)
        values = content.sheet.iter_rows()  # from row 1 on, but from the first column that has a value
        for first_row in range(1, self.height + 1, most):
            block = maker.block(self._next(values, most, first_row), first_row)
            self._check_cells(block)
            yield block

    def _next(self, values: Iterator[list[Any]], most: int, first_row: int) -> list[list[Any]]:
        rows: list[list[Any]] = []
        try:
            with quiet_panics():
                rows.extend(islice(values, most))
        except (OverflowError, ValueError, Panic) as error:  # calamine makes a date of any number with such a format
            raise InputError(
                f"{self.path.name} has a number that is shown as a date or a time, but is too large for one.",
                where=f'sheet "{self.sheet}", row {first_row + len(rows)}',
                fix="Format its column as Text in Excel and save the workbook anew.",
            ) from error
        return rows

    def _check_cells(self, block: Block) -> None:
        for column in block.columns:
            lengths = pc.binary_length(column)
            if (pc.max(lengths).as_py() or 0) > LONGEST_CELL:
                at = pc.index(pc.greater(lengths, LONGEST_CELL), True).as_py()
                raise InputError(
                    f"{self.path.name} has a cell of over 1 MB.",
                    where=f'sheet "{self.sheet}", row {block.first_row + at}',
                    fix="Take the long text out of the list.",
                )


def open_workbook(path: Path, layout: Layout) -> Sequence[SheetGrid]:
    """The sheet that the layout names, or every visible one that is not empty."""

    def chosen(book: CalamineWorkbook) -> Sequence[str]:
        return _visible_sheets(book) if layout.sheet is None else [_named_sheet(path, book, layout.sheet)]

    if _is_old(path):
        xls.check_survives(path)
    return [_grid(path, content, layout) for content in _contents(path, chosen) if content.sheet.end]


def _grid(path: Path, content: Content, layout: Layout) -> SheetGrid:
    last_row, last_place = content.sheet.end or (0, 0)
    return SheetGrid(path, content.sheet.name, last_place + 1, last_row + 1, not layout.skip_hidden, content)


def _contents(path: Path, choose: Callable[[CalamineWorkbook], Sequence[str]]) -> Iterator[Content]:
    """The chosen sheets; the workbook is known by its content: an .xlsx that is called .xls opens too."""
    with _notes_reader(path) as read_notes, path.open("rb") as file, _trouble_told(path):
        with quiet_panics():
            book = CalamineWorkbook.from_filelike(file)
        for name in choose(book):
            notes = read_notes(name)
            with quiet_panics():
                sheet = book.get_sheet_by_name(name)
            if sheet.merged_cell_ranges:
                notes.merges = [
                    (top + 1, left, bottom + 1, right) for (top, left), (bottom, right) in sheet.merged_cell_ranges
                ]
            yield Content(sheet, notes)


def _is_old(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(OLE)) == OLE


@contextmanager
def _notes_reader(path: Path) -> Iterator[Callable[[str], Notes]]:
    """What tells of each sheet what calamine does not; refuses a workbook that would not fit into memory."""
    if _is_old(path):
        yield xls.look_into(path)
        return
    with open_archive(path) as archive:
        if "content.xml" in archive.parts:
            yield ods.look_into(archive).__getitem__
        elif "xl/workbook.bin" in archive.parts:
            yield xlsb.look_into(archive).notes
        else:
            yield xlsx.look_into(archive).notes


@contextmanager
def _trouble_told(path: Path) -> Iterator[None]:
    try:
        yield
    except PasswordError as error:
        raise locked(path) from error
    except CalamineError as error:
        raise (locked if _is_encrypted(path) else damaged)(path) from error
    except Panic as error:
        raise damaged(path) from error
    except OSError as error:
        if error.errno is None:  # calamine's own word for a file that ends too early
            raise damaged(path) from error
        raise


def _is_encrypted(path: Path) -> bool:
    content = path.read_bytes()
    return content.startswith(OLE) and ENCRYPTED in content


def _named_sheet(path: Path, book: CalamineWorkbook, name: str) -> str:
    names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    same = [each for each in names if each == name] or [each for each in names if each.casefold() == name.casefold()]
    if same:
        return same[0]
    near = nearest(name, names)
    advice = f'Write "{near}". ' if near else ""
    raise InputError(f'{path.name} has no sheet "{name}".', fix=f"{advice}Sheets: {', '.join(names)}")


def _visible_sheets(book: CalamineWorkbook) -> list[str]:
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    return [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
