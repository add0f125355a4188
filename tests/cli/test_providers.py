"""`campaigns providers`: the accounts, and the way of a password into the keyring."""

import json

import pytest

from tests.cli.conftest import Type
from tests.memory_keyring import MemoryKeyring, as_system_keyring


def test_it_lists_what_is_set_up_and_says_how_to_set_up_the_rest(type_: Type) -> None:
    result = type_("providers")
    lines = [line.split(None, 3) for line in result.stdout.splitlines()]
    assert lines[0] == ["Account", "Provider", "Set", "up  Can do"]
    assert [line[:3] for line in lines if line[-1].startswith("batch: ")] == [
        ["campaigns", "campaigns", "no"],
        ["sandbox", "soluno", "yes"],
        ["soluno", "soluno", "no"],
    ]
    assert " note: soluno has no " in result.stderr
    assert "CAMPAIGNS_SOLUNO_USERNAME" in result.stderr


def test_json_has_the_same(type_: Type) -> None:
    found = json.loads(type_("providers", "--json").stdout)
    assert {account["name"]: account["set_up"] for account in found} == {
        "campaigns": False,
        "sandbox": True,
        "soluno": False,
    }
    assert [account["can"]["rate"] for account in found if account["name"] == "sandbox"] == ["100/s, in requests"]


def test_check_logs_in_to_the_built_in_sandbox(type_: Type) -> None:
    result = type_("providers", "check", "sandbox")
    assert result.stdout.startswith("sandbox: logged in at 127.0.0.1")
    assert result.exit_code == 0


@pytest.mark.parametrize("words", [("check",), ("login",)])
def test_an_unknown_account_is_an_error(type_: Type, words: tuple[str, ...]) -> None:
    result = type_("providers", *words, "soluno2")
    assert result.stderr.startswith('error: There is no account "soluno2".\n')
    assert result.exit_code == 2


def test_check_of_an_account_without_a_password_says_what_is_missing(
    type_: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGNS_SOLUNO_USERNAME", "lindbergs")
    result = type_("providers", "check", "soluno")
    assert result.stderr == (
        "error: soluno has no password, so it cannot be used.\n"
        "  fix: campaigns providers login soluno, or set CAMPAIGNS_SOLUNO_PASSWORD.\n"
    )
    assert result.exit_code == 2


def test_a_service_that_cannot_be_reached_ends_with_3(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGNS_SANDBOX_URL", "http://127.0.0.1:1")
    result = type_("providers", "check", "sandbox")
    assert result.stderr.startswith("error: sandbox could not be reached: ")
    assert result.exit_code == 3


def test_login_takes_the_password_from_stdin_and_does_not_show_it(type_: Type) -> None:
    keyring = MemoryKeyring()
    with as_system_keyring(keyring):
        result = type_("providers", "login", "soluno", typed="hemligt\n")
    assert keyring.kept == {("campaigns", "soluno/password"): "hemligt"}
    assert "hemligt" not in result.output
    assert result.stderr == "The password of soluno is in the keyring.\n next: campaigns providers check soluno\n"


def test_an_empty_password_is_not_kept(type_: Type) -> None:
    result = type_("providers", "login", "soluno", typed="\n")
    assert result.stderr.startswith("error: Nothing was given, so nothing was stored.\n")
    assert result.exit_code == 2


def test_login_without_a_keyring_says_what_to_set_instead(type_: Type) -> None:
    result = type_("providers", "login", "soluno", typed="hemligt\n")
    assert "CAMPAIGNS_SOLUNO_PASSWORD" in result.stderr
    assert result.exit_code == 2
