"""The samples: each runs as it stands, shows what it is meant to show, and reaches no number of a person."""

import re
from pathlib import Path

import pytest

from campaigns import Campaign
from campaigns.preflight import check, prepare
from campaigns.tally import Preflight

SAMPLES = Path(__file__).parent.parent / "samples"
NAMES = ("discount-codes", "visitors", "numbers", "english")
FICTION = re.compile(r"\+467017406(0[5-9]|[1-9]\d)|\+1[2-9]\d{2}55501\d{2}")  # by PTS, and NPA 555 01xx


def checked(name: str) -> Preflight:
    return check(Campaign.load(SAMPLES / f"{name}.toml"), problems=None)


@pytest.mark.parametrize(
    ("name", "rows", "skipped", "ucs2"),
    [
        ("discount-codes", 320, {"duplicate": 7, "invalid": 6, "missing": 3}, 3),
        ("visitors", 48, {"duplicate": 1, "invalid": 1, "missing": 1, "empty_field": 1}, 0),
        ("numbers", 42, {"duplicate": 1, "invalid": 1}, 0),
        ("english", 47, {"invalid": 1, "missing": 1}, 1),
    ],
)
def test_a_sample_holds_the_rows_and_the_problems_that_it_is_meant_to_show(
    name: str, rows: int, skipped: dict[str, int], ucs2: int
) -> None:
    preflight = checked(name)
    assert (preflight.rows, dict(preflight.skipped)) == (rows, skipped)
    assert preflight.encodings["UCS-2"] == ucs2


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_takes_one_segment_each_but_for_a_letter_in_a_name(name: str) -> None:
    preflight = checked(name)
    assert preflight.segments == preflight.recipients + preflight.encodings["UCS-2"]


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_goes_to_the_sandbox_and_to_no_number_of_a_person(name: str) -> None:
    campaign = Campaign.load(SAMPLES / f"{name}.toml")
    assert campaign.provider == "sandbox"
    numbers = [n for chunk in prepare(campaign).chunks() for n in chunk.table["number"].drop_null().to_pylist()]
    assert [number for number in numbers if not FICTION.fullmatch(f"+{number}")] == []


@pytest.mark.parametrize("name", ["customers.csv", "english.csv", "numbers.txt"])
def test_a_cell_that_is_no_number_holds_none_of_a_person_either(name: str) -> None:
    text = (SAMPLES / name).read_text(encoding="utf-8-sig")
    digits = [re.sub(r"\D", "", found) for found in re.findall(r"[+(]?\d[\d ()./-]{6,}\d", text)]
    assert digits
    assert [each for each in digits if not re.search(r"7017406|55501\d\d$|^447700900|^15550123$", each)] == []


def test_each_discount_code_is_there_once() -> None:
    lines = (SAMPLES / "customers.csv").read_text(encoding="utf-8-sig").splitlines()
    codes = [line.rpartition(";")[2] for line in lines[1:]]
    assert len(set(codes)) == len(codes) == 320


def test_an_empty_name_is_greeted_as_there() -> None:
    chunks = prepare(Campaign.load(SAMPLES / "english.toml")).chunks()
    texts = [text for chunk in chunks for text in chunk.table["text"].to_pylist()]
    assert sum((text or "").startswith("Hi there!") for text in texts) == 2
