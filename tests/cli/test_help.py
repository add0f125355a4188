"""Help pages, wrong usage, and that neither needs the heavy parts of the package."""

import subprocess
import sys
from dataclasses import replace

import click
import pytest

from campaigns.cli import COMMANDS, cli
from campaigns.cli.group import Option
from campaigns.cli.screen import Screen
from campaigns.cli.session import Session
from tests.cli.conftest import Type

HEAVY = ("pandas", "pyarrow", "litestar", "sqlalchemy", "openpyxl", "aiohttp", "jinja2", "pydantic")
PAGES = (
    *COMMANDS, "providers check", "providers login", "db upgrade", "db check", "db vacuum", "db backup",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_command_has_help_with_an_example_that_is_its_own(type_: Type, page: str) -> None:
    result = type_(*page.split(), "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"  campaigns {page}" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("page", PAGES)
def test_no_line_of_a_help_page_is_wider_than_80(type_: Type, page: str) -> None:
    assert [line for line in type_(*page.split(), "--help").stdout.splitlines() if len(line) > 80] == []


def test_the_first_help_page_lists_every_command_with_its_purpose(type_: Type) -> None:
    page = type_("--help").stdout
    for name, entry in COMMANDS.items():
        assert f"  {name:<9}  {entry.help}\n" in page
    assert page.splitlines()[-2:] == [
        "Exit codes: 0 done, 1 done but some messages were rejected, failed or are",
        "unknown, 2 wrong usage or input, 3 stopped by the provider, 130 interrupted.",
    ]


def test_without_arguments_the_first_steps_are_shown(type_: Type) -> None:
    result = type_()
    assert result.exit_code == 0
    assert "campaigns demo" in result.stdout
    assert result.stderr == ""


def test_on_a_narrow_terminal_the_first_steps_are_the_commands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([], obj=Narrow())
    shown = capsys.readouterr().out
    assert "Try it    campaigns demo\nBegin     campaigns guide campaign-file\n" in shown
    assert max(map(len, shown.splitlines())) <= 40


@pytest.mark.parametrize("page", ["", *PAGES])
def test_a_help_page_fits_a_narrow_terminal(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([*page.split(), "--help"], obj=Narrow())
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 40 and not line.startswith("    campaigns")] == []


class Narrow(Session):
    """At a terminal of 40 columns."""

    @property
    def screen(self) -> Screen:
        return Screen(replace(super().screen.out, width=40), super().screen.err)


def test_help_and_version_load_none_of_the_heavy_packages() -> None:
    pages = [["--help"], ["--version"], [], *([*page.split(), "--help"] for page in PAGES)]
    program = f"""
import sys
from campaigns.cli import cli
for words in {pages!r}:
    try:
        cli.main(words)
    except SystemExit as ended:
        assert ended.code == 0, words
    print(words, {{*sys.modules}} & {{*{HEAVY!r}}}, file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr.splitlines() == [f"{words} set()" for words in pages]


def test_the_package_is_a_program(python: list[str]) -> None:
    ended = subprocess.run([*python, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("campaigns ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_entry_of_the_table_is_a_command_of_that_name(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert isinstance(command, click.Command)
    assert command.name == name


@pytest.mark.parametrize(
    ("words", "error", "fix"),
    [
        (["send", "lista.csv", "--reigon", "NO"], '"send" has no option --reigon.', "--region CODE. "),
        (["--colr", "never"], "There is no option --colr.", "--color "),
        (["chekc"], 'campaigns has no command "chekc".', "campaigns check. "),
        (["providers", "lgin"], 'campaigns providers has no command "lgin".', "campaigns providers login. "),
        (["check"], '"check" needs SOURCE.', "campaigns check SOURCE. "),
        (["check", "lista.csv", "--region"], "--region needs a value.", "--region CODE. "),
        (["text", "0701740605"], '"text" needs --message.', "campaigns text NUMBER... --message TEXT. "),
        (["send", "lista.csv", "--yes=1"], "--yes takes no value.", "All options: campaigns send --help"),
        (["report", "sommar"], '"report" needs --to.', "campaigns report CAMPAIGN --to PATH. "),
        (["send", "lista.csv", "--limit", "x"], "--limit takes a whole number from 1.", "All options: "),
        (["send", "lista.csv", "--max-failures", "-1"], "--max-failures takes a whole number from 0.", "All options: "),
        (["sandbox", "--throttle", "2"], "--throttle takes a number from 0 to 1.", "All options: "),
        (["sandbox", "--seed", "x"], "--seed takes a whole number.", "All options: "),
        (["check", "lista.csv", "--purpose", "fun"], "--purpose takes one of service, marketing.", "All options: "),
        (["check", "lista.csv", "--problems", "some"], '--problems: "some" is neither a number nor "all".', "All op"),
        (["list", "all"], "Got unexpected extra argument (all).", "All options: campaigns list --help"),
        (["guide", "segment"], 'There is no guide to "segment".', "campaigns guide segments"),
    ],
)
def test_wrong_usage_says_what_and_how_to_mend_it(type_: Type, words: list[str], error: str, fix: str) -> None:
    result = type_(*words)
    first, second = result.stderr.splitlines()[:2]
    assert first.startswith(f"error: {error}")
    assert second.startswith(f"  fix: {fix}")
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("before", [True, False])
def test_the_options_of_every_command_may_stand_before_or_after_it(type_: Type, before: bool) -> None:
    general, command = ["--show-numbers", "--color", "always"], ["check", "lista.csv", "--message", "Hej!"]
    result = type_(*(general + command if before else command + general))
    assert "+46701740605" in result.stdout
    assert "\x1b[" in result.stdout


def test_the_options_of_a_campaign_are_the_same_on_check_and_send() -> None:
    def names(command: str) -> set[str]:
        found = cli.get_command(click.Context(cli), command)
        assert found is not None
        return {param.opts[0] for param in found.params if isinstance(param, Option)}

    assert names("check") - names("send") == {"--problems", "--fixed"}
    assert names("send") - names("check") == {"--dry-run", "--limit", "--again", "--yes", "--metrics-port"}
