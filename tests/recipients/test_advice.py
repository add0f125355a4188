"""What is wrong with most of a column is said once, with the option that mends it."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from campaigns.recipients import Advice, Layout, advise, from_numbers, open_recipients

Advise = Callable[..., Sequence[Advice]]
NORWEGIAN = [
    "406 12 345",
    "40612346",
    "91234567",
    "92 34 56 78",
    "4740612347",
    "+47 406 12 348",
    "48123456",
    "99123456",
]
FINNISH = [f"040 123456{n}" for n in range(8)]
FRENCH = [f"06 12 34 56 7{n}" for n in range(5)] + [f"07 56 12 34 5{n}" for n in range(3)]
ESTONIAN = [f"5123 456{n}" for n in range(8)]
LAND_LINES = [f"08-123 456 7{n}" for n in range(8)]
MOBILE = [f"070-174 06 0{n}" for n in range(5, 10)] + [f"070-174 06 1{n}" for n in range(3)]


@pytest.fixture
def told(tmp_path: Path) -> Advise:
    """The advice for a file with these columns, after all its rows were counted."""

    def advise_on(columns: dict[str, Sequence[str]], **layout: object) -> Sequence[Advice]:
        path = tmp_path / "lista.csv"
        lines = [columns.keys(), *zip(*columns.values(), strict=True)]
        path.write_text("".join(";".join(line) + "\n" for line in lines), encoding="utf-8")
        recipients = open_recipients(path, Layout(**layout))
        rows, skipped = 0, Counter()
        for chunk in recipients.chunks():
            rows += len(chunk.table)
            skipped.update(reason for reason in chunk.table["skip_reason"].to_pylist() if reason)
        return advise(recipients, rows, skipped)

    return advise_on


@pytest.mark.parametrize(
    ("numbers", "region", "fix"),
    [
        (NORWEGIAN, "SE", "--region NO"),
        (NORWEGIAN, "DE", "--region NO"),
        (FRENCH, "SE", "--region FR, or --allow-landline if they are land lines in region SE"),
        (FRENCH, "NO", "--region FR"),
        (ESTONIAN, "SE", "--region DK or --region EE"),  # both have numbers that begin with 5
        (FINNISH, "SE", "--region FI, or --allow-landline if they are land lines in region SE"),
        (["(201) 555-0123", "212-555-0124", "415 555 0125"], "SE", "--region US"),
        (MOBILE, "NO", "--region SE"),
        (["07400 123456", "07400 123457", "07911 123456"], "SE", "--region GB"),
    ],
)
def test_a_column_of_another_region_is_told_with_that_region(
    told: Advise, numbers: Sequence[str], region: str, fix: str
) -> None:
    (advice,) = told({"Telefon": numbers}, region=region)
    assert advice.fix == fix


def test_the_note_counts_what_fails_and_what_the_other_region_reads(told: Advise) -> None:
    (advice,) = told({"Telefon": ["21234567", *NORWEGIAN[2:], *MOBILE[:2]]})
    what, _, but = advice.note.partition(", but ")
    assert what == '6 of 9 numbers in "Telefon" are no mobile numbers in region SE'
    assert but == "5 of these are mobile numbers in region NO."


@pytest.mark.parametrize(
    ("columns", "layout", "note", "fix"),
    [
        (
            {"Mobil": [*MOBILE[:2], "4.67E+10", "4.67E+10", "4.67E+10", *MOBILE[2:]]},
            {},
            'Rows 4 to 6 of "Mobil" all lost their digits in Excel (4.67E+10).',
            "Format the column as Text in Excel and paste these 3 rows again.",
        ),
        (
            {"Mobil": ["4.67E+10", *MOBILE, "4.67E+10"]},
            {},
            '2 numbers in "Mobil" lost their digits in Excel (4.67E+10).',
            "Format the column as Text in Excel and paste these 2 rows again.",
        ),
        (
            {"Telefon": LAND_LINES},
            {},
            '8 of 8 numbers in "Telefon" are land lines or the like, which seldom get texts.',
            "--allow-landline",
        ),
        (
            {"Telefon": LAND_LINES, "Kontakt": MOBILE},
            {},
            '8 of 8 numbers in "Telefon" are no mobile numbers in region SE, but "Kontakt" holds mobile numbers.',
            '--phone-column "Kontakt"',
        ),
        (
            {"Kundnr": [str(n) for n in range(1001, 1009)], "Kontakt": MOBILE},
            {"phone_column": "Kundnr"},
            '8 of 8 numbers in "Kundnr" are no numbers in region SE, but "Kontakt" holds mobile numbers.',
            '--phone-column "Kontakt"',
        ),
        (
            {"Mobil": ["", "", "", "", "", "", "", MOBILE[0]], "Kontakt": MOBILE},
            {"phone_column": "Mobil"},
            '7 of 8 cells of "Mobil" are empty, but "Kontakt" holds mobile numbers.',
            '--phone-column "Kontakt"',
        ),
        (
            {"Mobil": [f"{a} / {b}" for a, b in zip(MOBILE, MOBILE[::-1], strict=True)]},
            {},
            '8 of 8 cells of "Mobil" hold more than one number.',
            "Put each number into a row or a column of its own.",
        ),
    ],
)
def test_what_is_wrong_with_a_column_is_said_with_what_mends_it(
    told: Advise, columns: dict[str, Sequence[str]], layout: dict[str, str], note: str, fix: str
) -> None:
    assert told(columns, **layout) == [Advice(note, fix)]


@pytest.mark.parametrize(
    "numbers",
    [MOBILE, [*MOBILE[:5], "", "saknas", LAND_LINES[0]], ["saknas"] * 8, [""] * 8, LAND_LINES[:3] + MOBILE[3:]],
)
def test_nothing_is_said_where_no_option_helps(told: Advise, numbers: Sequence[str]) -> None:
    assert told({"Namn": ["Bo"] * 8, "Mobil": numbers}) == []


def test_land_lines_that_are_allowed_need_no_advice(told: Advise) -> None:
    assert told({"Telefon": LAND_LINES}, allow_landline=True) == []


def test_numbers_that_were_typed_have_no_column() -> None:
    (advice,) = advise(from_numbers(NORWEGIAN[2:4], "SE"), 2, {"invalid": 2})
    assert advice == Advice(
        "2 of 2 numbers are no numbers in region SE, but 2 of these are mobile numbers in region NO.",
        "--region NO or --region DK",
    )
