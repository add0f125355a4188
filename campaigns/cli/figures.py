"""What people see before anything is sent: the source, the account, the first message, the rows that cannot be used."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from campaigns.cli.account import account, of_preflight
from campaigns.cli.screen import Column, Screen, fold, table
from campaigns.errors import InputError
from campaigns.messages import field_names, measure
from campaigns.messages.fields import identifier
from campaigns.model import Problem, Rate
from campaigns.tally import Preflight, Preview
from campaigns.wording import count, duration, plural

MOST_REASONS: Final = 10
EXAMPLES: Final = 3

MEANINGS: Final = {  # of the reasons in the report
    "missing": "the cell is empty",
    "invalid": "no number in region {region}",
    "too_short": "too few digits",
    "too_long": "too many digits",
    "not_mobile": "a land line",
    "digits_lost": "cut by a spreadsheet program",
    "several_numbers": "more than one in the cell",
    "emergency": "an emergency number",
    "duplicate": "the first row is used",
    "filtered": "does not pass --where",
    "render_error": "the text cannot be made",
    "empty_field": "a field is empty",
}
_ROWS_ONLY: Final = ("missing", "duplicate", "filtered", "render_error", "empty_field")  # where the value says nothing


def show_account(preflight: Preflight, screen: Screen, *, listed_below: bool = False) -> None:
    """The first line and the account."""
    screen.show_folded(preflight.source)
    screen.show("", *account(of_preflight(preflight, listed_below=listed_below), screen.out.width), "")


def show_first(preflight: Preflight, screen: Screen) -> None:
    """The first message as its recipient will see it."""
    if not preflight.preview or preflight.preview[0].text is None:
        return
    first = preflight.preview[0]
    to, size = screen.number(first.to), plural(first.segments, "segment")
    head = f"First, row {count(first.row)} to {to}: {size}, {_room(first)}"
    screen.show_folded(head)
    screen.show(*(Text.assemble("  ", line) for line in fold(first.text or "", screen.out.width - 2)))


def show_extremes(preflight: Preflight, screen: Screen) -> None:
    """The shortest and the longest text, where they differ."""
    short, long = preflight.shortest, preflight.longest
    if short and long and short.text != long.text:
        screen.show_folded(
            f"Shortest, row {count(short.row)}: {_room(short)}. Longest, row {count(long.row)}: {_room(long)}."
        )


def show_time(messages: int, rate: Rate | None, screen: Screen) -> None:
    """How long it takes at the rate, where one is known."""
    seconds = (messages - 1) / rate.per_second if rate else 0.0
    if seconds >= 1:
        screen.show_folded(f"Time: the last message leaves {duration(seconds)} after the first, at {rate}", hang=6)


def tell_empty_fields(preflight: Preflight, screen: Screen) -> None:
    """Fields that are empty for some, and have no default."""
    for column, figure in preflight.empty_fields.items():
        screen.say("note", f'"{column}" is empty in {plural(figure, "row")}; the text is sent without it.')
        screen.say(
            "fix", f'Give a default in the text: {{{{ {_field(column)} | default("...") }}}}, or: --on-empty skip'
        )


def nothing_ready(preflight: Preflight, listing: str) -> InputError:
    """That no row can be sent, once the reasons have been shown; `listing` is the command that lists the rows."""
    source = preflight.source.partition(":")[0]
    return InputError(f"No row of {source} can be sent.", fix=f"See what is wrong with each: {listing}")


def reasons_table(preflight: Preflight, region: str, screen: Screen) -> list[Text]:
    """Why rows are skipped: how many, three of them, and what the reason means."""
    columns = (Column("Skipped"), Column("Rows", figures=True), Column("For example"), Column("What it means"))
    rows = [
        (
            reason,
            count(figure),
            _example(reason, figure, preflight.examples.get(reason, ()), screen),
            MEANINGS.get(reason, "").format(region=region),
        )
        for reason, figure in list(preflight.skipped.items())[:MOST_REASONS]
    ]
    return table(columns, rows, screen.out)


def problems_table(problems: Sequence[Problem], screen: Screen) -> list[Text]:
    """Each row that cannot be used, with its column and value."""
    columns = (Column("Row", figures=True), Column("Column"), Column("Value"), Column("Reason"), Column("Detail"))
    rows = [(count(p.row), p.column or "", screen.number(p.value), p.reason, p.detail) for p in problems]
    return table(columns, rows, screen.out)


def _field(column: str) -> str:
    """The column as a text may call it."""
    name = field_names([column])[column]
    return name if name == identifier(column) else f'row["{column}"]'


def _room(preview: Preview) -> str:
    """How full its segments are: "131 of 160"; the alphabet is said where it is not the usual one."""
    measured = measure(preview.text or "")
    alphabet = "" if measured.encoding == "GSM-7" else f" ({measured.encoding})"
    return f"{measured.units} of {measured.capacity}{alphabet}"


def _example(reason: str, figure: int, examples: Sequence[Problem], screen: Screen) -> str:
    if not examples:
        return ""
    if reason not in _ROWS_ONLY and examples[0].value:
        return f'{count(examples[0].row)}: "{screen.number(examples[0].value)}"'
    named = [count(example.row) for example in examples[:EXAMPLES]]
    more = figure - len(named)
    return f"{', '.join(named)} and {count(more)} more" if more else ", ".join(named)
