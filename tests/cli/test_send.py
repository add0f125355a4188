"""`send`, `text` and `resume`: the plan, the question, the summary, the exit code. All over the embedded sandbox."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.cli.conftest import Type


@pytest.fixture
def misbehaviour() -> Misbehaviour:
    """What the sandbox of a test does wrong; a test's own parameter replaces it."""
    return Misbehaviour()


@pytest.fixture
def sandbox(misbehaviour: Misbehaviour, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that can be asked afterwards what came."""
    with embedded_sandbox(misbehaviour) as running:
        monkeypatch.setenv("CAMPAIGNS_SANDBOX_URL", running.url)
        yield running


def received(sandbox: Sandbox) -> list[str]:
    return sorted(message.to for message in sandbox.carrier.messages)


ALL = ["+46701740605", "+46701740606", "+46701740607"]


def test_a_send_shows_the_plan_and_what_became_of_it(type_: Type, sandbox: Sandbox) -> None:
    result = type_("send", "lista.toml", "--yes", "--rate", "1/s")
    plan, _, summary = result.stdout.partition("\n\nlista is done: 3 messages in ")
    assert plan == (
        'lista.csv: UTF-8, ";", header in row 1, numbers in "Mobil", region SE\n'
        "\n"
        "        6  rows\n"
        "        3  skipped      duplicate 1, invalid 1, missing 1\n"
        "        3  ready        3 segments, all GSM-7\n"
        "\n"
        "First, row 2 to +46*******05: 1 segment, 24 of 160\n"
        "  Hej Anna! Vi ses i Lund.\n"
        "\n"
        "From: Butiken, through sandbox\n"
        "Time: the last message leaves 2 s after the first, at 1/s"
    )
    assert summary.partition("\n")[2] == (
        "\n"
        "        6  rows\n"
        "        3  skipped      duplicate 1, invalid 1, missing 1\n"
        "        3  accepted     the provider has them\n"
        "\n"
        "Reports: reports/lista.html, reports/lista.xlsx, reports/lista.csv\n"
    )
    assert result.stderr.splitlines()[-1] == " next: Open reports/lista.html"
    assert result.exit_code == 0
    assert received(sandbox) == ALL


def test_without_a_terminal_and_without_yes_nothing_is_planned(type_: Type, sandbox: Sandbox, folder: Path) -> None:
    result = type_("send", "lista.toml", "--name", "två ord")
    assert result.stderr == (
        "error: There is no terminal to ask on, so nothing was planned or sent.\n"
        "  fix: campaigns send lista.toml --name 'två ord' --yes\n"
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert not (folder / "ledger.db").exists()


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "perhaps\n"])
def test_any_answer_but_yes_is_no_and_leaves_nothing(type_: Type, sandbox: Sandbox, answer: str) -> None:
    result = type_("send", "lista.toml", at_terminal=True, typed=answer)
    assert "Send 3 messages? [y/N]: " in result.stderr
    assert result.stderr.endswith("Nothing was sent.\n")
    assert result.exit_code == 0
    assert received(sandbox) == []
    assert json.loads(type_("list", "--json").stdout) == []


def test_yes_sends(type_: Type, sandbox: Sandbox) -> None:
    assert type_("send", "lista.toml", at_terminal=True, typed="y\n").exit_code == 0
    assert received(sandbox) == ALL


def test_json_prints_one_object_and_the_plan_only_where_it_is_asked_about(type_: Type, sandbox: Sandbox) -> None:
    asked = type_("send", "lista.toml", "--json", at_terminal=True, typed="n\n")
    assert asked.stdout == ""
    assert "        3  ready" in asked.stderr
    result = type_("send", "lista.toml", "--yes", "--json")
    found = json.loads(result.stdout)
    assert list(found) == ["id", "name", "state", "reason", "counts"]
    assert (found["name"], found["state"], found["counts"]["accepted"]) == ("lista", "done", 3)
    assert "ready" not in result.stderr


def test_a_report_option_adds_to_the_usual_reports(type_: Type, sandbox: Sandbox, folder: Path) -> None:
    result = type_("send", "lista.toml", "--yes", "--report", "x.jsonl", "--report", "reports/y.json")
    assert result.stdout.endswith(
        "Reports: reports/lista.html, reports/lista.xlsx, reports/lista.csv, x.jsonl,\n         reports/y.json\n"
    )
    assert len((folder / "x.jsonl").read_text(encoding="utf-8").splitlines()) == 6


def test_a_report_that_cannot_be_written_is_said_before_anything_is_sent(type_: Type, sandbox: Sandbox) -> None:
    result = type_("send", "lista.toml", "--yes", "--report", "x.pdf")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert received(sandbox) == []


@pytest.mark.parametrize("command", ["send", "resume"])
def test_reports_that_have_no_place_are_said_before_anything_is_sent(
    type_: Type, sandbox: Sandbox, folder: Path, command: str
) -> None:
    words = ["send", "lista.toml", "--limit", "1", "--yes"]
    if command == "resume":
        type_(*words)
        words = ["resume", "lista", "--yes"]
    before = received(sandbox)
    shutil.rmtree(folder / "reports", ignore_errors=True)
    (folder / "reports").touch()
    result = type_(*words)
    assert result.stderr.splitlines()[-2].startswith("error: ")
    assert (result.exit_code, received(sandbox)) == (2, before)


def test_a_campaign_whose_reports_fail_at_the_end_says_that_it_is_done_and_how_to_get_one(
    type_: Type, sandbox: Sandbox, folder: Path
) -> None:
    type_("send", "lista.toml", "--yes")
    shutil.rmtree(folder / "reports")
    (folder / "reports").touch()
    result = type_("resume", "lista")
    assert " note: lista is done; only its reports were not written.\n" in result.stderr
    assert result.stderr.endswith(" next: campaigns report lista --to lista.html\n")
    assert result.exit_code == 1
    assert type_("report", "lista", "--to", "lista.html").exit_code == 0


def test_a_pilot_sends_the_first_and_resume_the_rest(type_: Type, sandbox: Sandbox) -> None:
    pilot = type_("send", "lista.toml", "--limit", "1", at_terminal=True, typed="y\n")
    assert "Send the first 1 of 3 messages? [y/N]: " in pilot.stderr
    assert "        2  planned      not sent\n" in pilot.stdout
    assert pilot.stderr.endswith(
        " next: campaigns resume lista    sends only the 2\n       campaigns cancel lista    leaves them unsent\n"
    )
    assert pilot.exit_code == 0
    assert received(sandbox) == ALL[:1]
    rest = type_("resume", "lista", at_terminal=True, typed="y\n")
    assert "1 of 3 are done" in rest.stderr.replace("\n", " ")
    assert "Send the 2 that are left? [y/N]: " in rest.stderr
    assert rest.stdout.startswith("lista is done: 2 messages in ")
    assert rest.exit_code == 0
    assert received(sandbox) == ALL


def test_resume_asks_only_where_something_is_left(type_: Type, sandbox: Sandbox, folder: Path) -> None:
    type_("send", "lista.toml", "--limit", "1", "--yes")
    refused = type_("resume", "lista", "--rate", "5/s")
    assert refused.stderr.endswith("  fix: campaigns resume lista --rate 5/s --yes\n")
    assert refused.exit_code == 2
    assert type_("resume", "lista", "--yes").exit_code == 0
    again = type_("resume", "1", "--report", "z.csv")
    assert again.stdout.startswith("lista is done; nothing was left to send.\n")
    assert (again.exit_code, (folder / "z.csv").exists()) == (0, True)
    assert len(received(sandbox)) == 3


@pytest.mark.parametrize("misbehaviour", [Misbehaviour(refusals=REFUSALS)])
def test_a_refused_number_makes_the_exit_code_1(type_: Type, sandbox: Sandbox, folder: Path) -> None:
    result = type_(
        "text", "0701740605", "0701740690", "--message", "Hej!", "--from", "X", "--provider", "sandbox", "--yes"
    )
    assert "        1  rejected     number_blocked 1\n        1  accepted     the provider has it\n" in result.stdout
    assert result.exit_code == 1


def test_text_needs_no_file_and_asks(type_: Type, sandbox: Sandbox) -> None:
    words = ["text", "0701740605", "070-174 06 05", "--message", "Hej!", "--from", "X", "--provider", "sandbox"]
    result = type_(*words, at_terminal=True, typed="y\n")
    assert "Send 1 message? [y/N]: " in result.stderr
    assert "        1  skipped      duplicate 1\n" in result.stdout
    assert received(sandbox) == ALL[:1]


def test_a_wrong_option_of_text_is_mended_as_an_option(type_: Type) -> None:
    result = type_("text", "0701740605", "--message", " ", "--region", "", "--provider", "sandbox", "--yes")
    assert '  fix: Write --message "Vi ses kl. 18."\n' in result.stderr
    assert '  fix: Write the ISO code of a country: --region "SE"\n' in result.stderr
    assert result.exit_code == 2


def test_a_name_that_was_given_and_is_taken_is_an_error_and_a_default_one_is_numbered(
    type_: Type, sandbox: Sandbox
) -> None:
    type_("send", "lista.toml", "--yes", "--name", "vinter")
    taken = type_("send", "lista.toml", "--yes", "--name", "vinter")
    assert taken.stderr.startswith('error: There is a campaign "vinter" already')
    assert taken.exit_code == 2
    type_("send", "lista.toml", "--yes", "--again")
    numbered = type_("send", "lista.toml", "--yes", "--again")
    assert ' note: There is a campaign "lista" already; this one is called "lista-2".\n' in numbered.stderr


def test_a_refused_log_in_ends_with_3_and_says_how_to_go_on(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded_sandbox() as gone:
        monkeypatch.setenv("CAMPAIGNS_SANDBOX_URL", gone.url)
    result = type_("send", "lista.toml", "--yes")
    assert result.exit_code == 3
    assert "Nothing was sent; lista is paused with all 3" in result.stderr.replace("\n       ", " ")
    assert result.stderr.endswith("campaigns resume lista\n")
    assert (Path("reports") / "lista.csv").read_text(encoding="utf-8-sig").count(",planned,") == 3


def test_the_built_in_sandbox_runs_for_the_length_of_the_command(type_: Type) -> None:
    result = type_("send", "lista.toml", "--yes")
    assert result.stderr.startswith("Sandbox at http://127.0.0.1:")
    assert result.exit_code == 0


def test_without_an_account_it_says_how_to_try_the_sandbox(type_: Type) -> None:
    result = type_("send", "lista.csv", "--message", "Hej!", "--from", "X", "--yes")
    assert "--provider sandbox" in result.stderr
    assert result.exit_code == 2


AGAIN = 'The same text went to the same 3 people just now, as "lista".'


@pytest.mark.parametrize("at_terminal", [True, False])
def test_a_second_send_of_the_same_is_an_error_that_yes_does_not_answer(
    type_: Type, sandbox: Sandbox, at_terminal: bool
) -> None:
    type_("send", "lista.toml", "--yes")
    result = type_("send", "lista.toml", "--yes", at_terminal=at_terminal)
    assert result.stderr == (
        f"error: {AGAIN}\n  fix: If you mean it: campaigns send lista.toml --name lista-2 --again\n"
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert received(sandbox) == ALL
    assert [found["name"] for found in json.loads(type_("list", "--json").stdout)] == ["lista"]


@pytest.mark.parametrize(("typed", "sent"), [("n\n", 1), ("\n", 1), ("y\nn\n", 1), ("y\ny\n", 2)])
def test_at_a_terminal_a_second_send_of_the_same_is_a_question_of_its_own(
    type_: Type, sandbox: Sandbox, typed: str, sent: int
) -> None:
    type_("send", "lista.toml", "--yes")
    result = type_("send", "lista.toml", at_terminal=True, typed=typed)
    assert f"{AGAIN}\nSend it to them again? [y/N]: " in result.stderr
    assert ("Send 3 messages? [y/N]: " in result.stderr) is typed.startswith("y")
    assert ("Nothing was sent.\n" in result.stderr) is (sent == 1)
    assert (result.exit_code, received(sandbox)) == (0, sorted(ALL * sent))
    assert len(json.loads(type_("list", "--json").stdout)) == sent


def test_again_sends_without_that_question(type_: Type, sandbox: Sandbox) -> None:
    type_("send", "lista.toml", "--yes")
    refused = type_("send", "lista.toml", "--again")
    assert refused.stderr.endswith("  fix: campaigns send lista.toml --again --yes\n")
    assert type_("send", "lista.toml", "--again", "--yes").exit_code == 0
    result = type_("send", "lista.toml", "--again", at_terminal=True, typed="y\n")
    assert "again?" not in result.stderr
    assert (result.exit_code, received(sandbox)) == (0, sorted(ALL * 3))


def test_a_pilot_is_gone_on_with_and_not_sent_again(type_: Type, sandbox: Sandbox) -> None:
    type_("send", "lista.toml", "--limit", "1", "--yes")
    result = type_("send", "lista.toml", "--limit", "1", "--yes")
    said = " ".join(result.stderr.split())
    assert said == (
        'error: The same text to the same 3 people is in "lista" already, made just now; 2 are not sent. '
        "fix: campaigns resume lista, or if you mean it: campaigns send lista.toml --limit 1 --name lista-2 --again"
    )
    assert (result.exit_code, received(sandbox)) == (2, ALL[:1])
    assert type_("resume", "lista", "--yes").exit_code == 0
    assert received(sandbox) == ALL


def test_a_text_to_a_typed_number_may_be_sent_again(type_: Type, sandbox: Sandbox) -> None:
    words = ["text", "0701740605", "--message", "Hej!", "--from", "X", "--provider", "sandbox", "--yes"]
    assert [type_(*words).exit_code for _ in range(2)] == [0, 0]
    assert received(sandbox) == ALL[:1] * 2


def test_whom_a_campaign_reached_lately_not_within_leaves_out(type_: Type, sandbox: Sandbox, folder: Path) -> None:
    type_("text", "0701740605", "--message", "Hej!", "--from", "X", "--provider", "sandbox", "--yes")
    result = type_("send", "lista.toml", "--not-within", "24 h", "--yes")
    assert "        4  skipped      recently_reached 1, " in result.stdout
    assert received(sandbox) == ALL
    line = (folder / "reports" / "lista.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert 'skipped,recently_reached,"reached by ""text"" on 20' in line
    nobody_left = type_("send", "lista.toml", "--not-within", "24h", "--yes")
    assert "recently_reached 3" in nobody_left.stderr
    assert nobody_left.exit_code == 2


def test_check_says_that_only_send_knows_whom_a_campaign_reached(type_: Type) -> None:
    result = type_("check", "lista.toml", "--not-within", "24h")
    assert "        3  ready" in result.stdout
    assert " note: Whom --not-within leaves out is known to send alone: check looks into no\n" in result.stderr
