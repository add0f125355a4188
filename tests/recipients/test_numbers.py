"""A cell becomes an E.164 number, or says why it does not."""

import re
from pathlib import Path

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import campaigns
from campaigns.errors import InputError
from campaigns.model import SkipReason
from campaigns.recipients.numbers import check_region, read_number, read_numbers

ANNA = "+46701740605"
GUIDE = Path(campaigns.__file__).parent / "guide" / "numbers.md"
FORMS = re.findall(r"^\| `(.+)` \| (\+\d+) \| (\w+) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    "text",
    [
        "070-174 06 05", "0701740605", "(070) 174 06 05", "070/174 06 05", "070.174.06.05", "070–174 06 05",
        "+46701740605", "+46 (0)70 174 06 05", "+46 070-174 06 05", "0046 70 174 06 05", "46701740605", "701740605",
        "46701740605.0", "701740605,0", "4.6701740605E+10", "4,6701740605e10", "'0701740605", "’+46701740605",
        '="0701740605"', "tel:+46701740605", "Tel: 070-174 06 05", "Anna 070-174 06 05",
        "070\u00a0174\u00a006\u00a005", "070\u2009174\u202f06\u200705", "\ufeff070\u200b174\u2060 06\u00ad05\u200e",
        "０７０-１７４ ０６ ０５", "  0701740605\t", "0701740605\n",
    ],
)  # fmt: skip
def test_every_way_to_write_a_number_gives_the_same_number(text: str) -> None:
    assert read_number(text, "SE").number == ANNA


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ("", SkipReason.MISSING, "the cell is empty"),
        (" \u00a0\u200b", SkipReason.MISSING, "the cell is empty"),
        ("saknas", SkipReason.INVALID, "not a phone number"),
        ("-", SkipReason.INVALID, "not a phone number"),
        ("NA", SkipReason.INVALID, "not a phone number"),
        ("070-174 06", SkipReason.INVALID, "too few digits for region SE"),
        ("070-174 06 055", SkipReason.INVALID, "too many digits for region SE"),
        ("070-174 06 1O", SkipReason.INVALID, '"O" is no digit'),
        ("070-174 06 05 (Annas)", SkipReason.TOO_LONG, "there are words beside it"),
        ("+1 201 055 0123", SkipReason.INVALID, "no number in region US"),
        ("+44 7700 900123", SkipReason.INVALID, "no number in region GB"),
        ("+999 123 456", SkipReason.INVALID, "no country has this country code"),
        ("1234", SkipReason.TOO_SHORT, "too few digits for region SE"),
        ("00", SkipReason.TOO_SHORT, "too few digits after the country code"),
        ("0701 7406 0512 3456", SkipReason.TOO_LONG, "too many digits for region SE"),
        ("07017406050123456789", SkipReason.TOO_LONG, "more digits than any phone number has"),
        ("08-123 456 78", SkipReason.NOT_MOBILE, "a land line"),
        ("020-123 456", SkipReason.NOT_MOBILE, "a toll-free number"),
        ("4.67E+10", SkipReason.DIGITS_LOST, "rounded by a spreadsheet program, so its digits are lost"),
        ("4,67e+10", SkipReason.DIGITS_LOST, "rounded by a spreadsheet program, so its digits are lost"),
        ("112", SkipReason.EMERGENCY, "an emergency number"),
        ("1 1 2", SkipReason.EMERGENCY, "an emergency number"),
        ("070-174 06 05 / 070-174 06 06", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("0701740605, 0701740606", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("0701740605;0701740606", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("0701740605\n0701740606", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("0701740605 eller 08-123 456 78", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("0701740605 0701740606", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("0701740605-0701740606", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("0701740605–0701740606", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("+46701740605+46701740606", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("0701740605/0701740606/0701740607", SkipReason.SEVERAL_NUMBERS, "3 numbers in one cell"),
        ("0701740605 hem 08-123 456 78", SkipReason.SEVERAL_NUMBERS, "2 numbers in one cell"),
        ("070-174 06 05/06", SkipReason.INVALID, "too many digits for region SE"),
        ("900-123 45", SkipReason.NOT_MOBILE, "a premium-rate number"),
        ("72456", SkipReason.NOT_MOBILE, "a short number"),
        ("118 118", SkipReason.NOT_MOBILE, "a short number"),
        ("+46 112", SkipReason.EMERGENCY, "an emergency number"),
        ("tel:112", SkipReason.EMERGENCY, "an emergency number"),
        ("08-123 456 78 ext 5", SkipReason.NOT_MOBILE, "a land line"),
        (
            "4740612345",
            SkipReason.INVALID,
            'too many digits for region SE; with "+" in front it would be a mobile number of country code +47',
        ),
    ],
)
def test_what_is_no_mobile_number_says_why(text: str, reason: SkipReason, detail: str) -> None:
    result = read_number(text, "SE")
    assert (result.number, result.reason, result.detail) == (None, reason, detail)


@pytest.mark.parametrize(("written", "number", "by"), FORMS)
def test_every_form_of_the_guide_is_read_by_whom_it_says(written: str, number: str, by: str) -> None:
    text = re.sub(r"\{U\+(\w{4})\}", lambda code: chr(int(code[1], 16)), written)
    assert read_number(text, "SE", allow_landline=True).number == number
    try:
        alone = phonenumbers.format_number(phonenumbers.parse(text, "SE"), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        alone = ""
    assert by == ("phonenumbers" if alone == number else "campaigns")


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("406 12 345", "NO", "+4740612345"),
        ("20 12 34 56", "DK", "+4520123456"),
        ("041 2345678", "FI", "+358412345678"),
        ("01512 3456789", "DE", "+4915123456789"),
        ("(201) 555-0123", "US", "+12015550123"),
        ("+47 406 12 345", "SE", "+4740612345"),
    ],
)
def test_a_national_number_is_read_as_one_of_its_region(text: str, region: str, number: str) -> None:
    assert read_number(text, region).number == number


@pytest.mark.parametrize(
    "text", ["0701740605a", "++46701740605", "=0701740605", "0701740605;ext=7", "+46-(0)701740605"]
)
def test_what_is_valid_to_phonenumbers_is_valid_here(text: str) -> None:
    assert read_number(text, "SE").number == ANNA


def test_a_number_that_may_be_read_in_two_ways_is_refused_and_says_so() -> None:
    result = read_number("4915112345678", "DE")
    assert result.reason == SkipReason.NOT_MOBILE
    assert result.detail == 'a land line; with "+" in front it would be a mobile number of country code +49'


@pytest.mark.parametrize(
    ("text", "region"),
    [("08-123 456 78", "SE"), ("020-123 456", "SE"), ("0900-123 45 67", "SE"), ("06 698 12345", "IT")],
)
def test_every_valid_number_is_taken_where_land_lines_are_allowed(text: str, region: str) -> None:
    assert read_number(text, region).reason == SkipReason.NOT_MOBILE
    assert read_number(text, region, allow_landline=True).number is not None


@pytest.mark.parametrize("text", ["112", "1 1 2", "tel:112", "+46112", "072456", "118118"])
def test_emergency_and_short_numbers_are_refused_though_land_lines_are_allowed(text: str) -> None:
    assert read_number(text, "SE", allow_landline=True).number is None


@pytest.mark.parametrize("region", ["US", "CA"])
def test_a_number_that_may_be_a_land_line_or_a_mobile_one_is_taken(region: str) -> None:
    assert read_numbers(pa.array(["(416) 555-0123"]), region)["number"].to_pylist() == [14165550123]


def test_a_column_may_be_empty_or_a_part_of_a_longer_one() -> None:
    column = pa.array(["0701740605", "", "0701740606", "Bo", "08-123 456 78"])
    assert read_numbers(column[:0], "SE").num_rows == 0
    assert (
        read_numbers(column[1:4], "SE").to_pylist()
        == read_numbers(pa.array(["", "0701740606", "Bo"]), "SE").to_pylist()
    )


@pytest.mark.parametrize("text", ["47 406 12 345", "2025550123"])
def test_a_foreign_number_without_plus_is_refused_rather_than_guessed(text: str) -> None:
    result = read_number(text, "SE")
    assert result.number is None
    assert result.reason in (SkipReason.INVALID, SkipReason.TOO_SHORT, SkipReason.TOO_LONG)


@pytest.mark.parametrize("text", ["7012345678", "5565551234", "197001012345", "701740605123"])
def test_other_long_numbers_are_not_taken_for_foreign_ones(text: str) -> None:
    assert read_number(text, "SE").number is None


@settings(deadline=None)
@given(st.text() | st.from_regex(r"[0-9+ ()/,;eE.-]{0,30}"), st.sampled_from(["SE", "US", "FI", "AC"]))
@example("+", "SE")
@example("1e99", "SE")
def test_any_text_is_either_a_number_or_has_a_reason(text: str, region: str) -> None:
    result = read_number(text, region)
    assert (result.number is None) != (result.reason is None)
    assert result.number is None or (result.number[0] == "+" and result.number[1:].isdecimal())


@pytest.mark.parametrize(("given", "meant"), [("UK", "GB"), ("swe", "SE"), ("SEE", "SE")])
def test_an_unknown_region_is_an_error_that_names_the_nearest(given: str, meant: str) -> None:
    with pytest.raises(InputError) as caught:
        check_region(given)
    assert (caught.value.what, caught.value.fix) == (f'"{given}" is no region.', f"Write {meant}.")


def test_a_region_code_may_be_written_small() -> None:
    assert check_region(" fi ") == "FI"
