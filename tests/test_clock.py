"""The system's clocks, as the package reads them."""

import sys
import time
from itertools import pairwise

import pytest

from campaigns.clock import SYSTEM_CLOCK


def test_the_monotonic_clock_never_goes_back() -> None:
    read = [SYSTEM_CLOCK.monotonic() for _ in range(10_000)]
    assert all(before <= after for before, after in pairwise(read))
    assert read[0] < read[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="what it is called elsewhere")
def test_the_monotonic_clock_counts_the_time_asleep() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= SYSTEM_CLOCK.monotonic() <= time.clock_gettime(time.CLOCK_BOOTTIME)
