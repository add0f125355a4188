"""Take off what spreadsheet programs and people put around a number, for one cell or for a whole column."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

SCIENTIFIC: Final = re.compile(r"\+?([1-9]\d{0,2}(?:[.,](\d+))?)[eE]\+?(\d{1,2})")
DECIMAL: Final = re.compile(r"(\+?\d+)[.,]0+")
QUOTES: Final = "'’`´"
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

_WIDE: Final = "".join(chr(code) for code, space in SPACES.items() if space)
_WIDTHLESS: Final = "".join(chr(code) for code, space in SPACES.items() if not space)
_COLUMN: Final = (  # the same for a column; what is not undone here keeps a cell from being plainly written
    (f"[{_WIDE}]", " "),
    (f"[{_WIDTHLESS}]", ""),
    (rf"^[{QUOTES}\s]*(\+?[0-9]+)[.,]0+\s*$", r"\1"),
    (rf"""^[\p{{Latin}}{QUOTES} "=:.(\[]*""", ""),  # `phonenumbers` passes over all before the first digit or plus sign
    (r"""["\s]+$""", ""),
    (r"([0-9)]) *(?:,|(?i:ext|x)\.?) *[0-9]{1,2}$", r"\1"),  # an extension; so few digits are never a number
)
BREAK: Final = "/| [-–—] "  #: between two numbers, or within one
BREAK_OR_DASH: Final = f"{BREAK}|[‐-―]"


def plain_text(text: str) -> str:
    """The text without what spreadsheet programs and phone books put around a number."""
    bare = text.translate(SPACES).strip().lstrip(f"{QUOTES} \t\n\f\r")
    if whole := DECIMAL.fullmatch(bare):
        return whole[1]
    if (power := SCIENTIFIC.fullmatch(bare)) and len(power[2] or "") >= int(power[3]):
        return str(int(Decimal(bare.replace(",", "."))))  # all digits are there: 4.6701740605E+10
    return bare


def plain_column(texts: pa.Array) -> pa.Array:
    """The same for a column; a cell that has more than common wrapping may come out as anything that is not plain."""
    for pattern, other in _COLUMN:
        texts = pc.replace_substring_regex(texts, pattern, other)
    return texts
