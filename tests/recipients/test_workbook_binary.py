"""A binary workbook (.xlsb), written here record by record, is read as its .xlsx would be."""

import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from campaigns.errors import InputError
from campaigns.recipients import Layout, open_recipients

RELATIONS = """<?xml version="1.0"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="{}"/>
</Relationships>"""
NA = 0x2A


def record(kind: int, body: bytes = b"") -> bytes:
    codes = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(body)
    sizes = bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])
    return codes + sizes + body


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode("utf-16-le")


def cell(place: int, value: str | float | bool | None) -> bytes:
    head = struct.pack("<II", place, 0)
    if isinstance(value, str):
        return record(6, head + text(value))
    if isinstance(value, bool):
        return record(4, head + bytes([value]))
    return record(3, head + bytes([NA])) if value is None else record(5, head + struct.pack("<d", value))


def sheet(rows: dict[int, list[str | float | bool | None]], hidden: int) -> Iterator[bytes]:
    yield record(129)
    yield record(148, struct.pack("<4I", 0, max(rows) - 1, 0, 3))
    yield record(145)
    for row, values in rows.items():
        flags = 0x10 if row == hidden else 0
        yield record(0, struct.pack("<IIHBBBI", row - 1, 0, 300, 0, flags, 0, 0))
        yield from (cell(place, value) for place, value in enumerate(values))
    yield record(146)
    yield record(176, struct.pack("<4I", 1, 2, 3, 3))
    yield record(130)


def save(path: Path, rows: dict[int, list[str | float | bool | None]], hidden: int = 0) -> Path:
    book = [
        record(131), record(143), record(156, struct.pack("<II", 0, 1) + text("rId1") + text("Besökare")), record(144),
        record(132),
    ]  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", RELATIONS.format("officeDocument", "xl/workbook.bin"))
        archive.writestr("xl/workbook.bin", b"".join(book))
        archive.writestr("xl/_rels/workbook.bin.rels", RELATIONS.format("worksheet", "worksheets/sheet1.bin"))
        archive.writestr("xl/worksheets/sheet1.bin", b"".join(sheet(rows, hidden)))
    return path


def test_a_binary_workbook_tells_hidden_rows_errors_merges_and_what_it_cannot_know(
    tmp_path: Path, read: Callable
) -> None:
    rows = {
        1: ["Namn", "Mobil", "Rabatt", "Stad"], 2: ["Åsa", "070-174 06 05", 0.2, "Örebro"],
        3: ["Bo", 46701740606.0, None], 4: ["Eva", "070-174 06 07", 12.0, True],
    }  # fmt: skip
    path = save(tmp_path / "lista.xlsb", rows, hidden=4)
    table = read(path)
    assert table.describe == 'lista.xlsb: sheet "Besökare", header in row 1, numbers in "Mobil", region SE'
    assert table.cells == [
        ["Åsa", "070-174 06 05", "0.2", "Örebro"],
        ["Bo", "46701740606", "", "Örebro"],
        ["Eva", "070-174 06 07", "12", "TRUE"],
    ]
    problems = [problem for chunk in open_recipients(path, Layout()).chunks() for problem in chunk.problems]
    assert [(each.row, each.column, each.reason) for each in problems] == [
        (2, "Rabatt", "as_stored"), (3, "Rabatt", "error_cell"), (3, "Stad", "merged_cell"), (4, None, "hidden_row"),
    ]  # fmt: skip


def test_a_binary_workbook_with_cells_far_apart_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "lista.xlsb", {1: ["Mobil"], 1_048_576: [""] * 500})
    with pytest.raises(InputError, match="has cells as far out as row 1,048,576, column 500"):
        open_recipients(path, Layout())
