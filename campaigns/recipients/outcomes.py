"""Collect what is known of each cell of a column of numbers, until all is known."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from campaigns.model import SkipReason
from campaigns.recipients.first_digits import Ints

Outcome = tuple[SkipReason | None, str]  # the reason why a cell cannot be used, None where it can; the detail
UNSETTLED = -1


class Outcomes:
    """A number or a reason for each cell."""

    def __init__(self, cells: int) -> None:
        self._numbers = np.zeros(cells, np.int64)
        self._outcomes = np.full(cells, UNSETTLED)
        self._kinds: dict[Outcome, int] = {(None, ""): 0}  # few: most cells of a kind share their detail

    def left(self) -> Ints:
        """The cells that nothing is known of yet."""
        return np.flatnonzero(self._outcomes == UNSETTLED)

    def accept(self, cells: Ints, numbers: Ints) -> None:
        """These cells hold these numbers."""
        self._outcomes[cells] = 0
        self._numbers[cells] = numbers

    def settle(self, cells: Ints, outcomes: Sequence[Outcome], which: Ints | int = 0) -> None:
        """These cells have the outcomes at `which`."""
        kinds = np.array([self._kinds.setdefault(outcome, len(self._kinds)) for outcome in outcomes], np.int64)
        self._outcomes[cells] = kinds[which]

    def table(self) -> pa.Table:
        """Columns `number`, `reason` and `detail`."""
        reasons, details = zip(*self._kinds, strict=True)
        taken = pa.array(self._outcomes)
        return pa.table(
            {
                "number": pa.array(self._numbers, mask=self._numbers == 0),
                "reason": pa.array([reason and reason.value for reason in reasons], pa.string()).take(taken),
                "detail": pa.array([detail or None for detail in details], pa.string()).take(taken),
            }
        )
