"""`pause` and `cancel`: the question, what is shown, the exit code."""

import json

import pytest

from tests.cli.conftest import Type


@pytest.fixture
def pilot(type_: Type) -> Type:
    """The campaign `lista` of three messages, one of which was sent; `--limit` held the rest back."""
    type_("send", "lista.toml", "--limit", "1", "--yes")
    return type_


def test_a_cancel_asks_with_the_number_that_stays_unsent(pilot: Type) -> None:
    refused = pilot("cancel", "lista", at_terminal=True, typed="\n")
    assert refused.stderr == (
        "lista is paused: --limit held the rest back. A cancelled campaign cannot be\nresumed.\n"
        "Cancel it, and leave 2 messages of 3 unsent? [y/N]: Nothing was cancelled.\n"
    )
    assert (refused.exit_code, refused.stdout) == (0, "")
    agreed = pilot("cancel", "lista", at_terminal=True, typed="y\n")
    first, *account = agreed.stdout.splitlines()
    assert first.startswith("lista is cancelled: ")
    assert account[1:] == [
        "        6  rows",
        "        3  skipped      duplicate 1, invalid 1, missing 1",
        "        1  accepted     the provider has it",
        "        2  cancelled    left unsent",
    ]
    assert agreed.stderr.endswith(" next: campaigns report lista --to reports/lista.html\n")
    assert agreed.exit_code == 0


def test_without_a_terminal_a_cancel_needs_yes(pilot: Type) -> None:
    result = pilot("cancel", "lista")
    assert result.stderr == (
        "error: There is no terminal to ask on, so nothing was cancelled.\n  fix: campaigns cancel lista --yes\n"
    )
    assert result.exit_code == 2
    assert json.loads(pilot("cancel", "lista", "--yes", "--json").stdout)["counts"]["cancelled"] == 2


def test_a_second_time_says_so_and_asks_nothing(pilot: Type) -> None:
    pilot("cancel", "lista", "--yes")
    again = pilot("cancel", "lista", at_terminal=True)
    assert again.stdout.startswith("lista is cancelled already: ")
    assert "?" not in again.stderr
    assert again.exit_code == 0


def test_what_is_paused_says_how_it_goes_on_and_how_it_ends(pilot: Type) -> None:
    result = pilot("pause", "lista")
    assert result.stdout.startswith("lista is paused already: --limit held the rest back.\n")
    assert result.stderr == (
        " next: campaigns resume lista    sends only the 2\n       campaigns cancel lista    leaves them unsent\n"
    )
    assert result.exit_code == 0


@pytest.mark.parametrize(("words", "state"), [(["pause"], "paused"), (["cancel", "--yes"], "cancelled")])
def test_what_is_done_is_refused(type_: Type, words: list[str], state: str) -> None:
    type_("send", "lista.toml", "--yes")
    result = type_(words[0], "lista", *words[1:])
    assert result.stderr.startswith(f"error: lista is done, so it cannot be {state}.\n")
    assert result.exit_code == 2


def test_a_cancelled_campaign_is_not_resumed(pilot: Type) -> None:
    pilot("cancel", "lista", "--yes")
    result = pilot("resume", "lista", "--yes")
    assert result.stderr.startswith("error: lista is cancelled, and what is cancelled is never sent.\n")
    assert result.exit_code == 2
