"""Whatever bytes a file holds, it is read in full or refused in one sentence; it never ends in a traceback.

CAMPAIGNS_FUZZ_ROUNDS=100 goes a hundred times as far, over other mutations; each failure names its round and file.
"""

import csv
import faulthandler
import io
import os
import random
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.cli import cli
from campaigns.cli.session import Session
from campaigns.errors import InputError
from campaigns.model import CHUNK_SCHEMA
from campaigns.recipients import Layout, RecipientFile, open_recipients
from campaigns.recipients.files import ENDINGS

ROUNDS: Final = int(os.environ.get("CAMPAIGNS_FUZZ_ROUNDS", "1"))
MUTANTS: Final = 20  #: of each sample in a round that are read
CHECKED: Final = 2  #: of each sample in a round that the command looks at
LONGEST_S: Final = 120  #: a test that takes longer hangs, and ends the process with a traceback
MOST_COLUMNS: Final = 16_384
MOST_MEMORY: Final = 4 << 30  #: bytes of address space; a file of a few kilobytes may not ask for more

ROOT: Final = Path(__file__).parent.parent.parent
SAMPLES: Final = sorted(
    path
    for folder in (ROOT / "samples", Path(__file__).parent / "cases")
    for path in folder.iterdir()
    if path.suffix in ENDINGS
)
LAYOUTS: Final[Sequence[dict[str, Any]]] = (
    *([{}] * 6), {"region": "NO"}, {"phone_column": "Mobil"}, {"sheet": "Kunder"}, {"encoding": "cp1252"},
    {"encoding": "utf-16"}, {"skip_hidden": True}, {"allow_landline": True},
)  # fmt: skip

PHONES: Final = ("070-174 06 05", "+46701740606", "0701740607.0", "4,67E+10", "08-123 456 78", "saknas", "070/071", "")
CELL: Final = st.one_of(
    st.text(st.sampled_from('aåÄ0 ";,\t|\r\n\x85\u2028\x1f=#\\'), max_size=5),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
)
ROW: Final = st.one_of(
    st.just([]), st.tuples(st.sampled_from(PHONES), st.lists(CELL, max_size=4)).map(lambda r: [r[0], *r[1]])
)
TABLE: Final = st.lists(ROW, min_size=1, max_size=12)
MARKS: Final = (
    b"",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"sep=;\n",
    b"Mobil;Namn\n",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
)
SIGNS: Final = (
    b"\0", b"\xff", b'"', b'""', b"'", b";", b",", b"\t", b"\r", b"\n", b"\xef\xbb\xbf", b"\xc3", b"\xe5",
    b"\xed\xa0\x80", b"<", b">", b"/>", b"&", b"&#0;", b"]]>", b"-1", b"0", b"1e999", b"65536", b"4294967296",
    b"99999999999999999999", b"XFD1048576",
)  # fmt: skip


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """What hangs or fills the memory ends here, and not the machine."""
    resource = pytest.importorskip("resource", reason="this system has no limits")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, before[1]))
    faulthandler.dump_traceback_later(LONGEST_S * ROUNDS, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()
    resource.setrlimit(resource.RLIMIT_AS, before)


more = settings(deadline=None, max_examples=100 * ROUNDS, suppress_health_check=[HealthCheck.function_scoped_fixture])


@more
@given(st.sampled_from(MARKS), st.binary(max_size=300), st.sampled_from(ENDINGS))
def test_random_bytes_are_read_or_refused(tmp_path: Path, mark: bytes, content: bytes, ending: str) -> None:
    path = tmp_path / f"lista{ending}"
    path.write_bytes(mark + content)
    read_or_refused(path)


@more
@given(
    TABLE,
    st.sampled_from(";,\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_every_row_of_a_well_formed_table_is_read_once_and_under_its_number(
    tmp_path: Path, rows: list[list[str]], delimiter: str, end: str, quoted: bool, encoding: str
) -> None:
    body = text_of([["Mobil", "Namn"], ["0701740605", "först"], *rows], delimiter, end, quoted)
    path = tmp_path / "lista.csv"
    path.write_bytes(f"sep={delimiter}{end}{body}".encode(encoding))

    file = read_or_refused(path)

    assert not isinstance(file, InputError)
    assert (file.delimiter, file.header_row, file.doubt) == (delimiter, 1, None)
    assert rows_of(file) == rows_by_csv(body, delimiter, header_row=1)


@more
@given(
    TABLE, st.sampled_from(";,\t|:"), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(),
    st.sampled_from(["utf-8", "utf-16-le", "utf-32", "cp1252", "mac-roman", "cp850"]), st.lists(CELL, max_size=3),
    st.booleans(),
)  # fmt: skip
def test_any_other_table_is_read_as_the_csv_module_reads_it_or_refused(
    tmp_path: Path,
    rows: list[list[str]],
    delimiter: str,
    end: str,
    quoted: bool,
    encoding: str,
    titles: list[str],
    named: bool,
) -> None:
    header = [["Mobil", "Namn"]] if named else []
    body = text_of([*([title] for title in titles), *header, *rows], delimiter, end, quoted)
    path = tmp_path / "lista.csv"
    path.write_bytes(body.encode(encoding, "replace"))

    file = read_or_refused(path)

    if not isinstance(file, InputError):
        text = path.read_bytes().decode("utf-8-sig" if file.encoding == "UTF-8" else file.encoding)
        assert rows_of(file) == rows_by_csv(text, file.delimiter or "\x1f", file.header_row)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.parent.name}/{sample.name}")
def test_a_damaged_sample_is_read_or_refused(tmp_path: Path, sample: Path) -> None:
    for path, dice in mutants(sample, tmp_path, MUTANTS):
        read_or_refused(path, **dice.choice(LAYOUTS))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.parent.name}/{sample.name}")
def test_the_command_ends_well_over_a_damaged_sample(
    tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path, _ in mutants(sample, tmp_path, CHECKED):
        words = ["check", str(path), "--message", "Hej!", "--problems", "all", "--fixed", "fixed.xlsx"]
        result = CliRunner().invoke(cli, words, obj=Session())
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code in (0, 2)
        assert "Traceback" not in result.output


def read_or_refused(path: Path, **layout: Any) -> RecipientFile | InputError:
    """The file, all of whose rows can be read, or why not."""
    try:
        file = open_recipients(path, Layout(**layout))
        chunks = list(file.chunks())
    except InputError as error:
        return in_one_sentence(error)
    numbers = [number for chunk in chunks for number in chunk.table["row"].to_pylist()]
    assert numbers == sorted(set(numbers))
    assert len(file.columns) <= MOST_COLUMNS
    assert file.header_row < numbers[0]
    assert numbers[-1] <= file.height
    assert all(chunk.table.schema == CHUNK_SCHEMA for chunk in chunks)
    assert all(chunk.cells.column_names == list(file.columns) for chunk in chunks)
    return file


def in_one_sentence(error: InputError) -> InputError:
    assert error.what.endswith(".")
    assert "\n" not in error.what
    return error


def rows_of(file: RecipientFile) -> dict[int, list[str]]:
    """The cells of each data row by its number, without the empty ones at its end."""
    return {
        number: trimmed(list(cells.values()))
        for chunk in file.chunks()
        for number, cells in zip(chunk.table["row"].to_pylist(), chunk.cells.to_pylist(), strict=True)
    }


def rows_by_csv(text: str, delimiter: str, header_row: int) -> dict[int, list[str]]:
    """The same by Python's own reader; rows are counted as a spreadsheet program does, the blank ones included."""
    rows = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1)
    return {number: trimmed(row) for number, row in rows if number > header_row and "".join(row).strip()}


def trimmed(row: list[str]) -> list[str]:
    return row[: max((place for place, cell in enumerate(row, 1) if cell), default=0)]


def text_of(rows: list[list[str]], delimiter: str, end: str, quoted: bool) -> str:
    return "".join(delimiter.join(written(cell, delimiter, quoted) for cell in row) + end for row in rows)


def written(cell: str, delimiter: str, quoted: bool) -> str:
    if quoted or any(sign in cell for sign in f'{delimiter}"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def mutants(sample: Path, folder: Path, count: int) -> Iterator[tuple[Path, random.Random]]:
    """Files that are nearly the sample, each always the same by its number, under which a failure names it."""
    content = sample.read_bytes()
    path = folder / f"{sample.stem}{sample.suffix}"
    for number in range(count * ROUNDS):
        dice = random.Random(f"{sample.name} {number}")
        inside = zipfile.is_zipfile(sample) and dice.random() < 0.8
        path.write_bytes(mutated_member(content, dice) if inside else mutated(content, dice))
        try:
            yield path, dice
        except BaseException as error:
            error.add_note(f"mutant {number} of {sample.name}: {path}")
            raise


def mutated(content: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.choice((1, 1, 2, 3, 8, 30))):
        start = dice.randrange(len(content) + 1)
        end = min(len(content), start + dice.choice((0, 1, 1, 2, 4, 8, 100, 1000)))
        content = dice.choice(MUTATIONS)(content, start, end, dice)
    return content


def mutated_member(content: bytes, dice: random.Random) -> bytes:
    """The same archive with one member changed, left out or called by another's name."""
    members = read_members(content)
    name = dice.choice(list(members))
    kind = dice.random()
    if kind < 0.9:
        members[name] = mutated(members[name], dice)
    elif kind < 0.95:
        del members[name]
    else:
        members[dice.choice(list(members))] = members.pop(name)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for member, inside in members.items():
            archive.writestr(member, inside)
    return packed.getvalue()


def read_members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


MUTATIONS: Final[Sequence[Callable[[bytes, int, int, random.Random], bytes]]] = (
    lambda content, start, end, dice: (
        content[:start] + bytes(byte ^ 1 << dice.randrange(8) for byte in content[start:end]) + content[end:]
    ),
    lambda content, start, end, dice: content[:start] + dice.randbytes(end - start) + content[end:],
    lambda content, start, end, dice: content[:start] + content[end:],
    lambda content, start, end, dice: content[:start] + dice.choice(SIGNS) + content[start:],
    lambda content, start, end, dice: content[:start] + dice.choice(SIGNS) + content[end:],
    lambda content, start, end, dice: content[:end] + content[start:end] * dice.choice((1, 1, 2, 50)) + content[end:],
    lambda content, start, end, dice: content[: dice.choice((start, len(content)))],
    lambda content, start, end, dice: (
        content[: (place := dice.randrange(len(content) + 1))] + content[start:end] + content[place:]
    ),
)
