"""Read a phone number as people write it into E.164, or say why it cannot be used (rules of `phonenumbers`)."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

import phonenumbers
import pyarrow as pa
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

from campaigns.errors import InputError
from campaigns.model import Msisdn, SkipReason
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

SCIENTIFIC: Final = re.compile(r"\+?(\d+(?:[.,](\d+))?)[eE]\+?(\d{1,2})")
DECIMAL: Final = re.compile(r"(\+?\d+)[.,]0+")
BETWEEN_NUMBERS: Final = re.compile(
    r"[/;,|&\r\n]|\s[-–—]\s|\s(?:och|eller|el\.?|and|or|og|ja|tai|und|oder)\s", re.IGNORECASE
)
#: no-break, thin and other spaces become plain ones; what has no width goes (zero-width, bidi marks, soft hyphen)
SPACES: Final = {
    code: " " if unicodedata.category(chr(code)) == "Zs" else None
    for code in (
        0xA0,
        0xAD,
        0x1680,
        *range(0x2000, 0x2010),
        *range(0x202A, 0x2030),
        *range(0x205F, 0x2070),
        0x3000,
        0xFEFF,
    )
}


def read_numbers(phones: pa.Array, region: str, *, allow_landline: bool = False) -> pa.Table:
    """What `read_number` says of a column of cells, as columns `number` (E.164 digits), `reason` and `detail`."""
    encoded = phones.dictionary_encode()
    results = [read_number(text, region, allow_landline=allow_landline) for text in encoded.dictionary.to_pylist()]
    return pa.table(
        {
            "number": pa.array([int(result.number[1:]) if result.number else None for result in results], pa.int64()),
            "reason": pa.array([result.reason and result.reason.value for result in results], pa.string()),
            "detail": pa.array([result.detail or None for result in results], pa.string()),
        }
    ).take(encoded.indices)


def read_number(text: str, region: str, *, allow_landline: bool = False) -> NumberResult:
    """The number in a cell, national ones read as those of `region` (a code that `check_region` gave).

    Only numbers that may be mobile ones are taken, unless `allow_landline` takes every valid one.
    """
    plain = _plain(text)
    if not plain:
        return NumberResult(None, SkipReason.MISSING, "the cell is empty")
    if SCIENTIFIC.fullmatch(plain):
        return NumberResult(None, SkipReason.DIGITS_LOST, "rounded by a spreadsheet program, so its digits are lost")
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


def country_of(number: Msisdn) -> str:
    """ISO 3166 code of a number's country, "" where it belongs to none."""
    for length in (1, 2, 3):  # no country code is the beginning of another
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(number[1 : 1 + length] or 0), ())
        if len(regions) > 1:
            return _country_among_several(number)
        if regions:
            return "" if regions[0] == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else regions[0]
    return ""


@lru_cache(maxsize=65_536)
def _country_among_several(number: Msisdn) -> str:
    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""


def _plain(text: str) -> str:
    """The text without what spreadsheets and phone books put around a number."""
    plain = text.translate(SPACES).strip().lstrip("'’`´").strip()
    if whole := DECIMAL.fullmatch(plain):
        return whole[1]
    if (power := SCIENTIFIC.fullmatch(plain)) and len(power[2] or "") >= int(power[3]):
        return str(int(Decimal(plain.replace(",", "."))))  # all digits are there: 4.6701740605E+10
    return plain


def _numbers_in(plain: str, region: str) -> int:
    """How many numbers stand in the text, 0 unless there are several and each is a number by itself."""
    parts = [part for part in BETWEEN_NUMBERS.split(plain) if part.strip()] if BETWEEN_NUMBERS.search(plain) else []
    return len(parts) if len(parts) > 1 and all(_is_number(part, region) for part in parts) else 0


def _is_number(text: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except NumberParseException:
        return False


def _judge(plain: str, number: PhoneNumber, region: str, allow_landline: bool) -> NumberResult:
    kind = phonenumbers.number_type(number)  # UNKNOWN exactly when the number is not valid
    if kind in MOBILE_TYPES or (allow_landline and kind in OTHER_TYPES):
        return NumberResult(_e164(number), None, "")
    if kind in OTHER_TYPES:
        return NumberResult(None, SkipReason.NOT_MOBILE, OTHER_TYPES[kind])
    if phonenumbers.is_emergency_number(plain, region):
        return NumberResult(None, SkipReason.EMERGENCY, "an emergency number")
    place = _place(number, region)
    if length := LENGTHS.get(phonenumbers.is_possible_number_with_reason(number)):
        return _refused(plain, length[0], f"{length[1]} for {place}", region)
    for_mobile = phonenumbers.is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE)
    detail = f"{LENGTHS[for_mobile][1]} for {place}" if for_mobile in LENGTHS else f"no number in {place}"
    return _refused(plain, SkipReason.INVALID, detail, region)


def _e164(number: PhoneNumber) -> Msisdn:
    return Msisdn(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def _place(number: PhoneNumber, region: str) -> str:
    """The region that the number claims to be of, in words."""
    code = number.country_code or 0
    if code == phonenumbers.country_code_for_region(region):
        return f"region {region}"
    main = phonenumbers.region_code_for_country_code(code)
    return f"region {main}" if main.isalpha() else f"country code +{code}"


def _refused(plain: str, reason: SkipReason, detail: str, region: str) -> NumberResult:
    """The reason, unless the cell shows a better one: two numbers side by side, or a letter among the digits."""
    words = plain.split()
    splits = ((" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words)))
    if any(_is_number(left, region) and _is_number(right, region) for left, right in splits):
        return NumberResult(None, SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell")
    letters = [character for character in plain if character.isalpha()]
    if not letters or sum(map(str.isdecimal, plain)) <= len(letters):
        return NumberResult(None, reason, detail)
    return NumberResult(
        None, reason, f'"{letters[0]}" is no digit' if len(letters) < 3 else "there are words beside it"
    )
