"""Show a number as the format code of its cell does: percentages, currency, decimals, leading zeros; and dates."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache, partial
from operator import eq, ge, gt, le, lt, ne
from typing import Final

BUILT_IN: Final[Mapping[int, str]] = {  # what Excel does not write out; where it means the user's own country, $ and US
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00",
    5: '"$"#,##0_);("$"#,##0)', 6: '"$"#,##0_);[Red]("$"#,##0)',
    7: '"$"#,##0.00_);("$"#,##0.00)', 8: '"$"#,##0.00_);[Red]("$"#,##0.00)',
    9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
    18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm",
    37: "#,##0_);(#,##0)", 38: "#,##0_);[Red](#,##0)", 39: "#,##0.00_);(#,##0.00)", 40: "#,##0.00_);[Red](#,##0.00)",
    41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)', 42: '_("$"* #,##0_);_("$"* (#,##0);_("$"* "-"_);_(@_)',
    43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    44: '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)',
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    **dict.fromkeys((27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58), "yyyy-mm-dd"),
    **dict.fromkeys((32, 33, 34, 35, 55, 56), "h:mm"),
}  # fmt: skip
LONGEST_CODE: Final = 255  #: Excel's own limit
LONGEST_WHOLE: Final = 10**21  # above, even a whole number is shown with an exponent
LIKE_A_PHONE: Final = 1_000_000  #: whole numbers from here on keep their digits together, whatever their format
WIDE: Final = Context(prec=800)  # the largest float has 309 digits; a format may shift and round it
TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<gap>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General|Standard)|(?P<exponent>[Ee][+-])|(?P<am>AM/PM|A/P)|(?P<plain>.)",
    re.IGNORECASE | re.DOTALL,
)
CONDITION: Final = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
COMPARE: Final[Mapping[str, Callable[[Decimal, Decimal], bool]]] = {
    "<=": le, ">=": ge, "<>": ne, "<": lt, ">": gt, "=": eq,
}  # fmt: skip
#: thousands and decimals by the language (the low ten bits) that a code names, as in [$kr-41D]; else as the code says
SEPARATORS: Final[Mapping[int, tuple[str, str]]] = {
    **dict.fromkeys((0x05, 0x0B, 0x0C, 0x0E, 0x14, 0x15, 0x19, 0x1B, 0x1D, 0x22, 0x25, 0x26, 0x27), (" ", ",")),
    **dict.fromkeys((0x03, 0x06, 0x07, 0x08, 0x0A, 0x0F, 0x10, 0x13, 0x16, 0x18, 0x1A, 0x1F, 0x21, 0x24), (".", ",")),
}
NORDIC: Final = re.compile(r"(?:^|[^a-z])(?:kr|sek|nok)(?:$|[^a-z])", re.IGNORECASE)  # these say where they are used

Show = Callable[[float], str | None]  #: None: the code is not understood


@dataclass(frozen=True, slots=True)
class DateParts:
    """What of a moment a format code shows."""

    date: bool
    time: bool
    seconds: bool
    hours: bool = True  #: False where mm:ss shows minutes and seconds alone


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the parts of a code that are set off by semicolons."""

    tokens: Sequence[tuple[str, str]]  #: kind and text
    condition: Callable[[Decimal], bool] | None
    separators: tuple[str, str]

    def has(self, kind: str) -> bool:
        return any(each == kind for each, _ in self.tokens)


def date_parts(code: str) -> DateParts | None:
    """What a date's format code shows; None for the code of a number, and for one of hours that go on after 24."""
    marks, elapsed = "", False
    for token in TOKEN.finditer(code[:LONGEST_CODE]):
        kind, text = token.lastgroup, token.group(token.lastgroup or 0).lower()
        if kind == "plain" and text == ";":
            break
        if kind == "bracket" and text and text[0] in "hms" and set(text) == {text[0]}:
            elapsed = True
        marks += {"plain": text, "am": "h", "general": "0"}.get(str(kind), "")
    time = bool(set(marks) & set("hs"))
    date = bool(set(marks) & set("ydg")) or ("m" in marks and not time)
    return None if elapsed or not (date or time) else DateParts(date, time, "s" in marks, date or "h" in marks)


@lru_cache(maxsize=1000)
def number_format(code: str) -> Show | None:
    """How to show a number under a format code; None where it shows the number as it is stored."""
    if len(code) > LONGEST_CODE:
        return _not_understood
    sections = _sections(code)
    kinds = [{kind for kind, _ in section.tokens} - {"text", "comma"} for section in sections]
    if "exponent" in set().union(*kinds):  # all digits are better than some
        return None
    if all(each <= {"general", "at"} for each in kinds) and not any(section.has("text") for section in sections):
        return None if any(kinds) else _not_understood  # ";;;" hides its cells
    if any(section.has("fraction") for section in sections):
        return _not_understood
    return lru_cache(maxsize=20_000)(partial(_shown, tuple(sections)))  # amounts come again and again


def stored_text(value: float) -> str:
    """A number with the 15 digits that Excel keeps: 46701740605 without ".0", 0.3, 1e+300."""
    return str(int(value)) if abs(value) < LONGEST_WHOLE and value == int(value) else f"{value:.15g}"


def _not_understood(_value: float) -> None:
    return None


def _sections(code: str) -> list[_Section]:
    sections: list[list[tuple[str, str]]] = [[]]
    for token in TOKEN.finditer(code):
        kind, text = str(token.lastgroup), token.group(token.lastgroup or 0)
        if kind == "plain" and text == ";":
            sections.append([])
        else:
            sections[-1].append(_token(kind, text))
    return [_section(tokens) for tokens in sections]


def _token(kind: str, text: str) -> tuple[str, str]:
    text = text.replace("\xa0", " ").replace("\u202f", " ")  # such a space would double the price of a message
    if kind in ("quoted", "escaped"):
        return "text", text
    if kind == "gap":
        return "text", " "
    if kind == "plain":
        return {
            "0": "digit", "#": "digit", "?": "digit", ".": "point", ",": "comma", "%": "percent", "/": "fraction",
            "@": "at",
        }.get(text, "text"), text  # fmt: skip
    return kind, text


def _section(tokens: list[tuple[str, str]]) -> _Section:
    kept: list[tuple[str, str]] = []
    condition, language = None, 0
    for kind, text in tokens:
        if kind == "bracket" and (found := CONDITION.fullmatch(text.strip())):
            condition = _condition(found[1], Decimal(found[2]))
        elif kind == "bracket" and text.startswith("$"):
            symbol, _, code = text[1:].partition("-")
            language = int(code, 16) & 0x3FF if re.fullmatch("[0-9A-Fa-f]{1,8}", code) else language
            kept.append(("text", symbol))
        elif kind not in ("bracket", "fill"):
            kept.append((kind, text))
    literal = "".join(text for kind, text in kept if kind == "text")
    default = (" ", ",") if NORDIC.search(literal) else (",", ".")
    return _Section(kept, condition, SEPARATORS.get(language, default))


def _condition(sign: str, limit: Decimal) -> Callable[[Decimal], bool]:
    return lambda value: COMPARE[sign](value, limit)


def _shown(sections: Sequence[_Section], value: float) -> str | None:
    number = Decimal(f"{value:.15g}")
    if not number.is_finite():
        return None
    section, sign = _chosen(number, sections)
    if section is None or not section.tokens:
        return None
    if section.has("general") or section.has("at"):
        inner = stored_text(float(abs(number)))
        text = "".join(inner if kind in ("general", "at") else text for kind, text in section.tokens)
        return (sign + text).strip()
    if _keeps_digits(number, section):
        return stored_text(value)
    return re.sub(" +", " ", sign + _written(abs(number), section)).strip()


def _chosen(number: Decimal, sections: Sequence[_Section]) -> tuple[_Section | None, str]:
    """The section for a number, and the sign that it does not write by itself."""
    sign = "-" if number < 0 else ""
    if any(section.condition for section in sections):
        for section in sections[:3]:
            if section.condition is None or section.condition(number):
                return section, sign
        return None, sign
    numeric = sections[:3]  # the fourth is for text
    if number < 0 and len(numeric) > 1:
        return numeric[1], ""
    return (numeric[2] if number == 0 and len(numeric) > 2 else numeric[0]), sign


def _keeps_digits(number: Decimal, section: _Section) -> bool:
    """Whether a whole number may be a phone number that separators or decimals, and nothing else, would cut up."""
    if any(kind == "percent" or (kind == "text" and text.strip(" -()")) for kind, text in section.tokens):
        return False
    cuts = section.has("comma") or section.has("point")
    return cuts and number == number.to_integral_value() and abs(number) >= LIKE_A_PHONE


def _written(number: Decimal, section: _Section) -> str:
    """The absolute value under a section that has places for its digits, or only text."""
    tokens = section.tokens
    places = [place for place, (kind, _) in enumerate(tokens) if kind == "digit"]
    if not places:
        return "".join(text for kind, text in tokens if kind in ("text", "percent"))
    point = next((place for place, (kind, _) in enumerate(tokens) if kind == "point"), len(tokens))
    whole, after = [place for place in places if place < point], [place for place in places if place > point]
    scale = 2 * sum(kind == "percent" for kind, _ in tokens) - 3 * _scaling_commas(tokens, places, point)
    rounded = number.scaleb(scale, WIDE).quantize(Decimal(1).scaleb(-len(after)), ROUND_HALF_UP, WIDE)
    digits, _, decimals = f"{rounded:f}".partition(".")
    filled = _fill_whole(digits, tokens, whole, section.separators[0] if _groups(tokens, whole) else "")
    filled |= _fill_decimals(decimals, tokens, after)
    if any(filled.get(place) for place in after):
        filled[point] = section.separators[1]
    return "".join(
        filled.get(place, text if kind in ("text", "percent") else "") for place, (kind, text) in enumerate(tokens)
    )


def _groups(tokens: Sequence[tuple[str, str]], whole: Sequence[int]) -> bool:
    return any(kind == "comma" for kind, _ in tokens[whole[0] : whole[-1]]) if whole else False


def _scaling_commas(tokens: Sequence[tuple[str, str]], places: Sequence[int], point: int) -> int:
    """Commas right behind the last digit before the point, or behind the last of all: each divides by 1,000."""
    ends = {max((place for place in places if place < point), default=-1), places[-1]}
    count = 0
    for end in ends:
        while tokens[end + 1 : end + 2] and tokens[end + 1][0] == "comma":
            count, end = count + 1, end + 1
    return count


def _fill_whole(digits: str, tokens: Sequence[tuple[str, str]], whole: Sequence[int], separator: str) -> dict[int, str]:
    """The digits before the point on their places, from the right; the first place takes all that are left."""
    left = digits.lstrip("0")
    least = next((len(whole) - at for at, place in enumerate(whole) if tokens[place][1] == "0"), 0)
    left = left.rjust(least, "0")
    if separator:
        groups = [left[max(0, end - 3) : end] for end in range(len(left), 0, -3)][::-1]
        return {whole[0]: separator.join(groups)}
    filled = {}
    for at, place in reversed(list(enumerate(whole))):
        cut = 0 if at == 0 else max(len(left) - 1, 0)
        filled[place], left = left[cut:], left[:cut]
    return filled


def _fill_decimals(decimals: str, tokens: Sequence[tuple[str, str]], after: Sequence[int]) -> dict[int, str]:
    kept = len(after)
    while kept and decimals[kept - 1] == "0" and tokens[after[kept - 1]][1] != "0":
        kept -= 1
    return {place: decimals[at] if at < kept else "" for at, place in enumerate(after)}
