from campaigns.delivery.load import FEWEST, SPAN_S, Load


def test_as_many_requests_go_at_once_as_the_rate_needs_and_no_more_than_are_allowed() -> None:
    load = Load(200, 0.0)
    load.add(2.0, 1, 0.0)
    assert 50 * 2.0 <= load.at_once(50) <= 200
    assert load.at_once(1000) == 200
    assert Load(8, 0.0).at_once(1000) == 8


def test_a_provider_that_queues_requests_does_not_get_ever_more_of_them() -> None:
    load = Load(512, 0.0)
    load.add(0.002, 1, 0.0)
    for _ in range(100):
        load.add(0.5, 1, 0.0)
    assert load.at_once(5000) == FEWEST


def test_a_provider_that_has_become_slower_gets_more_requests_after_a_while() -> None:
    load = Load(512, 0.0)
    load.add(0.01, 1, 0.0)
    for second in range(1, int(2 * SPAN_S) + 10):
        load.add(1.0, 1, second)
    assert load.at_once(100) >= 100


def test_a_request_of_many_units_needs_fewer_at_once() -> None:
    load = Load(512, 0.0)
    for _ in range(200):
        load.add(1.0, 10, 0.0)
    assert load.at_once(1000) <= 160
    assert load.per_second(1000) <= 101
