"""What `campaigns check` shows of what it found: for people, and as one JSON object."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from campaigns.campaign import Campaign
from campaigns.cli.figures import (
    one_reason_for_all,
    problems_table,
    reasons_table,
    show_account,
    show_extremes,
    show_first,
    show_time,
    tell_notes,
)
from campaigns.cli.options import with_option
from campaigns.cli.screen import Screen
from campaigns.cli.session import Session
from campaigns.cli.statuses import relative, show_reports
from campaigns.reporting import Cleaned
from campaigns.reporting.destinations import other_name
from campaigns.reporting.meanings import REASONS
from campaigns.tally import Preflight
from campaigns.wording import count, plural

MEND: Final = Path("mend.xlsx")  #: the name that is proposed for a cleaned list; a workbook keeps every cell as text


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed: the campaign that it came to, and the words from SOURCE on, to be typed again."""

    session: Session
    campaign: Campaign
    typed: Sequence[str]
    reports: Sequence[Path]
    list_problems: bool

    def command(self, name: str, *more: str) -> str:
        """A command for the same source, with the same options and these."""
        return self.session.command(name, *self.typed, *more)

    def mended(self, fix: str) -> str:
        """An advice as one may type it: an option stands in its command, a sentence for itself."""
        words = with_option(self.typed, fix)
        return fix if words is None else self.session.command("check", *words)


def as_object(found: Preflight) -> dict[str, Any]:
    """The object that `check --json` prints."""
    doubt = [] if found.doubt is None else [{"note": found.doubt.what, "fix": found.doubt.fix}]
    return {
        "rows": found.rows,
        "recipients": found.recipients,
        "skipped": dict(found.skipped),
        "segments": found.segments,
        "encodings": dict(found.encodings),
        "preview": [asdict(preview) for preview in found.preview],
        "problems": [asdict(problem) for problem in found.problems],
        "remarks": dict(found.remarks),
        "source": asdict(found.decided),
        "advice": doubt + [asdict(advice) for advice in found.advice],
    }


def show_check(found: Preflight, asked: Asked) -> None:
    """The account, the rows that cannot be used, the first message, what to mend and what to type next."""
    screen = asked.session.screen
    listed = bool(found.skipped or found.remarks) and not one_reason_for_all(found)
    show_account(found, screen, listed_below=listed and bool(found.skipped))
    if listed:
        screen.show(*reasons_table(found, screen), "")
    if asked.list_problems:
        _show_problems(found, screen)
    show_first(found, screen)
    show_extremes(found, screen)
    show_time(found.recipients, asked.campaign.rate, screen)
    if not found.problem_count and found.doubt is None:
        screen.show("No problems.")
    show_reports(asked.reports, screen)
    if found.cleaned:
        _show_cleaned(found.cleaned, screen)
    if found.recipients:  # else the error says it all
        tell_notes(found, screen, asked.mended)
    if found.recipients and asked.campaign.not_within is not None:
        screen.say("note", "Whom --not-within leaves out is known to send alone: check looks into no ledger.")
    if found.cleaned:
        _tell_altered(found.cleaned, screen)
    if found.recipients and found.doubt is None:
        _say_next(found, asked)


def _show_problems(found: Preflight, screen: Screen) -> None:
    if not found.problems:
        return
    screen.show(*problems_table(found.problems, screen))
    more = found.problem_count - len(found.problems)
    if more > 0:
        screen.show_folded(f"and {count(more)} more: --problems all")
    screen.show("")


def _show_cleaned(cleaned: Cleaned, screen: Screen) -> None:
    figures = [plural(cleaned.recipients, "recipient"), f"{count(cleaned.refused)} refused"]
    if len(cleaned.paths) == 1:
        figures = [", ".join(figures)]
    files = [f"{relative(path)} ({what})" for path, what in zip(cleaned.paths, figures, strict=True)]
    screen.show_folded(f"Cleaned list: {', '.join(files)}", hang=len("Cleaned list: "))


def _tell_altered(cleaned: Cleaned, screen: Screen) -> None:
    """Cells that stand in the cleaned list otherwise than in the source, for want of a way to write them."""
    if not cleaned.altered:
        return
    cells, columns = plural(sum(cleaned.altered.values()), "cell"), ", ".join(f'"{name}"' for name in cleaned.altered)
    path = cleaned.paths[0]
    if path.suffix.lower() == ".csv":
        what = f"a ' stands before {cells} that a spreadsheet program would take for a formula"
        other, kind = path.with_suffix(".xlsx"), "workbook"
    else:
        what = f"{cells} had more or other signs than a workbook can hold"
        other, kind = path.with_suffix(".csv"), "text file"
    screen.say("note", f"In {relative(path)}, {what}: {columns}.")
    screen.say("fix", f"A {kind} keeps them as they are: --fixed {relative(other)}")


def _say_next(found: Preflight, asked: Asked) -> None:
    screen = asked.session.screen
    if found.cleaned and found.cleaned.refused:
        screen.say("next", _with_cleaned(found, found.cleaned, asked))
        return
    steps = []
    mendable = _mendable(found)
    if mendable and not found.cleaned:
        name = str(other_name(MEND) if MEND.exists() else MEND)
        steps.append(f"Mend the {plural(mendable, 'row')}: {asked.command('check', '--fixed', name)}")
    if not found.has_text:
        steps.append(asked.command("check", "--message", "Hej!"))
        steps.append("keep text and settings in a file: campaigns guide campaign-file")
    elif mendable and not found.cleaned:
        steps.append(f"send to the {count(found.recipients)} that are ready: {asked.command('send')}")
    else:
        steps.append(asked.command("send"))
    screen.say("next", "\nor ".join(steps))


def _with_cleaned(found: Preflight, cleaned: Cleaned, asked: Asked) -> str:
    """How the two parts of a cleaned list go on: its refused rows mended, its recipients sent to."""
    good, bad = relative(cleaned.paths[0]), relative(cleaned.paths[-1])
    if asked.campaign.file:
        return f"Mend the rows in {bad}; {asked.campaign.file} may name {good} as its recipients."
    options = _without(asked.typed[1:], "--encoding", "--sheet", "--where")
    sheets = (["--sheet", "Recipients"], ["--sheet", "Refused"]) if good == bad else ([], [])
    step = "send" if found.has_text else "check"
    steps = [f"go on with the {count(cleaned.recipients)}: {asked.session.command(step, good, *sheets[0], *options)}"]
    if _mendable(found):
        mend = asked.session.command("check", bad, *sheets[1], *options, *_but_the_others(found))
        steps.insert(0, f"Mend the rows in {bad}, then: {mend}")
    return _sentence("\nor ".join(steps))


def _mendable(found: Preflight) -> int:
    """How many rows were skipped for something that can be mended in the list."""
    return sum(found.skipped.get(reason, 0) for reason, meaning in REASONS.items() if meaning.mends_list)


def _but_the_others(found: Preflight) -> list[str]:
    """The option without which a mended list would send to those whom nothing is wrong with, such as twice to one."""
    others = [reason for reason, meaning in REASONS.items() if found.skipped.get(reason) and not meaning.mends_list]
    return ["--where", " and ".join(f'reason != "{reason}"' for reason in others)] if others else []


def _without(words: Sequence[str], *names: str) -> list[str]:
    """Options without those of these names and their values."""
    return [
        word for place, word in enumerate(words) if word not in names and (not place or words[place - 1] not in names)
    ]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
