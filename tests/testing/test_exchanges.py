"""Each exchange with a real server, sent once more to the fake: the same status and the same keys, or a listed reason."""

import re
from pathlib import Path

import pytest

from cal_bookings.testing import FakeCal
from tests.testing.exchanges import (
    Replay,
    difference,
    read,
)

HERE = Path(__file__).parents[1] / "data" / "recordings"
#: All recordings, beside the repository of those who have them; the few that tests need are in the repository.
ALL = Path(__file__).parents[3] / "shared" / "recordings"
#: The recordings that were made whole, with how many of them can be replayed.
FOLDERS = {HERE: 92} | ({ALL: 468} if ALL.is_dir() else {})

#: Routes that the fake does not have yet: it answers 404.
ABSENT = re.compile(
    r"\S+ /v2/(schedules|event-types/\d+$)"
    r"|POST /v2/event-types$"
)
LATER = "404 instead of"
STRANGER = (
    "the recorded server let anybody with a key in; later ones refuse strangers [530]"
)
ANY_HOUR = "the fake's hosts are free around the clock, so that tests may begin at any"
RACE = "one of two requests at once; they are sent one after the other here"
UNRECORDED = "what happened before it was not recorded"
OUTLINE = "of the shapes of old versions, the fake shows an outline"
#: Every other difference in status or keys: how it begins, and its reason.
DIFFERENT = {
    "057-book-outside-hours": ("201 instead of 400", ANY_HOUR),
    "123-list-no-version": ("lacks", OUTLINE),
    "124-list-wrong-version-2026-05-01": ("lacks", OUTLINE),
    "125-list-wrong-version-2026-02-25": ("lacks", OUTLINE),
    "142-resch-outside-hours": ("201 instead of 400", ANY_HOUR),
    "155-resch-confirm-accepted-none-old": ("lacks .data.resch", UNRECORDED),
    "165-confirm-other-user": ("401 instead of 200", STRANGER),
    "204-authz-confirm-carol": ("401 instead of 200", STRANGER),
    "205-authz-decline-carol": ("401 instead of 400", STRANGER),
    "291-absent-other-user": ("500 instead of 200", STRANGER),
    "318-sub-attendees-other": ("403 instead of 200", STRANGER),
    "379-parallel-book-0": ("201 instead of 409", RACE),
    "384-parallel-samebody-0": ("201 instead of 409", RACE),
    "387-dup-list-as-bob": (
        "lacks .data[].",
        "the fake's lists leave out bookings that the user only attends",
    ),
    "427-etag-if-none-match": ("200 instead of 304", "the fake has no ETags"),
    "436-par-cancel-1": ("400 instead of 200", RACE),
    "439-par-confirm-1": ("400 instead of 200", RACE),
    "445-par-cancel-resch-1": ("201 instead of 400", RACE),
    "473-et-no-version": ("lacks", OUTLINE),
    "484-par-resch2-0": ("400 instead of 201", RACE),
    "487-par-resch-same-slot-0": ("201 instead of 409", RACE),
    "517-q-after-add": ("lacks .data.bookingFieldsResponses", UNRECORDED),
}


def expected(exchange):
    """How the difference of an exchange begins; "" for none."""
    if ABSENT.match(exchange.route) and exchange.status != 404:
        return LATER
    return DIFFERENT.get(exchange.name, ("",))[0]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_difference_in_status_or_keys_is_listed_with_its_reason(folder):
    with FakeCal(dialect="offset") as cal:
        replayed = list(Replay(cal, read(folder)).differences())

    wanted = {exchange.name: expected(exchange) for exchange, _ in replayed}
    differences = {
        exchange.name: message[: len(expected(exchange)) or None]
        for exchange, message in replayed
    }
    assert differences == wanted
    assert len(replayed) == FOLDERS[folder]


def test_another_status_or_key_would_be_seen():
    exchange = read(HERE)[0]

    assert difference(exchange, exchange.status, exchange.body) == ""
    assert difference(exchange, 418, exchange.body) == "418 instead of 200"
    changed = exchange.body | {"pages": 1}
    del changed["data"]
    message = difference(exchange, exchange.status, changed)
    assert message.startswith("lacks .data, .data[].")
    assert message.endswith("; has .pages")
