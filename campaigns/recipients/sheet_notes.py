"""What calamine does not tell of a sheet: hidden rows, errors, merged cells, and how its numbers are shown."""

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.parsers import expat

from campaigns.errors import InputError
from campaigns.recipients.archive import too_large
from campaigns.recipients.number_formats import DateParts, Show

Format = Show | DateParts | str  #: a str: why a number is given as it is stored

MOST_ROWS: Final = 2**20  #: of any spreadsheet program
MOST_COLUMNS: Final = 2**14
MOST_CELLS: Final = 40_000_000  #: between A1 and the last cell of a sheet; so many take calamine 1.3 GB


@dataclass(slots=True)
class Notes:
    """About one sheet; rows start at 1, places of columns at 0."""

    hidden: "array[int]" = field(default_factory=lambda: array("l"))
    errors: list[tuple[int, int, str]] = field(default_factory=list)  #: row, place, "#N/A"
    formats: dict[tuple[int, Format], "array[int]"] = field(default_factory=dict)  #: by place and format: the rows
    texts: dict[tuple[int, int], str] = field(default_factory=dict)  #: by row and place: shown instead of the value
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)  #: first row and place, last row and place
    dates: DateParts | None = None  #: how dates are shown that `formats` does not list
    formats_known: bool = True  #: False: any number with decimals may be shown in another way
    height: int = 0  #: the last row that has a value
    width: int = 0

    def add_format(self, rows: Iterable[int], place: int, shown: Format) -> None:
        """Remember how cells of a column are shown; rows come in their order."""
        self.formats.setdefault((place, shown), array("l")).extend(rows)


class Doctype(ValueError):
    """A document type in an XML part: no spreadsheet program writes one, and its entities may be a trap."""


def parse_xml(
    pieces: Iterable[bytes],
    on_start: Callable[[str, Mapping[str, str]], None],
    on_end: Callable[[str], None] | None = None,
    on_text: Callable[[str], None] | None = None,
) -> None:
    """Call back for each element of a part; ValueError where it is not XML."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = on_text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, OverflowError) as error:  # also an unknown encoding, a number too large
        raise ValueError(str(error)) from error


def check_extent(path: Path, notes: Notes) -> None:
    """Refuse a sheet that no spreadsheet program has, or whose cells, empty ones too, would not fit into memory."""
    if notes.width > MOST_COLUMNS:
        raise InputError(
            f"{path.name} has {notes.width:,} columns, more than {MOST_COLUMNS:,}.",
            fix="Give a list with one column for each thing that the text needs.",
        )
    if notes.height > MOST_ROWS or notes.height * notes.width > MOST_CELLS:
        raise too_large(path, f"has cells as far out as row {notes.height:,}, column {notes.width:,}")


def local(name: str) -> str:
    """The name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


def _refuse(*_declaration: object) -> None:
    raise Doctype
