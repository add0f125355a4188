"""Lengths of time as people write them."""

from datetime import timedelta

import pytest

from campaigns.durations import read_duration
from campaigns.errors import InputError


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("24h", timedelta(hours=24)),
        (" 24 H ", timedelta(hours=24)),
        ("1 hour", timedelta(hours=1)),
        ("30min", timedelta(minutes=30)),
        ("5m", timedelta(minutes=5)),
        ("7d", timedelta(days=7)),
        ("7 days", timedelta(days=7)),
        ("2 weeks", timedelta(weeks=2)),
        ("90 s", timedelta(seconds=90)),
        ("1.5h", timedelta(minutes=90)),
        ("1h30min", timedelta(minutes=90)),
        ("1 d 4 h", timedelta(hours=28)),
    ],
)
def test_a_length_of_time_is_read_with_and_without_a_space(text: str, length: timedelta) -> None:
    assert read_duration(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h",
        "24",
        "-24h",
        "0h",
        "24 timmar",
        "24h 5",
        "1:30",
        "1 month",
        "٢h",
        "1e3h",
        "9" * 400 + "h",
        "9" * 30 + "d",
    ],
)
def test_what_is_none_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(InputError, match="is no length of time") as error:
        read_duration(text)
    assert error.value.fix == "Write 30min, 24h or 7 days."
