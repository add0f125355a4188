"""Measure the importer against the loop that people write, and print a table of ratios (plain script, no test).

    python tests/bench/import.py                    all of it, about ten minutes
    python tests/bench/import.py --quick            a tenth of the rows, each measured once
    python tests/bench/import.py --only check xlsx  some of the cases

Each figure is the best of a few runs of a process of its own, and the two sides take turns, so that a busy machine
slows both. Seconds are those of the whole process, and memory is its peak, as the system counted it; reading a
workbook is timed inside the process, without its imports. Needs Linux or macOS.
"""

import argparse
import csv
import math
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final

SEED: Final = 4
LONGEST_S: Final = 1200  #: a process that takes longer is ended
MB: Final = 1_000_000
PACKAGES: Final = ("pandas", "pyarrow", "phonenumbers", "python-calamine", "openpyxl", "SQLAlchemy")

HEADER: Final = ("Förnamn", "Efternamn", "Mobil", "Stad", "Kod", "Datum")
FIRST_NAMES: Final = ("Anna", "Åsa", "Örjan", "Björn", "Eva", "Mohammed", "Linnéa", "Karl-Erik", "Siv", "Maximilian")
LAST_NAMES: Final = ("Andersson", "Öberg", "Sjöström", "af Geijerstam", "Håkansson", "Li", "Lindqvist", "Ek")
CITIES: Final = ("Lund", "Malmö", "Göteborg", "Örnsköldsvik", "Västerås", "Umeå", "Stockholm", "Ystad")
MESSAGE: Final = (
    "Hej {förnamn}! Som kund i {stad} får du 20 % på allt med koden {kod}, i butik och på nätet, till och med {datum}."
    " Svara STOPP för att slippa. /Lindbergs"
)

SWEDISH: Final = (  # each with its weight; {0} the two digits after the 0, {1} {2} {3} three, two and two more
    (25, "0{0}-{1} {2} {3}"),
    (25, "0{0}{1}{2}{3}"),
    (12, "+46{0}{1}{2}{3}"),
    (10, "+46 {0} {1} {2} {3}"),
    (8, "0{0} {1} {2} {3}"),
    (6, "0{0}-{1}{2}{3}"),
    (5, "+46 (0){0}-{1} {2} {3}"),
    (4, "0046{0}{1}{2}{3}"),
    (3, "46{0}{1}{2}{3}"),
    (2, "{0}{1}{2}{3}"),
)
EUROPEAN: Final = (  # country code, the digits that a mobile number begins with, how many digits follow
    ("47", "9", 7), ("45", "20", 6), ("358", "40", 7), ("49", "171", 7), ("44", "73", 8), ("33", "61", 7),
    ("31", "61", 7), ("48", "60", 7),
)  # fmt: skip
DIRT: Final = (  # {0} seven digits of the row's own
    "", "", "saknas", "0", "070-{0:.4}", "07o-{0:.6}O", "070{0} / 073{0}", "4,67{0:.3}E+10", "08-{0:.3} {0:.3} 00",
    "031-{0:.6}", "070{0}{0}", "070-{0}, {0:.2}", "ring {0}",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the table."""

    name: str
    title: str
    file: str  #: which list it reads
    ours: str  #: a child, or "" for a command
    theirs: str  #: the child it is compared with, "" where it is only measured
    command: Sequence[str] = ()  #: what follows `campaigns check FILE --message MESSAGE`
    faster: float = 0  #: the bar: at least so many times
    memory: int = 0  #: the bar: at most so many MB; 0: none


CASES: Final = (
    Case(name="check", title="`check`", file="csv", ours="", theirs="loop", faster=12, memory=300),
    Case(
        name="report", title="`check --report`", file="csv", ours="", theirs="loop", faster=4, memory=400,
        command=("--report", "report.csv"),
    ),
    Case(name="plan", title="planning into the ledger", file="csv", ours="plan", theirs="loop", faster=4, memory=400),
    Case(name="xlsx", title="reading a workbook", file="xlsx", ours="read", theirs="openpyxl", faster=7),
    Case(name="big-check", title="`check`", file="big", ours="", theirs="", memory=450),
    Case(
        name="big-report", title="`check --report`", file="big", ours="", theirs="", memory=550,
        command=("--report", "report.csv"),
    ),
    Case(name="big-plan", title="planning into the ledger", file="big", ours="plan", theirs="", memory=550),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took."""

    seconds: float
    megabytes: float


def main() -> None:
    """Measure what was asked for and print the table."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="campaigns-bench-") as folder:
        bench = Bench(Path(folder), options)
        cases = [case for case in CASES if not options.only or case.name in options.only]
        lines = [line for name in ("csv", "xlsx", "big") for line in bench.table([c for c in cases if c.file == name])]
    _print_report(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the text file  [default: %(default)s]")
    parser.add_argument("--big", type=int, default=5_000_000, help="of the largest text file  [default: %(default)s]")
    parser.add_argument("--xlsx-rows", type=int, default=200_000, help="of the workbook  [default: %(default)s]")
    parser.add_argument("--best-of", type=int, default=2, metavar="N", help="runs of each  [default: %(default)s]")
    parser.add_argument("--quick", action="store_true", help="a tenth of all rows, once")
    parser.add_argument("--only", nargs="+", choices=[case.name for case in CASES], metavar="NAME")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.big, options.xlsx_rows = options.rows // 10, options.big // 10, options.xlsx_rows // 10
        options.best_of = 1
    return options


class Bench:
    """The lists, made when they are first needed, and the runs over them."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.rows = {"csv": options.rows, "xlsx": options.xlsx_rows, "big": options.big}
        self.best_of = options.best_of

    def table(self, cases: Sequence[Case]) -> Iterator[str]:
        """A line for each of the cases, all of which read the same list."""
        if not cases:
            return
        file = self._list(cases[0].file)
        ours: dict[str, list[Run]] = {case.name: [] for case in cases}
        theirs: dict[str, list[Run]] = {case.theirs: [] for case in cases if case.theirs}
        for _ in range(self.best_of if theirs else 1):  # in turns, so that noise hits all alike
            for name, runs in theirs.items():
                runs.append(self._run(_child(name, file)))
            for case in cases:
                ours[case.name].append(self._run(_words(case, file)))
        for case in cases:
            yield _line(case, self.rows[case.file], ours[case.name], theirs.get(case.theirs, []))

    def _list(self, name: str) -> Path:
        file = self.folder / f"{name}.{'xlsx' if name == 'xlsx' else 'csv'}"
        if not file.exists():
            _say(f"writing {self.rows[name]:,} rows as {file.name}")
            self._run(_child("write", file, str(self.rows[name])))
        return file

    def _run(self, words: Sequence[str]) -> Run:
        """Seconds and peak memory of a process; it must end well."""
        for left in (*self.folder.glob("ledger.db*"), self.folder / "report.csv"):
            left.unlink(missing_ok=True)
        home = {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        environ = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGNS_")} | home
        output = self.folder / "output.txt"
        with output.open("wb") as stdout:
            begun = time.perf_counter()
            process = subprocess.Popen(words, cwd=self.folder, env=environ, stdout=stdout, stderr=stdout)
            limit = threading.Timer(LONGEST_S, process.kill)
            limit.start()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begun
            limit.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        said = output.read_text(encoding="utf-8", errors="replace")
        if process.returncode:
            sys.exit(f"{' '.join(words)}\n{said}\nended with {process.returncode}")
        own = [line.removeprefix("seconds ") for line in said.splitlines() if line.startswith("seconds ")]
        seconds = float(own[-1]) if own else seconds
        megabytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MB
        cpu = usage.ru_utime + usage.ru_stime
        _say(f"{seconds:8.2f} s {cpu:8.2f} s of CPU {megabytes:7.0f} MB  {' '.join(words[2:4])}")
        return Run(seconds, megabytes)


def _words(case: Case, file: Path) -> list[str]:
    """The command line of our side of a case."""
    if case.ours:
        return _child(case.ours, file)
    return [sys.executable, "-m", "campaigns", "check", str(file), "--message", _template(), *case.command]


def _child(name: str, file: Path, *more: str) -> list[str]:
    return [sys.executable, __file__, f"child-{name}", str(file), *more]


def _template() -> str:
    return MESSAGE.replace("{", "{{ ").replace("}", " }}")


def _line(case: Case, rows: int, ours: Sequence[Run], theirs: Sequence[Run]) -> str:
    """A line of the Markdown table: the best time of each side, and the most memory."""
    seconds, memory = min(run.seconds for run in ours), max(run.megabytes for run in ours)
    cells = [case.title, f"{rows:,} {'xlsx' if case.file == 'xlsx' else 'csv'}", f"{seconds:.1f} s"]
    missed = ["memory"] if 0 < case.memory < memory else []
    if theirs:
        other = min(run.seconds for run in theirs)
        cells += [f"{other:.1f} s", f"**{other / seconds:.1f}** (bar {case.faster:g})"]
        missed += ["time"] if other / seconds < case.faster else []
    else:
        cells += ["", ""]
    cells += [f"{memory:.0f} MB" + (f" (bar {case.memory})" if case.memory else "")]
    cells += [f"{max(run.megabytes for run in theirs):.0f} MB" if theirs else ""]
    return f"| {' | '.join([*cells, 'not in ' + ' and '.join(missed) if missed else 'yes'])} |"


def _print_report(lines: Iterable[str]) -> None:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"{datetime.now(UTC).date()}, {_processor()}, {os.cpu_count()} cores, {platform.system()}")
    print(f"Python {platform.python_version()}, {packages}\n")
    print("| What | Rows | campaigns | The other way | Times faster | Peak memory | The other way's | Bar met |")
    print("|---|---|--:|--:|--:|--:|--:|---|")
    print(*lines, sep="\n")


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- What runs in processes of their own: each imports only what it needs, as a program of its own would ------------


def loop(file: Path) -> None:
    """The loop that people write, over the same list with the same text."""
    import pandas as pd
    import phonenumbers

    table = pd.read_csv(file, sep=";", dtype=str, keep_default_na=False)
    seen: set[str] = set()
    messages, segments = [], 0
    for row in table.itertuples(index=False):
        try:
            number = phonenumbers.parse(row.Mobil, "SE")
        except phonenumbers.NumberParseException:
            continue
        if not phonenumbers.is_valid_number(number):
            continue
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if e164 in seen:
            continue
        seen.add(e164)
        text = MESSAGE.format(förnamn=row.Förnamn, stad=row.Stad, kod=row.Kod, datum=row.Datum)
        segments += 1 if len(text) <= 160 else math.ceil(len(text) / 153)
        messages.append((e164, text))
    print(f"{len(messages)} messages, {segments} segments")


def plan_into_ledger(file: Path) -> None:
    """Plan a campaign into a new ledger, and say yes to it."""
    from campaigns import Campaign, Settings, open_ledger, plan

    campaign = Campaign.load(file, message=_template())
    account = Settings.load().account("sandbox").with_url("http://127.0.0.1:9")  # nothing is sent to it
    with (
        open_ledger(file.parent / "ledger.db") as ledger,
        plan(campaign, ledger=ledger, account=account) as planned,
    ):
        planned.make_ready()
        print(f"{planned.preflight.recipients} messages, {planned.preflight.segments} segments")


def read_workbook(file: Path) -> None:
    """Read all rows as the importer does: texts as Excel shows them, numbers judged."""
    from campaigns.recipients import Layout, open_recipients

    begun = time.perf_counter()
    rows = sum(len(chunk) for chunk in open_recipients(file, Layout()).chunks())
    print(f"{rows} rows\nseconds {time.perf_counter() - begun}")


def read_by_openpyxl(file: Path) -> None:
    """Read all rows as openpyxl gives them."""
    import openpyxl

    begun = time.perf_counter()
    book = openpyxl.load_workbook(file, read_only=True)
    rows = sum(1 for _ in book.worksheets[0].iter_rows(values_only=True))
    print(f"{rows} rows\nseconds {time.perf_counter() - begun}")


def write(file: Path) -> None:
    """Write a list of as many rows as the last word says."""
    rows = people(int(sys.argv[3]))
    if file.suffix == ".csv":
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, delimiter=";")
            writer.writerow(HEADER)
            writer.writerows(rows)
        return
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Kunder")
    sheet.append(HEADER)
    for row in rows:
        sheet.append([*row[:-1], date.fromisoformat(row[-1])])
    book.save(file)


def people(count: int) -> Iterator[tuple[str, str, str, str, str, str]]:
    """As many rows, always the same: of 1,000 numbers 780 are Swedish, 190 European, 30 dirt; 15 come again."""
    dice = random.Random(SEED)
    formats, weights = [text for _, text in SWEDISH], [weight for weight, _ in SWEDISH]
    for place in range(count):
        chance = dice.random()
        if chance < 0.03:
            phone = dice.choice(DIRT).format(f"{dice.randrange(10**7):07}")
        elif chance < 0.22:
            phone = _european(place, dice)
        else:
            repeats = chance < 0.235 and place
            phone = _swedish(dice.randrange(place) if repeats else place, dice.choices(formats, weights)[0])
        city = dice.choice(CITIES)
        yield (
            dice.choice(FIRST_NAMES),
            dice.choice(LAST_NAMES),
            phone,
            f"{city}; centrum" if chance > 0.99 else city,  # quoted, as a cell with a delimiter must be
            f"VINTER-{place * 7919 % 16**6:06X}",
            str(date(2026, 12, 1) + timedelta(days=place % 31)),
        )


def _swedish(person: int, form: str) -> str:
    """The mobile number of a person, of which no two have the same."""
    number = f"{person * 36_887_137 % 50_000_000:08}"
    prefix = ("70", "72", "73", "76", "79")[int(number[0])]
    return form.format(prefix, number[1:4], number[4:6], number[6:])


def _european(place: int, dice: random.Random) -> str:
    code, prefix, length = dice.choice(EUROPEAN)
    digits = f"{place * 36_887_137 % 10**length:0{length}}"
    form = dice.choice(("+{0}{1}{2}", "+{0} {1}{2}", "00{0}{1}{2}", "+{0} {1} {3} {4}"))
    return form.format(code, prefix, digits, digits[:3], digits[3:])


CHILDREN: Final[dict[str, Callable[[Path], None]]] = {
    "child-loop": loop,
    "child-plan": plan_into_ledger,
    "child-read": read_workbook,
    "child-openpyxl": read_by_openpyxl,
    "child-write": write,
}

if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in CHILDREN:
        CHILDREN[sys.argv[1]](Path(sys.argv[2]))
    else:
        main()
