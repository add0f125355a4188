"""Every file in cases/ gives what the .toml beside it states: what was found, and each row with number or reason."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("case", sorted(CASES.glob("*.toml")), ids=lambda case: case.stem)
def test_a_recipient_file_gives_the_rows_that_its_case_states(case: Path, read: Callable) -> None:
    stated = tomllib.loads(case.read_text(encoding="utf-8"))
    table = read(CASES / stated["file"], **stated.get("layout", {}))
    assert table.describe == stated["describe"]
    assert list(table.columns) == stated["columns"]
    rows = [[row["row"], row["phone"], row["number"], row["skip_reason"]] for row in table.rows]
    assert rows == [
        [row, phone, int(number or 0) or None, reason or None] for row, phone, number, reason in stated["rows"]
    ]
    assert table.cells == stated.get("cells", table.cells)
