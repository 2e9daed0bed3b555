"""Older never replaces newer: a slow page against a refresh that came in between, and a remote that went back."""

import pytest

from cal_bookings.models import Booking, BookingChange
from tests.builders import booking_payload

OLD, NEW = "2026-11-20T19:00:00.000Z", "2026-11-20T19:30:00.000Z"


def status():
    return Booking.objects.get().status


def test_a_slow_page_does_not_undo_a_refresh(mirrors):
    payload = booking_payload("a", status="pending", updatedAt=OLD)
    mirrors(payload)
    mirrors(payload | {"status": "accepted", "updatedAt": NEW}, minutes=2)

    outcome = mirrors(payload, minutes=1)

    assert (outcome.updated, outcome.stale, status()) == (0, 1, "accepted")


def test_an_older_answer_to_a_later_question_is_a_lagging_replica(mirrors):
    payload = booking_payload("a", status="pending", updatedAt=OLD)
    mirrors(payload | {"status": "accepted", "updatedAt": NEW})

    outcome = mirrors(payload, minutes=2)

    assert (outcome.stale, status()) == (1, "accepted")


@pytest.mark.parametrize("overlap", [60, 300, 3600])
def test_what_is_held_back_is_let_in_while_the_changes_loop_still_asks_for_it(
    mirrors, settings, overlap
):
    """A cancellation made on a server whose clock is behind that of the one that made the booking."""
    settings.CAL_BOOKINGS = {"OVERLAP_SECONDS": overlap}
    payload = booking_payload("a", status="accepted", updatedAt=NEW)
    mirrors(payload)
    cancelled = payload | {"status": "cancelled", "updatedAt": OLD}

    assert mirrors(cancelled, minutes=overlap / 60 * 0.4).stale == 1
    assert mirrors(cancelled, minutes=overlap / 60 * 0.6).updated == 1
    assert status() == "cancelled"


@pytest.mark.parametrize(
    "options", [{"source": BookingChange.Source.ACTION}, {"may_lag": False}]
)
def test_an_answer_to_our_own_action_or_of_a_full_walk_is_not_held_back(
    mirrors, options
):
    payload = booking_payload("a", status="accepted", updatedAt=NEW)
    mirrors(payload)
    cancelled = payload | {"status": "cancelled", "updatedAt": OLD}

    assert mirrors(cancelled, minutes=0.1, **options).updated == 1
    assert status() == "cancelled"


@pytest.mark.parametrize(
    "options", [{"source": BookingChange.Source.ACTION}, {"may_lag": False}]
)
def test_what_was_asked_for_earlier_is_older_whoever_asked(mirrors, options):
    payload = booking_payload("a", status="cancelled", updatedAt=OLD)
    mirrors(payload, minutes=1)

    assert mirrors(payload | {"status": "accepted"}, minutes=0, **options).stale == 1
    assert status() == "cancelled"


def test_a_remote_that_went_back_is_followed_once_replicas_must_have_settled(mirrors):
    payload = booking_payload("a", status="pending", updatedAt=OLD)
    mirrors(payload | {"status": "accepted", "updatedAt": NEW})

    outcome = mirrors(payload, minutes=11)

    assert (outcome.updated, status()) == (1, "pending")


def test_of_two_answers_with_the_same_updated_at_the_one_asked_for_later_counts(
    mirrors,
):
    payload = booking_payload("a", updatedAt=OLD, rating=None)
    mirrors(payload, minutes=1)

    assert mirrors(payload | {"rating": 5}, minutes=2).updated == 1
    assert mirrors(payload | {"rating": 3}, minutes=1).stale == 1
    assert Booking.objects.get().rating == 5


def test_without_updated_at_the_time_of_asking_decides(mirrors):
    payload = booking_payload("a", updatedAt=None, status="pending")
    mirrors(payload | {"status": "accepted"}, minutes=2)

    assert mirrors(payload, minutes=1).stale == 1
    assert mirrors(payload, minutes=3).updated == 1
    assert status() == "pending"
