"""Turn the values of cells into the text that people see: 46701740605 without ".0", 2026-12-24, 18:30, TRUE."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache, partial
from typing import Any, Final

import pyarrow as pa

from campaigns.recipients.number_formats import DateParts, stored_text

HALF_A_SECOND: Final = timedelta(microseconds=500_000)  # days are stored as fractions, so seconds are nearly whole
LAST_SECOND: Final = datetime.combine(date.max, time(23, 59, 59))


def cell_text(value: object) -> str:
    """A cell as it is stored, in the way that people write it."""
    return value if isinstance(value, str) else TEXTS[type(value)](value)


def column_texts(values: Sequence[object], dates: DateParts | None) -> pa.Array:
    """A column in which no cell has a format of its own; `dates` is what all its dates show, where that is known."""
    kinds = set(map(type, values))
    if kinds <= {str}:
        return pa.array(values, pa.string())
    if kinds == {date} and (dates is None or (dates.date and not dates.time)):
        return pa.array(values, pa.date32()).cast(pa.string())
    if kinds == {float}:
        try:
            return pa.array(values, pa.float64()).cast(pa.int64()).cast(pa.string())
        except pa.ArrowInvalid:  # not all are whole
            pass
    return pa.array(plain_texts(values, dates), pa.string())


def plain_texts(values: Sequence[object], dates: DateParts | None) -> list[str]:
    """The same as a list."""
    if dates is None:
        return [value if type(value) is str else TEXTS[type(value)](value) for value in values]
    show = _date_texts(dates)
    return [show(value) if isinstance(value, (date, time)) else cell_text(value) for value in values]


def date_text(value: date | time, parts: DateParts) -> str:
    """A date or time with what its format shows of it, in ISO order; seconds only where there are any."""
    return _date_texts(parts)(value)


@cache
def _date_texts(parts: DateParts) -> Callable[[date | time], str]:
    return lru_cache(maxsize=20_000)(partial(_shown, parts))  # days come again and again


def _shown(parts: DateParts, value: date | time) -> str:
    if isinstance(value, time):
        if parts.hours:
            return _time_text(value, seconds=parts.seconds)
        value = datetime.combine(date.min, value)
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    moment = min(value, LAST_SECOND) + HALF_A_SECOND
    if not parts.hours:
        return f"{moment.minute:02}:{moment.second:02}"
    clock = _clock_text(moment.hour, moment.minute, moment.second * parts.seconds)
    if not parts.date:
        return clock
    return f"{moment.date().isoformat()} {clock}" if parts.time else moment.date().isoformat()


def duration_text(value: timedelta, *, seconds: bool = True) -> str:
    """Hours that may go on after 24: 26:30."""
    total = round(value.total_seconds())
    sign, total = ("-", -total) if total < 0 else ("", total)
    return sign + _clock_text(total // 3600, total // 60 % 60, total % 60 * seconds)


def _clock_text(hours: int, minutes: int, seconds: int) -> str:
    return f"{hours:02}:{minutes:02}:{seconds:02}" if seconds else f"{hours:02}:{minutes:02}"


def _datetime_text(value: datetime) -> str:
    return date_text(value, DateParts(date=True, time=True, seconds=True))


def _time_text(value: time, *, seconds: bool = True) -> str:
    since_midnight = timedelta(
        hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
    )
    return duration_text(since_midnight, seconds=seconds)


TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    bool: lambda value: "TRUE" if value else "FALSE",
    int: str,
    float: stored_text,
    datetime: _datetime_text,
    date: date.isoformat,
    time: _time_text,
    timedelta: duration_text,
}
