"""A column of numbers is judged as `phonenumbers` itself judges each text, in many regions, however it is written."""

import random
from collections.abc import Sequence
from typing import Final

import phonenumbers
import pyarrow as pa
import pytest
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from campaigns.model import SkipReason
from campaigns.recipients.numbers import OTHER_TYPES, read_number, read_numbers
from campaigns.recipients.writing import plain_text

REGIONS: Final = (
    "SE", "NO", "DK", "FI", "DE", "GB", "US", "CA", "FR", "IT", "ES", "NL", "BE", "AT", "CH", "PL", "CZ", "HU", "RO",
    "PT", "IE", "EE", "LV", "LT", "IS", "GR", "TR", "BR", "AR", "MX", "AU", "NZ", "IN", "JP", "KZ", "RU", "CN", "ZA",
    "AG", "JE",
)  # fmt: skip
TEXTS: Final = 5_200  # in each region, over 200,000 in all
OTHERS: Final = 8  #: regions whose numbers stand beside those of the region itself
MOBILE: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
FORMS: Final = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)
EXAMPLES: Final = {
    region: [
        number
        for kind in PhoneNumberType.values()
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    for region in phonenumbers.SUPPORTED_REGIONS
}
SHORT: Final = ("112", "911", "118118", "72456", "110", "999", "1177", "02800")
FRONT: Final = (
    "0", "00", "+", "++", "(", "8", "1", "011", "tel:", "Tel. ", "Anna ", "Åsa: ", "=", '="', "'", "\t", "(0)", "*31#",
)  # fmt: skip
BACK: Final = (
    "a", " ext 12", " x5", ",,12", ";ext=7", "#", " (Anna)", " hem", ".0", ",0", ".00", "E+10", "0", "00", "\n", " ",
    '"', "/", "-", ")", " / 12", ", 12", ";phone-context=+46", "-FLOWER", " jobb 08-123 456 78",
)  # fmt: skip
INSIDE: Final = (
    " ", "-", ".", "(", ")", "/", " / ", " - ", " – ", "–", "\u00a0", "\u2009", "\u202f", "\u200b", "\u00ad",
    "\u2060", "\u3000", "a", "O", "x", "~", "*", "#", "+", "[", "]", ",", ";", "\t", "\r\n", "E", "é", "（", "＋", "_",
    "|", "&",
    " och ", "  ",
)  # fmt: skip
SCRIPTS: Final = [
    str.maketrans("0123456789", "".join(chr(zero + n) for n in range(10))) for zero in (0xFF10, 0x660, 0x966)
]


@pytest.mark.parametrize("region", REGIONS)
def test_every_text_is_judged_as_phonenumbers_judges_it(region: str) -> None:
    seed = random.randrange(1_000_000)  # pytest-randomly sets it off: -p randomly --randomly-seed=...
    texts = messy_texts(region, random.Random(f"{region} {seed}"))
    for allow_landline in (False, True):
        some = texts[allow_landline::2]
        rows = read_numbers(pa.array(some), region, allow_landline=allow_landline).to_pylist()
        wrong = [
            (text, row) for text, row in zip(some, rows, strict=True) if not is_right(text, row, region, allow_landline)
        ]
        assert not wrong, f"seed {seed}: {len(wrong)} of {len(some)}, such as {wrong[:3]}"


@pytest.mark.parametrize("region", REGIONS)
def test_a_cell_is_told_the_same_in_a_column_as_alone(region: str) -> None:
    seed = random.randrange(1_000_000)
    texts = messy_texts(region, random.Random(f"{seed} {region}"))[: TEXTS // 10]
    rows = read_numbers(pa.array(texts), region).to_pylist()
    for text, row in zip(texts, rows, strict=True):
        alone = read_number(text, region)
        number = None if row["number"] is None else f"+{row['number']}"
        assert (number, row["reason"], row["detail"] or "") == (alone.number, alone.reason, alone.detail), (seed, text)


def is_right(text: str, row: dict[str, object], region: str, allow_landline: bool) -> bool:
    """Whether the outcome is that of `phonenumbers`, which gets the text as it is after our documented extras."""
    asked = plain_text(text)
    number = parsed(asked, region)
    kind = PhoneNumberType.UNKNOWN if number is None else phonenumbers.number_type(number)
    match row["reason"]:
        case None:
            is_wanted = kind in MOBILE or (allow_landline and kind != PhoneNumberType.UNKNOWN)
            return is_wanted and number is not None and row["number"] == e164(number)
        case SkipReason.NOT_MOBILE:
            if kind == PhoneNumberType.UNKNOWN:
                return number is not None and phonenumbers.is_valid_short_number_for_region(number, region)
            return not allow_landline and kind in OTHER_TYPES
        case SkipReason.MISSING:
            return asked == ""
        case SkipReason.DIGITS_LOST:
            return "e" in asked.lower()
        case SkipReason.EMERGENCY:
            return is_emergency(asked, number, region)
        case SkipReason.SEVERAL_NUMBERS:
            return holds_several(asked, region)
    return kind == PhoneNumberType.UNKNOWN


def parsed(text: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def e164(number: PhoneNumber) -> int:
    return int(phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:])


def is_emergency(text: str, number: PhoneNumber | None, region: str) -> bool:
    national = "" if number is None else phonenumbers.national_significant_number(number)
    return phonenumbers.is_emergency_number(text, region) or phonenumbers.is_emergency_number(national, region)


def holds_several(text: str, region: str) -> bool:
    """Whether the text can be cut so that it begins with a valid number, and so that it ends with one."""
    text = " ".join(text.split())
    cuts = [place for place, sign in enumerate(text) if not sign.isalnum()]
    return any(is_valid(text[:cut], region) for cut in cuts) and any(is_valid(text[cut:], region) for cut in cuts)


def is_valid(text: str, region: str) -> bool:
    number = parsed(text, region)
    return number is not None and phonenumbers.is_valid_number(number)


def messy_texts(region: str, chance: random.Random) -> Sequence[str]:
    examples = EXAMPLES[region] * OTHERS
    for other in chance.sample(sorted(EXAMPLES), OTHERS):  # few at a time: Python keeps 512 compiled patterns
        examples += EXAMPLES[other]
    return [messy_text(region, examples, chance) for _ in range(TEXTS)]


def messy_text(region: str, examples: Sequence[PhoneNumber], chance: random.Random) -> str:
    text = number_text(region, examples, chance)
    for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
        text = chance.choice(CHANGES)(text, chance)
    if chance.random() < 0.04:
        text += chance.choice((" ", "/", ";", " - ", " och ", "\n", ", ")) + number_text(region, examples, chance)
    return text


def number_text(region: str, examples: Sequence[PhoneNumber], chance: random.Random) -> str:
    """A valid number of the region or of another, as some people would write it, or a short one."""
    if chance.random() < 0.02:
        return chance.choice(SHORT)
    number = chance.choice(examples)
    national = phonenumbers.national_significant_number(number)
    if chance.random() < 0.5:  # another number beside the example
        digits = list(national)
        for place in range(chance.randrange(len(digits)), len(digits)):
            digits[place] = chance.choice("0123456789")
        national = "".join(digits)
        number = PhoneNumber(
            country_code=number.country_code, national_number=int(national), italian_leading_zero=national[0] == "0"
        )
    match chance.randrange(6):
        case 0:
            return national
        case 1:
            return f"{number.country_code}{national}"
        case 2:
            return phonenumbers.format_out_of_country_calling_number(number, region)
        case form:
            return phonenumbers.format_number(number, FORMS[form - 3])


def with_other_digit(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) or 1)
    return text[:place] + chance.choice("0123456789") + text[place + 1 :]


def with_more(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice("0123456789") * chance.randrange(1, 3) + text[place:]


def with_less(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) or 1)
    return text[:place] + text[place + chance.randrange(1, 4) :]


def with_sign(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice(INSIDE) + text[place:]


def with_front(text: str, chance: random.Random) -> str:
    return chance.choice(FRONT) + text


def with_back(text: str, chance: random.Random) -> str:
    return text + chance.choice(BACK)


def in_other_script(text: str, chance: random.Random) -> str:
    return text.translate(chance.choice(SCRIPTS))


def bare(text: str, chance: random.Random) -> str:
    return "".join(sign for sign in text if sign.isalnum() or sign == "+")


CHANGES: Final = (
    with_other_digit, with_more, with_less, with_sign, with_sign, with_front, with_back, in_other_script, bare,
)  # fmt: skip
