"""The pytest plugin with the fixture `cal`, a fake Cal.com that CAL_BOOKINGS points at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cal_bookings.testing.server import FakeCal


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "cal(bookings=0, seed=0, dialect='cursor', ...): options of the fake Cal.com in the fixture cal",
    )


@pytest.fixture
def cal(request: pytest.FixtureRequest, settings: Any) -> Iterator[FakeCal]:
    """Provide a fake Cal.com; the account "default" of CAL_BOOKINGS is its first user, for this test.

    The marker takes options: ``@pytest.mark.cal(bookings=100, dialect="offset")``.
    """
    from cal_bookings.testing import FakeCal

    marker = request.node.get_closest_marker("cal")
    with FakeCal(**(marker.kwargs if marker else {})) as fake:
        configured = getattr(settings, "CAL_BOOKINGS", {})
        account = {"API_KEY": fake.api_key, "BASE_URL": fake.url}
        settings.CAL_BOOKINGS = configured | {"ACCOUNTS": {"default": account}}
        yield fake
