"""The tally: what is counted of the rows that pass, and which of them are kept to be shown."""

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.model import CHUNK_SCHEMA, Chunk, Problem, Remark
from campaigns.recipients import from_numbers
from campaigns.tally import Preflight, Tally

Row = dict[str, Any]


def a_chunk(rows: list[Row], problems: list[Problem] | None = None) -> Chunk:
    """These rows; what is not said of one is as in a row that may be sent."""
    sent = {"phone": "0701740605", "number": 46701740605, "text": "Hej", "encoding": "GSM-7", "segments": 1}
    skipped = {"phone": "07x"}
    lines = [(skipped if "skip_reason" in row else sent) | row for row in rows]
    table = {field.name: [line.get(field.name) for line in lines] for field in CHUNK_SCHEMA}
    cells = {"Namn": [f"Namn {row['row']}" for row in rows], "Mobil": [line["phone"] for line in lines]}
    return Chunk(pa.table(table, schema=CHUNK_SCHEMA), pa.table(cells), problems or [])


def counted(*chunks: Chunk, problems: int | None = 100, has_text: bool = True) -> Preflight:
    tally = Tally(from_numbers(["0701740605"], "SE"), has_text=has_text, problems=problems)
    for chunk in chunks:
        tally.add(chunk)
    return tally.result()


def invalid(row: int) -> Row:
    return {"row": row, "skip_reason": "invalid", "detail": f"detail {row}", "column": "Mobil"}


def ragged(row: int) -> Problem:
    return Problem(row=row, column=None, value="3 cells", reason=Remark.RAGGED, detail="3 cells instead of 2")


def test_rows_are_counted_by_what_becomes_of_them() -> None:
    ucs2 = {"text": "Zoë", "encoding": "UCS-2", "segments": 2}
    found = counted(
        a_chunk([{"row": 2}, {"row": 3, **ucs2}, invalid(4), {"row": 5, "skip_reason": "duplicate"}]),
        a_chunk([invalid(6), {"row": 7, "empty_field": "Namn"}]),
    )
    assert (found.rows, found.recipients, found.segments) == (6, 3, 4)
    assert found.skipped == {"invalid": 2, "duplicate": 1}
    assert found.encodings == {"GSM-7": 2, "UCS-2": 1}
    assert found.empty_fields == {"Namn": 1}


def test_both_encodings_are_counted_where_there_is_no_row() -> None:
    assert counted().encodings == {"GSM-7": 0, "UCS-2": 0}


def test_a_remark_is_counted_for_each_time_that_it_is_made() -> None:
    found = counted(
        a_chunk([{"row": 2}, {"row": 3, "empty_field": "Namn"}], [ragged(2), ragged(2)]),
        a_chunk([invalid(4)], [ragged(4)]),
    )
    assert found.remarks == {"ragged": 3, "empty_field": 1}
    assert found.skipped == {"invalid": 1}
    assert found.problem_count == 5


def test_an_empty_field_that_skips_its_row_is_no_remark() -> None:
    found = counted(a_chunk([{"row": 2, "skip_reason": "empty_field", "column": "Namn"}]))
    assert (found.skipped, found.remarks) == ({"empty_field": 1}, {})


def test_what_the_reader_remarked_stands_among_the_skipped_rows_by_row() -> None:
    found = counted(a_chunk([invalid(2), {"row": 3}, invalid(4)], [ragged(3)]), a_chunk([invalid(5)]))
    assert [(problem.row, problem.reason) for problem in found.problems] == [
        (2, "invalid"),
        (3, "ragged"),
        (4, "invalid"),
        (5, "invalid"),
    ]


@pytest.mark.parametrize(("limit", "rows"), [(0, []), (1, [2]), (3, [2, 3, 4]), (None, [2, 3, 4, 5, 6])])
def test_the_first_problems_are_listed_up_to_the_limit_and_all_are_counted(limit: int | None, rows: list[int]) -> None:
    chunks = [a_chunk([invalid(2), {"row": 3}, invalid(4)], [ragged(3)]), a_chunk([invalid(5)], [ragged(6)])]
    found = counted(*chunks, problems=limit)
    assert [problem.row for problem in found.problems] == rows
    assert found.problem_count == 5


def test_each_reason_has_its_first_three_rows_as_examples_whatever_is_listed() -> None:
    chunks = [a_chunk([invalid(row) for row in (2, 3)], [ragged(2)]), a_chunk([invalid(row) for row in (4, 5)])]
    examples = counted(*chunks, problems=0).examples
    assert {reason: [problem.row for problem in found] for reason, found in examples.items()} == {
        "invalid": [2, 3, 4],
        "ragged": [2],
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (invalid(4), Problem(row=4, column="Mobil", value="07x", reason="invalid", detail="detail 4")),
        (
            {"row": 4, "empty_field": "Namn", "column": "Namn", "detail": '"Namn" is empty'},
            Problem(row=4, column="Namn", value="Namn 4", reason="empty_field", detail='"Namn" is empty'),
        ),
        (
            {"row": 4, "skip_reason": "hidden"},
            Problem(row=4, column=None, value="07x", reason="hidden", detail=""),
        ),
    ],
)
def test_a_problem_names_its_cell_or_else_the_number(line: Row, expected: Problem) -> None:
    assert counted(a_chunk([{"row": 3}, line])).problems == [expected]


def test_the_first_three_rows_that_may_be_sent_are_shown() -> None:
    found = counted(a_chunk([invalid(2), {"row": 3}]), a_chunk([{"row": row} for row in (4, 5, 6)]))
    assert [preview.row for preview in found.preview] == [3, 4, 5]


def test_the_shortest_and_the_longest_text_are_the_first_of_their_length() -> None:
    texts = ["Hej", "Hejsan", "He"], ["Hejsan", "He", "Hejhej"]
    chunks = [
        a_chunk([{"row": 10 * n + m, "text": text} for m, text in enumerate(each)]) for n, each in enumerate(texts)
    ]
    found = counted(a_chunk([invalid(1)]), *chunks)
    assert found.shortest is not None
    assert found.longest is not None
    assert (found.shortest.row, found.shortest.text) == (2, "He")
    assert (found.longest.row, found.longest.text) == (1, "Hejsan")


def test_a_campaign_without_a_text_shows_numbers_only() -> None:
    found = counted(a_chunk([{"row": 2, "text": None, "encoding": None, "segments": None}]), has_text=False)
    assert (found.shortest, found.longest, found.segments) == (None, None, 0)
    assert [(preview.to, preview.text) for preview in found.preview] == [("+46701740605", None)]


kinds = st.sampled_from(["sent", "invalid", "missing", "hole"])


@settings(deadline=None)
@given(
    st.lists(st.tuples(kinds, st.integers(0, 2)), max_size=40),
    st.integers(1, 9),
    st.one_of(st.none(), st.integers(0, 12)),
)
def test_what_is_found_does_not_depend_on_where_the_chunks_are_cut(
    rows: list[tuple[str, int]], size: int, limit: int | None
) -> None:
    lines = [line(row, kind) for row, (kind, _) in enumerate(rows)]
    remarks = [[ragged(row)] * times for row, (_, times) in enumerate(rows)]
    cut = [
        a_chunk(lines[start : start + size], [each for one in remarks[start : start + size] for each in one])
        for start in range(0, len(rows), size)
    ]
    found = counted(*cut, problems=limit)
    reasons = [
        (row, reason)
        for row, (kind, times) in enumerate(rows)
        for reason in [*([] if kind == "sent" else [kind.replace("hole", "empty_field")]), *["ragged"] * times]
    ]
    assert found.problem_count == len(reasons)
    assert [(problem.row, str(problem.reason)) for problem in found.problems] == reasons[:limit]
    assert Counter(found.skipped) + Counter(found.remarks) == Counter(reason for _, reason in reasons)
    for reason in {reason for _, reason in reasons}:
        expected = [row for row, each in reasons if each == reason][:3]
        assert [problem.row for problem in found.examples[reason]] == expected


def line(row: int, kind: str) -> Row:
    if kind == "sent":
        return {"row": row}
    return {"row": row, "empty_field": "Namn"} if kind == "hole" else {"row": row, "skip_reason": kind}
