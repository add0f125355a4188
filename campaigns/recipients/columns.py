"""Find the header and the column that holds the phone numbers, by name in a dozen languages or by content."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count, islice
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.errors import InputError
from campaigns.model import SkipReason
from campaigns.recipients.numbers import read_numbers
from campaigns.recipients.regions import likely_regions
from campaigns.recipients.writing import SPACES
from campaigns.spelling import nearest
from campaigns.wording import some_of

HEADER_ROWS: Final = 20  #: the header stands in one of the first so many rows
MOSTLY: Final = 0.5  #: the share of a column's cells that must be numbers where no name tells
FEW: Final = 0.1  #: the share of a column's numbers that may be mobile ones where it is one of land lines
MOST_CELLS: Final = 200_000  #: about so many are looked at, so that a file of 16,384 columns takes seconds
MOST_TRIED: Final = 3  #: columns that another region is looked for in, which takes long
FEWEST_DIGITS: Final = 7  #: of a cell that may be a number
LONGEST: Final = 32  #: bytes of such a cell

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
    # French, Spanish, Portuguese and Italian
    "portable", "numéroportable", "telportable", "télportable", "téléphoneportable", "téléphonemobile", "telmobile",
    "numéromobile", "móvil", "movil", "teléfonomóvil", "telefonomovil", "celular", "telemóvel", "telemovel",
    "cellulare", "telefonocellulare", "numerocellulare",
    # Dutch and Polish
    "mobiel", "mobielnummer", "mobielnr", "komórka", "komorka", "telefonkomórkowy", "numerkomórkowy",
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
    # French, Spanish, Portuguese, Italian, Dutch and Polish
    "téléphone", "tél", "numérodetéléphone", "teléfono", "telefono", "númerodeteléfono", "numerodetelefono",
    "telefone", "numerotelefono", "numeroditelefono", "telefoon", "telefoonnummer", "telefoonnr", "numertelefonu",
    "nrtelefonu",
})  # fmt: skip
PLAIN_NAMES: Final = frozenset({  # so common for other things that the cells must agree
    "number", "numbers", "no", "nr", "num", "nummer", "numret", "numero", "numéro", "número", "numer", "to", "till",
    "til", "mottagare", "mottaker", "modtager", "recipient", "empfänger", "vastaanottaja",
})  # fmt: skip
NAMES: Final = MOBILE_NAMES | PHONE_NAMES | PLAIN_NAMES
NUMBER_LIKE: Final = re.compile(
    r"""['’"=]*(?:tel\b[.:]?\s*)?(?:\+?(?:[\s().,/–-]*\d){5,}[\s().]*|\d+(?:[.,]\d+)?e\+?\d+)"?""", re.IGNORECASE
)
DATE: Final = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\b")  # without its dashes a mobile number in Denmark
WORD: Final = re.compile(r"[^\W\d_]+")
NUMERALS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


class Kind(Enum):
    """What a cell holds."""

    NONE = 0
    LAND_LINE = 1  #: or any other number that gets no texts
    MOBILE = 2


@dataclass(frozen=True, slots=True)
class Found:
    """What the first rows of a table tell of its columns."""

    header_row: int  #: 0 where there is no header
    columns: tuple[str, ...]  #: unique names, in the order of the file
    candidates: tuple[str, ...]  #: columns that may hold the numbers; settled where there is one
    kind: str  #: "mobile" or "phone" numbers, by the names
    has_numbers: bool  #: whether a candidate shows a mobile number in these rows
    like_numbers: Sequence[Sequence[str]] = ()  #: where no column is a candidate: the cells of some that look like one


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a column that are not blank, and what each holds."""

    texts: Sequence[str]
    kinds: Sequence[Kind]

    def share(self, begins: str = "") -> float:
        """The share of mobile numbers; with `begins` only those count that begin with one of these characters."""
        mobile = sum(
            kind is Kind.MOBILE and (not begins or text.lstrip(" '’(")[:1] in begins)
            for text, kind in zip(self.texts, self.kinds, strict=True)
        )
        return mobile / (len(self.texts) or 1)

    def is_of_land_lines(self) -> bool:
        """Whether there are numbers, nearly all of them land lines."""
        mobile, land = self.kinds.count(Kind.MOBILE), self.kinds.count(Kind.LAND_LINE)
        return land > 0 and mobile <= FEW * (mobile + land)


def find_columns(head: Sequence[Sequence[str]], phone_column: str | None, region: str) -> Found:
    """Header, columns and candidates for the phone column, of a table whose first rows are `head`."""
    head = head[: max(HEADER_ROWS, MOST_CELLS // len(head[0]))]
    kinds = _kinds(head, region)
    header_row = _header_row(head, kinds, phone_column)
    columns = _unique(head[header_row - 1] if header_row else [""] * len(head[0]))
    cells = {name: _cells(head[header_row:], kinds[header_row:], place) for place, name in enumerate(columns)}
    if phone_column is not None:
        candidates, kind = _asked_for(phone_column, columns), "mobile"
    else:
        candidates, kind = _by_name(cells) if header_row else ((), "mobile")
        candidates = candidates or _by_content(cells)
    has_numbers = any(cells[name].share() for name in candidates)
    like_numbers = () if candidates else list(islice(_like_numbers(cells), MOST_TRIED))
    return Found(header_row, columns, candidates, kind, has_numbers, like_numbers)


def settle(found: Found, phone_column: str | None, region: str, place: str) -> str:
    """The one phone column; an InputError where none or several fit. `place` names the file, and the sheet."""
    if len(found.candidates) == 1:
        return found.candidates[0]
    where = f"{place}, row {found.header_row}" if found.header_row else place
    columns = f"Columns: {some_of(found.columns)}"
    if found.candidates:
        raise InputError(
            f"{_numeral(len(found.candidates))} columns hold {found.kind} numbers: {_listed(found.candidates, 'and')}.",
            where=where,
            fix=_listed(found.candidates, "or", option="--phone-column "),
        )
    if phone_column is None:
        likely = (likely_regions(pa.array(texts), region) for texts in found.like_numbers)
        options = [f"--region {each}" for each in next(filter(None, likely), ())]
        fix = f"{', or '.join([*options, '--phone-column NAME'])}. {columns}"
        raise InputError(f"No column of {place} holds phone numbers.", where=where, fix=fix)
    near = nearest(phone_column, found.columns)
    advice = f'Write "{near}". ' if near else ""
    raise InputError(f'{place} has no column "{phone_column}".', where=where, fix=advice + columns)


def _kinds(head: Sequence[Sequence[str]], region: str) -> Sequence[Sequence[Kind]]:
    """What each cell holds, all cells judged together."""
    cells = pa.array([cell for row in head for cell in row], pa.string())
    may_be = pc.and_(
        pc.and_(
            pc.greater_equal(pc.count_substring_regex(cells, r"\p{Nd}"), FEWEST_DIGITS),
            pc.less_equal(pc.binary_length(cells), LONGEST),
        ),
        pc.invert(pc.match_substring_regex(cells, f"^{DATE.pattern}")),
    )
    kinds = [Kind.NONE] * len(cells)
    judged = read_numbers(cells.filter(may_be), region)
    for place, number, reason in zip(
        pc.indices_nonzero(may_be).to_pylist(), judged["number"].to_pylist(), judged["reason"].to_pylist(), strict=True
    ):
        kinds[place] = Kind.MOBILE if number else Kind.LAND_LINE if reason == SkipReason.NOT_MOBILE else Kind.NONE
    width = len(head[0])
    return [kinds[start : start + width] for start in range(0, len(kinds), width)]


def _cells(rows: Sequence[Sequence[str]], kinds: Sequence[Sequence[Kind]], place: int) -> Cells:
    filled = [(row[place], kind[place]) for row, kind in zip(rows, kinds, strict=True) if row[place].strip()]
    return Cells([text for text, _ in filled], [kind for _, kind in filled])


def _header_row(head: Sequence[Sequence[str]], kinds: Sequence[Sequence[Kind]], phone_column: str | None) -> int:
    """The first row with a name of a phone column, else the first that looks like a header; 0 where there is none."""
    rows = head[:HEADER_ROWS]
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    end = next((place for place, row in enumerate(rows) if _has_mobile(row, kinds[place])), len(rows))
    if phone_column is not None:
        for place in range(end):
            if any(_same(cell, phone_column) for cell in rows[place]):
                return place + 1
    for place in range(end):
        # Titles fill fewer cells than the header; a row as wide as one above it is data, though a cell says "sms".
        below_titles = len(rows[0]) == 1 or filled[place] > max(filled[:place], default=0)
        if below_titles and any(_stem(cell) in NAMES for cell in rows[place]):
            return place + 1
    return _unnamed_header_row(rows, kinds, filled, end)


def _unnamed_header_row(
    rows: Sequence[Sequence[str]], kinds: Sequence[Sequence[Kind]], filled: Sequence[int], end: int
) -> int:
    """The first row with two cells above the numbers, or just the first: better to take a title than a person."""
    first = next((place for place, count in enumerate(filled) if count), None)
    if first is None or Kind.MOBILE in kinds[first] or any(map(_looks_like_number, rows[first])):
        return 0
    wide = (place for place in range(first, end) if filled[place] > 1 and not any(map(_looks_like_number, rows[place])))
    return next(wide, first) + 1


def _has_mobile(row: Sequence[str], kinds: Sequence[Kind]) -> bool:
    """Whether a cell is a mobile number and nothing else; a title such as "Questions? Call 070-174 06 05" is none."""
    return any(kind is Kind.MOBILE and _looks_like_number(cell) for cell, kind in zip(row, kinds, strict=True))


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


def _by_name(cells: Mapping[str, Cells]) -> tuple[tuple[str, ...], str]:
    """The columns with the best name, and the kind of number that it tells of."""
    for names, kind in ((MOBILE_NAMES, "mobile"), (PHONE_NAMES, "phone"), (PLAIN_NAMES, "phone")):
        fits = [name for name, column in cells.items() if _is_named(name, column, names)]
        fits = [name for name in fits if cells[name].texts] or fits
        mobile = [name for name in fits if not cells[name].is_of_land_lines()]
        if fits:
            return tuple(mobile if mobile and any(cells[name].share() for name in mobile) else fits), kind
    return (), "mobile"


def _is_named(name: str, column: Cells, names: frozenset[str]) -> bool:
    """Whether a column has one of the names; where it only has one among other words, its cells must agree."""
    if _stem(name) in names:
        return names is not PLAIN_NAMES or column.share() > 0
    is_among_words = names is MOBILE_NAMES and any(_stem(word) in names for word in WORD.findall(name))
    return is_among_words and column.share() >= MOSTLY


def _by_content(cells: Mapping[str, Cells]) -> tuple[str, ...]:
    """The columns that mostly hold mobile numbers; those written as such (0..., +...) before bare digits."""
    if len(cells) == 1:
        ((name, column),) = cells.items()
        is_one = column.share() > 0 or any(map(_looks_like_number, column.texts))
        return (name,) if is_one else ()
    for begins, least in (("0+", MOSTLY), ("", MOSTLY), ("0+", 0.0)):
        shares = {name: column.share(begins) for name, column in cells.items()}
        if fits := tuple(name for name, share in shares.items() if share and share >= least):
            return fits
    return ()


def _like_numbers(cells: Mapping[str, Cells]) -> Iterator[Sequence[str]]:
    """What is written as a number in each column that mostly is: perhaps the numbers of another region."""
    for column in cells.values():
        texts = [text for text in column.texts if len(text) <= LONGEST and _looks_like_number(text)]
        if texts and len(texts) >= MOSTLY * len(column.texts):
            yield texts


def _numeral(number: int) -> str:
    return NUMERALS[number] if number < len(NUMERALS) else str(number)


def _listed(names: Sequence[str], last: str, option: str = "") -> str:
    quoted = [f'{option}"{name}"' for name in names]
    return f" {last} ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))
