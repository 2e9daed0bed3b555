"""The list of event types: beside pages of bookings that name them, and never older over newer."""

from datetime import timedelta

import pytest
from django.db import connection

from cal_bookings import mirror
from cal_bookings.models import EventType
from tests.builders import booking_payload
from tests.mirror.conftest import ASKED_AT


@pytest.fixture
def lists(account):
    """Mirrors a list of one event type that was asked for so many minutes after the first request."""

    def upsert(*, minutes=0, **fields):
        payload = {"id": 2, "slug": "consultation", "lengthInMinutes": 30} | fields
        asked_at = ASKED_AT + timedelta(minutes=minutes)
        return mirror.upsert_event_types(account, [payload], asked_at=asked_at)

    return upsert


def test_an_older_list_does_not_replace_a_newer_one(lists):
    lists(title="As it is", minutes=2)

    outcome = lists(title="As it was", minutes=1)

    assert (outcome.created, outcome.updated) == (0, 0)

    assert EventType.objects.get().title == "As it is"


def test_what_a_booking_named_later_is_filled_by_a_list_asked_for_before(
    lists, mirrors
):
    mirrors(booking_payload(), minutes=1)

    assert lists(title="Consultation").updated == 1

    assert EventType.objects.get().title == "Consultation"


def test_an_event_type_that_another_writer_makes_meanwhile_is_tried_again(
    lists, account
):
    made: list[str] = []

    def make(proceed, sql, params, many, context):
        answer = proceed(sql, params, many, context)
        if not made and "SELECT" in sql:
            made.append(sql)
            EventType.objects.create(account=account, remote_id=2, mirrored_at=ASKED_AT)
        return answer

    with connection.execute_wrapper(make):
        outcome = lists(title="Consultation")

    assert made
    assert outcome.created + outcome.updated == 1
    assert EventType.objects.get().title == "Consultation"
