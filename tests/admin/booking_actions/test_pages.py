"""Acting on bookings: what would happen, what was typed, what is in the outbox then, and what staff are told."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cal_bookings import outbox
from cal_bookings.admin.booking_actions import pages
from cal_bookings.models import Booking, BookingAction, EventType
from tests.admin.rows import list_of, make_bookings, page_of, staff
from tests.builders import attendee_payload, host_payload

YESTERDAY = timezone.now().replace(microsecond=0) - timedelta(days=1)
NEXT_WEEK = YESTERDAY + timedelta(days=8)


def choose(client, name, *bookings, filters=""):
    """Selects bookings of the list and one of its actions."""
    chosen = {"action": name, "_selected_action": [one.pk for one in bookings]}
    return client.post(f"{list_of(Booking)}?{filters}", chosen)


def act(client, name, *bookings, **typed):
    """Fills in the page's form."""
    url = reverse("admin:cal_bookings_booking_act", args=[name])
    form = {"bookings": pages.format_selection(bookings), "confirmed": "yes"}
    return client.post(url, form | typed)


def verdicts(response):
    """What the page says of each booking, by uid."""
    assert response.status_code == 200
    return {
        booking.uid: refusal.code if refusal else "ok"
        for booking, _when, _badge, refusal, _why in response.context["rows"]
    }


def told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def queued():
    rows = BookingAction.objects.order_by("pk")
    return list(rows.values_list("kind", "booking__uid", "parameters"))


def test_the_page_says_which_bookings_are_eligible_and_why_others_are_not(
    admin_client, mirrored
):
    bookings = [mirrored("waits", status="pending"), mirrored("accepted")]

    response = choose(admin_client, "decline", *bookings)

    assert verdicts(response) == {"waits": "ok", "accepted": "not_pending"}
    html = response.content.decode()
    assert "1 of 2 bookings can be acted on" in html
    assert "No: This booking is accepted" in html
    assert not BookingAction.objects.exists()


def test_a_page_without_an_eligible_booking_has_no_button(admin_client, mirrored):
    html = choose(admin_client, "confirm", mirrored("accepted")).content.decode()

    assert "0 of 1 booking can be acted on" in html
    assert 'name="confirmed"' not in html


@pytest.mark.parametrize(
    ("name", "fields", "typed", "parameters"),
    [
        (
            "decline",
            {"status": "pending"},
            {"reason": "On leave"},
            {"reason": "On leave"},
        ),
        ("confirm", {"status": "pending"}, {}, {}),
        (
            "cancel",
            {},
            {"reason": "Snow"},
            {"reason": "Snow", "subsequent": False, "seat_uid": ""},
        ),
        ("request_reschedule", {}, {"reason": "Ill"}, {"reason": "Ill"}),
        (
            "reassign",
            {},
            {"host": "", "reason": ""},
            {"host_id": None, "host_email": "", "reason": ""},
        ),
        (
            "mark_absent",
            {"start": YESTERDAY},
            {"host": "on", "attendees": ["ben@example.net"]},
            {"host": True, "attendees": {"ben@example.net": True}},
        ),
        (
            "mark_absent",
            {"start": YESTERDAY},
            {"everybody": "on"},
            {"host": None, "attendees": {"ben@example.net": True}},
        ),
    ],
)
def test_what_is_typed_goes_into_the_outbox(
    admin_client, admin_user, mirrored, name, fields, typed, parameters
):
    booking = mirrored("a", **fields)

    response = act(admin_client, name, booking, **typed)

    assert response.status_code == 302
    assert queued() == [(name, "a", parameters)]
    assert BookingAction.objects.get().requested_by == admin_user
    [message] = told(response)
    assert "1 queued." in message
    assert f"id__in={BookingAction.objects.get().pk}" in message


@pytest.mark.parametrize(
    ("name", "fields", "typed", "given"),
    [
        ("decline", {"status": "pending"}, {"reason": "Ill"}, {"reason": "Ill"}),
        ("confirm", {"status": "pending"}, {}, {}),
        ("cancel", {}, {"reason": "Snow"}, {"reason": "Snow"}),
        ("request_reschedule", {}, {"reason": "Ill"}, {"reason": "Ill"}),
        ("reassign", {}, {"host": ""}, {}),
        ("mark_absent", {"start": YESTERDAY}, {"host": "on"}, {"host": True}),
        (
            "mark_absent",
            {"start": YESTERDAY},
            {"attendees": ["ben@example.net"]},
            {"attendees": ["ben@example.net"]},
        ),
        ("reschedule", {}, {"slot": NEXT_WEEK.isoformat()}, {"start": NEXT_WEEK}),
    ],
)
def test_the_admin_and_python_enqueue_the_same_action(
    admin_client, mirrored, name, fields, typed, given
):
    """The payload names the second host first: the default of `rescheduled_by` is the first host of the payload."""
    hosts = [host_payload("Grace", id=2), host_payload("Ada", id=1)]
    by_staff, by_python = (mirrored(uid, hosts=hosts, **fields) for uid in "ab")

    act(admin_client, name, by_staff, **typed)
    getattr(outbox, name)(by_python, **given)

    [(_, _, of_staff), (_, _, of_python)] = queued()
    assert of_staff == of_python


def test_a_cancellation_needs_a_reason(admin_client, mirrored):
    response = act(admin_client, "cancel", mirrored("a"), reason=" ")

    assert response.context["form"].errors == {"reason": ["This field is required."]}
    assert queued() == []


def test_a_series_is_cancelled_from_here_on_if_so_chosen(admin_client, mirrored):
    one = mirrored("a", recurringBookingUid="series")
    alone = mirrored("b")

    act(admin_client, "cancel", one, alone, reason="Snow", subsequent="on")

    kept = {uid: parameters["subsequent"] for _kind, uid, parameters in queued()}
    assert kept == {"a": True, "b": False}


def test_seats_are_cancelled_one_by_one(admin_client, mirrored):
    people = [attendee_payload(name, seatUid=f"seat-{name}") for name in ("Ben", "Cy")]
    booking = mirrored("a", attendees=people)

    page = choose(admin_client, "cancel", booking).content.decode()
    act(admin_client, "cancel", booking, reason="Full", seats=["seat-Ben", "seat-Cy"])

    assert 'value="seat-Ben"' in page
    seats = [parameters["seat_uid"] for _kind, _uid, parameters in queued()]
    assert seats == ["seat-Ben", "seat-Cy"]


def test_absence_names_somebody(admin_client, mirrored):
    response = act(admin_client, "mark_absent", mirrored("a", start=YESTERDAY))

    assert response.context["form"].non_field_errors() == ["Say who was absent."]


def test_hosts_to_choose_from_are_those_of_the_event_type_with_their_load(
    admin_client, mirrored
):
    ada = mirrored("ada's")
    other = host_payload("Grace", id=2)
    mirrored("grace's", hosts=[other])
    mirrored("grace's later", hosts=[other])
    elsewhere = {"id": 9, "slug": "other"}
    mirrored("x", hosts=[host_payload("Joan", id=3)], eventType=elsewhere)

    html = choose(admin_client, "reassign", ada).content.decode()

    assert "Ada &lt;ada@example.com&gt;, 1 booking then" in html
    assert "Grace &lt;grace@example.com&gt;, 2 bookings then" in html
    assert "Joan" not in html


def test_a_booking_goes_to_the_host_that_was_chosen(admin_client, mirrored):
    booking = mirrored("a")
    grace = mirrored("b", hosts=[host_payload("Grace", id=2)]).hosts.get()

    act(admin_client, "reassign", booking, host=grace.pk, reason="")

    [(_kind, uid, parameters)] = queued()
    assert uid == "a"
    assert (parameters["host_id"], parameters["host_email"]) == (2, grace.email)


def test_a_host_who_is_no_candidate_is_refused(admin_client, mirrored):
    response = act(admin_client, "reassign", mirrored("a"), host="12345")

    assert "host" in response.context["form"].errors
    assert queued() == []


def test_only_round_robin_is_reassigned_and_the_page_says_so(admin_client, mirrored):
    booking = mirrored("a")
    EventType.objects.update(payload={"schedulingType": "collective"})

    response = choose(admin_client, "reassign", booking)

    assert verdicts(response) == {"a": "not_round_robin"}
    assert "Only bookings of round-robin event types" in response.content.decode()


def test_some_may_be_refused_at_the_last_moment(admin_client, mirrored):
    first, second = mirrored("a", status="pending"), mirrored("b", status="pending")
    outbox.confirm(second)

    messages = told(act(admin_client, "decline", first, second, reason=""))

    assert [kind for kind, _uid, _parameters in queued()] == ["confirm", "decline"]
    assert "1 queued." in messages[0]
    assert "1 booking was skipped:" in messages[1]
    assert "still open on this booking" in messages[1]


def test_a_booking_that_changed_since_is_left_alone(admin_client, mirrored):
    seen = mirrored("a", status="pending")
    mirrored("a", status="pending", title="Another title")

    [message] = told(act(admin_client, "confirm", seen))

    assert message.startswith("1 booking has changed since you opened this page")
    assert queued() == []


def test_the_way_back_is_the_list_as_it_was(admin_client, mirrored):
    booking = mirrored("a", status="pending")
    page = choose(admin_client, "confirm", booking, filters="status=pending")
    filters = page.context["filters"]

    response = act(admin_client, "confirm", booking, filters=filters)

    assert response["Location"] == f"{list_of(Booking)}?status=pending"


def test_from_its_page_a_booking_leads_back_to_it(admin_client, mirrored):
    booking = mirrored("a", status="pending")
    html = admin_client.get(page_of(booking)).content.decode()
    url = reverse("admin:cal_bookings_booking_act", args=["decline"])
    assert f'formaction="{url}"' in html

    selection = {"bookings": pages.format_selection([booking]), "from": "page"}
    page = admin_client.post(url, selection)
    response = act(admin_client, "decline", booking, **{"from": "page"})

    assert verdicts(page) == {"a": "ok"}
    assert page.context["cancel_url"] == page_of(booking)
    assert response["Location"] == page_of(booking)


def test_who_did_what_is_in_the_log(admin_client, admin_user, mirrored):
    booking = mirrored("a", status="pending")

    act(admin_client, "confirm", booking)

    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(booking.pk))
    assert entry.get_change_message() == "Queued: Confirm."


def test_the_log_names_nobody_to_those_who_may_not_see_attendees(client, mirrored):
    client.force_login(staff("view_booking", "confirm_booking"))
    booking = mirrored("a", status="pending", title="Tea with Ben")

    page = choose(client, "confirm", booking).content.decode()
    act(client, "confirm", booking)

    assert "Ben" not in page
    assert "Ben" not in LogEntry.objects.get().object_repr


def test_too_many_bookings_are_refused(admin_client, mirrored):
    make_bookings(mirrored("a").account, pages.SELECTED)
    chosen = {"action": "confirm", "_selected_action": "1", "select_across": "1"}

    response = admin_client.post(list_of(Booking), chosen)

    assert told(response) == ["Select at most 1000 bookings at a time."]


@pytest.mark.parametrize("selection", ["", "x", "x:y,:,,", "99999:abc", "1" * 5000])
def test_a_forged_selection_is_not_found(admin_client, mirrored, selection):
    url = reverse("admin:cal_bookings_booking_act", args=["confirm"])

    assert admin_client.post(url, {"bookings": selection}).status_code == 404


def test_an_unknown_act_is_not_found(admin_client, mirrored):
    assert act(admin_client, "explode", mirrored("a")).status_code == 404


def test_an_act_is_no_link(admin_client):
    url = reverse("admin:cal_bookings_booking_act", args=["confirm"])

    assert admin_client.get(url).status_code == 405


def test_a_thousand_bookings_take_as_many_statements_as_two(admin_client, mirrored):
    def cost(bookings):
        with CaptureQueriesContext(connection) as captured:
            assert (
                act(admin_client, "cancel", *bookings, reason="Snow").status_code == 302
            )
        # SQLite takes few parameters, so there one insert is several.
        return [q["sql"] for q in captured if not q["sql"].startswith("INSERT")]

    def copies(numbers):
        rows = [
            Booking(**template | {"id": None, "uid": f"c-{n}", "payload_hash": f"{n}"})
            for n in numbers
        ]
        return Booking.objects.bulk_create(rows)

    original = mirrored("a")
    fields = Booking._meta.concrete_fields
    template = {field.attname: getattr(original, field.attname) for field in fields}
    cost([original])  # the session and the content types
    few = cost(copies(range(2)))
    many = cost(copies(range(2, 1002)))

    assert len(many) == len(few) <= 20
    assert BookingAction.objects.count() == 1003
