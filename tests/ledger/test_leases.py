import asyncio
import os
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.ledger import Ledger
from campaigns.ledger import leases as leases_module
from campaigns.ledger.leases import Owner, acquire, find_owner, is_held, keep_alive, release

NOW = 1_700_000_000_000


def _acquire(ledger: Ledger, owner: Owner, now_ms: int = NOW) -> Owner | None:
    with ledger.write() as connection:
        return acquire(connection, "soluno", owner, now_ms)


def test_one_holder_has_a_lease_and_the_other_is_told_who(ledger: Ledger) -> None:
    one, other = Owner.here(), Owner.here()
    assert _acquire(ledger, one) is None
    assert _acquire(ledger, other) == one
    assert _acquire(ledger, one) is None


def test_a_lease_that_is_given_back_can_be_taken(ledger: Ledger) -> None:
    one, other = Owner.here(), Owner.here()
    _acquire(ledger, one)
    with ledger.write() as connection:
        release(connection, "soluno", other)
        assert is_held(connection, "soluno", one)
        release(connection, "soluno", one)
    assert _acquire(ledger, other) is None


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_over_at_once(ledger: Ledger) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead = Owner(Owner.here().host, process.pid, psutil.Process(process.pid).create_time(), "x")
    _acquire(ledger, dead)
    assert _acquire(ledger, Owner.here()) == dead
    process.communicate()
    mine = Owner.here()
    assert _acquire(ledger, mine) is None
    with ledger.read() as connection:
        assert find_owner(connection, "soluno", NOW) == mine


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="only POSIX keeps the dead until their parent asks")
def test_a_dead_process_that_its_parent_has_not_asked_after_keeps_no_lease(ledger: Ledger) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    _acquire(ledger, Owner(Owner.here().host, process.pid, psutil.Process(process.pid).create_time(), "x"))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table of processes
    assert _acquire(ledger, Owner.here()) is None
    process.communicate()


def test_a_process_id_that_is_used_again_does_not_keep_a_dead_ones_lease(ledger: Ledger) -> None:
    _acquire(ledger, replace(Owner.here(), started=12.0))
    assert _acquire(ledger, Owner.here()) is None


@pytest.mark.parametrize(("silent_ms", "is_lost"), [(10_000, False), (10_001, True)])
def test_a_lease_of_another_machine_is_taken_over_after_ten_silent_seconds(
    ledger: Ledger, silent_ms: int, is_lost: bool
) -> None:
    far = Owner("another", 1, 1.0, "x")
    _acquire(ledger, far)
    assert (_acquire(ledger, Owner.here(), NOW + silent_ms) is None) == is_lost


def test_a_held_lease_beats_until_its_block_ends_and_is_given_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases_module, "BEAT_S", 0.001)
    ticks = iter(range(NOW, NOW + 10**9, 1000))
    clock = Clock(now=SYSTEM_CLOCK.now, monotonic=time.monotonic, sleep=asyncio.sleep)
    monkeypatch.setattr(Clock, "now_ms", lambda self: next(ticks))
    owner = Owner.here()
    _acquire(ledger, owner)
    with keep_alive(ledger, "soluno", owner, clock):
        while next(ticks) < NOW + 30_000 or _found(ledger, NOW + 30_000) is None:
            pass  # until a beat has come after half a minute
        assert _found(ledger, NOW + 30_000) == owner
    assert _found(ledger, NOW) is None


def _found(ledger: Ledger, now_ms: int) -> Owner | None:
    with ledger.read() as connection:
        return find_owner(connection, "soluno", now_ms)


def test_an_owner_is_read_as_it_was_written() -> None:
    owner = replace(Owner.here(), host="a|machine")
    assert Owner.parse(str(owner)) == owner
