"""What people see before anything is sent: the source, the account, the first message, the rows that cannot be used."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rich.text import Text

from campaigns.cli.account import account, of_preflight
from campaigns.cli.screen import Column, Screen, fold, table
from campaigns.errors import CampaignsError, InputError
from campaigns.messages import field_names, measure
from campaigns.messages.fields import identifier
from campaigns.model import Problem, Rate, Remark, SkipReason
from campaigns.tally import Preflight, Preview
from campaigns.wording import count, duration, plural

MOST_REASONS: Final = 10
EXAMPLES: Final = 3
NEARLY_ALL: Final = 0.9  #: of the problems: then one reason is said once, in place of a table

MEANINGS: Final[Mapping[str, str]] = {  # of the reasons in the report
    SkipReason.MISSING: "the cell is empty",
    SkipReason.INVALID: "no number in region {region}",
    SkipReason.TOO_SHORT: "too few digits",
    SkipReason.TOO_LONG: "too many digits",
    SkipReason.NOT_MOBILE: "no mobile number",
    SkipReason.DIGITS_LOST: "cut by a spreadsheet program",
    SkipReason.SEVERAL_NUMBERS: "more than one in the cell",
    SkipReason.EMERGENCY: "an emergency number",
    SkipReason.DUPLICATE: "the first row is used",
    SkipReason.HIDDEN: "left out by --skip-hidden",
    SkipReason.FILTERED: "does not pass --where",
    SkipReason.RENDER_ERROR: "the text or --where fails",
    SkipReason.EMPTY_FIELD: "a field of the text is empty",
    SkipReason.RECENTLY_REACHED: "left out by --not-within",
}
REMARKS: Final[Mapping[str, str]] = {  # of what is sent all the same
    Remark.EMPTY_FIELD: "sent; the text has a gap",
    Remark.RAGGED: "sent; too few or too many cells",
    Remark.ERROR_CELL: "sent; the error is read as empty",
    Remark.AS_STORED: "sent; the number as it is stored",
    Remark.MERGED_CELL: "sent; has the value of the merged cell",
    Remark.HIDDEN_ROW: "sent; the workbook hides the row",
}
_ROWS_ONLY: Final = (  # where the value says nothing
    SkipReason.MISSING, SkipReason.DUPLICATE, SkipReason.HIDDEN, SkipReason.FILTERED, SkipReason.RENDER_ERROR,
    SkipReason.EMPTY_FIELD, SkipReason.RECENTLY_REACHED, Remark.RAGGED, Remark.HIDDEN_ROW,
)  # fmt: skip


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


def tell_notes(preflight: Preflight, screen: Screen, mended: Callable[[str], str]) -> None:
    """What concerns the file as a whole, and the command that mends it: `mended` makes it of an option."""
    if preflight.doubt is not None:
        _tell(preflight.doubt, screen, mended)
    for advice in preflight.advice:
        _tell(InputError(advice.note, fix=advice.fix), screen, mended)
    if hidden := preflight.remarks.get(Remark.HIDDEN_ROW):
        rows = "1 row is" if hidden == 1 else f"{plural(hidden, 'row')} are"
        what = f"{rows} hidden in the workbook, and used like all others."
        _tell(InputError(what, fix="--skip-hidden"), screen, mended)
    tell_empty_fields(preflight, screen)


def nothing_ready(preflight: Preflight, listing: str, mended: Callable[[str], str]) -> InputError:
    """That no row can be sent, once the reasons have been shown; `listing` is the command that lists the rows."""
    what = f"No row of {preflight.decided.file} can be sent."
    if preflight.advice:
        return InputError(f"{what} {preflight.advice[0].note}", fix=mended(preflight.advice[0].fix))
    return InputError(what, fix=f"See what is wrong with each: {listing}")


def one_reason_for_all(preflight: Preflight) -> bool:
    """Whether the advice on the column says all that a table of reasons would."""
    commonest = max(preflight.skipped.values(), default=0)
    problems = sum(preflight.skipped.values()) + sum(preflight.remarks.values())
    return bool(preflight.advice) and commonest >= NEARLY_ALL * problems


def reasons_table(preflight: Preflight, screen: Screen) -> list[Text]:
    """Why rows are skipped, and what was remarked on others: how many, three of them, and what the word means."""
    named = [
        *((reason, figure, MEANINGS) for reason, figure in preflight.skipped.items()),
        *((remark, figure, REMARKS) for remark, figure in preflight.remarks.items()),
    ]
    listed = sorted(named, key=lambda each: -each[1])
    head = ("Problem", "Count") if preflight.remarks else ("Skipped", "Rows")
    columns = (Column(head[0]), Column(head[1], figures=True), Column("For example"), Column("What it means"))
    rows = [
        (
            word,
            count(figure),
            _example(word, figure, preflight.examples.get(word, ()), screen),
            meanings[word].format(region=preflight.decided.region),
        )
        for word, figure, meanings in listed[:MOST_REASONS]
    ]
    more = ", ".join(f"{word} {count(figure)}" for word, figure, _ in listed[MOST_REASONS:])
    return table(columns, rows, screen.out) + (fold(f"and {more}", screen.out.width) if more else [])


def problems_table(problems: Sequence[Problem], screen: Screen) -> list[Text]:
    """Each row that cannot be used, with its column and value."""
    columns = (Column("Row", figures=True), Column("Column"), Column("Value"), Column("Reason"), Column("Detail"))
    rows = [(count(p.row), p.column or "", screen.number(p.value), p.reason, p.detail) for p in problems]
    return table(columns, rows, screen.out)


def _tell(what: CampaignsError, screen: Screen, mended: Callable[[str], str]) -> None:
    screen.say("note", what.what)
    if what.where:
        screen.say("where", what.where)
    if what.fix:
        screen.say("fix", mended(what.fix))


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
