"""Rows with more or fewer cells than the header are kept as they are, and each is named."""

from pathlib import Path

import pytest

from campaigns.model import CHUNK_ROWS, Remark
from campaigns.recipients import Layout, open_recipients

A, B = "070-174 06 05", "070-174 06 06"


def named(tmp_path: Path, text: str) -> list[tuple[int, str, str]]:
    """The rows that are remarked on, each with its value and detail."""
    path = tmp_path / "lista.csv"
    path.write_text(text, encoding="utf-8")
    problems = [problem for chunk in open_recipients(path, Layout()).chunks() for problem in chunk.problems]
    assert all(problem.reason == Remark.RAGGED and problem.column is None for problem in problems)
    return [(problem.row, problem.value, problem.detail) for problem in problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Namn;Mobil\nBo;{A};x\n", [(2, "x", "1 cell more than the header has")]),
        (f"Namn;Mobil\nBo;{A};x;;y\n", [(2, "x;;y", "3 cells more than the header has")]),
        (f"Namn;Mobil;Ort;Kod\nBo;{A}\n", [(2, f"Bo;{A}", "2 cells where the header has 4")]),
        ("Namn;Mobil;Ort;Kod\nBo\n", [(2, "Bo", "1 cell where the header has 4")]),
        (f"Namn,Mobil\nEk, Bo,{A}\nÅsa,{B}\n", [(2, A, "1 cell more than the header has")]),
        (f"{A};Bo\n{B};Åsa\n{B};Eva;x\n{A}\n", [
            (3, "x", "1 cell more than most rows have"), (4, A, "1 cell where most rows have 2"),
        ]),
    ],
)  # fmt: skip
def test_a_row_of_another_length_than_the_header_is_named(
    tmp_path: Path, text: str, expected: list[tuple[int, str, str]]
) -> None:
    assert named(tmp_path, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"Namn;Mobil\nBo;{A};;;\n",  # empty cells at the end
        f"Namn;Mobil;\nBo;{A}\nÅsa;{B};\n",  # a header that ends in a delimiter
        f"Namn;Mobil;;\nBo;{A};x\n",  # a column without a name
        f"Mina kunder\n\nNamn;Mobil\n\nBo;{A}\n;;;\n",  # titles and blank rows
        f"Mobil\n{A}\n{B}, ej kväll\n",  # one column
        f'Namn;Mobil\n"Bo\nEk;";{A}\n',
    ],
)
def test_a_row_whose_cells_all_stand_under_the_header_is_not_named(tmp_path: Path, text: str) -> None:
    assert named(tmp_path, text) == []


def test_a_ragged_row_far_down_is_named_by_its_row(tmp_path: Path) -> None:
    rows = CHUNK_ROWS + 5
    assert named(tmp_path, "Namn;Mobil\n" + f"Bo;{A}\n" * rows + f"Eva;{B};x\nEk\n") == [
        (rows + 2, "x", "1 cell more than the header has"),
        (rows + 3, "Ek", "1 cell where the header has 2"),
    ]


def test_the_detail_stands_on_the_row_unless_its_number_has_one(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text(f"Namn;Mobil;Ort\nBo;{A}\nEva;070\n")
    (chunk,) = open_recipients(path, Layout()).chunks()
    details = chunk.table["detail"].to_pylist()
    assert details[0] == "2 cells where the header has 3"
    assert details[1].startswith("too few digits")
    assert len(chunk.problems) == 2
