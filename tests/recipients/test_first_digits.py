"""A rule is asked once for all numbers that share their length and the first digits that decide."""

import random
import re

import numpy as np
import phonenumbers
import pyarrow as pa
import pytest
from phonenumbers import PhoneMetadata

from campaigns.recipients.first_digits import UNKNOWN_PATTERN, Ints, Numbers, Rule, deciding_digits


@pytest.mark.parametrize(
    ("pattern", "digits"),
    [
        (r"7[02369]\d{7}", 2),
        (r"\d{5}", 0),
        (r"\d{3}1", 4),
        (r"00", 2),
        (r"1|23\d|4", 2),
        (r"(?:[26]\d\d|9)\d{9}|[1-9]\d{8}", 1),
        (r"[2-9]{3}\d", 3),
        (r"(?:[2-9]\d){2}\d", 4),
        (r"9?1\d{6,7}", 2),
        (r"0?(?:(11|2\d2)15)?", 6),
        (r"(000[2569]\d{4,6})$|0", 4),
        (r"", 0),
        (r"a+", UNKNOWN_PATTERN),
        (r"(?!1)\d", UNKNOWN_PATTERN),
        (r"1*", UNKNOWN_PATTERN),
    ],
)
def test_the_digits_that_decide_are_read_from_the_pattern(pattern: str, digits: int) -> None:
    assert deciding_digits(pattern) == digits


def test_what_follows_the_deciding_digits_never_changes_a_match() -> None:
    chance = random.Random(4)
    for region in phonenumbers.SUPPORTED_REGIONS:
        data = PhoneMetadata.metadata_for_region(region)
        for description in (data.general_desc, data.mobile, data.fixed_line, data.premium_rate):
            if description is None or not description.national_number_pattern:
                continue
            pattern, digits = (
                re.compile(description.national_number_pattern),
                deciding_digits(description.national_number_pattern),
            )
            assert digits < UNKNOWN_PATTERN
            for length in (*description.possible_length, 9):
                first = ((description.example_number or "") + "0" * digits)[:digits]
                ends = ["".join(chance.choices("0123456789", k=max(length - len(first), 0))) for _ in range(4)]
                assert len({bool(pattern.fullmatch((first + end)[:length])) for end in ends}) == 1


def test_a_rule_is_asked_about_no_number_twice() -> None:
    asked: list[str] = []

    def answer(texts: pa.Array) -> Ints:
        asked.extend(texts.to_pylist())
        return np.array([int(text[:1] == "0") for text in texts.to_pylist()], np.int64)

    rule = Rule(answer, [r"0[1-3]\d{4}"])
    numbers = Numbers(np.array([12345, 12999, 812345, 12345], np.int64), np.array([6, 6, 6, 5], np.int64))
    assert rule(numbers).tolist() == [1, 1, 0, 0]
    assert rule(numbers).tolist() == [1, 1, 0, 0]
    assert sorted(asked) == ["010000", "12000", "810000"]
