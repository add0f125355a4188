"""One table on a worksheet, written row by row: header, widths, filter, formats; text that stays text."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES, Cell
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.colors import Color
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

Value: TypeAlias = str | int | float | datetime | None

MOST_ROWS: Final = 1_048_575  #: below the header, on one sheet
MOST_CHARACTERS: Final = 32_767  #: in one cell
CUT: Final = "… (cut)"
SHARE: Final = "0.0%"
COUNT: Final = "#,##0"
SECONDS: Final = "0.0"
INSTANT: Final = 'yyyy-mm-dd"T"hh:mm:ss"Z"'
LOCAL_TIME: Final = "yyyy-mm-dd hh:mm:ss"

HEADER_FILL: Final = PatternFill("solid", fgColor="F4F7F9")
HEADER_BORDER: Final = Border(bottom=Side("thin", color="17212B"))

_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAK: Final = re.compile("\r\n?")
_ESCAPE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # the file format's own escape: _x0041_ would be read as "A"
_STATUS_COLOURS: Final = (  # (statuses, fill, font)
    (("delivered", "ready"), "DFF1F2", "0B6470"),
    (("accepted", "sending", "planned", "unknown"), "FBF1D6", "7A5800"),
    (("undelivered", "expired", "rejected", "failed"), "FBE3DD", "9C2F1B"),
    (("skipped", "cancelled"), "EEF1F4", "566473"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a sheet: how it looks, and what the Dictionary says of it."""

    name: str
    width: float
    means: str
    unit: str = ""
    example: str = ""
    format: str = ""  #: number format; "" is General
    wrap: bool = False
    own: bool = False  #: one of the file's own columns


class TableSheet:
    """A table with one header row; when its sheet is full it goes on on "<title> 2" with the same header."""

    def __init__(
        self, book: Workbook, title: str, columns: Sequence[Column], freeze: str = "A2", tab: str = ""
    ) -> None:
        self.rows = 0
        self.columns = columns
        self._book, self._title, self._freeze, self._tab = book, title, freeze, tab
        self._sheets: list[Worksheet] = []

    def append(self, values: Sequence[Value], beside: Sequence[Value] = ()) -> None:
        """Write one row; `beside` stands to the right of the table, one column away."""
        if self.rows == MOST_ROWS * len(self._sheets):
            self._begin()
        self.rows += 1
        cells = [self._cell(place, value) for place, value in enumerate(values)]
        self._sheets[-1].append([*cells, None, *beside] if beside else cells)

    def begin(self, beside: Sequence[str] = ()) -> None:
        """Write the header now, with a small table's header beside it, or because there may be no rows."""
        if not self._sheets:
            self._begin(beside)

    def finish(self) -> list[Worksheet]:
        """Set filter and colours over what was written; the sheets, for more of the kind."""
        self.begin()
        last_column = get_column_letter(len(self.columns))
        for sheet in self._sheets:
            last = min(self.rows - MOST_ROWS * self._sheets.index(sheet), MOST_ROWS) + 1
            sheet.auto_filter.ref = f"A1:{last_column}{last}"
            for place, column in enumerate(self.columns, 1):
                letter = get_column_letter(place)
                for rule in _rules(column, letter) if last > 1 else ():
                    sheet.conditional_formatting.add(f"{letter}2:{letter}{last}", rule)
        return self._sheets

    def _begin(self, beside: Sequence[str] = ()) -> None:
        number = len(self._sheets) + 1
        sheet = self._book.create_sheet(self._title if number == 1 else f"{self._title} {number}")
        sheet.freeze_panes = self._freeze
        if self._tab:
            sheet.sheet_properties.tabColor = self._tab
        sheet.print_title_rows = "1:1"
        sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        for place, column in enumerate(self.columns, 1):
            sheet.column_dimensions[get_column_letter(place)].width = column.width
        header = [header_cell(sheet, column.name, own=column.own) for column in self.columns]
        sheet.append([*header, None, *(header_cell(sheet, name) for name in beside)] if beside else header)
        self._sheets.append(sheet)
        self._styled = [_styled_cell(sheet, column) for column in self.columns]

    def _cell(self, place: int, value: Value) -> Cell | Value:
        styled = self._styled[place]
        if styled is None or value is None:
            return text_cell(self._sheets[-1], value) if isinstance(value, str) else value
        if isinstance(value, str):
            styled.value, styled.data_type = clean(value), "s"
        else:  # written at once, so one cell serves the whole column; the file format knows no zones
            styled.value = value.replace(tzinfo=None, microsecond=0) if isinstance(value, datetime) else value
        return styled


def clean(text: str) -> str:
    """A text that a workbook can hold: no characters that XML has no place for, no more than fit into a cell."""
    text = _ESCAPE.sub("_x005F_", _NOT_XML.sub("�", _LINE_BREAK.sub("\n", text)))
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - len(CUT)]}{CUT}"


def text_cell(sheet: Worksheet, text: str) -> Cell | str | None:
    """What to append for a text, so that it is never taken for a formula or an error."""
    text = clean(text)
    if not text.startswith("=") and text not in ERROR_CODES:
        return text or None
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell


def discard(sheet: WriteOnlyWorksheet) -> None:
    """Remove what a sheet that was never saved has written to disk; the library itself does so only at exit."""
    writer = getattr(sheet, "_writer", None)
    if writer is not None and not sheet.closed:
        sheet.close()
    if writer is not None:
        with suppress(OSError, ValueError):  # already removed by `save`
            writer.cleanup()


def header_cell(sheet: Worksheet, name: str, *, own: bool = False) -> Cell:
    """A cell of a header row."""
    cell = WriteOnlyCell(sheet, clean(name))
    cell.data_type = "s"
    cell.font, cell.fill, cell.border = body_font(bold=True, italic=own), HEADER_FILL, HEADER_BORDER
    return cell


def body_font(*, bold: bool = False, italic: bool = False, size: float = 11, link: bool = False) -> Font:
    """A font of the family that the reader's own program takes for text."""
    font = Font(name="Calibri", family=2, scheme="minor", bold=bold, italic=italic, size=size)
    if link:
        font.color, font.underline = Color("FF0B6470"), "single"
    return font


def _styled_cell(sheet: Worksheet, column: Column) -> Cell | None:
    if not column.format and not column.wrap:
        return None
    cell = WriteOnlyCell(sheet)
    cell.number_format = column.format or "General"
    if column.wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _rules(column: Column, letter: str) -> list[Rule]:
    if column.name == "segments":
        return [_rule(f"{letter}2>1", DifferentialStyle(font=Font(bold=True)))]
    if column.name != "status":
        return []
    return [
        _rule(
            "OR({})".format(",".join(f'{letter}2="{status}"' for status in statuses)),
            DifferentialStyle(font=Font(color=font), fill=PatternFill("solid", bgColor=fill)),
        )
        for statuses, fill, font in _STATUS_COLOURS
    ]


def _rule(formula: str, style: DifferentialStyle) -> Rule:
    return Rule(type="expression", formula=[formula], dxf=style)
