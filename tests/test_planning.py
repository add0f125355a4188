"""Plans: all of a campaign in the ledger, and nothing of it where the yes does not come."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from campaigns.errors import InputError, SettingsError
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import add_campaign
from campaigns.ledger.leases import Owner
from campaigns.ledger.rows import add_messages, add_rows
from campaigns.ledger.schema import messages
from campaigns.model import CHUNK_ROWS, Rate
from campaigns.pipeline import find_campaign, list_campaigns, plan, send
from campaigns.web.sandbox import embedded_sandbox
from tests.builders import a_chunk, a_new_campaign
from tests.racing import somebody_waits
from tests.test_pipeline import a_campaign, a_list, an_account, sizes


def test_a_plan_that_is_left_without_the_yes_leaves_nothing(place: Ledger, tmp_path: Path) -> None:
    with plan(a_campaign(a_list(tmp_path, 5)), ledger=place, account=an_account("http://127.0.0.1:9")) as planned:
        assert planned.ready == 5
        assert sizes(place) == [1, 5, 5]
        assert list_campaigns(place) == []
    assert sizes(place) == [0, 0, 0]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"message": None}, "There is no text to send"),
        ({"message": "Hej {{ nam }}"}, "nam"),
        ({"recipients.file": "missing.csv"}, "does not exist"),
    ],
)
def test_what_cannot_be_planned_leaves_nothing(
    place: Ledger, tmp_path: Path, settings: dict[str, object], error: str
) -> None:
    path = tmp_path / "missing.csv" if "recipients.file" in settings else a_list(tmp_path, 5)
    settings.pop("recipients.file", None)
    with pytest.raises(InputError, match=error):
        plan(a_campaign(path, **settings), ledger=place, account=an_account("http://127.0.0.1:9"))
    assert sizes(place) == [0, 0, 0]


def test_a_list_of_which_nobody_can_be_reached_is_an_error_that_counts_why(place: Ledger, tmp_path: Path) -> None:
    path = a_list(tmp_path, 0, extra=["Eva;;1", "Erik;070;2", "Ylva;;3"])
    with pytest.raises(InputError, match="missing 2"):
        plan(a_campaign(path), ledger=place, account=an_account("http://127.0.0.1:9"))
    assert sizes(place) == [0, 0, 0]


def test_nobody_to_be_from_is_an_error_that_names_option_and_variable(place: Ledger, tmp_path: Path) -> None:
    nobody = an_account("http://127.0.0.1:9")
    nobody = replace(nobody, values={key: value for key, value in nobody.values.items() if key != "from"})
    with pytest.raises(SettingsError) as error:
        plan(a_campaign(a_list(tmp_path, 1), sender=None), ledger=place, account=nobody)
    assert "--from" in error.value.fix
    assert "CAMPAIGNS_SANDBOX_FROM" in error.value.fix
    account = an_account("http://127.0.0.1:9", **{"from": "Lindbergs"})
    with plan(a_campaign(a_list(tmp_path, 1), sender=None), ledger=place, account=account) as planned:
        assert planned.sender == "Lindbergs"


def test_a_name_that_another_command_is_planning_is_an_error_with_one_that_is_free(
    place: Ledger, tmp_path: Path
) -> None:
    campaign, account = a_campaign(a_list(tmp_path, 2), name="rea"), an_account("http://127.0.0.1:9")
    with (
        plan(campaign, ledger=place, account=account),
        pytest.raises(InputError, match='planning a campaign "rea" just now') as error,
    ):
        plan(campaign, ledger=place, account=account)
    assert "--name rea-2" in error.value.fix


def test_a_look_at_the_list_removes_what_a_killed_planner_left_and_nothing_else(place: Ledger) -> None:
    living, dead = Owner.here(), replace(Owner.here(), started=1.0)  # no process of this id has run since 1970
    with place.write() as connection:
        for name, owner in (("living", living), ("dead", dead)):
            campaign_id = add_campaign(connection, name, a_new_campaign(), owner)
            assert campaign_id is not None
            add_rows(connection, campaign_id, a_chunk(3))
            add_messages(connection, campaign_id, -1, 0)
    assert sizes(place) == [2, 6, 6]
    assert list_campaigns(place) == []
    assert sizes(place) == [1, 3, 3]


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_a_limit_counts_over_all_chunks(
    place: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("campaigns.planning.CHUNKS_AT_ONCE", at_once)
    people, limit = CHUNK_ROWS + 3, CHUNK_ROWS + 1
    path = a_list(tmp_path, people, extra=["Eva;;X"])
    with plan(a_campaign(path), ledger=place, account=an_account("http://127.0.0.1:9"), limit=limit):
        assert sizes(place) == [1, people + 1, people]
        with place.read() as connection:
            held = connection.scalars(select(messages.c.row).where(messages.c.due_ms > 0)).all()
    assert held == [limit + 2, limit + 3]


def test_a_user_without_a_name_may_plan(place: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nameless)  # as in a container that runs as some number
    account = an_account("http://127.0.0.1:9")
    plan(a_campaign(a_list(tmp_path, 1)), ledger=place, account=account).make_ready()
    assert find_campaign(place, "lista").created_by == ""


async def test_two_plans_of_one_default_name_at_once_get_two_names(ledger: Ledger, tmp_path: Path) -> None:
    campaign, account = a_campaign(a_list(tmp_path, 2)), an_account("http://127.0.0.1:9")
    with ledger.write() as connection:
        add_campaign(connection, "lista", a_new_campaign(), Owner.here())
        second = asyncio.create_task(asyncio.to_thread(plan, campaign, ledger=ledger, account=account))
        while connection.dialect.name == "postgresql" and not await asyncio.to_thread(somebody_waits, ledger):
            assert not second.done()
    with await second as planned:
        assert planned.name == "lista-2"


async def test_a_default_name_that_is_taken_gets_a_number_and_a_given_one_is_an_error(
    place: Ledger, tmp_path: Path
) -> None:
    path = a_list(tmp_path, 2)
    with embedded_sandbox() as sandbox:
        account = an_account(sandbox.url)
        await send(plan(a_campaign(path), ledger=place, account=account))
        with plan(a_campaign(path), ledger=place, account=account) as second:
            assert (second.name, second.renamed_from) == ("lista-2", "lista")
        with pytest.raises(InputError, match='There is a campaign "lista" already') as error:
            plan(a_campaign(path, name="lista"), ledger=place, account=account)
    assert "--name lista-2" in error.value.fix


@pytest.mark.parametrize(
    ("own", "wanted", "rate"), [(None, None, 100), (None, 7, 7), ("5/s", None, 5), ("5/s", 7, 5), ("5/s", 2, 2)]
)
def test_an_accounts_own_rate_is_a_ceiling_and_without_one_the_commands_rate_counts(
    place: Ledger, tmp_path: Path, own: str | None, wanted: int | None, rate: int
) -> None:
    account = an_account("http://127.0.0.1:9", **({"rate": own} if own else {}))
    campaign = a_campaign(a_list(tmp_path, 1), rate=Rate(wanted) if wanted else None)
    with plan(campaign, ledger=place, account=account) as planned:
        assert planned.rate == Rate(rate)
