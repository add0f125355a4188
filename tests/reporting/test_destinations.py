"""A report appears whole or not at all, and a place that cannot be written is told at once."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from campaigns.errors import InputError
from campaigns.model import ReportRow
from campaigns.reporting import FORMATS, check_places, open_reports
from campaigns.reporting.destinations import unwritable

EVERY_FORMAT = pytest.mark.parametrize("extension", FORMATS)


class BrokenError(Exception):
    """Whatever may come in the middle of a report."""


@EVERY_FORMAT
def test_a_report_replaces_the_old_one_and_leaves_nothing_beside_it(
    extension: str, tmp_path: Path, write: Any, some_rows: Any
) -> None:
    path = tmp_path / f"a{extension}"
    path.write_text("the old one")
    write([path], some_rows, ["namn", "ort"])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert b"the old one" not in path.read_bytes()


@EVERY_FORMAT
def test_an_error_between_rows_leaves_the_old_report_and_nothing_else(
    extension: str, tmp_path: Path, write: Any, some_rows: Any
) -> None:
    def rows() -> Iterator[ReportRow]:
        yield from some_rows * 400
        raise BrokenError

    path = tmp_path / f"a{extension}"
    path.write_text("the old one")
    with pytest.raises(BrokenError):
        write([path], rows(), ["namn", "ort"])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "the old one"


@EVERY_FORMAT
def test_left_without_finish_nothing_stays_behind(extension: str, tmp_path: Path, some_rows: Any) -> None:
    with open_reports([tmp_path / f"a{extension}"], ["namn", "ort"]) as reports:
        reports.add(some_rows)
    assert list(tmp_path.iterdir()) == []


def test_a_workbook_that_is_given_up_leaves_no_temporary_file(
    tmp_path: Path, some_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with open_reports([tmp_path / "a.xlsx"], ["namn", "ort"]) as reports:
        reports.add(some_rows * 400)
        assert list(scratch.iterdir())
    assert list(scratch.iterdir()) == []


def test_missing_folders_are_made(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "a" / "b" / "c.csv"
    write([path], [])
    assert path.is_file()


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.csv.gz", ".csv"])
def test_an_unknown_format_is_told_with_all_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        check_places([tmp_path / name])
    assert all(extension in error.value.fix for extension in FORMATS)


def test_the_extension_counts_in_any_case(tmp_path: Path, write: Any) -> None:
    write([tmp_path / "A.CSV"], [])
    assert (tmp_path / "A.CSV").read_bytes().startswith(b"\xef\xbb\xbfrow")


def test_the_same_file_twice_is_an_error_however_it_is_spelled(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(InputError, match="twice"):
        check_places([tmp_path / "a.csv", tmp_path / "sub" / ".." / "a.csv"])


def test_a_folder_in_the_place_is_an_error_that_names_another(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(InputError) as error:
        check_places([tmp_path / "a.csv"])
    assert str(tmp_path / "a-2.csv") in error.value.fix


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        check_places([tmp_path / "reports" / "a.csv"])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody may write to")
def test_a_folder_that_cannot_be_written_to_is_an_error_before_the_first_row() -> None:
    with pytest.raises(InputError, match="cannot be written") as error:
        check_places([Path("/proc/a.csv")])
    assert error.value.fix == "Give another place: a.csv"


def test_a_check_of_places_leaves_no_file(tmp_path: Path) -> None:
    check_places([tmp_path / "a.csv"])
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_report_left_is_removed_by_a_later_one(tmp_path: Path) -> None:
    names = ".0123456789abcdef.part", ".fedcba9876543210.part", ".old.part"
    for name, age_s in zip(names, (7200, 60, 7200), strict=True):
        (tmp_path / name).write_text("+46701740605")
        changed = (tmp_path / name).stat().st_mtime - age_s
        os.utime(tmp_path / name, (changed, changed))
    check_places([tmp_path / "a.csv"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".fedcba9876543210.part", ".old.part"]


@pytest.mark.parametrize(("name", "words"), [("x" * 300 + ".csv", "File name too long"), ("a\0b.csv", "NUL")])
def test_a_name_that_no_file_can_bear_is_an_error_that_says_why(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        check_places([tmp_path / name])


@pytest.mark.parametrize("mark", ["~$a.xlsx", ".~lock.a.xlsx#"])
def test_a_file_that_is_open_elsewhere_is_an_error_that_names_a_free_name(mark: str, tmp_path: Path) -> None:
    for name in (mark, "a.xlsx", "a-2.xlsx"):
        (tmp_path / name).write_text("")
    with pytest.raises(InputError, match="open in another program") as error:
        check_places([tmp_path / "a.xlsx"])
    assert str(tmp_path / "a-3.xlsx") in error.value.fix


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "open in another program"),
        (OSError(28, "No space left"), "No space left"),
    ],
)
def test_a_failed_write_is_told_in_words_with_another_name(error: OSError, words: str, tmp_path: Path) -> None:
    told = unwritable(tmp_path / "a.csv", error)
    assert words in told.what
    assert "csv" in told.fix


def test_a_place_that_is_taken_meanwhile_is_an_error_that_leaves_nothing(
    tmp_path: Path, write: Any, some_rows: Any
) -> None:
    path = tmp_path / "a.csv"

    def rows() -> Iterator[ReportRow]:
        yield from some_rows
        path.mkdir()

    with pytest.raises(InputError) as error:
        write([path], rows(), ["namn", "ort"])
    assert "a.csv" in error.value.fix
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_a_link_keeps_leading_to_its_file(tmp_path: Path, write: Any) -> None:
    (tmp_path / "real.csv").write_text("")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write([tmp_path / "link.csv"], [])
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").stat().st_size > 0


def test_a_circle_of_links_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    with pytest.raises(InputError):
        check_places([tmp_path / "a.csv"])
