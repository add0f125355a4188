"""The metrics of a run are those of the ledger, name no number, and are gone with their server."""

import socket
import threading
import urllib.request
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from campaigns.campaign import Campaign
from campaigns.errors import InputError
from campaigns.events import Figures, Held
from campaigns.ledger import Ledger
from campaigns.metrics import Metrics, shown_at
from campaigns.model import Rate
from campaigns.pipeline import plan, resume, send
from campaigns.settings import Settings
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, embedded_sandbox

OUTCOMES = ("accepted", "rejected", "unknown", "failed")
FAULTS = Misbehaviour(
    refusals={f"{ending}5": REFUSALS["92"] for ending in range(10)}, fail_after=0.2, throttle_first=2, retry_after_s=0
)


def read_page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return str(answer.read(), "utf-8")


def read(address: str) -> dict[str, float]:
    """Each sample by its name, of which there is one; buckets are left out."""
    families = text_string_to_metric_families(read_page(address))
    return {one.name: one.value for family in families for one in family.samples if "le" not in one.labels}


def planned(place: Ledger, folder: Path, url: str, people: int) -> object:
    lines = [f"{number},+4670{1_000_000 + number}" for number in range(people)]
    (folder / "lista.csv").write_text("Namn,Mobil\n" + "\n".join(lines) + "\n", encoding="utf-8")
    campaign = Campaign(
        recipients=folder / "lista.csv",
        message="Hemlig text till {{ namn }}",
        sender="Butiken",
        rate=Rate(50_000),
        max_failures=0,
    )
    return plan(campaign, ledger=place, account=Settings.load({}).account("sandbox").with_url(url))


async def test_what_was_counted_at_the_end_is_what_the_ledger_holds(place: Ledger, tmp_path: Path) -> None:
    metrics = Metrics()
    with embedded_sandbox(FAULTS) as sandbox, shown_at(0, metrics) as address:
        status = (await send(planned(place, tmp_path, sandbox.url, 300), listen=metrics)).status
        found, requests = read(address), sandbox.requests
        page = read_page(address)
    counted = {word: found[f"campaigns_messages_{word}_total"] for word in OUTCOMES}
    assert counted == {word: status.counts[word] for word in OUTCOMES}
    assert min(counted["accepted"], counted["rejected"], counted["unknown"]) > 0
    assert found["campaigns_messages_sent_total"] == found["campaigns_messages_to_go"] == 300
    assert found["campaigns_commit_messages_sum"] >= 300
    assert found["campaigns_request_seconds_count"] == found["campaigns_request_messages_count"] == requests
    assert found["campaigns_requests_in_flight"] == found["campaigns_messages_waiting"] == 0
    assert found["campaigns_rate_full"] == 50_000
    assert 'campaigns_campaign_info{account="sandbox",campaign="1",name="lista"} 1.0' in page
    assert "4670" not in page
    assert "Hemlig" not in page


async def test_what_a_watched_process_sent_is_not_counted_again_by_resume(place: Ledger, tmp_path: Path) -> None:
    metrics = Metrics()
    with embedded_sandbox() as sandbox:
        await send(planned(place, tmp_path, sandbox.url, 3))
        await resume("lista", ledger=place, listen=metrics)
    assert [family for family in metrics.registry.collect() if family.samples] == []


def test_what_is_in_flight_is_looked_up_when_it_is_asked_for() -> None:
    metrics = Metrics()
    figures = Figures(in_flight=0, waiting=0, rate=Rate(20))
    metrics.sending("sandbox", lambda: figures)
    with shown_at(0, metrics) as address:
        figures = Figures(in_flight=7, waiting=3, rate=Rate(14))
        found = read(address)
    names = ("requests_in_flight", "messages_waiting", "rate")
    assert [found[f"campaigns_{name}"] for name in names] == [7, 3, 14]


def test_the_time_that_an_account_was_told_to_wait_adds_up() -> None:
    metrics = Metrics()
    for seconds in (1.5, 40):
        metrics(Held(seconds=seconds, account="sandbox", reason="429", throttled=True))
    assert metrics.registry.get_sample_value("campaigns_held_seconds_total", {"account": "sandbox"}) == 41.5


def test_each_run_has_its_own_metrics_and_none_is_global() -> None:
    Metrics()
    Metrics()
    assert [family.name for family in REGISTRY.collect() if family.name.startswith("campaigns")] == []


def test_only_this_machine_can_ask_and_nobody_after_the_end() -> None:
    before = set(threading.enumerate())
    with shown_at(0, Metrics()) as address:
        assert address.startswith("http://127.0.0.1:")
        read(address)
    assert {thread for thread in threading.enumerate() if "serve_forever" in thread.name} <= before
    with pytest.raises(OSError, match="refused"):
        read(address)


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(InputError, match=f"port {port}: address already in use") as error,
            shown_at(port, Metrics()),
        ):
            pass
    assert error.value.fix.endswith("--metrics-port 0")
