"""The whole job over real HTTP: plan, send, stop, resume, report."""

import asyncio
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from campaigns.campaign import Campaign
from campaigns.clock import SYSTEM_CLOCK
from campaigns.delivery.stop import Stop
from campaigns.errors import ExitStatus, InputError, SettingsError
from campaigns.ledger import Ledger, open_ledger
from campaigns.ledger.leases import Owner, acquire, release
from campaigns.ledger.schema import campaigns, messages, rows
from campaigns.model import CampaignState, Msisdn, PauseReason, Rate
from campaigns.pipeline import (
    Summary,
    default_reports,
    find_campaign,
    list_campaigns,
    plan,
    plan_text,
    report,
    resume,
    send,
)
from campaigns.sending import Event, Progress, Watching
from campaigns.settings import Account, Settings
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.wire import Fault, open_wire

FAST = Rate(50_000)
TEXT = "Hej {{ namn }}! Din kod: {{ kod }}"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in a file; that both databases behave alike is shown by the ledger's own tests."""
    with open_ledger(tmp_path / "ledger.db") as ledger:
        yield ledger


def an_account(url: str, **values: str) -> Account:
    sandbox = Settings.load({}).account("sandbox").with_url(url)
    return replace(sandbox, values={**sandbox.values, **values})


def a_list(folder: Path, people: int, *, extra: Sequence[str] = ()) -> Path:
    """A recipient file of made-up numbers, for loopback alone."""
    path = folder / "lista.csv"
    lines = [f"Åsa {number};+4670{1_000_000 + number};KOD-{number}" for number in range(people)]
    path.write_text("Namn;Mobil;Kod\n" + "\n".join([*lines, *extra]) + "\n", encoding="utf-8")
    return path


def a_campaign(path: Path, **settings: object) -> Campaign:
    return Campaign(recipients=path, **{"message": TEXT, "sender": "Butiken", "rate": FAST, **settings})


def read_report(ledger: Ledger, name: str, folder: Path) -> list[dict[str, str]]:
    [path] = report(ledger, name, [folder / "reports" / "out.csv"])
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def sizes(ledger: Ledger) -> list[int]:
    with ledger.read() as connection:
        return [connection.scalar(select(func.count()).select_from(table)) for table in (campaigns, rows, messages)]


def received(sandbox: Sandbox) -> Counter[str]:
    return Counter(message.to for message in sandbox.carrier.messages)


async def test_every_row_is_reported_once_and_every_good_number_gets_one_message(place: Ledger, tmp_path: Path) -> None:
    extra = ["Eva;070-100 00 00;X", "Erik;;Y", "Ylva;070-12;Z"]
    with embedded_sandbox() as sandbox:
        planned = plan(a_campaign(a_list(tmp_path, 50, extra=extra)), ledger=place, account=an_account(sandbox.url))
        summary = await send(planned)
        assert received(sandbox) == {f"+4670{1_000_000 + number}": 1 for number in range(50)}
        assert {message.text for message in sandbox.carrier.messages} >= {"Hej Åsa 7! Din kod: KOD-7"}
    assert summary.exit_status is ExitStatus.DONE
    assert summary.status.state is CampaignState.DONE
    assert summary.sent == 50
    lines = read_report(place, "lista", tmp_path)
    assert [int(line["row"]) for line in lines] == list(range(2, 55))
    assert Counter(line["status"] for line in lines) == {"accepted": 50, "skipped": 3}
    assert [line["reason"] for line in lines[50:]] == ["duplicate", "missing", "too_short"]
    assert lines[50]["detail"] == "same number as row 2"
    assert lines[0]["Namn"] == "Åsa 0"
    assert all(line["provider_id"] and line["sent_at"] for line in lines[:50])


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


async def test_a_limit_sends_a_pilot_and_resume_sends_the_rest(place: Ledger, tmp_path: Path) -> None:
    with embedded_sandbox() as sandbox:
        account = an_account(sandbox.url)
        pilot = await send(plan(a_campaign(a_list(tmp_path, 30)), ledger=place, account=account, limit=7))
        assert sorted(received(sandbox)) == [f"+4670{1_000_000 + number}" for number in range(7)]
        assert (pilot.exit_status, pilot.status.counts["planned"]) == (ExitStatus.DONE, 23)
        rest = await resume("lista", ledger=place, account=account)
        assert received(sandbox) == {f"+4670{1_000_000 + number}": 1 for number in range(30)}
    assert (rest.exit_status, rest.sent, rest.status.state) == (ExitStatus.DONE, 23, CampaignState.DONE)


async def test_what_was_stopped_is_paused_and_goes_on_where_it_was(place: Ledger, tmp_path: Path) -> None:
    with embedded_sandbox() as sandbox:
        account, stop = an_account(sandbox.url), Stop()

        def stop_at_ten(event: Event) -> None:
            if isinstance(event, Progress) and event.done >= 10:
                stop.ask()

        planned = plan(a_campaign(a_list(tmp_path, 300), rate=Rate(400)), ledger=place, account=account)
        stopped = await send(planned, stop=stop, listen=stop_at_ten)
        assert stopped.exit_status is ExitStatus.INTERRUPTED
        assert PauseReason.STOPPED.is_in(stopped.status.reason)
        assert 10 <= stopped.status.counts["accepted"] < 300
        assert stopped.status.counts["sending"] == stopped.status.counts["unknown"] == 0
        rest = await resume(str(stopped.status.id), ledger=place, account=account, rate=FAST)
        assert set(received(sandbox).values()) == {1}
        assert len(received(sandbox)) == 300
    assert rest.sent == 300 - stopped.status.counts["accepted"]


async def test_resume_with_nothing_left_sends_nothing_and_exits_as_send_did(place: Ledger, tmp_path: Path) -> None:
    with embedded_sandbox(Misbehaviour(refusals=REFUSALS)) as sandbox:
        account = an_account(sandbox.url)
        first = await send(plan(a_campaign(a_list(tmp_path, 100)), ledger=place, account=account))
        requests = sandbox.requests
        again = await resume("lista", ledger=place, account=account)
        assert sandbox.requests == requests
    assert (first.exit_status, again.exit_status, again.sent) == (ExitStatus.PROBLEMS, ExitStatus.PROBLEMS, 0)
    assert first.status.counts["rejected"] == 10
    line = next(line for line in read_report(place, "lista", tmp_path) if line["status"] == "rejected")
    assert (line["reason"], line["detail"]) == ("number_blocked", "The number is blocked")


async def test_a_service_that_cannot_be_reached_stops_before_the_first_message(place: Ledger, tmp_path: Path) -> None:
    account = an_account("http://127.0.0.1:9")
    summary = await send(plan(a_campaign(a_list(tmp_path, 5)), ledger=place, account=account))
    assert summary.exit_status is ExitStatus.STOPPED
    assert PauseReason.ACCOUNT_PROBLEM.is_in(summary.status.reason)
    assert summary.status.counts["planned"] == 5


async def test_too_many_failures_in_a_row_pause_the_campaign(place: Ledger, tmp_path: Path) -> None:
    with embedded_sandbox(Misbehaviour(fail_after=1.0)) as sandbox:
        account = an_account(sandbox.url)
        campaign = a_campaign(a_list(tmp_path, 200), max_failures=25, concurrency=4, rate=Rate(500))
        summary = await send(plan(campaign, ledger=place, account=account))
        assert len(received(sandbox)) < 100
    assert summary.exit_status is ExitStatus.STOPPED
    assert "25 messages in a row are unknown" in summary.status.reason
    assert summary.status.counts["unknown"] == len(received(sandbox)) >= 25
    assert summary.status.counts["planned"] == 200 - summary.status.counts["unknown"]


async def test_zero_failures_in_a_row_mean_that_nothing_pauses(place: Ledger, tmp_path: Path) -> None:
    with embedded_sandbox(Misbehaviour(fail_after=1.0)) as sandbox:
        campaign = a_campaign(a_list(tmp_path, 60), max_failures=0)
        summary = await send(plan(campaign, ledger=place, account=an_account(sandbox.url)))
    assert (summary.exit_status, summary.status.counts["unknown"]) == (ExitStatus.PROBLEMS, 60)


async def test_a_second_send_of_an_account_watches_while_the_first_sends_for_both(
    place: Ledger, tmp_path: Path
) -> None:
    events: list[Event] = []
    with embedded_sandbox(Misbehaviour(latency_s=0.01)) as sandbox:
        account = an_account(sandbox.url)
        one = plan(a_campaign(a_list(tmp_path, 100), rate=Rate(200)), ledger=place, account=account)
        two = plan(a_campaign(a_list(tmp_path, 100), name="two"), ledger=place, account=account)
        summaries = await asyncio.gather(send(one), send(two, listen=events.append))
        assert set(received(sandbox).values()) == {2}
    assert [summary.exit_status for summary in summaries] == [ExitStatus.DONE, ExitStatus.DONE]
    assert any(isinstance(event, Watching) and event.owner == "this process" for event in events)


async def test_a_watcher_takes_over_when_the_sender_gives_its_lease_back(place: Ledger, tmp_path: Path) -> None:
    other = Owner.here()
    with place.write() as connection:
        assert acquire(connection, "sandbox", other, SYSTEM_CLOCK.now_ms()) is None

    def give_back(event: Event) -> None:
        if isinstance(event, Watching):
            with place.write() as connection:
                release(connection, "sandbox", other)

    with embedded_sandbox() as sandbox:
        planned = plan(a_campaign(a_list(tmp_path, 5)), ledger=place, account=an_account(sandbox.url))
        summary = await send(planned, listen=give_back)
    assert (summary.exit_status, summary.sent) == (ExitStatus.DONE, 5)


async def test_a_campaign_that_is_paused_from_elsewhere_ends_the_command_with_1(place: Ledger, tmp_path: Path) -> None:
    from campaigns.ledger.campaigns import move

    with embedded_sandbox() as sandbox:
        planned = plan(a_campaign(a_list(tmp_path, 200), rate=Rate(100)), ledger=place, account=an_account(sandbox.url))

        def pause(event: Event) -> None:
            if isinstance(event, Progress):
                with place.write() as connection:
                    move(connection, planned.id, (CampaignState.RUNNING,), CampaignState.PAUSED)

        summary = await send(planned, listen=pause)
    assert (summary.exit_status, summary.status.state) == (ExitStatus.PROBLEMS, CampaignState.PAUSED)
    assert summary.status.counts["planned"] > 0


async def test_a_text_to_a_few_numbers_is_a_campaign_of_its_own(place: Ledger) -> None:
    campaign = Campaign(recipients="-", message="Vi ses 18 på Öland", sender="Butiken")
    with embedded_sandbox() as sandbox:
        numbers = ["070-174 06 05", "0701740606", "+46701740605", "12"]
        summary = await send(plan_text(numbers, campaign, ledger=place, account=an_account(sandbox.url)))
        assert received(sandbox) == {"+46701740605": 1, "+46701740606": 1}
    assert summary.status.name == "text"
    assert summary.status.reasons["skipped"] == {"duplicate": 1, "too_short": 1}


async def test_a_campaign_from_python_needs_no_plan(tmp_path: Path, place: Ledger) -> None:
    with embedded_sandbox() as sandbox:
        summary = await send(a_campaign(a_list(tmp_path, 3)), ledger=place, account=an_account(sandbox.url))
        assert received(sandbox).total() == 3
    assert summary.status.name == "lista"


def test_a_campaign_that_is_not_there_is_an_error_with_the_nearest_name(place: Ledger, tmp_path: Path) -> None:
    plan(a_campaign(a_list(tmp_path, 1)), ledger=place, account=an_account("http://127.0.0.1:9")).make_ready()
    with pytest.raises(InputError, match='There is no campaign "listan"') as error:
        find_campaign(place, "listan")
    assert "lista" in error.value.fix


def test_a_workbook_of_more_than_100_000_rows_is_made_only_when_asked_for(place: Ledger, tmp_path: Path) -> None:
    plan(a_campaign(a_list(tmp_path, 1)), ledger=place, account=an_account("http://127.0.0.1:9")).make_ready()
    status = find_campaign(place, "lista")
    assert [path.name for path in default_reports(status)] == ["lista.html", "lista.xlsx", "lista.csv"]
    status.counts["rows"] = 100_001
    assert [path.name for path in default_reports(status)] == ["lista.html", "lista.csv"]


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


async def test_5000_recipients_with_faults_of_service_and_network_are_each_reported_once_and_texted_at_most_once(
    place: Ledger, tmp_path: Path
) -> None:
    service = Misbehaviour(throttle_share=0.01, retry_after_s=0, fail_before=0.01, fail_after=0.01, seed=7)
    faults = {3: Fault.RESET_BEFORE, 5: Fault.RESET_AFTER, 7: Fault.CUT}
    with embedded_sandbox(service) as sandbox:
        async with open_wire(sandbox.url) as wire:
            requests = iter(range(1, 10**9))
            wire.choose = lambda line: faults.get(next(requests) % 100) if "/sms/skicka" in line else None
            summary = await _send_5000(place, tmp_path, wire.url)
        at_carrier = received(sandbox)
    assert max(at_carrier.values()) == 1
    lines = read_report(place, "lista", tmp_path)
    assert [int(line["row"]) for line in lines] == list(range(2, 5002))
    by_status = Counter(line["status"] for line in lines)
    assert set(by_status) == {"accepted", "unknown"}
    assert by_status == {key: figure for key, figure in summary.status.counts.items() if figure and key != "rows"}
    assert by_status["unknown"] > 100
    assert all(at_carrier[Msisdn(line["to"])] == 1 for line in lines if line["status"] == "accepted")


async def _send_5000(place: Ledger, tmp_path: Path, url: str) -> Summary:
    planned = plan(a_campaign(a_list(tmp_path, 5000)), ledger=place, account=an_account(url))
    return await send(planned)
