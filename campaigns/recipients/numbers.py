"""Read a phone number as people write it into E.164, or say why it cannot be used (rules of `phonenumbers`)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from campaigns.errors import InputError
from campaigns.model import Msisdn, SkipReason
from campaigns.recipients.first_digits import Flags, Ints, Numbers
from campaigns.recipients.numbering import UNKNOWN, fewest_digits, is_short
from campaigns.recipients.outcomes import Outcomes
from campaigns.recipients.shapes import NOT_JUDGED, judge, plain_cells
from campaigns.recipients.writing import BETWEEN_NUMBERS, BREAK, BREAK_OR_DASH, SCIENTIFIC, plain_column, plain_text
from campaigns.spelling import nearest


@dataclass(frozen=True, slots=True)
class NumberResult:
    """A number that may get a message, or the reason why the text is none; never both."""

    number: Msisdn | None
    reason: SkipReason | None
    detail: str  #: one sentence for people; may also stand beside a number; "" when there is nothing to say


MOBILE_TYPES: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
OTHER_TYPES: Final = {
    PhoneNumberType.FIXED_LINE: "a land line",
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.VOIP: "an internet telephone",
    PhoneNumberType.PERSONAL_NUMBER: "a personal number that forwards calls",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.UAN: "a company number",
    PhoneNumberType.VOICEMAIL: "a voice mailbox",
}
PARSE_ERRORS: Final = {  # by the error_type of `phonenumbers`
    NumberParseException.INVALID_COUNTRY_CODE: (SkipReason.INVALID, "no country has this country code"),
    NumberParseException.NOT_A_NUMBER: (SkipReason.INVALID, "not a phone number"),
    NumberParseException.TOO_SHORT_AFTER_IDD: (SkipReason.TOO_SHORT, "too few digits after the country code"),
    NumberParseException.TOO_SHORT_NSN: (SkipReason.TOO_SHORT, "too few digits"),
    NumberParseException.TOO_LONG: (SkipReason.TOO_LONG, "more digits than any phone number has"),
}
LENGTHS: Final = {
    ValidationResult.TOO_SHORT: (SkipReason.TOO_SHORT, "too few digits"),
    ValidationResult.TOO_LONG: (SkipReason.TOO_LONG, "too many digits"),
}
REGION_SLIPS: Final = {
    "UK": "GB",
    "EN": "GB",
    "EL": "GR",
    "DA": "DK",
    "SW": "SE",
    "SWE": "SE",
    "NOR": "NO",
    "DNK": "DK",
}

LONGEST_WRAPPED: Final = 200  #: bytes of a cell whose wrapping is taken off together with that of others
GAP: Final = re.compile(r"\s+|\s*[-‐-―]\s*|(?=\+)")  #: where a second number may begin
EMERGENCY: Final = "an emergency number"
MOST_EMERGENCY_DIGITS: Final = 6
HINT_DIGITS: Final = 10  #: a number with so many may be one of another country without its plus sign


def read_numbers(phones: pa.Array, region: str, *, allow_landline: bool = False) -> pa.Table:
    """What `read_number` says of a column of cells, as columns `number` (E.164 digits), `reason` and `detail`.

    Cells that are plainly written, or are so once their wrapping is off, are judged together, the rest one by one.
    """
    outcomes = Outcomes(len(phones))
    _settle_plain(outcomes, phones, region, allow_landline)
    _settle_wrapped(outcomes, phones, region, allow_landline)
    left = outcomes.left()
    encoded = phones.take(left).dictionary_encode()
    results = [read_number(text, region, allow_landline=allow_landline) for text in encoded.dictionary.to_pylist()]
    which = encoded.indices.to_numpy()
    outcomes.settle(left, [(result.reason, result.detail) for result in results], which)
    numbers = np.array([int(result.number[1:]) if result.number else 0 for result in results], np.int64)
    outcomes.accept(left[numbers[which] > 0], numbers[which][numbers[which] > 0])
    return outcomes.table()


def read_number(text: str, region: str, *, allow_landline: bool = False) -> NumberResult:
    """The number in a cell, national ones read as those of `region` (a code that `check_region` gave).

    Only numbers that may be mobile ones are taken, unless `allow_landline` takes every valid one.
    """
    plain = plain_text(text)
    if not plain:
        return NumberResult(None, SkipReason.MISSING, "the cell is empty")
    if SCIENTIFIC.fullmatch(plain):
        return NumberResult(None, SkipReason.DIGITS_LOST, "rounded by a spreadsheet program, so its digits are lost")
    if sum(map(str.isdecimal, plain)) <= MOST_EMERGENCY_DIGITS and phonenumbers.is_emergency_number(plain, region):
        return NumberResult(None, SkipReason.EMERGENCY, EMERGENCY)
    if count := _numbers_in(plain, region):
        return NumberResult(None, SkipReason.SEVERAL_NUMBERS, f"{count} numbers in one cell")
    try:
        number = phonenumbers.parse(plain, region)
    except NumberParseException as error:
        return _refused(plain, *PARSE_ERRORS[error.error_type], region)
    return _judge(plain, number, region, allow_landline)


def check_region(region: str) -> str:
    """The region code in capitals; an InputError names the nearest where there is no such region."""
    code = region.strip().upper()
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    near = REGION_SLIPS.get(code) or nearest(code, sorted(phonenumbers.SUPPORTED_REGIONS))
    fix = f"Write {near}." if near else "Write the two letters of the country, such as SE, NO, DK, FI or DE."
    raise InputError(f'"{region}" is no region.', fix=fix)


def _settle_plain(outcomes: Outcomes, phones: pa.Array, region: str, allow_landline: bool) -> None:
    """The cells that are plainly written, but for those that a closer look may tell more of."""
    cells = plain_cells(phones)
    judged = judge(cells.numbers, cells.has_plus, region)
    is_good = _is_good(judged.kinds, allow_landline)
    outcomes.accept(cells.rows[is_good], judged.e164[is_good])
    bad = np.flatnonzero(~is_good & (judged.kinds != NOT_JUDGED))
    kinds, codes, national = judged.kinds[bad], judged.codes[bad], judged.national.at(bad)
    with_plus = _codes_with_plus(cells.numbers.at(bad), cells.has_plus[bad], region)
    may_be_two = _may_be_two(phones.take(cells.rows[bad]), region)
    may_be_short = (codes == phonenumbers.country_code_for_region(region)) & (is_short(region)(national) == 1)
    is_sure = (with_plus != NOT_JUDGED) & ((kinds != UNKNOWN) | ~(may_be_two | may_be_short))
    facts = np.stack([kinds, codes, national.lengths, with_plus])[:, is_sure]
    distinct, which = np.unique(facts, axis=1, return_inverse=True)
    reasons = [_why_refused(*map(int, fact), region) for fact in distinct.T]
    outcomes.settle(cells.rows[bad[is_sure]], reasons, which.reshape(-1))


def _settle_wrapped(outcomes: Outcomes, phones: pa.Array, region: str, allow_landline: bool) -> None:
    """The cells that hold a valid number once their wrapping is off, and those of two plain ones."""
    left = outcomes.left()
    texts = phones.take(left)
    is_worth_it = pc.less_equal(pc.binary_length(texts), LONGEST_WRAPPED)
    left, texts = left[is_worth_it.to_numpy(zero_copy_only=False)], texts.filter(is_worth_it)
    starts_plainly = pc.match_substring_regex(texts, r"^[+0-9(]").to_numpy(zero_copy_only=False)
    texts, is_two = _without_breaks(plain_column(texts), region)
    outcomes.settle(left[is_two & starts_plainly], [(SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell")])
    cells = plain_cells(texts, has_decimals=False)
    judged = judge(cells.numbers, cells.has_plus, region)
    is_good = _is_good(judged.kinds, allow_landline)
    outcomes.accept(left[cells.rows[is_good]], judged.e164[is_good])


def _without_breaks(texts: pa.Array, region: str) -> tuple[pa.Array, Flags]:
    """The texts with spaces for slashes and dashes within a number; and which are two numbers, with a break between."""
    parts = pc.split_pattern_regex(texts, BREAK, max_splits=1)
    places = np.flatnonzero(pc.greater(pc.list_value_length(parts), 1).to_numpy(zero_copy_only=False))
    beginnings, endings = (pc.list_element(parts.take(places), part) for part in (0, 1))
    first = _are_plain_numbers(beginnings, region)
    is_two, has_break = np.zeros((2, len(texts)), np.bool_)
    is_two[places] = first & _are_plain_numbers(endings, region)
    has_break[places[first]] = True
    has_break[places[~first]] = _are_numbers(beginnings.filter(pa.array(~first)), region)
    return pc.if_else(pa.array(has_break), texts, pc.replace_substring_regex(texts, BREAK_OR_DASH, " ")), is_two


def _are_plain_numbers(texts: pa.Array, region: str) -> Flags:
    """Which texts are plainly written and valid numbers of any kind."""
    cells = plain_cells(texts, has_decimals=False)
    are_numbers = np.zeros(len(texts), np.bool_)
    are_numbers[cells.rows] = _is_good(judge(cells.numbers, cells.has_plus, region).kinds, allow_landline=True)
    return are_numbers


def _are_numbers(texts: pa.Array, region: str) -> Flags:
    """Which texts are valid numbers of any kind, asked of each: most are area codes, which come again."""
    encoded = texts.dictionary_encode()
    are_numbers = np.array([_is_number(text, region) for text in encoded.dictionary.to_pylist()], np.bool_)
    flags: Flags = are_numbers[encoded.indices.to_numpy()]
    return flags


def _is_good(kinds: Ints, allow_landline: bool) -> Flags:
    good: Flags = kinds == PhoneNumberType.MOBILE
    return (kinds != UNKNOWN) & (kinds != NOT_JUDGED) if allow_landline else good


def _codes_with_plus(numbers: Numbers, has_plus: Flags, region: str) -> Ints:
    """The country codes of what would be mobile numbers with a plus sign in front; 0 for others, or NOT_JUDGED."""
    codes = np.zeros(len(has_plus), np.int64)
    asked = np.flatnonzero(~has_plus & (numbers.lengths >= HINT_DIGITS) & (numbers.first(1) > 0))
    if not len(asked):
        return codes
    judged = judge(numbers.at(asked), np.ones(len(asked), np.bool_), region)
    codes[asked] = np.where(judged.kinds == PhoneNumberType.MOBILE, judged.codes, 0)
    codes[asked[(judged.kinds == NOT_JUDGED) & (judged.codes > 0)]] = NOT_JUDGED
    return codes


def _may_be_two(texts: pa.Array, region: str) -> Flags:
    """Which texts have a space or a dash with enough digits for a number before it, and behind it."""
    fewest = fewest_digits(region)
    pattern = f"^(?:[^0-9]*[0-9]){{{fewest}}}.*[ -](?:[^0-9]*[0-9]){{{fewest}}}"
    flags: Flags = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return flags


@lru_cache(maxsize=4096)
def _why_refused(kind: int, code: int, length: int, with_plus: int, region: str) -> tuple[SkipReason, str]:
    """The reason for a number of this kind, country code and length.

    `with_plus` is the country code that the digits would have as a mobile number with a plus sign in front, or 0.
    """
    hint = f'; with "+" in front it would be a mobile number of country code +{with_plus}' if with_plus else ""
    if kind in OTHER_TYPES:
        return SkipReason.NOT_MOBILE, OTHER_TYPES[kind] + hint
    number = PhoneNumber(country_code=code, national_number=10 ** (length - 1))
    place = _place(code, region)
    if found := LENGTHS.get(phonenumbers.is_possible_number_with_reason(number)):
        return found[0], f"{found[1]} for {place}{hint}"
    for_mobile = phonenumbers.is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE)
    detail = f"{LENGTHS[for_mobile][1]} for {place}" if for_mobile in LENGTHS else f"no number in {place}"
    return SkipReason.INVALID, detail + hint


def _numbers_in(plain: str, region: str) -> int:
    """How many numbers stand in the text, 0 unless there are several and each is a number by itself."""
    parts = [part for part in BETWEEN_NUMBERS.split(plain) if part.strip()] if BETWEEN_NUMBERS.search(plain) else []
    return len(parts) if len(parts) > 1 and all(_is_number(part, region) for part in parts) else 0


@lru_cache(maxsize=4096)
def _is_number(text: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except NumberParseException:
        return False


def _judge(plain: str, number: PhoneNumber, region: str, allow_landline: bool) -> NumberResult:
    kind = phonenumbers.number_type(number)  # UNKNOWN exactly when the number is not valid
    if kind in MOBILE_TYPES or (allow_landline and kind in OTHER_TYPES):
        return NumberResult(_e164(number), None, "")
    code, national = number.country_code or 0, phonenumbers.national_significant_number(number)
    reason, detail = _why_refused(kind, code, len(national), _code_with_plus(plain), region)
    if kind in OTHER_TYPES:
        return NumberResult(None, reason, detail)
    is_at_home = code == phonenumbers.country_code_for_region(region)
    if is_at_home and len(national) <= MOST_EMERGENCY_DIGITS and phonenumbers.is_emergency_number(national, region):
        return NumberResult(None, SkipReason.EMERGENCY, EMERGENCY)
    if phonenumbers.is_valid_short_number_for_region(number, region):
        return NumberResult(None, SkipReason.NOT_MOBILE, "a short number")
    return _refused(plain, reason, detail, region)


def _e164(number: PhoneNumber) -> Msisdn:
    return Msisdn(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def _code_with_plus(plain: str) -> int:
    """The country code of the mobile number that the text would be with a plus sign in front; 0 for none."""
    if "+" in plain or any(map(str.isalpha, plain)):
        return 0
    digits = phonenumbers.normalize_digits_only(plain)
    if len(digits) < HINT_DIGITS or digits[0] == "0":
        return 0
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException:
        return 0
    return number.country_code or 0 if phonenumbers.number_type(number) in MOBILE_TYPES else 0


def _place(code: int, region: str) -> str:
    """The region of a country code, in words."""
    if code == phonenumbers.country_code_for_region(region):
        return f"region {region}"
    main = phonenumbers.region_code_for_country_code(code)
    return f"region {main}" if main.isalpha() else f"country code +{code}"


def _refused(plain: str, reason: SkipReason, detail: str, region: str) -> NumberResult:
    """The reason, unless the cell shows a better one: two numbers side by side, or a letter among the digits."""
    gaps = GAP.finditer(plain) if len(plain) <= LONGEST_WRAPPED else ()
    splits = ((plain[: gap.start()], plain[gap.end() :]) for gap in gaps)
    if any(_is_number(left, region) and _is_number(right, region) for left, right in splits):
        return NumberResult(None, SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell")
    letters = [character for character in plain if character.isalpha()]
    if not letters or sum(map(str.isdecimal, plain)) <= len(letters):
        return NumberResult(None, reason, detail)
    return NumberResult(
        None, reason, f'"{letters[0]}" is no digit' if len(letters) < 3 else "there are words beside it"
    )
