"""The whole job over real HTTP: plan, send, stop, resume, report."""

import asyncio
import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, update

from campaigns.campaign import Campaign
from campaigns.clock import SYSTEM_CLOCK
from campaigns.delivery.stop import Stop
from campaigns.errors import ExitStatus, InputError
from campaigns.events import Event, Progress, Watching
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import move
from campaigns.ledger.leases import Owner, acquire, release
from campaigns.ledger.messages import claim_due, finish
from campaigns.ledger.pace import begin
from campaigns.ledger.schema import campaigns, leases, messages, rows
from campaigns.model import CampaignState, MessageEvent, Msisdn, Outcome, PauseReason, Rate
from campaigns.pipeline import (
    Summary,
    default_reports,
    find_campaign,
    plan,
    plan_text,
    report,
    resume,
    send,
)
from campaigns.settings import Account, Settings
from campaigns.web.carrier import REFUSALS, Refusal
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.scripted import http, open_service
from tests.wire import Fault, open_wire

FAST = Rate(50_000)
TOKEN = b'{"access_token": "x", "token_type": "bearer", "expires_in": 86400}'
TEXT = "Hej {{ namn }}! Din kod: {{ kod }}"


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


async def test_a_report_never_takes_the_place_of_the_list(place: Ledger, tmp_path: Path) -> None:
    path = a_list(tmp_path, 2)
    before = path.read_bytes()
    plan(a_campaign(path), ledger=place, account=an_account("http://127.0.0.1:9")).make_ready()
    with pytest.raises(InputError, match="is the list that the campaign was read from"):
        report(place, "lista", [path])
    assert path.read_bytes() == before


def test_a_text_that_nobody_can_get_names_each_number_and_why(place: Ledger) -> None:
    campaign = Campaign(recipients="-", message="Hej", sender="Butiken")
    with pytest.raises(InputError) as error:
        plan_text(["abc", "070-174 06"], campaign, ledger=place, account=an_account("http://127.0.0.1:9"))
    assert '"abc": not a phone number' in error.value.what
    assert "too few digits" in error.value.what
    assert "070-174" not in error.value.what  # numbers of seven digits and more are masked
    assert sizes(place) == [0, 0, 0]


@pytest.mark.parametrize("ends_well", [True, False])
async def test_a_sender_that_follows_another_waits_until_the_window_is_free(
    place: Ledger, tmp_path: Path, ends_well: bool
) -> None:
    with embedded_sandbox() as sandbox:
        account = an_account(sandbox.url)
        await send(plan(a_campaign(a_list(tmp_path, 40), rate=Rate(50)), ledger=place, account=account))
        if not ends_well:
            with place.write() as connection:
                begin(connection, "sandbox", 0, 0)  # as a sender does that dies before it can say that it ends
        again = a_campaign(a_list(tmp_path, 40), rate=Rate(50))
        await send(plan(again, ledger=place, account=account), again=True)
        moments = sorted(message.at for message in sandbox.carrier.messages)
    for first, beyond in zip(moments, moments[50:], strict=False):
        assert (beyond - first).total_seconds() >= 0.98  # at the service's door, a little later than at ours


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


async def test_a_service_that_stops_the_account_half_way_pauses_the_campaign_with_what_is_left(
    place: Ledger, tmp_path: Path
) -> None:
    answers = chain([http(200, TOKEN)], repeat(http(200, b"{}"), 20), repeat(http(402)))
    async with open_service(lambda _: next(answers)) as service:
        account = an_account(service.url)
        summary = await send(plan(a_campaign(a_list(tmp_path, 100)), ledger=place, account=account))
    assert summary.exit_status is ExitStatus.STOPPED
    assert PauseReason.ACCOUNT_PROBLEM.is_in(summary.status.reason)
    assert "no credit" in summary.status.reason
    assert (summary.status.counts["accepted"], summary.status.counts["planned"]) == (20, 80)


async def test_a_log_in_that_fails_in_passing_is_tried_again(place: Ledger, tmp_path: Path) -> None:
    with embedded_sandbox() as sandbox:
        async with open_wire(sandbox.url) as wire:
            faults = iter([Fault.RESET_BEFORE, Fault.RESET_BEFORE])
            wire.choose = lambda line: next(faults, None) if "/token" in line else None
            summary = await send(plan(a_campaign(a_list(tmp_path, 5)), ledger=place, account=an_account(wire.url)))
    assert (summary.exit_status, summary.sent) == (ExitStatus.DONE, 5)


async def test_a_service_that_refuses_one_text_for_all_is_noticed_after_few_messages(
    place: Ledger, tmp_path: Path
) -> None:
    endings = {f"{ending:02}": Refusal("sender_not_allowed", "No.") for ending in range(100)}
    with embedded_sandbox(Misbehaviour(refusals=endings)) as sandbox:
        campaign = a_campaign(a_list(tmp_path, 2000), message="Hej!", rate=Rate(200), concurrency=4)
        summary = await send(plan(campaign, ledger=place, account=an_account(sandbox.url)))
    assert summary.exit_status is ExitStatus.STOPPED
    assert 25 <= summary.status.counts["rejected"] <= 60  # and not hundreds, as full batches would be


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


async def test_a_campaign_that_another_sends_is_paused_by_its_own_number_of_failures(
    place: Ledger, tmp_path: Path
) -> None:
    begun = asyncio.Event()
    blocked = tmp_path / "blocked.csv"
    blocked.write_text("Mobil\n" + "".join(f"+46701{number:04}90\n" for number in range(900)), encoding="utf-8")
    with embedded_sandbox(Misbehaviour(refusals={"90": REFUSALS["90"]})) as sandbox:
        account = an_account(sandbox.url)
        one = plan(a_campaign(a_list(tmp_path, 80), rate=Rate(40)), ledger=place, account=account)

        async def send_two() -> Summary:
            await begun.wait()
            return await send(plan(a_campaign(blocked, message="Hej", max_failures=3), ledger=place, account=account))

        first, second = await asyncio.gather(send(one, listen=lambda _: begun.set()), send_two())
    assert (first.exit_status, second.exit_status) == (ExitStatus.DONE, ExitStatus.STOPPED)
    assert "3 messages in a row were rejected" in second.status.reason


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
        summaries = await asyncio.gather(*(send(planned, again=True, listen=events.append) for planned in (one, two)))
        assert set(received(sandbox).values()) == {2}
    assert [summary.sent for summary in summaries] == [100, 100]
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


async def test_a_sender_that_lost_its_lease_to_one_that_died_takes_it_back(place: Ledger, tmp_path: Path) -> None:
    dead = str(replace(Owner.here(), started=1.0, nonce="other"))
    thefts = iter([dead])

    def steal(event: Event) -> None:
        if isinstance(event, Progress) and (thief := next(thefts, None)):
            with place.write() as connection:
                connection.execute(update(leases).values(owner=thief))

    with embedded_sandbox() as sandbox:
        planned = plan(a_campaign(a_list(tmp_path, 200), rate=Rate(400)), ledger=place, account=an_account(sandbox.url))
        async with asyncio.timeout(30):
            summary = await send(planned, listen=steal)
        assert set(received(sandbox).values()) == {1}
    assert (summary.status.state, summary.sent) == (CampaignState.DONE, 200)


async def test_who_lost_its_lease_at_once_again_leaves_alone_what_the_other_has_on_its_way(
    place: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, stop = Owner.here(), Stop()

    def slept(connection: Connection, account: str, owner: Owner, now_ms: int) -> Owner | None:
        """The machine sleeps after the commit, and another takes the lease over and sends."""
        found = acquire(connection, account, owner, now_ms)
        if found is None:
            release(connection, account, owner)
            acquire(connection, account, other, now_ms)
            claim_due(connection, account, place.prefix, 3, now_ms)
        return found

    def stop_when_watching(event: Event) -> None:
        if isinstance(event, Watching):
            stop.abort()

    monkeypatch.setattr("campaigns.sending.acquire", slept)
    with plan(a_campaign(a_list(tmp_path, 3)), ledger=place, account=an_account("http://127.0.0.1:1")) as ready:
        summary = await send(ready, stop=stop, listen=stop_when_watching)
    assert summary.status.counts["sending"] == 3


async def test_what_a_dead_sender_left_on_its_way_is_counted_as_done_by_who_goes_on(
    place: Ledger, tmp_path: Path
) -> None:
    planned = plan(a_campaign(a_list(tmp_path, 10)), ledger=place, account=an_account("http://127.0.0.1:9"))
    planned.make_ready()
    with place.write() as connection:
        claim_due(connection, "sandbox", "x", 4, SYSTEM_CLOCK.now_ms())
    events: list[Event] = []
    with embedded_sandbox() as sandbox:
        summary = await resume("lista", ledger=place, account=an_account(sandbox.url), listen=events.append)
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert (last.done, last.total, last.counts) == (10, 10, {"accepted": 6, "unknown": 4})
    assert summary.sent == 10


async def test_a_campaign_whose_sender_died_after_the_last_outcome_is_closed_by_resume(
    place: Ledger, tmp_path: Path
) -> None:
    planned = plan(a_campaign(a_list(tmp_path, 3)), ledger=place, account=an_account("http://127.0.0.1:9"))
    planned.make_ready()
    with place.write() as connection:
        now = SYSTEM_CLOCK.now_ms()
        claims = claim_due(connection, "sandbox", "x", 3, now)
        finish(connection, [Outcome(claim=claim, event=MessageEvent.ACCEPT) for claim in claims], now)
    assert find_campaign(place, "lista").state is CampaignState.RUNNING
    summary = await resume("lista", ledger=place, account=an_account("http://127.0.0.1:9"))
    assert (summary.status.state, summary.exit_status) == (CampaignState.DONE, ExitStatus.DONE)


@pytest.mark.parametrize("reason", ["", PauseReason.STOPPED.with_detail("you stopped it at 14:02:09")])
async def test_a_campaign_that_is_paused_from_elsewhere_ends_the_command_with_1(
    place: Ledger, tmp_path: Path, reason: str
) -> None:
    with embedded_sandbox() as sandbox:
        planned = plan(a_campaign(a_list(tmp_path, 200), rate=Rate(100)), ledger=place, account=an_account(sandbox.url))

        def pause(event: Event) -> None:
            if isinstance(event, Progress):
                with place.write() as connection:
                    move(connection, planned.id, (CampaignState.RUNNING,), CampaignState.PAUSED, reason)

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
