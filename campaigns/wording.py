"""How figures, spans of time and phone numbers are written for people, on the screen and on the page alike."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

MOST_NAMES: Final = 20  #: in a list of what there is
_DIGIT: Final = re.compile(r"\d")


def count(number: int) -> str:
    """12480 as "12,480"."""
    return f"{number:,}"


def plural(number: int, noun: str, many: str = "") -> str:
    """1 as "1 message", 2 as "2 messages"; `many` where the plural is not made with an s."""
    return f"{count(number)} {noun if number == 1 else many or _plural_of(noun)}"


def some_of(names: Sequence[str]) -> str:
    """Names in a row; of very many the first: "namn, mobil and 2,998 more"."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {count(more)} more" if more > 0 else "")


def share(part: int, whole: int) -> str:
    """A part in per cent: "95.7 %"; "0.04 %" where one decimal would show 0; "100.0 %" only for all; "-" of nothing."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 0 < percent < 0.05:
        return f"{min(max(percent, 0.01), 0.04):.2f} %"
    return f"{min(percent, 99.9) if part < whole else percent:.1f} %"


def duration(seconds: float) -> str:
    """A span of time in its two largest units: "4.5 s", "10 min 44 s", "3 h 5 min", "2 d 4 h"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    for size, unit, part_size, part_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            large, rest = divmod(whole, size)
            small = rest // part_size
            return f"{large} {unit} {small} {part_unit}" if small else f"{large} {unit}"
    return f"{whole} s"


def ago(moment: datetime, now: datetime) -> str:
    """When it was, in local time: "just now", "5 minutes ago", "today at 14:02", "yesterday", "on 2026-11-20"."""
    minutes = (now - moment) // timedelta(minutes=1)
    if minutes < 60:
        return f"{plural(minutes, 'minute')} ago" if minutes > 0 else "just now"
    local, days = moment.astimezone(), (now.astimezone().date() - moment.astimezone().date()).days
    if days > 1:
        return f"on {local:%Y-%m-%d}"
    return "yesterday" if days else f"today at {local:%H:%M}"


def mask(text: str) -> str:
    """Hide a phone number: "+46701740605" as "+46*******05", "070-174 06 1O" as "07*-*** *6 1O".

    Every digit but the first two and the last two becomes a star. All else stays, so that the width is kept and a
    wrong letter can still be seen. Under seven digits it is no number of a person, and nothing is hidden.
    """
    digits = len(_DIGIT.findall(text))
    if digits < 7:
        return text
    place = iter(range(digits))
    return _DIGIT.sub(lambda digit: digit[0] if next(place) in (0, 1, digits - 2, digits - 1) else "*", text)


def _plural_of(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
