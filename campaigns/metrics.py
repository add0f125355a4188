"""What Prometheus may ask while a campaign is sent: counts, rates and times, never a number or a text."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Gauge, Histogram, Info, start_http_server

from campaigns.errors import InputError
from campaigns.events import Attentive, Event, Figures, Held, Started
from campaigns.model import MessageEvent, Outcome

HOST: Final = "127.0.0.1"
ACCOUNT: Final = ("account",)
CAMPAIGN: Final = ("account", "campaign")
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
MESSAGES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
OUTCOMES: Final = {
    MessageEvent.ACCEPT: ("messages_accepted", "Messages that the provider took"),
    MessageEvent.REJECT: ("messages_rejected", "Messages that the provider refused"),
    MessageEvent.LOSE: ("messages_unknown", "Messages that may have been taken"),
    MessageEvent.FAIL: ("messages_failed", "Messages that were surely not taken, and whose tries are used up"),
    MessageEvent.RETRY: ("messages_retried", "Tries that were surely not taken, and that another follows"),
}


class Metrics(Attentive):
    """A listener that counts, in a registry of its own.

    An outcome counts once it is on disk: what was shown is never lost.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._sent = self._counter("messages_sent", "Messages whose request left: accepted, rejected, unknown")
        self._outcomes = {event: self._counter(*words) for event, words in OUTCOMES.items()}
        self._to_go = self._gauge("messages_to_go", "Messages that were to go when this process began", CAMPAIGN)
        self._waiting = self._gauge("messages_waiting", "Messages that are claimed and wait for their turn")
        self._in_flight = self._gauge("requests_in_flight", "Requests that wait for their answer")
        self._seconds = self._histogram("request_seconds", "Time from a request to its answer", SECONDS)
        self._sizes = self._histogram("request_messages", "Messages that one request held", MESSAGES)
        self._commits = self._histogram("commit_messages", "Outcomes that one commit of the ledger held", MESSAGES)
        self._rate = self._gauge("rate", "At most so many units a second go now")
        self._full_rate = self._gauge("rate_full", "At most so many units a second go while nothing is throttled")
        self._held = self._counter("held_seconds", "Time that the account was told to wait", ACCOUNT)
        self._of_account: dict[str, tuple[Histogram, Histogram]] = {}  # found once: requests are many
        self._names = Info("campaigns_campaign", "The name of a campaign", CAMPAIGN, registry=self.registry)

    def __call__(self, event: Event) -> None:
        match event:
            case Started():
                self._begin(event)
            case Held():
                self._held.labels(event.account).inc(event.seconds)
            case _:
                pass

    def sending(self, account: str, look: Callable[[], Figures]) -> None:
        self._in_flight.labels(account).set_function(lambda: look().in_flight)
        self._waiting.labels(account).set_function(lambda: look().waiting)
        self._rate.labels(account).set_function(lambda: look().rate.per_second)
        self._of_account[account] = (self._seconds.labels(account), self._sizes.labels(account))

    def answered(self, account: str, seconds: float, messages: int) -> None:
        of_seconds, of_sizes = self._of_account[account]
        of_seconds.observe(seconds)
        of_sizes.observe(messages)

    def finished(self, account: str, outcomes: Sequence[Outcome]) -> None:
        self._commits.labels(account).observe(len(outcomes))
        left = Counter(outcome.claim.campaign_id for outcome in outcomes if outcome.sent_at is not None)
        for campaign, number in left.items():
            self._sent.labels(account, str(campaign)).inc(number)
        became = Counter((outcome.claim.campaign_id, outcome.event) for outcome in outcomes)
        for (campaign, event), number in became.items():
            if event in self._outcomes:
                self._outcomes[event].labels(account, str(campaign)).inc(number)

    def _begin(self, event: Started) -> None:
        labels = (event.account, str(event.campaign_id))
        self._names.labels(*labels).info({"name": event.name})
        self._to_go.labels(*labels).set(event.total)
        self._full_rate.labels(event.account).set(event.rate.per_second)
        self._held.labels(event.account)
        for counter in (self._sent, *self._outcomes.values()):
            counter.labels(*labels)  # is there from the start, as 0

    def _counter(self, name: str, what: str, labels: Sequence[str] = CAMPAIGN) -> prometheus_client.Counter:
        return prometheus_client.Counter(f"campaigns_{name}", what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, labels: Sequence[str] = ACCOUNT) -> Gauge:
        return Gauge(f"campaigns_{name}", what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"campaigns_{name}", what, ACCOUNT, registry=self.registry, buckets=buckets)


@contextmanager
def shown_at(port: int, metrics: Metrics) -> Iterator[str]:
    """Show them to this machine alone until the block ends; port 0 is any that is free. Gives the address."""
    try:
        server, thread = start_http_server(port, HOST, metrics.registry)
    except OSError as error:
        raise InputError(
            f"No metrics can be shown at port {port}: {(error.strerror or str(error)).lower()}. Nothing was sent.",
            fix="Give another port, or 0 for any that is free: --metrics-port 0",
        ) from error
    try:
        yield f"http://{HOST}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
