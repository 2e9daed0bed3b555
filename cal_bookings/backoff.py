"""The wait before something that failed is tried again."""

import random
from math import inf

#: Two to the power of this number is longer than any limit, and still a finite float.
_MOST_DOUBLINGS = 60


def seconds(
    doublings: int,
    *,
    first: float,
    longest: float = inf,
    spread: tuple[float, float] = (1.0, 1.0),
) -> float:
    """Return the seconds to wait: `first`, doubled `doublings` times, at most `longest`.

    The result is multiplied by a random factor within `spread`, so that callers that failed together do not retry
    together.
    """
    wait = min(first * 2.0 ** min(doublings, _MOST_DOUBLINGS), longest)
    return wait * random.uniform(*spread)  # noqa: S311 - spreads load
