"""Find the header and the column that holds the phone numbers, by name in six languages or by content."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from campaigns.errors import InputError
from campaigns.recipients.numbers import SPACES, read_number
from campaigns.spelling import nearest

HEADER_ROWS: Final = 20  #: the header stands in one of the first so many rows
MOSTLY: Final = 0.5  #: the share of a column's cells that must be numbers where no name tells

#: names as `_folded` leaves them
MOBILE_NAMES: Final = frozenset({
    # English
    "mobile", "mobilenumber", "mobileno", "mobilephone", "mobilephonenumber", "mobilephoneno", "mobiletelephone",
    "phonemobile", "cell", "cellphone", "cellnumber", "cellphonenumber", "cellular", "cellularphone", "sms",
    "smsnumber", "msisdn",
    # Swedish, Norwegian and Danish
    "mobil", "mobilnummer", "mobilnr", "mobilno", "mobiltelefon", "mobiltelefonnummer", "mobiltelefonnr", "mobiltel",
    "mobiltelnr", "mobiltlf", "mobiltlfnr", "mobilenr", "telefonmobil", "telmobil", "tlfmobil", "mob", "mobnr",
    "mobtel", "mobtlf", "smsnummer", "smsnr", "gsm", "gsmnummer", "gsmnr", "gsmnumber",
    # Finnish
    "matkapuhelin", "matkapuhelinnumero", "matkapuhelinnro", "matkapuh", "kännykkä", "kännykkänumero", "gsmnumero",
    "gsmnro",
    # German
    "handy", "handynummer", "handynr", "mobilfunk", "mobilfunknummer", "mobilrufnummer", "mobilfunkrufnummer",
})  # fmt: skip
PHONE_NAMES: Final = frozenset({
    # English
    "phone", "phonenumber", "phoneno", "phonenr", "telephone", "telephonenumber", "telephoneno", "tel", "telno",
    "telnumber", "contactnumber",
    # Swedish, Norwegian and Danish
    "telefon", "telefonnummer", "telefonnr", "telnr", "telnummer", "kontaktnummer", "kontakttelefon", "tlf", "tlfnr",
    "tlfnummer", "tlfno",
    # Finnish
    "puhelin", "puhelinnumero", "puhelinnro", "puh", "puhnro", "puhnumero",
    # German
    "fon", "fonnummer", "rufnummer",
})  # fmt: skip
PLAIN_NAMES: Final = frozenset({  # so common for other things that the cells must agree
    "number", "numbers", "no", "nr", "num", "nummer", "numret", "numero", "to", "till", "til", "mottagare",
    "mottaker", "modtager", "recipient", "empfänger", "vastaanottaja",
})  # fmt: skip
NAMES: Final = MOBILE_NAMES | PHONE_NAMES | PLAIN_NAMES
NUMBER_LIKE: Final = re.compile(
    r"""['’"=]*(?:tel\b[.:]?\s*)?(?:\+?(?:[\s().,/–-]*\d){5,}[\s().]*|\d+(?:[.,]\d+)?e\+?\d+)"?""", re.IGNORECASE
)
DATE: Final = re.compile(r"\s*\d{4}-\d\d-\d\d\b")  # without its dashes a mobile number in Denmark
NUMERALS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


@dataclass(frozen=True, slots=True)
class Found:
    """What the first rows of a table tell of its columns."""

    header_row: int  #: 0 where there is no header
    columns: tuple[str, ...]  #: unique names, in the order of the file
    candidates: tuple[str, ...]  #: columns that may hold the numbers; settled where there is one
    kind: str  #: "mobile" or "phone" numbers, by the names
    has_numbers: bool  #: whether a candidate shows a mobile number in these rows


def find_columns(head: Sequence[Sequence[str]], phone_column: str | None, region: str) -> Found:
    """Header, columns and candidates for the phone column, of a table whose first rows are `head`."""
    header_row = _header_row(head, phone_column, region)
    columns = _unique(head[header_row - 1] if header_row else [""] * len(head[0]))
    cells = {
        name: [row[place] for row in head[header_row:] if row[place].strip()] for place, name in enumerate(columns)
    }
    if phone_column is not None:
        candidates, kind = _asked_for(phone_column, columns), "mobile"
    else:
        candidates, kind = _by_name(cells, region) if header_row else ((), "mobile")
        candidates = candidates or _by_content(cells, region)
    has_numbers = any(_share(cells[name], region) for name in candidates)
    return Found(header_row, columns, candidates, kind, has_numbers)


def settle(found: Found, phone_column: str | None, place: str) -> str:
    """The one phone column; an InputError where none or several fit. `place` names the file, and the sheet."""
    if len(found.candidates) == 1:
        return found.candidates[0]
    where = f"{place}, row {found.header_row}" if found.header_row else place
    columns = f"Columns: {', '.join(found.columns)}"
    if found.candidates:
        raise InputError(
            f"{_numeral(len(found.candidates))} columns hold {found.kind} numbers: {_listed(found.candidates, 'and')}.",
            where=where,
            fix=_listed(found.candidates, "or", option="--phone-column "),
        )
    if phone_column is None:
        raise InputError(
            f"No column of {place} holds phone numbers.", where=where, fix=f"--phone-column NAME. {columns}"
        )
    near = nearest(phone_column, found.columns)
    advice = f'Write "{near}". ' if near else ""
    raise InputError(f'{place} has no column "{phone_column}".', where=where, fix=advice + columns)


def _header_row(head: Sequence[Sequence[str]], phone_column: str | None, region: str) -> int:
    """The first row with a name of a phone column, else the first that looks like a header; 0 where there is none."""
    rows = head[:HEADER_ROWS]
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    end = next((place for place, row in enumerate(rows) if _has_mobile(row, region)), len(rows))
    if phone_column is not None:
        for place in range(end):
            if any(_same(cell, phone_column) for cell in rows[place]):
                return place + 1
    for place in range(end):
        # Titles fill fewer cells than the header; a row as wide as one above it is data, though a cell says "sms".
        below_titles = len(rows[0]) == 1 or filled[place] > max(filled[:place], default=0)
        if below_titles and any(_stem(cell) in NAMES for cell in rows[place]):
            return place + 1
    return _unnamed_header_row(rows, filled, end, region)


def _unnamed_header_row(rows: Sequence[Sequence[str]], filled: Sequence[int], end: int, region: str) -> int:
    """The first row with two cells above the numbers, or just the first: better to take a title than a person."""
    first = next((place for place, count in enumerate(filled) if count), None)
    if first is None or any(_looks_like_number(cell) or _is_mobile(cell, region) for cell in rows[first]):
        return 0
    wide = (place for place in range(first, end) if filled[place] > 1 and not any(map(_looks_like_number, rows[place])))
    return next(wide, first) + 1


def _has_mobile(row: Sequence[str], region: str) -> bool:
    """Whether a cell is a mobile number and nothing else; a title such as "Questions? Call 070-174 06 05" is none."""
    return any(_looks_like_number(cell) and _is_mobile(cell, region) for cell in row)


def _is_mobile(cell: str, region: str) -> bool:
    long_enough = sum(character.isdecimal() for character in cell) >= 7
    return long_enough and not DATE.match(cell) and read_number(cell, region).number is not None


def _looks_like_number(cell: str) -> bool:
    """Whether a cell is written as a number is, also as one that cannot be used: its row is no header."""
    plain = cell.translate(SPACES).strip()
    return bool(NUMBER_LIKE.fullmatch(plain)) and not DATE.match(plain)


def _unique(header: Sequence[str]) -> tuple[str, ...]:
    """The names of all columns: an empty one by its place, a repeated one with a number behind it."""
    names: dict[str, None] = {}
    for place, cell in enumerate(header, start=1):
        plain = " ".join(cell.replace("\ufeff", "").split()) or f"column {place}"
        again = (f"{plain} {number}" for number in count(2))
        names[plain if plain not in names else next(name for name in again if name not in names)] = None
    return tuple(names)


def _folded(name: str) -> str:
    """Only the letters and digits of a name, in lower case."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFC", name).casefold()))


def _same(name: str, other: str) -> bool:
    return name.strip() == other.strip() or _folded(name) == _folded(other) != ""


def _stem(name: str) -> str:
    return _folded(name).rstrip("0123456789")  # "Mobil 2" is a mobile column too


def _asked_for(phone_column: str, columns: Sequence[str]) -> tuple[str, ...]:
    same = [name for name in columns if name == phone_column]
    return tuple(same or [name for name in columns if _same(name, phone_column)])


def _by_name(cells: Mapping[str, Sequence[str]], region: str) -> tuple[tuple[str, ...], str]:
    """The columns with the best name, and the kind of number that it tells of."""
    for names, kind in ((MOBILE_NAMES, "mobile"), (PHONE_NAMES, "phone"), (PLAIN_NAMES, "phone")):
        fits = [name for name in cells if _stem(name) in names]
        if names is PLAIN_NAMES:
            fits = [name for name in fits if _share(cells[name], region)]
        if len(fits) > 1:
            fits = [name for name in fits if cells[name]] or fits
        if fits:
            return tuple(fits), kind
    return (), "mobile"


def _by_content(cells: Mapping[str, Sequence[str]], region: str) -> tuple[str, ...]:
    """The columns that mostly hold mobile numbers; those written as such (0..., +...) before bare digits."""
    if len(cells) == 1:
        ((name, column),) = cells.items()
        return (name,) if any(_looks_like_number(cell) or _is_mobile(cell, region) for cell in column) else ()
    written = {
        name: [cell for cell in column if cell.lstrip(" '’(")[:1] in ("0", "+")] for name, column in cells.items()
    }
    for shown, least in ((written, MOSTLY), (cells, MOSTLY), (written, 0.0)):
        shares = {name: _share(shown[name], region, of=len(cells[name])) for name in cells}
        if fits := tuple(name for name, share in shares.items() if share and share >= least):
            return fits
    return ()


def _share(column: Sequence[str], region: str, of: int | None = None) -> float:
    """The share of the cells (of `of` cells, where some are left out) that are mobile numbers."""
    return sum(_is_mobile(cell, region) for cell in column) / ((of if of is not None else len(column)) or 1)


def _numeral(number: int) -> str:
    return NUMERALS[number] if number < len(NUMERALS) else str(number)


def _listed(names: Sequence[str], last: str, option: str = "") -> str:
    quoted = [f'{option}"{name}"' for name in names]
    return f" {last} ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))
