"""The account: one block of figures, everywhere the same, whose lines add up to the rows of the file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from campaigns.cli.screen import hanging
from campaigns.model import CampaignState, CampaignStatus
from campaigns.tally import Preflight
from campaigns.wording import count, plural, share

ORDER: Final = (
    "rows", "skipped", "delivered", "undelivered", "expired", "rejected", "failed", "accepted", "unknown", "sending",
    "planned", "cancelled", "ready",
)  # fmt: skip
MOST_REASONS: Final = 3
NARROWEST: Final = 12  #: an explanation that has less room than this goes

_STYLES: Final = {
    "delivered": "green", "ready": "green", "unknown": "yellow", "sending": "yellow", "planned": "yellow",
    "undelivered": "red", "expired": "red", "rejected": "red", "failed": "red",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the account, its word, and what it means."""

    figure: int
    word: str
    meaning: str = ""


def account(lines: Iterable[Line], width: int) -> list[Text]:
    """The block: number right-aligned to column 9, word at 12, meaning at 25; lines of nothing are left out."""
    laid_out: list[Text] = []
    for line in sorted(lines, key=lambda line: ORDER.index(line.word)):
        if line.figure or line.word == "rows":
            laid_out += _laid_out(line, width)
    return laid_out


def of_campaign(status: CampaignStatus, *, reports_delivery: bool) -> list[Line]:
    """The account of a campaign; `reports_delivery` says whether its provider tells what became of a message."""
    meanings = {
        "delivered": _delivered(status),
        "accepted": _accepted(status, reports_delivery),
        "unknown": f"may have been taken; not sent again by {_themselves(status.counts['unknown'])}",
        "sending": "on the way at this moment",
        "cancelled": "left unsent",
        "planned": "not sent" if status.state is not CampaignState.DONE else "",
    }
    return [
        Line(status.counts[word], word, meanings.get(word) or reasons(status.reasons.get(word, {})))
        for word in ORDER
        if word in status.counts
    ]


def of_preflight(preflight: Preflight, *, listed_below: bool = False) -> list[Line]:
    """The account of a check; `listed_below` where a table says more of the skipped rows."""
    skipped = sum(preflight.skipped.values())
    return [
        Line(preflight.rows, "rows"),
        Line(skipped, "skipped", "below" if listed_below else reasons(preflight.skipped)),
        Line(preflight.recipients, "ready", _parts(preflight)),
    ]


def reasons(figures: Mapping[str, int]) -> str:
    """The commonest three: "duplicate 214, opted_out 112, invalid 96, 4 more"."""
    commonest = sorted(figures.items(), key=lambda item: -item[1])
    named = [f"{reason} {count(figure)}" for reason, figure in commonest[:MOST_REASONS]]
    more = len(commonest) - len(named)
    return ", ".join([*named, f"{more} more"] if more else named)


def _laid_out(line: Line, width: int) -> list[Text]:
    head = Text.assemble(f"{count(line.figure):>9}  ", (line.word, _STYLES.get(line.word, "")))
    if not line.meaning or width - 24 < NARROWEST:
        return [head]
    head.append(" " * max(24 - head.cell_len, 1))
    return hanging(head, Text(line.meaning, style="dim"), width)


def _delivered(status: CampaignStatus) -> str:
    messages = status.counts["rows"] - status.counts["skipped"]
    of_all = f"{share(status.counts['delivered'], messages)} of {plural(messages, 'message')}"
    return f"{of_all}, so far" if status.counts["accepted"] + status.counts["unknown"] else of_all


def _accepted(status: CampaignStatus, reports_delivery: bool) -> str:
    has = f"the provider has {'it' if status.counts['accepted'] == 1 else 'them'}"
    if not reports_delivery:
        return f"{has}; {status.account} does not report delivery" if status.account != "sandbox" else has
    return f"{has}; delivery is still open"


def _themselves(figure: int) -> str:
    return "itself" if figure == 1 else "themselves"


def _parts(preflight: Preflight) -> str:
    if not preflight.has_text:
        return "no text yet, so no segments"
    used = [(name, figure) for name, figure in preflight.encodings.items() if figure]
    segments = plural(preflight.segments, "segment")
    if len(used) == 1:
        return f"{segments}, all {used[0][0]}" if preflight.segments > 1 else f"{segments}, {used[0][0]}"
    return f"{segments}: {', '.join(f'{name} {count(figure)}' for name, figure in used)}"
