"""What a report says in words: the finding in one sentence, and the account line by line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from campaigns.reporting.figures import READY, Report
from campaigns.wording import count, plural, share

ACCOUNT: Final = (  # every line that an account can have, in its order; a place never moves
    "rows", "skipped", "messages", "delivered", "undelivered", "expired", "rejected", "failed", "accepted", "unknown",
    "sending", "planned", "cancelled", READY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One figure of the account; `whole` is what its share is of."""

    name: str
    number: int
    whole: int


def account(report: Report) -> list[AccountLine]:
    """The account of a campaign: the statuses add up to `messages`, these and `skipped` to `rows`."""
    figures, counts = report.figures, report.figures.counts
    numbers: Mapping[str, int] = {**counts, "rows": figures.rows, "messages": figures.messages}
    return [
        AccountLine(name, numbers.get(name, 0), figures.rows if name in ACCOUNT[:3] else figures.messages)
        for name in ACCOUNT
    ]


def finding(report: Report) -> tuple[str, str]:
    """The finding in one sentence, and what qualifies it."""
    figures, counts = report.figures, report.figures.counts
    if not figures.rows:
        return "There are no rows.", ""
    if report.is_check:
        skipped = counts["skipped"]
        ready = f"{count(counts[READY])} of {plural(figures.rows, 'row')} {_be(counts[READY])} ready to send"
        rest = f"{count(skipped)} would be skipped. " if skipped else ""
        return f"{ready}: {share(counts[READY], figures.rows)}.", f"{rest}Nothing was sent."
    if not figures.messages:
        return f"Nothing was sent: {'the only row was' if figures.rows == 1 else 'all rows were'} skipped.", ""
    outcome = "delivered" if report.delivery_known else "accepted"
    by = "" if report.delivery_known else " by the provider"
    what = f"{count(counts[outcome])} of {plural(figures.messages, 'message')} {_be(counts[outcome], past=True)}"
    return f"{what} {outcome}{by}: {share(counts[outcome], figures.messages)}.", _qualification(report)


def _qualification(report: Report) -> str:
    groups, messages = report.figures.groups, report.figures.messages
    lost, open_, unsent = groups["not delivered"], groups["accepted"] + groups["unknown"], groups["not sent"]
    sentences = []
    if report.delivery_known:
        delivered = groups["delivered"]
        if lost:
            sentences.append(f"{count(lost)} did not arrive.")
        if open_:
            low, high = share(delivered, messages), share(delivered + open_, messages)
            sentences.append(
                f"The outcome of {count(open_)} is not known, so the true share lies between {low} and {high}."
            )
    else:
        if lost:
            sentences.append(f"{count(lost)} {_be(lost, past=True)} refused or could not be sent.")
        if groups["unknown"]:
            sentences.append(f"{count(groups['unknown'])} may have been taken: no answer came.")
        if groups["accepted"]:
            sentences.append("This provider does not report delivery.")
    if unsent:
        sentences.append(f"{count(unsent)} {_be(unsent)} not sent.")
    return " ".join(sentences)


def _be(number: int, *, past: bool = False) -> str:
    if past:
        return "was" if number == 1 else "were"
    return "is" if number == 1 else "are"
