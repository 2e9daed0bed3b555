"""What Cal.com shows of a booking on demand, as it was recorded to answer, and as the fake does."""

from datetime import UTC, datetime

import pytest

from cal_bookings.client import (
    ApiKey,
    CalClient,
    CalForbidden,
    CalNotFound,
    CalRateLimited,
    CalRefused,
    CalUnauthorized,
    CalUnavailable,
    CalUnexpected,
    Server,
)
from tests.client.conftest import recording, reply

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
#: The reads of one booking, by method, with the end of their path.
READS = {
    "calendar_links": "calendar-links",
    "references": "references",
    "recordings": "recordings",
    "transcripts": "transcripts",
    "conferencing_sessions": "conferencing-sessions",
}
OF_VIDEO = ("recordings", "transcripts", "conferencing_sessions")


@pytest.fixture
def recorded(client):
    return client.details(Server.SELF_HOSTED)


@pytest.fixture
def details(cal):
    """The details on the fake, of a hosted Cal.com, with the organizer's key."""
    with CalClient(cal.url, ApiKey(cal.api_key), sleep=lambda _: None) as client:
        yield client.details(Server.HOSTED)


@pytest.fixture
def met(cal):
    """A booking in whose room Ada and Bob met."""
    uid = cal.book()
    cal.meetings.meet(uid, NINE, ["Ada", "Bob"])
    cal.meetings.refer(uid, "google_calendar", "event-1", "calendar-1")
    return uid


# As recorded


def test_calendar_links_are_read(recorded, script):
    script.will(recording("310"))

    links = recorded.calendar_links("uid-1")

    labels = ["Google Calendar", "Microsoft Office", "Microsoft Outlook", "ICS"]
    assert [link.label for link in links] == labels
    assert links[3].link.startswith("data:text/calendar,BEGIN")
    assert "Guest One" not in repr(links)
    [asked] = script.requests
    assert asked.path == "/v2/bookings/uid-1/calendar-links"
    assert asked.headers["cal-api-version"] == "2024-08-13"


def test_references_are_read_or_belong_to_somebody_else(recorded, script):
    script.will(recording("311"), recording("317"))

    assert recorded.references("uid-1", type="daily_video") == []
    assert script.requests[0].query == {"type": "daily_video"}
    with pytest.raises(CalRefused, match="does not belong to user"):
        recorded.references("uid-1")


@pytest.mark.parametrize(
    ("name", "number"), [("recordings", "313"), ("conferencing_sessions", "315")]
)
def test_a_404_without_video_is_an_empty_list(recorded, script, name, number):
    script.will(recording(number))

    assert getattr(recorded, name)("uid-1") == []


@pytest.mark.parametrize("name", OF_VIDEO)
def test_a_404_for_the_booking_itself_is_an_error(details, name):
    with pytest.raises(CalNotFound):
        getattr(details, name)("nowhere")


# On the fake


def test_a_meeting_is_shown_with_its_recording_and_its_transcript(details, met):
    [session] = details.conferencing_sessions(met)
    [recorded] = details.recordings(met)
    [transcript] = details.transcripts(met)

    assert (session.started_at, session.duration) == (NINE, 1800)
    assert [one.name for one in session.participants] == ["Ada", "Bob"]
    assert session.participants[0].joined_at == NINE
    assert not session.is_ongoing
    assert (recorded.started_at, recorded.duration) == (NINE, 1800)
    for shown in (recorded, transcript):
        assert shown.download_link.startswith("https://recordings.example.com/")
        assert "X-Amz" not in repr(shown)


def test_references_are_all_or_of_one_type(details, met):
    both = details.references(met)
    [event] = details.references(met, type="google_calendar")

    assert [one.type for one in both] == ["daily_video", "google_calendar"]
    assert (event.event_uid, event.calendar_id) == ("event-1", "calendar-1")
    with pytest.raises(CalRefused, match="type must be one of"):
        details.references(met, type="fax")


def test_one_attendee_is_shown_with_its_number(cal, details, met):
    with CalClient(cal.url, ApiKey(cal.api_key)) as client:
        [listed] = client.attendees(met)

    shown = details.attendee(met, listed["id"])

    assert listed.items() <= shown.items()
    with pytest.raises(CalNotFound):
        details.attendee(met, 999)


def test_the_booking_of_a_seat_is_found(cal, details):
    uid = cal.book(event_type="seated")
    seat = cal.payload(uid)["attendees"][0]["seatUid"]

    assert details.booking_of_seat(seat) == cal.payload(uid)
    with pytest.raises(CalNotFound):
        details.booking_of_seat("no-seat")


def test_links_of_a_deleted_event_type_are_refused(cal, details):
    uid = cal.book(eventType=None, eventTypeId=None)

    with pytest.raises(CalRefused) as caught:
        details.calendar_links(uid)
    assert caught.value.status == 400


# What goes wrong, for each of them


@pytest.mark.parametrize("name", READS)
def test_a_lost_answer_is_asked_for_again(cal, details, met, name):
    whole = getattr(details, name)(met)
    cal.fault("reset", path=READS[name])

    assert getattr(details, name)(met) == whole
    assert len(whole) > 0


@pytest.mark.parametrize("name", READS)
def test_an_answer_that_stays_away_is_an_error(cal, details, met, name):
    cal.fault("truncated", path=READS[name], times=9)

    with pytest.raises(CalUnavailable) as caught:
        getattr(details, name)(met)
    assert not caught.value.may_have_applied


@pytest.mark.parametrize("name", READS)
def test_a_limit_is_told(cal, details, met, name):
    cal.fault("429", path=READS[name], retry_after=7)

    with pytest.raises(CalRateLimited) as caught:
        getattr(details, name)(met)
    assert caught.value.retry_after == 7
    assert not caught.value.is_upstream


@pytest.mark.parametrize("name", OF_VIDEO)
def test_a_limit_of_the_video_service_is_told_apart(cal, details, met, name):
    cal.fault("429-upstream", path=READS[name], retry_after=7)

    with pytest.raises(CalRateLimited) as caught:
        getattr(details, name)(met)
    assert (caught.value.is_upstream, caught.value.retry_after) == (True, 7)


@pytest.mark.parametrize("name", READS)
def test_a_wrong_key_is_told(cal, met, name):
    with (
        CalClient(cal.url, ApiKey("cal_live_wrong")) as client,
        pytest.raises(CalUnauthorized),
    ):
        getattr(client.details(Server.HOSTED), name)(met)


@pytest.mark.parametrize("name", OF_VIDEO)
def test_the_rooms_of_others_are_closed(cal, met, name):
    with (
        CalClient(cal.url, ApiKey(cal.users[2].api_key)) as client,
        pytest.raises(CalForbidden),
    ):
        getattr(client.details(Server.HOSTED), name)(met)


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("odd", [None, {}, [3], [{"label": ""}], [{"id": True}]])
def test_an_odd_answer_is_an_error_and_not_an_empty_list(recorded, script, name, odd):
    script.will(reply({"status": "success", "data": odd}))

    with pytest.raises(CalUnexpected):
        getattr(recorded, name)("uid-1")


@pytest.mark.parametrize("odd", [None, 10**20, "soon", True])
def test_an_odd_time_is_none(recorded, script, odd):
    shown = {"id": "r", "startTs": odd, "duration": None, "status": "finished"}
    script.will(reply({"status": "success", "data": [shown]}))

    [one] = recorded.recordings("uid-1")

    assert (one.started_at, one.duration, one.download_link) == (None, None, "")
