"""`status --unknown`, `reconcile` and `resume --retry-unknown`: what is said, asked and sent."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.cli.unknown import MOST_ROWS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.cli.conftest import Type


def use(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, kind: str) -> None:
    """The account `mine` is at this sandbox."""
    for name, value in {"TYPE": kind, "URL": sandbox.url, "USERNAME": "a", "PASSWORD": "b", "FROM": "Butiken"}.items():
        monkeypatch.setenv(f"CAMPAIGNS_MINE_{name}", value)


@pytest.fixture(params=["campaigns"])
def kind(request: pytest.FixtureRequest) -> str:
    """The provider of the account `mine`; a test's own parameter replaces it."""
    return str(request.param)


@pytest.fixture
def failing(kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A service that takes all and answers nothing but 500, in use by `mine`."""
    with embedded_sandbox(Misbehaviour(fail_after=1)) as sandbox:
        use(monkeypatch, sandbox, kind)
        yield sandbox


@pytest.fixture
def lost(type_: Type, failing: Sandbox) -> Type:
    """The campaign `lista` was sent through `mine`, and all of its 3 messages are unknown."""
    assert type_("send", "lista.toml", "--provider", "mine", "--yes").exit_code == 1
    return type_


soluno = pytest.mark.parametrize("kind", ["soluno"], indirect=True)


def test_a_send_that_leaves_unknown_messages_says_where_to_look(type_: Type, failing: Sandbox) -> None:
    result = type_("send", "lista.toml", "--provider", "mine", "--yes")
    assert result.exit_code == 1
    assert "        3  unknown      may have been taken; not sent again by themselves\n" in result.stdout
    assert result.stderr.splitlines()[-2:] == [
        " next: Open reports/lista.html",
        "       campaigns status lista --unknown    the 3, and what can be done",
    ]


def test_status_says_where_to_look_too(lost: Type) -> None:
    result = lost("status", "lista")
    assert result.stderr.splitlines() == [
        " next: campaigns report lista --to reports/lista.html",
        "       campaigns status lista --unknown    the 3, and what can be done",
    ]
    assert result.exit_code == 0


@soluno
def test_unknown_messages_are_shown_with_the_risk_where_the_provider_cannot_be_asked(lost: Type) -> None:
    result = lost("status", "lista", "--unknown")
    lines = result.stdout.splitlines()
    assert lines[:4] == [
        "3 messages are unknown: the request left, but no answer came. The provider may",
        "or may not have taken them. They are not sent again by themselves.",
        "",
        "Row  To            Sent at   What happened",
    ]
    row, number, _, *happened = lines[4].split()
    assert (row, number, " ".join(happened)) == ("2", "+46*******05", "mine answered 500")
    assert len(lines) == 7
    assert result.stderr == (
        "\n"
        " note: mine cannot be asked about a message.\n"
        " next: Send again, at the risk that 3 people get it twice:\n"
        "       campaigns resume lista --retry-unknown\n"
    )
    assert result.exit_code == 0


def test_unknown_messages_of_a_provider_that_takes_each_once_can_be_asked_for_or_sent_again(lost: Type) -> None:
    assert lost("status", "lista", "--unknown").stderr == (
        "\n"
        " note: mine takes each message once, so that nobody gets it twice if it is sent\n"
        "       again.\n"
        " next: campaigns reconcile lista    asks mine about the 3\n"
        "       campaigns resume lista    sends the 3 again\n"
    )


def test_ten_are_shown_and_all_with_full(lost: Type, folder: Path) -> None:
    numbers = "\n".join(f"Bo;0701740{number};Lund" for number in range(610, 624))
    (folder / "lista.csv").write_text(f"Förnamn;Mobil;Stad\n{numbers}\n", encoding="utf-8")
    lost("send", "lista.toml", "--provider", "mine", "--yes", "--name", "lang")
    short = lost("status", "lang", "--unknown").stdout.splitlines()
    assert short[-1] == "and 4 more: --full"
    assert len(short) == 4 + MOST_ROWS + 1
    full = lost("status", "lang", "--unknown", "--full").stdout.splitlines()
    assert len(full) == 4 + 14
    assert [one["row"] for one in json.loads(lost("status", "lang", "--unknown", "--json").stdout)] == [*range(2, 16)]


def test_json_has_whole_numbers_and_what_happened(lost: Type) -> None:
    first = json.loads(lost("status", "lista", "--unknown", "--json").stdout)[0]
    assert (first["row"], first["to"], first["what_happened"]) == (2, "+46701740605", "mine answered 500")
    assert first["sent_at"].endswith("+00:00")


def test_without_any_that_is_said(type_: Type) -> None:
    type_("send", "lista.toml", "--yes")
    result = type_("status", "lista", "--unknown")
    assert (result.stdout, result.stderr) == ("lista has no unknown messages.\n", "")
    assert json.loads(type_("status", "lista", "--unknown", "--json").stdout) == []


def test_an_account_that_is_no_more_is_told_of(lost: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TYPE", "URL", "USERNAME", "PASSWORD", "FROM"):
        monkeypatch.delenv(f"CAMPAIGNS_MINE_{name}")
    result = lost("status", "lista", "--unknown")
    assert ' note: There is no account "mine".\n' in result.stderr
    assert result.exit_code == 0


def test_reconcile_settles_what_the_provider_knows(lost: Type, failing: Sandbox) -> None:
    result = lost("reconcile", "lista")
    assert result.stdout == (
        "mine was asked about 3 unknown messages: accepted 3.\n"
        "\n"
        "        6  rows\n"
        "        3  skipped      duplicate 1, invalid 1, missing 1\n"
        "        3  accepted     the provider has them; mine does not report delivery\n"
    )
    assert result.stderr == " next: campaigns report lista --to reports/lista.html\n"
    assert result.exit_code == 0
    again = lost("reconcile", "lista")
    assert again.stdout.startswith("lista has no unknown messages, so nothing was asked.\n")
    assert again.exit_code == 0


def test_reconcile_plans_again_what_was_never_taken_and_resume_sends_it(
    lost: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded_sandbox() as sandbox:  # one that never heard of them
        use(monkeypatch, sandbox, "campaigns")
        result = lost("reconcile", "lista")
        assert result.stdout.startswith("mine was asked about 3 unknown messages: never taken 3.\n")
        assert "        3  planned      not sent\n" in result.stdout
        assert result.stderr.startswith(" next: campaigns resume lista    sends only the 3\n")
        assert lost("resume", "lista", "--yes").exit_code == 0
        assert len(sandbox.carrier.messages) == 3


def test_reconcile_as_json_is_the_campaign(lost: Type) -> None:
    result = json.loads(lost("reconcile", "lista", "--json").stdout)
    assert (result["name"], result["state"], result["counts"]["accepted"]) == ("lista", "done", 3)


@soluno
def test_reconcile_at_a_provider_that_cannot_be_asked_is_wrong_usage(lost: Type) -> None:
    result = lost("reconcile", "lista")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "error: mine cannot be asked about a message, so the 3 stay unknown.\n"
        "  fix: Send again, at the risk that 3 people get it twice: campaigns resume\n"
        "       lista --retry-unknown\n"
    )


def test_reconcile_of_the_built_in_sandbox_cannot_be_asked_for_it_is_gone(
    type_: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded_sandbox(Misbehaviour(fail_after=1)) as sandbox:
        monkeypatch.setenv("CAMPAIGNS_SANDBOX_URL", sandbox.url)
        type_("send", "lista.toml", "--yes")
    monkeypatch.delenv("CAMPAIGNS_SANDBOX_URL")
    result = type_("reconcile", "lista")
    assert result.stderr.startswith("error: sandbox cannot be asked about a message, so the 3 stay unknown.\n")
    assert result.exit_code == 2


@soluno
@pytest.mark.parametrize(("typed", "sent"), [("n\n", 3), ("\n", 3), ("y\n", 6)])
def test_retry_unknown_asks_with_the_risk_and_no_is_the_default(
    lost: Type, failing: Sandbox, typed: str, sent: int
) -> None:
    result = lost("resume", "lista", "--retry-unknown", at_terminal=True, typed=typed)
    assert "lista is done. 0 of 3 are done and will not be sent again.\n" in result.stderr
    assert "Send the 3 that are unknown again, at the risk that 3 people get it twice? [y/N]: " in result.stderr
    assert len(failing.carrier.messages) == sent
    assert ("Nothing was sent." in result.stderr) is (sent == 3)


@soluno
def test_retry_unknown_needs_a_terminal_or_yes(lost: Type, failing: Sandbox) -> None:
    result = lost("resume", "lista", "--retry-unknown")
    assert "  fix: campaigns resume lista --retry-unknown --yes\n" in result.stderr
    assert result.exit_code == 2
    assert lost("resume", "lista", "--retry-unknown", "--yes").exit_code == 1
    assert len(failing.carrier.messages) == 6


@soluno
def test_resume_without_it_sends_nothing_again(lost: Type, failing: Sandbox) -> None:
    result = lost("resume", "lista", "--yes")
    assert result.exit_code == 1
    assert "the 3, and what can be done" in result.stderr
    assert len(failing.carrier.messages) == 3


def test_resume_asks_without_a_risk_where_the_provider_takes_each_once(lost: Type, failing: Sandbox) -> None:
    result = lost("resume", "lista", at_terminal=True, typed="y\n")
    assert "Send the 3 that are unknown again, mine takes each once? [y/N]: " in result.stderr
    assert len(failing.carrier.messages) == 3
