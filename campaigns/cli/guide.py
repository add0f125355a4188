"""`campaigns guide`: the longer texts, a page for each topic."""

from importlib.resources import files
from typing import Final

import click

from campaigns.cli.group import Command
from campaigns.cli.screen import Column, table
from campaigns.cli.session import Session
from campaigns.errors import InputError
from campaigns.spelling import nearest

TOPICS: Final = {
    "campaign-file": "what a campaign file holds, key by key",
    "files": "how lists are read, what is refused, and the cleaned list",
    "numbers": "how phone numbers are read, and why one is not used",
    "templates": "texts with fields from the columns",
    "segments": "what one text costs: alphabets and parts",
    "reports": "the files of a report, column by column",
    "pace": "rate, waits and tries, and how many requests go at once",
    "unknown": "messages that may have been taken, and what to do",
    "watching": "metrics and the log, for machines that look on",
    "exit-codes": "what a command tells the shell",
    "ledger": "where campaigns are kept: backup, going back, PostgreSQL",
    "providers": "accounts, their settings, and how to log in",
    "python": "the same from Python",
    "sandbox": "a pretend service to try things on",
}


@click.command(cls=Command)
@click.argument("topic", metavar="[TOPIC]", required=False)
@click.pass_obj
def guide(session: Session, topic: str | None) -> None:
    """Longer texts, a page for each topic. Without TOPIC: which there are.

    \b
    Examples:
      campaigns guide
      campaigns guide campaign-file
    """
    from rich.markdown import Markdown

    screen = session.screen
    if topic is None:
        screen.show(*table((Column("Topic"), Column("Tells")), list(TOPICS.items()), screen.out))
        screen.say("next", "campaigns guide campaign-file")
        return
    text = _page(topic)
    if screen.out.terminal:
        screen.show(*screen.out.lines(Markdown(text)))
    else:
        screen.out.write_raw(text)


def _page(topic: str) -> str:
    if topic not in TOPICS:
        near = nearest(topic, TOPICS)
        raise InputError(
            f'There is no guide to "{topic}".', fix=f"campaigns guide {near}" if near else "campaigns guide lists them."
        )
    return files("campaigns").joinpath("guide", f"{topic}.md").read_text(encoding="utf-8")
