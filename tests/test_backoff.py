"""Each further wait is twice as long, up to a limit, and nobody waits exactly as long as another."""

import pytest

from cal_bookings import backoff


@pytest.mark.parametrize(
    ("doublings", "wait"), [(0, 5), (1, 10), (3, 40), (10, 3600), (1_000_000, 3600)]
)
def test_waits_double_up_to_the_longest(doublings, wait):
    assert backoff.seconds(doublings, first=5, longest=3600) == wait


def test_waits_are_spread():
    waits = {backoff.seconds(2, first=1, spread=(0.5, 1.0)) for _ in range(100)}

    assert len(waits) > 50
    assert 2 <= min(waits) < max(waits) <= 4
