from campaigns.ledger import Ledger
from campaigns.ledger.pace import begin, end

WINDOW = 1_000_000


def test_the_first_sender_of_an_account_waits_for_nobody(ledger: Ledger) -> None:
    with ledger.write() as connection:
        assert begin(connection, "soluno", 5_000_000, WINDOW) == 0


def test_the_next_sender_waits_until_what_was_sent_last_is_out_of_the_window(ledger: Ledger) -> None:
    with ledger.write() as connection:
        begin(connection, "soluno", 5_000_000, WINDOW)
        end(connection, "soluno", 6_000_000, WINDOW)
        assert begin(connection, "soluno", 6_300_000, WINDOW) == 700_000
        end(connection, "soluno", 6_500_000, WINDOW)
        assert begin(connection, "soluno", 9_000_000, WINDOW) == 0
        assert begin(connection, "other", 9_000_000, WINDOW) == 0


def test_after_a_sender_that_died_a_whole_window_is_waited(ledger: Ledger) -> None:
    with ledger.write() as connection:
        begin(connection, "soluno", 5_000_000, WINDOW)
        assert begin(connection, "soluno", 9_000_000, WINDOW) == WINDOW


def test_a_slow_campaign_before_does_not_hold_a_quick_one_for_longer_than_its_own_window(ledger: Ledger) -> None:
    with ledger.write() as connection:
        begin(connection, "soluno", 5_000_000, WINDOW)
        end(connection, "soluno", 6_000_000, 60 * WINDOW)
        assert begin(connection, "soluno", 6_100_000, WINDOW) == WINDOW
