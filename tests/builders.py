"""Build what tests start from: chunks, campaigns in a ledger."""

from collections.abc import Sequence

import pyarrow as pa

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import NewCampaign, add_campaign, make_ready
from campaigns.ledger.leases import Owner
from campaigns.ledger.rows import add_messages, add_rows
from campaigns.model import CHUNK_SCHEMA, CampaignId, CampaignKind, Chunk

FIRST_NUMBER = 46701740605


def a_chunk(rows: int = 3, *, first_row: int = 2, skipped: Sequence[int] = (), text: str = "Hej {row}, å ä ö") -> Chunk:
    """Rows that are ready, but for those at the places `skipped`; two own columns."""
    places = range(rows)
    table = pa.table(
        {
            "row": [first_row + place for place in places],
            "phone": [f"0{FIRST_NUMBER + place - 46 * 10**9}" for place in places],
            "number": [FIRST_NUMBER + place for place in places],
            "skip_reason": ["duplicate" if place in skipped else None for place in places],
            "detail": ["same number as row 2" if place in skipped else None for place in places],
            "column": [None] * rows,
            "text": [None if place in skipped else text.format(row=first_row + place) for place in places],
            "encoding": [None if place in skipped else "GSM-7" for place in places],
            "segments": [None if place in skipped else 1 for place in places],
            "empty_field": [None] * rows,
        },
        schema=CHUNK_SCHEMA,
    )
    cells = pa.table({"Namn": [f"Åsa {place}" for place in places], "Ort": ["Öland" for _ in places]})
    return Chunk(table, cells)


def a_new_campaign(clock: Clock = SYSTEM_CLOCK, *, account: str = "sandbox", **settings: object) -> NewCampaign:
    """What is known of a campaign before its rows are read."""
    return NewCampaign(
        kind=CampaignKind.FILE,
        purpose="service",
        account=account,
        sender="Butiken",
        source_name="lista.csv",
        source_sha256="00",
        columns=("Namn", "Ort"),
        settings=settings,
        created_ms=clock.now_ms(),
        created_by="karin",
    )


def a_campaign(
    ledger: Ledger,
    chunk: Chunk | None = None,
    *,
    name: str = "inbjudan",
    ready: bool = True,
    limit: int | None = None,
    account: str = "sandbox",
    clock: Clock = SYSTEM_CLOCK,
    **settings: object,
) -> CampaignId:
    """A campaign in the ledger, ready to be sent unless said otherwise."""
    planner = Owner.here()
    with ledger.write() as connection:
        campaign_id = add_campaign(connection, name, a_new_campaign(clock, account=account, **settings), planner)
        add_rows(connection, campaign_id, chunk or a_chunk())
        add_messages(connection, campaign_id, 0, clock.now_ms(), limit)
        if ready:
            assert make_ready(connection, campaign_id, planner, "hash")
    return campaign_id
