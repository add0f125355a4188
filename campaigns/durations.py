"""Lengths of time as people write them: "24h", "30 min", "7 days"."""

import re
from datetime import timedelta
from typing import Final

from campaigns.errors import InputError

_UNITS: Final = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_NAMES: Final = {  # of the units
    "sec": "s", "second": "s", "seconds": "s", "m": "min", "minute": "min", "minutes": "min", "hour": "h",
    "hours": "h", "day": "d", "days": "d", "week": "w", "weeks": "w",
}  # fmt: skip
_PART: Final = r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)\s*"


def read_duration(text: str) -> timedelta:
    """Read "24h", "24 h", "30min", "7 days" or "1 h 30 min"; an InputError where it is none, or not above 0.

    A bare number is refused: the packages that read such texts take it for seconds, which nobody would mean.
    """
    plain = text.strip().lower()
    parts = re.findall(_PART, plain) if re.fullmatch(f"(?:{_PART})+", plain) else []
    try:
        length = sum((float(amount) * _UNITS[_NAMES.get(unit, unit)] for amount, unit in parts), timedelta())
    except (KeyError, OverflowError):
        length = timedelta()
    if length <= timedelta():
        raise InputError(f'"{text}" is no length of time.', fix="Write 30min, 24h or 7 days.")
    return length
