"""The ledger: the durable state of all campaigns, and every SQL statement of the product."""

from campaigns.ledger.database import Ledger, open_ledger

__all__ = ["Ledger", "open_ledger"]
