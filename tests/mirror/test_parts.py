"""What is written in parts, on a database that ends the whole transaction on a statement that is too large."""

import pytest
from django.db import OperationalError, connection

from cal_bookings import db
from cal_bookings.mirror import parts

#: How MariaDB refuses a statement. Which of the two arrives depends on how fast the client sends it.
TOO_LARGE = {
    "refused": (1153, "Got a packet bigger than 'max_allowed_packet' bytes"),
    "closed": (2006, "Server has gone away"),
}


@pytest.fixture
def write_all(transactional_db):
    """Writes numbers, at most two by a statement and no 7. Returns what was committed and what was refused."""

    def write(items, arguments):
        written: list[int] = []

        def write_part(part):
            if len(part) > 2 or 7 in part:
                with connection.cursor() as cursor:
                    cursor.execute("ROLLBACK")
                raise OperationalError(*arguments)
            db.after_commit(lambda: written.extend(part))

        refused = parts.in_transaction(items, lambda write_all: write_all(write_part))
        return written, [item for item, _ in refused]

    return write


@pytest.mark.parametrize("arguments", TOO_LARGE.values(), ids=TOO_LARGE)
def test_parts_are_halved_until_they_fit(write_all, arguments):
    items = [n for n in range(20) if n != 7]

    assert write_all(items, arguments) == (items, [])


@pytest.mark.parametrize("arguments", TOO_LARGE.values(), ids=TOO_LARGE)
def test_an_item_that_is_too_large_alone_is_refused(write_all, arguments):
    written, refused = write_all(list(range(10)), arguments)

    assert (written, refused) == ([0, 1, 2, 3, 4, 5, 6, 8, 9], [7])
