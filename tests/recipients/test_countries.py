"""The country of a number is the one that `phonenumbers` names, for whole columns at once."""

import random
from collections.abc import Iterator

import phonenumbers
import pyarrow as pa
import pytest
from phonenumbers import PhoneNumberType

from campaigns.recipients.countries import countries_of

SHARED = sorted(code for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() if len(regions) > 1)


@pytest.mark.parametrize(
    ("digits", "country"),
    [
        ("46701740605", "SE"),
        ("4740612345", "NO"),
        ("4779123456", "SJ"),
        ("12025550123", "US"),
        ("14165550123", "CA"),
        ("77011234567", "KZ"),
        ("447797712345", "JE"),
        ("358412345678", "FI"),
        ("447400123456", "GB"),
        ("80012345678", ""),
        ("999123", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_number_has_its_country(digits: str | None, country: str) -> None:
    assert countries_of(pa.array([digits], pa.string())) == [country]


def test_every_example_of_every_region_has_its_region() -> None:
    found = countries_of(pa.array([digits for digits, _ in _examples()]))
    assert found == [region for _, region in _examples()]


@pytest.mark.parametrize("code", SHARED)
def test_a_country_code_of_several_countries_is_told_apart_as_phonenumbers_does(code: int) -> None:
    chance = random.Random(code)
    examples = [digits for digits, _ in _examples() if digits.startswith(str(code))]
    numbers = [_changed(chance.choice(examples), chance) for _ in range(300)]
    assert countries_of(pa.array(numbers)) == [_country(digits) for digits in numbers]


def _examples() -> Iterator[tuple[str, str]]:
    """A number of each type of each region, and the region that `phonenumbers` names for it."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in PhoneNumberType.values():
            if number := phonenumbers.example_number_for_type(region, kind):
                digits = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
                yield digits, _country(digits)


def _country(digits: str) -> str:
    return phonenumbers.region_code_for_number(phonenumbers.parse(f"+{digits}")) or ""


def _changed(digits: str, chance: random.Random) -> str:
    """The same number with some of its last digits, seldom all, made up anew."""
    kept = chance.randint(4, len(digits))
    return digits[:kept] + "".join(chance.choice("0123456789") for _ in digits[kept:])
