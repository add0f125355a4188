"""The rules of `phonenumbers` for the numbers of a region, applied to many numbers at once."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from phonenumbers import PhoneMetadata, PhoneNumberDesc, PhoneNumberType

from campaigns.recipients.first_digits import MOST_DIGITS, Flags, Ints, Numbers, Rule

UNKNOWN: Final = PhoneNumberType.UNKNOWN
REWRITES: Final = 100  #: instead of a number of digits: the prefix is not only cut off
LENGTHS: Final = np.arange(MOST_DIGITS + 1)
KINDS: Final = (  # in the order in which `phonenumbers` asks
    ("premium_rate", PhoneNumberType.PREMIUM_RATE),
    ("toll_free", PhoneNumberType.TOLL_FREE),
    ("shared_cost", PhoneNumberType.SHARED_COST),
    ("voip", PhoneNumberType.VOIP),
    ("personal_number", PhoneNumberType.PERSONAL_NUMBER),
    ("pager", PhoneNumberType.PAGER),
    ("uan", PhoneNumberType.UAN),
    ("voicemail", PhoneNumberType.VOICEMAIL),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """How the numbers of one region are written, or those of a country code that belongs to no region."""

    code: int
    is_general: Rule  #: 1 for what looks like a number
    exit_digits: Rule  #: how many digits are dialled before the country code of another region, 0 where there are none
    prefix_digits: Rule  #: the same before a number of this region; REWRITES where it would become another number
    may_lose_prefix: Flags  #: by the length that is left
    is_too_long: Flags  #: by length

    def without_exit_code(self, numbers: Numbers) -> tuple[Numbers, Flags]:
        """The numbers without 00 or what is dialled instead; and which have it: no country code begins with 0."""
        rest = numbers.without_first(self.exit_digits(numbers))
        has_code = (rest.lengths < numbers.lengths) & (rest.first(1) > 0)
        return numbers.replaced(has_code, rest), has_code

    def without_country_code(self, numbers: Numbers) -> tuple[Numbers, Flags, Flags]:
        """The numbers without their country code; which are right only so: 46701740605; and which cannot be told."""
        length = len(str(self.code))
        begins = numbers.first(length) == self.code
        rest, is_rewritten = self.without_prefix(numbers.without_first(length))
        is_better = (self.is_general(numbers) == 0) & (self.is_general(rest) == 1)
        has_code = begins & (is_better | self.is_too_long[numbers.lengths])
        return numbers.replaced(has_code, rest), has_code, begins & is_rewritten

    def without_prefix(self, numbers: Numbers) -> tuple[Numbers, Flags]:
        """The numbers without the national prefix; and which of them would not only be cut."""
        digits = self.prefix_digits(numbers)
        is_rewritten = digits == REWRITES
        rest = numbers.without_first(np.where(is_rewritten, 0, digits))
        has_prefix = (rest.lengths < numbers.lengths) & ((self.is_general(rest) == 1) | (self.is_general(numbers) == 0))
        return numbers.replaced(has_prefix, rest), is_rewritten

    def national(self, numbers: Numbers) -> tuple[Numbers, Flags]:
        """The same, but the prefix stays where too few digits would be left."""
        rest, is_rewritten = self.without_prefix(numbers)
        return numbers.replaced(self.may_lose_prefix[rest.lengths], rest), is_rewritten


@cache
def numbering(region: str, code: int) -> Numbering:
    """The numbering of a region; `region` is REGION_CODE_FOR_NON_GEO_ENTITY for a country code without one."""
    data = _data(region, code)
    general, possible, local = _general(data)
    is_too_long = (max(possible) < LENGTHS) & ~np.isin(LENGTHS, local)
    return Numbering(
        code=code,
        is_general=Rule(lambda texts: _found(general, texts).astype(np.int64), [general]),
        exit_digits=_cut(data.international_prefix or "", rewrites=False),
        prefix_digits=_cut(data.national_prefix_for_parsing or "", rewrites=bool(data.national_prefix_transform_rule)),
        may_lose_prefix=is_too_long | (np.isin(LENGTHS, possible) & ~np.isin(LENGTHS, local)),
        is_too_long=is_too_long,
    )


def kinds_under(code: int, numbers: Numbers) -> Ints:
    """The PhoneNumberType of numbers behind this country code, in the first of its regions that each belongs to.

    UNKNOWN where a number is not valid; MOBILE also stands for one that may be a land line as well.
    """
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    if len(regions) == 1:
        return _kinds(regions[0], code)(numbers)
    kinds, left = np.full(len(numbers.values), UNKNOWN), np.arange(len(numbers.values))
    for region in regions:
        if not len(left):
            break
        here = _kinds(region, code)(numbers.at(left))
        first_digits = _first_digits(region, code)
        is_here = here != UNKNOWN if first_digits is None else first_digits(numbers.at(left)) == 1
        kinds[left[is_here]] = here[is_here]
        left = left[~is_here]
    return kinds


@cache
def is_short(region: str) -> Rule:
    """1 for what may be a short or an emergency number of the region, of numbers without country code and prefix."""
    data = PhoneMetadata.short_metadata_for_region(region)
    patterns = (
        [each.national_number_pattern or "" for each in (data.short_code, data.emergency) if each] if data else []
    )
    either = "|".join(pattern for pattern in patterns if pattern) or "-"
    return Rule(lambda texts: _found(either, texts).astype(np.int64), patterns)


@cache
def fewest_digits(region: str) -> int:
    """No fewer digits are a number when written in this region."""
    code = phonenumbers.country_code_for_valid_region(region)
    plans = [_data(each, code) for each in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]]
    fewest = min(length for plan in plans for length in _general(plan)[1])
    # What is rewritten may become longer, from five digits on; with a country code seven are the fewest of all.
    return min(fewest, 5 if _data(region, code).national_prefix_transform_rule else 7)


def _data(region: str, code: int) -> PhoneMetadata:
    data = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if data is None:
        raise LookupError(region)
    return data


def _general(data: PhoneMetadata) -> tuple[str, Sequence[int], Sequence[int]]:
    """The pattern of all numbers, their lengths, and those that are only dialled within an area."""
    general = data.general_desc
    if general is None or not general.national_number_pattern:
        raise LookupError(data.id)
    return general.national_number_pattern, general.possible_length, general.possible_length_local_only


def _cut(prefix: str, *, rewrites: bool) -> Rule:
    """How many digits this prefix has at the beginning of a number."""
    last_group = re.compile(prefix).groups if rewrites else 0

    def answer(texts: pa.Array) -> Ints:
        rest = pc.replace_substring_regex(texts, f"^(?:{prefix})", "", max_replacements=1)
        digits: Ints = _lengths(texts) - _lengths(rest)
        if last_group:
            group = pc.replace_substring_regex(texts, f"^(?:{prefix}).*$", rf"\{last_group}")
            digits[(digits > 0) & (_lengths(group) > 0)] = REWRITES
        return digits

    return Rule(answer, [prefix])


@cache
def _first_digits(region: str, code: int) -> Rule | None:
    """1 for what begins as all numbers of the region; None where that does not set it apart."""
    first_digits = _data(region, code).leading_digits
    if first_digits is None:
        return None
    return Rule(lambda texts: _search(f"^(?:{first_digits})", texts).astype(np.int64), [first_digits])


@cache
def _kinds(region: str, code: int) -> Rule:
    """The PhoneNumberType of a number of one region."""
    data = _data(region, code)
    descriptions = [
        getattr(data, name) for name in ("general_desc", "fixed_line", "mobile", *(name for name, _ in KINDS))
    ]

    def answer(texts: pa.Array) -> Ints:
        kinds = np.full(len(texts), UNKNOWN)
        for kind, is_kind in _by_kind(data, texts):
            kinds[is_kind & (kinds == UNKNOWN)] = kind
        kinds[~_is_of(data.general_desc, texts)] = UNKNOWN
        return kinds

    return Rule(answer, [each.national_number_pattern or "" for each in descriptions if each is not None])


def _by_kind(plan: PhoneMetadata, texts: pa.Array) -> Iterator[tuple[int, Flags]]:
    for name, kind in KINDS:
        yield kind, _is_of(getattr(plan, name), texts)
    is_fixed = _is_of(plan.fixed_line, texts)
    yield PhoneNumberType.MOBILE, is_fixed if plan.same_mobile_and_fixed_line_pattern else _is_of(plan.mobile, texts)
    yield PhoneNumberType.FIXED_LINE, is_fixed


def _is_of(description: PhoneNumberDesc | None, texts: pa.Array) -> Flags:
    """Which numbers have a length and digits of this description."""
    if description is None or not description.national_number_pattern:
        return np.zeros(len(texts), np.bool_)
    fits = _found(description.national_number_pattern, texts)
    return fits & np.isin(_lengths(texts), description.possible_length) if description.possible_length else fits


def _found(pattern: str, texts: pa.Array) -> Flags:
    return _search(f"^(?:{pattern})$", texts)


def _search(pattern: str, texts: pa.Array) -> Flags:
    flags: Flags = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return flags


def _lengths(texts: pa.Array) -> Ints:
    lengths: Ints = pc.binary_length(texts).to_numpy().astype(np.int64)
    return lengths
