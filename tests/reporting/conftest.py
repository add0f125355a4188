"""Rows and campaigns to report on, and a way to write them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from campaigns.model import COUNT_KEYS, CampaignId, CampaignState, CampaignStatus, Msisdn, ReportRow
from campaigns.reporting import ReportFacts, open_reports

AS_OF = datetime(2026, 8, 14, 6, 30, tzinfo=UTC)
BEGIN = datetime(2026, 8, 13, 8, 0, 0, 250_000, tzinfo=UTC)

MakeRow = Callable[..., ReportRow]
Write = Callable[..., None]


@pytest.fixture
def make_row() -> MakeRow:
    """A row as it stands after the provider took the message; any field may be given."""

    def make(row: int = 2, status: str = "accepted", **given: Any) -> ReportRow:
        sent = status not in ("skipped", "planned", "ready", "cancelled")
        skipped = status == "skipped"
        values: dict[str, Any] = {
            "phone": f"070-174 06 {row % 100:02}",
            "to": None if skipped else Msisdn(f"+467017406{row % 100:02}"),
            "country": "" if skipped else "SE",
            "reason": "",
            "detail": "",
            "text": "" if skipped else "Hej Anna!",
            "encoding": "" if skipped else "GSM-7",
            "segments": None if skipped else 1,
            "provider": "" if skipped else "sandbox",
            "provider_id": f"id-{row}" if sent else "",
            "tries": 1 if sent else 0,
            "sent_at": BEGIN + timedelta(seconds=row) if sent else None,
            "updated_at": BEGIN + timedelta(seconds=row + 3) if sent else None,
        }
        return ReportRow(row=row, status=status, **{**values, **given})

    return make


@pytest.fixture
def some_rows(make_row: MakeRow) -> list[ReportRow]:
    """One row of most kinds."""
    return [
        make_row(2, "accepted", cells=("Åsa", "Lund")),
        make_row(3, "rejected", reason="sender_not_allowed", detail="not registered", country="NO", cells=("Ole", "")),
        make_row(4, "skipped", reason="duplicate", detail="same number as row 2", cells=("Åsa", "Lund")),
        make_row(5, "unknown", reason="timeout", detail="no answer within 30 s", cells=("Zoë", "Kiruna")),
        make_row(6, "skipped", reason="invalid", detail="too few digits", phone="070-174 06", cells=("", "")),
        make_row(7, "planned", cells=("Bo", "Ystad")),
        make_row(8, "accepted", encoding="UCS-2", segments=2, text="Hej Zoë – välkommen!", cells=("Zoë", "=1+1")),
    ]


@pytest.fixture
def write() -> Write:
    """Write rows to the given paths, as the pipeline does; `counts` of the campaign follow from the rows."""

    def write_reports(
        paths: Sequence[Path],
        rows: Iterable[ReportRow],
        columns: Sequence[str] = (),
        facts: ReportFacts | None = None,
        **given: Any,
    ) -> None:
        found: Counter[str] = Counter()

        def counted() -> Iterator[ReportRow]:
            for row in rows:
                found[row.status] += 1
                yield row

        with open_reports(paths, columns) as reports:
            reports.add(counted())
            counts = {key: found[key] for key in COUNT_KEYS} | {"rows": found.total()}
            values: dict[str, Any] = {"id": CampaignId(17), "name": "sommarrea", "state": CampaignState.DONE, **given}
            about: dict[str, Any] = {"reason": "", "account": "sandbox", "sender": "Lindbergs", "source": "kunder.xlsx"}
            chosen = facts or ReportFacts(zone="Europe/Stockholm", phone_column="Mobil")
            reports.finish(CampaignStatus(**{**about, "counts": counts, **values}), AS_OF, chosen)

    return write_reports
