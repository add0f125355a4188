"""What `campaigns check` shows of what it found: for people, and as one JSON object."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from campaigns.campaign import Campaign
from campaigns.cli.figures import (
    problems_table,
    reasons_table,
    show_account,
    show_extremes,
    show_first,
    show_time,
    tell_empty_fields,
)
from campaigns.cli.screen import Screen
from campaigns.cli.session import Session
from campaigns.cli.statuses import show_reports
from campaigns.tally import Preflight
from campaigns.wording import count


def as_object(found: Preflight) -> dict[str, Any]:
    """The object that `check --json` prints."""
    return {
        "rows": found.rows,
        "recipients": found.recipients,
        "skipped": dict(found.skipped),
        "segments": found.segments,
        "encodings": dict(found.encodings),
        "preview": [asdict(preview) for preview in found.preview],
        "problems": [asdict(problem) for problem in found.problems],
    }


def show_check(
    found: Preflight,
    campaign: Campaign,
    session: Session,
    reports: Sequence[Path],
    *,
    list_problems: bool,
    typed: Sequence[str],
) -> None:
    """The account, the rows that cannot be used, the first message; `typed` is SOURCE and options, as given."""
    screen = session.screen
    show_account(found, screen, listed_below=bool(found.skipped))
    if found.skipped:
        screen.show(*reasons_table(found, campaign.recipients.region, screen), "")
    if list_problems:
        _show_problems(found, screen)
    show_first(found, screen)
    show_extremes(found, screen)
    show_time(found.recipients, campaign.rate, screen)
    if not found.problem_count:
        screen.show("No problems.")
    show_reports(reports, screen)
    tell_empty_fields(found, screen)
    if found.recipients:
        _say_next(found, session, typed)


def _show_problems(found: Preflight, screen: Screen) -> None:
    if not found.problems:
        return
    screen.show(*problems_table(found.problems, screen))
    more = found.problem_count - len(found.problems)
    if more > 0:
        screen.show_folded(f"and {count(more)} more: --problems all")
    screen.show("")


def _say_next(found: Preflight, session: Session, typed: Sequence[str]) -> None:
    following = session.command("send", *typed)
    if not found.has_text:
        in_a_file = "or keep text and settings in a file: campaigns guide campaign-file"
        following = f"{session.command('check', *typed, '--message', 'Hej!')}\n{in_a_file}"
    session.screen.say("next", following)
