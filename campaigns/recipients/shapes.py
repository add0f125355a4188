"""Judge the cells of a column that are plainly written all at once, as `phonenumbers` would one by one."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import phonenumbers
import pyarrow as pa
from numpy.typing import NDArray

from campaigns.recipients.first_digits import MOST_DIGITS, POWERS, Flags, Ints, Numbers
from campaigns.recipients.numbering import Numbering, kinds_under, numbering

Places = NDArray[np.int32]

FEWEST: Final = 7  #: digits; what is shorter may be a short or an emergency number
NOT_JUDGED: Final = -1  #: where only `phonenumbers` itself can tell
FEWEST_BEHIND_CODE: Final = 2
MOST_BEHIND_CODE: Final = 17
LONGEST: Final = 60  #: bytes
DIGITS: Final = b"0123456789"
GAPS: Final = b" -()."  #: what stands between digits and has no other meaning
IS_DIGIT, IS_PLUS, IS_OTHER = 1, 2, 3
KINDS: Final = bytes(
    IS_DIGIT if byte in DIGITS else IS_PLUS if byte in b"+" else 0 if byte in GAPS else IS_OTHER for byte in range(256)
)
NO_DIGITS: Final = bytes(byte for byte in range(256) if byte not in DIGITS)
CODES: Final = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
#: the country code that a number begins with, by its first three digits; no code is the beginning of another
CODE_OF: Final = np.array(
    [next((int(f"{n:03}"[:k]) for k in (1, 2, 3) if n >= 100 and int(f"{n:03}"[:k]) in CODES), 0) for n in range(1000)]
)
CODE_LENGTHS: Final = np.array([len(str(code)) if code else 0 for code in range(1000)])


@dataclass(frozen=True, slots=True)
class PlainCells:
    """The cells that hold digits, gaps and at most one plus sign in front; all arrays are of one length."""

    rows: Ints  #: where they stand in the column
    numbers: Numbers  #: all their digits
    has_plus: Flags


@dataclass(frozen=True, slots=True)
class Judged:
    """What numbers are; all arrays are of one length, and mean nothing where the kind is NOT_JUDGED."""

    kinds: Ints  #: a PhoneNumberType; UNKNOWN where the number is not valid, MOBILE also where it may be a land line
    codes: Ints  #: country codes
    national: Numbers  #: the digits behind the country code
    e164: Ints


def judge(numbers: Numbers, has_plus: Flags, region: str) -> Judged:
    """What numbers are that were written in `region`, with or without a plus sign in front."""
    home = numbering(region, phonenumbers.country_code_for_valid_region(region))
    rest, is_dialled = home.without_exit_code(numbers)
    is_dialled &= ~has_plus
    numbers = numbers.replaced(is_dialled, rest)
    is_abroad = is_dialled | has_plus
    rest, has_own_code, is_unsure = home.without_country_code(numbers)
    has_own_code &= ~is_abroad
    codes = np.where(is_abroad, CODE_OF[numbers.first(3)], np.where(is_unsure, 0, home.code))
    behind = numbers.without_first(np.where(is_abroad, CODE_LENGTHS[codes], 0)).replaced(has_own_code, rest)
    national = Numbers(behind.values.copy(), behind.lengths.copy())
    judged = Judged(np.full(len(codes), NOT_JUDGED), codes, national, np.zeros(len(codes), np.int64))
    _judge_some(judged, behind, ~(is_abroad | has_own_code) & (codes > 0), home)
    has_code = is_abroad | has_own_code
    for code in np.flatnonzero(np.bincount(codes[has_code], minlength=1)).tolist():
        if code:
            _judge_some(judged, behind, has_code & (codes == code), _main(code))
    return judged


def _judge_some(judged: Judged, numbers: Numbers, members: Flags, rules: Numbering) -> None:
    """Fill in what those numbers are that stand behind the country code of `rules`."""
    places = np.flatnonzero(members)
    national, is_rewritten = rules.national(numbers.at(places))
    sure = ~is_rewritten & (national.lengths >= FEWEST_BEHIND_CODE) & (national.lengths <= MOST_BEHIND_CODE)
    places, national = places[sure], national.at(sure)
    judged.kinds[places] = kinds_under(rules.code, national)
    judged.national.values[places] = national.values
    judged.national.lengths[places] = national.lengths
    judged.e164[places] = national.values + rules.code * POWERS[national.lengths]


def _main(code: int) -> Numbering:
    """The numbering by which `phonenumbers` splits the numbers of a country code."""
    return numbering(phonenumbers.region_code_for_country_code(code), code)


def plain_cells(phones: pa.Array, *, has_decimals: bool = True) -> PlainCells:
    """The plainly written cells of a column of text without nulls; `has_decimals` where 46701740605.0 is none."""
    data, ends = _bytes_of(phones)
    kinds = np.frombuffer(data.translate(KINDS), np.uint8)
    counts = np.zeros(len(data) + 1, np.int32)
    np.cumsum(kinds == IS_DIGIT, out=counts[1:])
    digits, begins = data.translate(None, NO_DIGITS), counts[ends]
    lengths = np.diff(begins)
    is_plain = (lengths >= FEWEST) & (lengths <= MOST_DIGITS) & (np.diff(ends) <= LONGEST)
    is_plain[_rows_of(np.flatnonzero(kinds == IS_OTHER), ends)] = False
    is_plain[_rows_of(_spaced_dashes(data), ends)] = False
    has_plus = _plus_signs(np.flatnonzero(kinds == IS_PLUS), counts, ends, is_plain)
    if has_decimals:
        is_plain &= ~_may_be_decimal(data, digits, ends, begins)
    rows = np.flatnonzero(is_plain)
    texts = pa.StringArray.from_buffers(len(phones), pa.py_buffer(begins), pa.py_buffer(digits))
    values = texts.take(pa.array(rows)).cast(pa.int64()).to_numpy()
    return PlainCells(rows, Numbers(values, lengths[rows].astype(np.int64)), has_plus[rows])


def _bytes_of(phones: pa.Array) -> tuple[bytes, Places]:
    """The bytes of all cells, and where each begins, with the end of the last."""
    _, places, data = phones.buffers()
    ends = np.frombuffer(places, np.int32)[phones.offset : phones.offset + len(phones) + 1]
    first, last = int(ends[0]), int(ends[-1])
    return data.slice(first, last - first).to_pybytes() if last > first else b"", ends - first


def _rows_of(places: Ints, ends: Places) -> Ints:
    """The rows that the bytes at these places belong to."""
    return np.searchsorted(ends, places, side="right") - 1


def _spaced_dashes(data: bytes) -> Ints:
    """Where a dash stands between spaces, as it does between two numbers."""
    content = np.frombuffer(data, np.uint8)
    spaces = content == ord(" ")
    return np.flatnonzero(spaces[:-2] & (content[1:-1] == ord("-")) & spaces[2:]) + 1


def _plus_signs(places: Ints, counts: Places, ends: Places, is_plain: Flags) -> Flags:
    """Which rows have a plus sign; those with one behind a digit or with several are not plain."""
    rows = _rows_of(places, ends)
    has_plus = np.zeros(len(is_plain), np.bool_)
    has_plus[rows] = True
    is_plain[rows[counts[places] != counts[ends[rows]]]] = False
    is_plain[rows[1:][rows[1:] == rows[:-1]]] = False
    return has_plus


def _may_be_decimal(data: bytes, digits: bytes, ends: Places, begins: Places) -> Flags:
    """Which rows have a point and end in 0, as 46701740605.0 does."""
    may_be = np.zeros(len(ends) - 1, np.bool_)
    may_be[_rows_of(np.flatnonzero(np.frombuffer(data, np.uint8) == ord(".")), ends)] = True
    rows = np.flatnonzero(may_be & (np.diff(begins) > 0))
    may_be[rows] = np.frombuffer(digits, np.uint8)[begins[1:][rows] - 1] == ord("0")
    return may_be
