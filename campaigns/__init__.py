"""Send one text to many people, and know what became of each: the same functions that the command line calls.

    from campaigns import Campaign, plan, report, send

Names are imported on first use, so that `campaigns --help` stays fast (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from campaigns.campaign import Campaign
    from campaigns.errors import CampaignsError
    from campaigns.ledger import open_ledger
    from campaigns.pausing import cancel, pause
    from campaigns.pipeline import plan, report, resume, send
    from campaigns.preflight import check
    from campaigns.settings import Settings

    __version__: str

_PLACES: Final = {
    "Campaign": "campaigns.campaign",
    "CampaignsError": "campaigns.errors",
    "Settings": "campaigns.settings",
    "cancel": "campaigns.pausing",
    "check": "campaigns.preflight",
    "open_ledger": "campaigns.ledger",
    "pause": "campaigns.pausing",
    "plan": "campaigns.pipeline",
    "report": "campaigns.pipeline",
    "resume": "campaigns.pipeline",
    "send": "campaigns.pipeline",
}

__all__ = [
    "Campaign",
    "CampaignsError",
    "Settings",
    "__version__",
    "cancel",
    "check",
    "open_ledger",
    "pause",
    "plan",
    "report",
    "resume",
    "send",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("campaigns")
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
