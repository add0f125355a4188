"""Refuse, in one sentence, what cannot be a recipient file: missing, a folder, empty, a picture, another format."""

from pathlib import Path
from typing import Final

from campaigns.errors import InputError
from campaigns.input_file import existing_file

TEXT_ENDINGS: Final = (".csv", ".tsv", ".txt")
WORKBOOK_ENDINGS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
ENDINGS: Final = (*TEXT_ENDINGS, *WORKBOOK_ENDINGS)
ALL_ENDINGS: Final = ".csv, .tsv, .txt, .xlsx, .xlsm, .xlsb, .xls and .ods"

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of .xls, and of any workbook with a password
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")  # the container of .xlsx and .ods
STRANGERS: Final = (  # how the files begin that bear a table's name by mistake
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"II*\0", "a picture (TIFF)"),
    (b"MM\0*", "a picture (TIFF)"),
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"7z\xbc\xaf", "a compressed file (7-Zip)"),
    (b"Rar!", "a compressed file (RAR)"),
    (b"SQLite format 3", "a database (SQLite)"),
)
PAGES: Final = (b"<!doctype html", b"<html", b"<?xml", b"<table")


def check_file(path: Path) -> str:
    """The ending of a file that may be a recipient file, in lower case."""
    try:
        _check_place(path)
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        fix = "Allow reading it, or close the program that holds it." if isinstance(error, PermissionError) else ""
        raise InputError(
            f"{path.name} cannot be read: {(error.strerror or 'unknown reason').lower()}.", fix=fix
        ) from error
    if not start:
        raise InputError(f"{path.name} is empty: 0 recipients.", fix="Give a file with a header and rows.")
    _check_content(path, start)
    return path.suffix.lower()


def _check_place(path: Path) -> None:
    existing_file(path, fix="campaigns check {path}", otherwise=f"Give a file: {ALL_ENDINGS} can be read.")
    if not path.is_file():
        raise InputError(f"{path.name} is a pipe or a device, which can be read only once.", fix="Give a file on disk.")
    if path.suffix.lower() not in ENDINGS:
        ending = f'ends in "{path.suffix}"' if path.suffix else "has no ending"
        raise InputError(f"{path.name} {ending}: no recipient file.", fix=f"{ALL_ENDINGS} can be read.")


def _check_content(path: Path, start: bytes) -> None:
    if kind := _stranger(start):
        raise InputError(
            f"{path.name} is {kind}, not a table.", fix="Save the list as .csv or .xlsx and give that file."
        )
    is_workbook = start.startswith((OLE, *ZIP))
    if path.suffix.lower() in TEXT_ENDINGS and is_workbook:
        kind = ".xls" if start.startswith(OLE) else ".xlsx"
        raise InputError(
            f"{path.name} is a workbook or an archive, not text.",
            fix=f"If it is a workbook, rename it to {path.with_suffix(kind).name}; if an archive, unpack it.",
        )
    if path.suffix.lower() in WORKBOOK_ENDINGS and not is_workbook:
        raise InputError(
            f"{path.name} is not a workbook.",
            fix=f"If it is text, rename it to {path.with_suffix('.csv').name}; else open it in Excel and save it anew.",
        )


def _stranger(start: bytes) -> str | None:
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "a picture (WebP)"
    if start[4:8] == b"ftyp":
        return "a picture or film (HEIC, MP4)"
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(PAGES):
        return "a web page or XML document"
    return next((kind for beginning, kind in STRANGERS if start.startswith(beginning)), None)
