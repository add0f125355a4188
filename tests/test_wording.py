"""Figures, spans and numbers read as the screens show them."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.wording import ago, count, duration, mask, plural, share


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (12480, "12,480"), (1_000_000, "1,000,000")])
def test_a_count_has_commas_between_thousands(number: int, text: str) -> None:
    assert count(number) == text


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (1, ("message",), "1 message"),
        (2, ("message",), "2 messages"),
        (0, ("message",), "0 messages"),
        (1204, ("row",), "1,204 rows"),
        (2, ("country",), "2 countries"),
        (2, ("day",), "2 days"),
        (1, ("person", "people"), "1 person"),
        (5, ("person", "people"), "5 people"),
    ],
)
def test_singular_and_plural_are_right(number: int, words: tuple[str, ...], text: str) -> None:
    assert plural(number, *words) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (11_402, 11_916, "95.7 %"),
        (5, 11_916, "0.04 %"),
        (1, 1_000_000, "0.01 %"),
        (49, 100_000, "0.04 %"),
        (50, 100_000, "0.1 %"),
        (999_999, 1_000_000, "99.9 %"),
        (7, 7, "100.0 %"),
        (0, 7, "0.0 %"),
        (0, 0, "-"),
    ],
)
def test_a_share_never_rounds_to_nothing_or_to_all(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text


@settings(deadline=None)
@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_a_share_of_some_but_not_all_says_so(part: int, rest: int) -> None:
    assert 0 < float(share(part, part + rest).removesuffix(" %")) < 100


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (4.5, "4.5 s"),
        (4.04, "4 s"),
        (9.97, "10 s"),
        (59.7, "1 min"),
        (644, "10 min 44 s"),
        (3600, "1 h"),
        (11_160, "3 h 6 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("+46701740605", "+46*******05"),
        ("070-174 06 05", "07*-*** ** 05"),
        ("07O-174 06 1O", "07O-*** *6 1O"),
        ("08-123 45 01", "08-*** ** 01"),
        ("4.67E+10", "4.67E+10"),
        ("112", "112"),
        ("", ""),
    ],
)
def test_a_masked_number_keeps_its_width_and_its_mistakes(given_text: str, shown: str) -> None:
    assert mask(given_text) == shown


@settings(deadline=None)
@given(st.text(alphabet="0123456789+- ()oO", max_size=30))
def test_a_mask_shows_at_most_four_digits_of_a_number(text: str) -> None:
    shown = mask(text)
    assert len(shown) == len(text)
    left = sum(character.isdigit() for character in shown)
    assert left <= 4 or (left < 7 and shown == text)


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        (timedelta(seconds=-3), "just now"),  # a clock may be set back
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=61), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(minutes=60), "today at 13:02"),
        (timedelta(hours=14), "today at 00:02"),
        (timedelta(hours=15), "yesterday"),
        (timedelta(hours=38), "yesterday"),
        (timedelta(hours=39), "on 2026-11-23"),
    ],
)
def test_a_moment_is_said_the_shortest_way_that_can_be_understood(earlier: timedelta, text: str) -> None:
    now = datetime(2026, 11, 25, 14, 2).astimezone()
    assert ago(now - earlier, now) == text
