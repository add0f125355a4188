"""Read workbooks (.xlsx .xlsm .xls .ods): every cell as the text that a spreadsheet program shows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
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
from campaigns.recipients.files import OLE
from campaigns.recipients.grid import HEAD_ROWS, Block
from campaigns.recipients.layout import Layout
from campaigns.spelling import nearest

ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")  # the stream that holds a workbook under a password
LONGEST_WHOLE: Final = 10**21  # above, even a whole number is shown with an exponent


@dataclass(frozen=True, slots=True)
class SheetGrid:
    """One sheet of a workbook."""

    path: Path
    sheet: str
    width: int
    height: int
    first_rows: Sequence[Sequence[Any]]  #: as calamine gives them
    encoding: None = None
    delimiter: None = None
    doubt: None = None

    def head(self) -> list[list[str]]:
        return [[cell_text(value) for value in row] for row in self.first_rows]

    def blocks(self) -> Iterator[Block]:
        with _opened(self.path) as book:
            rows = _rows(book.get_sheet_by_name(self.sheet))
        for start in range(0, len(rows), CHUNK_ROWS):
            columns = zip(*rows[start : start + CHUNK_ROWS], strict=True)
            yield Block(start + 1, [pa.array(map(cell_text, column), pa.string()) for column in columns])


def open_workbook(path: Path, layout: Layout) -> Sequence[SheetGrid]:
    """The sheet that the layout names, or every visible one that is not empty."""
    with _opened(path) as book:
        names = [_named_sheet(path, book, layout.sheet)] if layout.sheet is not None else _visible_sheets(book)
        sheets = [book.get_sheet_by_name(name) for name in names]
        return [
            SheetGrid(path, sheet.name, sheet.total_width, sheet.total_height, _rows(sheet, HEAD_ROWS))
            for sheet in sheets
            if sheet.end
        ]


def cell_text(value: object) -> str:
    """A cell as people see it: 46701740605 without ".0", 2026-12-24, 18:30, TRUE."""
    return value if isinstance(value, str) else TEXTS[type(value)](value)


@contextmanager
def _opened(path: Path) -> Iterator[CalamineWorkbook]:
    """The workbook, by its content: an .xlsx that is called .xls opens too."""
    with path.open("rb") as file:
        try:
            yield CalamineWorkbook.from_filelike(file)
        except PasswordError as error:
            raise _locked(path) from error
        except CalamineError as error:
            raise (_locked if _is_encrypted(path) else _damaged)(path) from error
        except BaseException as error:
            # Over some damaged .xls files calamine panics; the class of that cannot be imported, and is no Exception.
            if type(error).__module__ != "pyo3_runtime":
                raise
            raise _damaged(path) from error


def _damaged(path: Path) -> InputError:
    fix = "Open it in Excel and save it anew, or copy it here once more."
    return InputError(f"{path.name} is no workbook, or is damaged or cut short.", fix=fix)


def _locked(path: Path) -> InputError:
    fix = "In Excel: File, Info, Protect Workbook, Encrypt; clear it and save."
    return InputError(f"{path.name} is locked with a password.", fix=fix)


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


def _rows(sheet: CalamineSheet, most: int | None = None) -> list[list[Any]]:
    return sheet.to_python(skip_empty_area=False, nrows=most)  # from cell A1 on, so that row numbers hold


def _float_text(value: float) -> str:
    return (
        str(int(value)) if value.is_integer() and abs(value) < LONGEST_WHOLE else f"{value:.15g}"
    )  # Excel's precision


def _clock_text(hours: int, minutes: int, seconds: int) -> str:
    return f"{hours:02}:{minutes:02}:{seconds:02}" if seconds else f"{hours:02}:{minutes:02}"


def _datetime_text(value: datetime) -> str:
    moment = value + timedelta(microseconds=500_000)  # to the nearest second: days are stored as fractions
    return f"{moment.date().isoformat()} {_clock_text(moment.hour, moment.minute, moment.second)}"


def _duration_text(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return sign + _clock_text(seconds // 3600, seconds // 60 % 60, seconds % 60)


def _time_text(value: time) -> str:
    since_midnight = timedelta(
        hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
    )
    return _duration_text(since_midnight)


TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    bool: lambda value: "TRUE" if value else "FALSE",
    int: str,
    float: _float_text,
    datetime: _datetime_text,
    date: date.isoformat,
    time: _time_text,
    timedelta: _duration_text,
}
