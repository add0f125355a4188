"""Tell the countries of a column of numbers, as `phonenumbers` does for one."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from phonenumbers import PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

Flags = NDArray[np.bool_]

TYPES: Final = (  # the commonest first: a number that is of one type is of the region
    "mobile", "fixed_line", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip


def countries_of(digits: pa.Array) -> list[str]:
    """ISO 3166 code of the country of each number (E.164 without its plus sign); "" for null and where none has it."""
    beginnings = pc.utf8_slice_codeunits(pc.coalesce(digits, ""), 0, 3).dictionary_encode()
    codes = [_country_code(text) for text in beginnings.dictionary.to_pylist()]
    countries = np.array([_only_country(code) for code in codes], object)[beginnings.indices.to_numpy()]
    for code in {code for code in codes if len(_regions(code)) > 1}:
        shared = [place for place, each in enumerate(codes) if each == code]
        rows = np.flatnonzero(np.isin(beginnings.indices.to_numpy(), shared))
        national = pc.utf8_slice_codeunits(digits.take(pa.array(rows)), len(str(code)))
        countries[rows] = _among_several(national, _regions(code))
    found: list[str] = countries.tolist()
    return found


def _country_code(beginning: str) -> int:
    """The country code that a number begins with; no country code is the beginning of another."""
    codes = (int(beginning[:length] or 0) for length in (1, 2, 3))
    return next((code for code in codes if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), 0)


def _regions(code: int) -> Sequence[str]:
    regions: Sequence[str] = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    return () if phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY in regions else regions


def _only_country(code: int) -> str:
    regions = _regions(code)
    return regions[0] if len(regions) == 1 else ""


def _among_several(national: pa.Array, regions: Sequence[str]) -> NDArray[np.object_]:
    """The first region that each national number fits, of those that share a country code."""
    found, left = np.full(len(national), "", object), np.arange(len(national))
    for region in regions:
        fits = _is_of(national.take(pa.array(left)), PhoneMetadata.metadata_for_region(region))
        found[left[fits]] = region
        left = left[~fits]
    return found


def _is_of(national: pa.Array, region: PhoneMetadata | None) -> Flags:
    if region is None or not len(national):
        return np.zeros(len(national), np.bool_)
    if region.leading_digits is not None:
        return _search(national, f"^(?:{region.leading_digits})")
    is_one, left = np.zeros(len(national), np.bool_), np.flatnonzero(_fits(national, region.general_desc))
    for name in TYPES:
        fits = _fits(national.take(pa.array(left)), getattr(region, name))
        is_one[left[fits]] = True
        left = left[~fits]
    return is_one


def _fits(national: pa.Array, kind: PhoneNumberDesc | None) -> Flags:
    if kind is None or not kind.national_number_pattern or not len(national):
        return np.zeros(len(national), np.bool_)
    fits = _search(national, f"^(?:{kind.national_number_pattern})$")
    if kind.possible_length:
        fits &= np.isin(pc.binary_length(national).to_numpy(), kind.possible_length)
    return fits


def _search(national: pa.Array, pattern: str) -> Flags:
    flags: Flags = pc.match_substring_regex(national, pattern).to_numpy(zero_copy_only=False)
    return flags
