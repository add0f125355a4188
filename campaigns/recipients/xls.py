"""What calamine does not tell of an .xls: whether it can be read at all, hidden rows, errors and formats (xlrd)."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import xlrd

from campaigns.recipients.archive import damaged
from campaigns.recipients.number_formats import Show, date_parts, number_format, stored_text
from campaigns.recipients.sheet_notes import Notes

AS_STORED: Final = "shown in another way in the workbook, read as it is stored (only .xlsx tells how it is shown)"

MOST_SECONDS: Final = 120.0
TRIAL: Final = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
except (ImportError, OSError, ValueError):
    pass
try:
    from python_calamine import CalamineWorkbook
    with open(sys.argv[1], "rb") as file:
        book = CalamineWorkbook.from_filelike(file)
    for name in book.sheet_names:
        book.get_sheet_by_name(name)
except BaseException:
    pass
"""  # what can be told is told by the one who asked: only a process that dies is of interest


def check_survives(path: Path) -> None:
    """Raise an InputError where reading the workbook would end the process."""
    command = [sys.executable, "-P", "-c", TRIAL, str(path)]
    try:
        # The command is ours but for the path, which is an argument of its own.
        ended = subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=MOST_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise damaged(path) from error
    if ended.returncode != 0:
        raise damaged(path)


def look_into(path: Path) -> Callable[[str], Notes]:
    """What there is to know of each sheet; of one that only calamine can read, that its formats are not known."""
    try:
        book = xlrd.open_workbook(str(path), formatting_info=True, ragged_rows=True, logfile=io.StringIO())
        shown = [_shown(book.format_map[style.format_key].format_str) for style in book.xf_list]
        notes = {sheet.name: _notes(sheet, shown) for sheet in book.sheets()}
    except Exception:  # over damaged files xlrd raises whatever comes, and calamine may still read them
        return lambda _: Notes(formats_known=False)
    return lambda name: notes.get(name, Notes(formats_known=False))


def _shown(code: str) -> Show | None:
    return None if date_parts(code) else number_format(code)


def _notes(sheet: xlrd.sheet.Sheet, shown: list[Show | None]) -> Notes:
    notes = Notes()
    notes.hidden.extend(row + 1 for row, info in sorted(sheet.rowinfo_map.items()) if info.hidden or info.height == 0)
    for row in range(sheet.nrows):
        values, kinds = sheet.row_values(row), sheet.row_types(row)
        for place, (value, kind) in enumerate(zip(values, kinds, strict=True)):
            if kind == xlrd.XL_CELL_ERROR:
                notes.errors.append((row + 1, place, xlrd.error_text_from_code.get(value, "#N/A")))
            elif kind == xlrd.XL_CELL_NUMBER:
                show = shown[sheet.cell_xf_index(row, place)]
                if show is not None and show(value) != stored_text(value):
                    notes.add_format([row + 1], place, AS_STORED)
    return notes
