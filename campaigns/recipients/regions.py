"""Tell of which region the numbers of a column are."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from campaigns.model import CHUNK_ROWS
from campaigns.recipients.numbers import read_numbers

MOST: Final = 0.5  #: the share of the numbers that must be of a region
REGIONS: Final = (  # those that are tried where a column is not of the region that was given, near ones first
    ("SE", "NO", "DK", "FI", "IS", "EE", "LV", "LT"),
    (
        "PL", "DE", "AT", "CH", "NL", "BE", "LU", "FR", "GB", "IE", "ES", "PT", "IT", "GR", "CZ", "SK", "HU", "RO",
        "BG", "SI", "HR",
    ),
    ("US", "UA", "TR", "AU", "NZ", "IN", "ZA"),
)  # fmt: skip
SAMPLE: Final = 500  #: numbers by which regions are compared
NEARLY: Final = 0.9  #: of the numbers that the best region reads, so many another likely one reads
ENOUGH: Final = 5  #: numbers by which one region may be told from another that reads them too
MOST_REGIONS: Final = 3  #: that are named where nothing tells them apart
ALIKE: Final = 1.2  #: regions whose numbers are so nearly as many cannot be told apart
OTHER_DIGITS: Final = [str.maketrans("123456789", "123456789"[n:] + "123456789"[:n]) for n in range(1, 9)]


def likely_regions(phones: pa.Array, given: str, *, nearby: bool = False) -> Sequence[str]:
    """The other region that most of the numbers are mobile ones of; several where nothing tells them apart.

    None where it is no one's that is tried; `nearby` tries only Europe.
    """
    texts = phones.slice(0, SAMPLE).to_pylist()
    for regions in REGIONS[:-1] if nearby else REGIONS:
        found = {region: _evidence(texts, region) for region in regions if region != given}
        most = max(found.values())
        if most >= MOST * len(texts):
            likely = [region for region, count in found.items() if count >= NEARLY * most]
            beginnings = {next(filter(str.isdecimal, text), "") for text in texts}
            can_tell = len(texts) >= ENOUGH and len(beginnings) > 1
            return (_narrowest(texts, likely) if can_tell else likely)[:MOST_REGIONS]
    return ()


def mobile_count(phones: pa.Array, region: str) -> int:
    """How many are mobile numbers when read in this region."""
    parts = (phones.slice(start, CHUNK_ROWS) for start in range(0, len(phones), CHUNK_ROWS))
    return sum(len(part) - int(read_numbers(part, region)["number"].null_count) for part in parts)


def _evidence(texts: Sequence[str], region: str) -> int:
    """How many are mobile numbers when read in this region; those written with its country code count twice."""
    numbers = read_numbers(pa.array(texts, pa.string()), region)["number"].to_pylist()
    return sum(
        1 + (str(number) == "".join(filter(str.isdecimal, text)))
        for text, number in zip(texts, numbers, strict=True)
        if number is not None
    )


def _narrowest(texts: Sequence[str], regions: Sequence[str]) -> Sequence[str]:
    """Those of the regions that fewest other digits are mobile numbers of.

    A Danish number may begin with nearly any digit, so that eight digits that all begin with 4 or 9 are Norwegian.
    """
    others = pa.array([text.translate(digits) for text in texts for digits in OTHER_DIGITS], pa.string())
    found = {region: mobile_count(others, region) for region in regions}
    return [region for region in regions if found[region] <= ALIKE * min(found.values())]
