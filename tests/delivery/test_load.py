from campaigns.delivery.load import FEWEST, SPAN_S, Load


class Hands:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_as_many_requests_go_at_once_as_the_rate_needs_and_no_more_than_are_allowed() -> None:
    load = Load(200, Hands())
    load.add(2.0, 1)
    assert 50 * 2.0 <= load.at_once(50) <= 200
    assert load.at_once(1000) == 200
    assert Load(8, Hands()).at_once(1000) == 8


def test_a_provider_that_queues_requests_does_not_get_ever_more_of_them() -> None:
    load = Load(512, Hands())
    load.add(0.002, 1)
    for _ in range(100):
        load.add(0.5, 1)
    assert load.at_once(5000) == FEWEST


def test_a_provider_that_has_become_slower_gets_more_requests_after_a_while() -> None:
    hands = Hands()
    load = Load(512, hands)
    load.add(0.01, 1)
    for _ in range(30):
        hands.now += 1
        load.add(1.0, 1)
    assert hands.now > 2 * SPAN_S
    assert load.at_once(100) >= 100


def test_a_request_of_many_units_needs_fewer_at_once() -> None:
    load = Load(512, Hands())
    for _ in range(200):
        load.add(1.0, 10)
    assert load.at_once(1000) <= 160
    assert load.per_second(1000) <= 101
