"""Log lines: masked, parseable, and without anybody's words."""

import json
import logging
import sys

import pytest

from campaigns.clock import SYSTEM_CLOCK
from campaigns.events import Event, Held, Paced, Progress, Started, Stopping, Watching
from campaigns.logs import MessageLog, formatter, log_events
from campaigns.model import (
    CampaignId,
    Claim,
    Encoding,
    Message,
    MessageEvent,
    Msisdn,
    Outcome,
    ProviderMessageId,
    Rate,
)

SAID = "Hemlig text till Anna"


def a_record(text: str, *, error: BaseException | None = None, **fields: object) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("campaigns.x", logging.WARNING, "x.py", 1, text, (), info)
    record.__dict__.update(fields)
    return record


def an_outcome(event: MessageEvent) -> Outcome:
    message = Message(
        id="c17-204",
        reference="x-c17-204",
        number=Msisdn("+46701740605"),
        text="Hemlig text",
        sender="Butiken",
        encoding=Encoding.GSM7,
        segments=1,
    )
    claim = Claim(campaign_id=CampaignId(17), row=204, tries=2, message=message)
    return Outcome(
        claim=claim, event=event, reason="r", detail="Hemlig", provider_id=ProviderMessageId("46701740605-1")
    )


def test_a_line_of_json_has_what_happened_its_level_the_time_and_its_fields() -> None:
    line = json.loads(formatter(as_json=True).format(a_record("lease taken", account="sandbox")))
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "lease taken", "level": "warning", "account": "sandbox"}


def test_a_plain_line_has_the_same() -> None:
    line = formatter(as_json=False).format(a_record("lease taken", account="sandbox"))
    assert line[8:] == " [warning] lease taken account=sandbox"


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("+46701740605", "+46*******05"),
        ("46701740605 was refused", "46*******05 was refused"),
        ("no 070-174 06 05", "no 07*-*** ** 05"),
        ("0046701740605", "00*********05"),
        ("c17-204 at 14:02:09", "c17-204 at 14:02:09"),
        ("http://127.0.0.1:49213", "http://127.0.0.1:49213"),
        ("reports/2026-11-25.csv", "reports/2026-11-25.csv"),
        ("1,000,000 messages", "1,000,000 messages"),
    ],
)
def test_what_looks_like_a_phone_number_is_masked_wherever_it_stands(as_json: bool, words: str, shown: str) -> None:
    line = formatter(as_json=as_json).format(a_record(words, field=words))
    assert line.count(shown) == 2
    whole = formatter(as_json=as_json, numbers=True).format(a_record(words, field=words))
    assert whole.count(words) == 2


@pytest.mark.parametrize("as_json", [True, False])
def test_an_error_shows_its_place_and_class_and_none_of_its_words(as_json: bool) -> None:
    try:
        try:
            raise ValueError(SAID)
        except ValueError as cause:
            raise KeyError(SAID) from cause
    except KeyError:
        error = sys.exc_info()[1]
    line = formatter(as_json=as_json).format(a_record("a fault", error=error))
    assert all(word in line for word in ("test_logs.py", "ValueError", "KeyError"))
    assert "Hemlig" not in line
    if as_json:
        assert json.loads(line)["exception"].endswith("KeyError")


@pytest.mark.parametrize(
    ("event", "what", "fields"),
    [
        (
            Started(name="vinter", campaign_id=CampaignId(17), account="sandbox", total=3, rate=Rate(20)),
            "started",
            {"campaign": 17, "campaign_name": "vinter", "account": "sandbox", "messages": 3, "rate": "20/s"},
        ),
        (Progress(done=1, total=3, counts={"accepted": 1}), "progress", {"done": 1, "total": 3, "accepted": 1}),
        (
            Held(seconds=4.0, account="sandbox", reason="429", throttled=True),
            "held",
            {"account": "sandbox", "seconds": 4.0, "reason": "429"},
        ),
        (Paced(rate=Rate(14), full=Rate(20)), "paced", {"rate": "14/s", "full": "20/s"}),
        (Watching(owner="process 7"), "watching", {"owner": "process 7"}),
        (Stopping(in_flight=2), "stopping", {"in_flight": 2}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_event_of_a_run_is_a_line(
    event: Event, what: str, fields: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "campaigns"):
        log_events()(event)
    [record] = caplog.records
    line = json.loads(formatter(as_json=True).format(record))
    assert {key: line[key] for key in ("event", *fields)} == {"event": what, **fields}


def test_how_far_a_run_is_stands_once_a_minute_and_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    now = SYSTEM_CLOCK.now().replace(second=0)
    clock = SYSTEM_CLOCK.__class__(now=lambda: now, monotonic=SYSTEM_CLOCK.monotonic, sleep=SYSTEM_CLOCK.sleep)
    listen = log_events(clock)
    with caplog.at_level(logging.INFO, "campaigns"):
        for done in range(1, 6):
            listen(Progress(done=done, total=5, counts={}))
    assert [record.__dict__["done"] for record in caplog.records] == [1, 5]


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (MessageEvent.ACCEPT, "accepted"),
        (MessageEvent.REJECT, "rejected"),
        (MessageEvent.LOSE, "unknown"),
        (MessageEvent.FAIL, "failed"),
    ],
)
@pytest.mark.parametrize(("numbers", "shown"), [(False, "+46*******05"), (True, "+46701740605")])
def test_a_message_is_one_line_with_its_row_and_state_and_no_text(
    event: MessageEvent, state: str, numbers: bool, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "campaigns"):
        MessageLog(numbers=numbers).finished("sandbox", [an_outcome(event)])
    [record] = caplog.records
    line = json.loads(formatter(as_json=True, numbers=numbers).format(record))
    assert (line["id"], line["campaign"], line["row"], line["tries"]) == ("c17-204", 17, 204, 2)
    assert (line["state"], line["to"], line["level"]) == (state, shown, "debug")
    assert "Hemlig" not in json.dumps(line)


@pytest.mark.parametrize("event", [MessageEvent.RETRY, MessageEvent.GIVE_BACK])
def test_a_try_after_which_another_follows_is_no_line(event: MessageEvent, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "campaigns"):
        MessageLog().finished("sandbox", [an_outcome(event)])
    assert caplog.records == []


def test_what_the_formatter_of_another_handler_left_on_a_record_is_no_field() -> None:
    record = a_record("lease taken")
    logging.Formatter("%(asctime)s %(message)s").format(record)
    assert formatter(as_json=False).format(record)[8:] == " [warning] lease taken"
