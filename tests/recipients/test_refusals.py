"""What cannot be a recipient file is refused in one sentence that says how to go on."""

import gzip
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from campaigns.errors import ExitStatus, InputError
from campaigns.recipients import Layout, open_recipients

CASES = Path(__file__).parent / "cases"
VISITORS = (CASES / "visitors.xlsx").read_bytes()
OLD_VISITORS = (CASES / "visitors.xls").read_bytes()
LONG_ROW = "lista.csv has a row of 16,385 cells, and a table may have 16,384 columns."


def refusal(path: Path, **layout: str) -> InputError:
    with pytest.raises(InputError) as caught:
        list(open_recipients(path, Layout(**layout)).chunks())
    assert caught.value.exit_status == ExitStatus.USAGE
    return caught.value


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("lista.csv", b"", "lista.csv is empty: 0 recipients."),
        ("lista.csv", b"\xef\xbb\xbf", "lista.csv is empty: 0 recipients."),
        ("lista.csv", b"\n\r\n  \n\t\n", "lista.csv is empty: 0 recipients."),
        ("lista.csv", b"sep=;\n", "lista.csv is empty: 0 recipients."),
        ("lista.csv", b"Namn;Mobil\n", "lista.csv has a header but no rows: 0 recipients."),
        ("lista.csv", b"Namn;Kontakt\r\n;\r\n\r\n", "lista.csv has a header but no rows: 0 recipients."),
        ("lista.csv", b"\x89PNG\r\n\x1a\n\0\0", "lista.csv is a picture (PNG), not a table."),
        ("lista.csv", b"\xff\xd8\xff\xe0\0\x10JFIF", "lista.csv is a picture (JPEG), not a table."),
        ("lista.txt", b"GIF89a\x01\0", "lista.txt is a picture (GIF), not a table."),
        ("lista.tsv", b"RIFF\0\0\0\0WEBPVP8 ", "lista.tsv is a picture (WebP), not a table."),
        ("lista.xlsx", b"%PDF-1.7\n", "lista.xlsx is a PDF document, not a table."),
        ("lista.xls", b"<html><table><tr><td>Mobil", "lista.xls is a web page or XML document, not a table."),
        ("lista.csv", gzip.compress(b"Mobil\n"), "lista.csv is a compressed file (gzip), not a table."),
        ("lista.csv", VISITORS, "lista.csv is a workbook or an archive, not text."),
        ("lista.csv", OLD_VISITORS, "lista.csv is a workbook or an archive, not text."),
        ("lista.xlsx", b"Namn;Mobil\nBo;1\n", "lista.xlsx is not a workbook."),
        ("lista.xlsx", VISITORS[:3000], "lista.xlsx is no workbook, or is damaged or cut short."),
        ("lista.xls", OLD_VISITORS[:5400], "lista.xls is no workbook, or is damaged or cut short."),
        ("lista.ods", VISITORS[:40], "lista.ods is no workbook, or is damaged or cut short."),
        ("lista.docx", b"PK", 'lista.docx ends in ".docx": no recipient file.'),
        ("lista", b"Mobil\n", "lista has no ending: no recipient file."),
        ("lista.csv", b"Namn;Mobil\nA\0sa;070\n", "lista.csv holds NUL bytes, which no table has."),
        ("lista.csv", b'Namn;Mobil\n"A\0sa";070\n', "lista.csv holds NUL bytes, which no table has."),
        ("lista.csv", "Namn;Mobil\nA\0sa;070\n".encode("utf-16"), "lista.csv holds NUL bytes, which no table has."),
        ("lista.csv", bytes(range(1, 256)) * 20, "lista.csv is no text, so no table."),
        ("lista.csv", b"Namn;Mobil\nBo;" + b"x" * 1_000_001, "lista.csv has a cell of over 1 MB."),
        ("lista.csv", b'Namn;Mobil\n"' + b"x\n" * 500_001 + b'";070', "lista.csv has a cell of over 1 MB."),
        ("lista.csv", b"Namn;Mobil\nBo;" + b"x" * (9 << 20), "A row is longer than 4 MB, and a cell may hold 1 MB."),
        ("lista.csv", b"Namn;Mobil\nBo" + b";" * 16_384, LONG_ROW),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_list_says_what_it_is(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = refusal(path)
    assert error.what == what
    assert error.fix


@pytest.mark.parametrize("sheet", [None, "Kunder"])
def test_a_workbook_under_a_password_says_how_to_take_it_off(sheet: str | None) -> None:
    error = refusal(CASES / "locked.xlsx", **({"sheet": sheet} if sheet else {}))
    assert error.what == "locked.xlsx is locked with a password."
    assert error.fix == "In Excel: File, Info, Protect Workbook, Encrypt; clear it and save."


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lista.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lista.csv", "Mobil\n")
    assert refusal(path).what == "lista.xlsx is no workbook, or is damaged or cut short."


def test_a_workbook_is_known_by_its_content(tmp_path: Path, read: Callable) -> None:
    path = tmp_path / "besök.xls"
    shutil.copy(CASES / "visitors.xlsx", path)
    assert read(path).numbering == [4, 5, 7]


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "lista.csv").write_text("Mobil\n")
    (tmp_path / "lista.cvs.bak").write_text("Mobil\n")
    error = refusal(tmp_path / "lista.cvs")
    assert error.what == f"{tmp_path / 'lista.cvs'} does not exist."
    assert error.fix == f"campaigns check {tmp_path / 'lista.csv'}"


@pytest.mark.parametrize("path", ["nowhere/lista.csv", "lista.csv"])
def test_a_missing_file_with_nothing_like_it_names_the_endings(tmp_path: Path, path: str) -> None:
    assert ".xlsx" in refusal(tmp_path / path).fix


def test_a_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "kunder"
    folder.mkdir()
    assert refusal(folder).what == f"{folder} is a folder, not a file."


def test_a_file_that_the_system_will_not_open_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".csv")
    assert refusal(path).what == f"{path} cannot be read: File name too long."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    os.mkfifo(path)
    assert refusal(path).what == "lista.csv is a pipe or a device, which can be read only once."


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('Namn;Mobil\n"Åsa;070-174 06 05\nBo;070-174 06 06\n', 2),
        ('Namn;Mobil\n"Å\nsa";070-174 06 05\n\nBo;"070-174 06 06', 4),
        ('Namn;Mobil\nBo;"070""\n', 2),
    ],
)
def test_a_quotation_mark_that_is_never_closed_names_its_row(tmp_path: Path, text: str, row: int) -> None:
    path = tmp_path / "lista.csv"
    path.write_text(text, encoding="utf-8")
    error = refusal(path)
    assert error.what == "A quotation mark is never closed, so all rows after it would be one cell."
    assert error.where == f"lista.csv, row {row}"


def test_a_file_that_changes_between_opening_and_reading_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text("Mobil\n070-174 06 05\n")
    file = open_recipients(path, Layout())
    path.write_text("Mobil\n070-174 06 06\n")
    with pytest.raises(InputError, match="was changed while it was in use"):
        list(file.chunks())


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text("Mobil\n070-174 06 05\n")
    chunks = open_recipients(path, Layout()).chunks()
    next(chunks)
    path.write_text("Mobil\n070-174 06 06\n")
    with pytest.raises(InputError, match="was changed while it was in use"):
        next(chunks)


def test_an_unknown_region_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    assert refusal(tmp_path / "lista.csv", region="XX").what == '"XX" is no region.'


def test_a_text_file_has_no_sheets(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text("Mobil\n070-174 06 05\n")
    assert refusal(path, sheet="Blad1").fix == "Leave --sheet out."


def test_a_workbook_has_no_encoding_to_choose() -> None:
    error = refusal(CASES / "visitors.xlsx", encoding="cp1252")
    assert error.what == "visitors.xlsx is a workbook and knows its own encoding."
    assert error.fix == "Leave --encoding out."


def test_a_file_that_is_gone_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text("Mobil\n070-174 06 05\n")
    file = open_recipients(path, Layout())
    path.unlink()
    with pytest.raises(InputError, match=r"changed while it was (read|in use)"):
        list(file.chunks())


def test_a_widest_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_bytes(b"Mobil" + b";" * 16_383 + b"x\n070-174 06 05" + b";" * 16_383)
    assert len(open_recipients(path, Layout()).columns) == 16_384
