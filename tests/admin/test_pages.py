"""The admin shows the mirror: read only, to those who may see it, with no credential and at a constant cost."""

import datetime as dt
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cal_bookings.models import (
    Account,
    Attendee,
    Booking,
    BookingAction,
    BookingChange,
    EventType,
    Host,
    SyncRun,
    SyncState,
)
from tests.admin.rows import list_of, make_booking, page_of, populate

MODELS: list[Any] = [
    Account,
    Attendee,
    Booking,
    BookingAction,
    BookingChange,
    EventType,
    Host,
    SyncRun,
    SyncState,
]
pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return Account.objects.create(alias="default")


def queries(client, url):
    ContentType.objects.clear_cache()  # as a process that has just started
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200
    return len(captured)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_at_any_length(admin_client, account, model):
    populate(account, range(10))
    few = queries(admin_client, list_of(model))
    populate(account, range(10, 100))

    assert queries(admin_client, list_of(model)) == few


def test_the_page_of_a_booking_costs_the_same_with_many_attendees(
    admin_client, account
):
    def add(numbers):
        for n in numbers:
            booking.attendees.create(position=n, name=f"Ben {n}")
            booking.changes.create(source="walk", changes={}, changed_at=timezone.now())
            booking.hosts.create(
                account=account, remote_id=n, mirrored_at=timezone.now()
            )
            make_booking(account, f"again-{n}", appointment=booking.appointment)

    booking = make_booking(account)
    add(range(2))
    few = queries(admin_client, page_of(booking))
    add(range(2, 100))

    assert queries(admin_client, page_of(booking)) == few


@pytest.mark.parametrize("model", MODELS)
def test_every_page_renders(admin_client, account, model):
    populate(account, [1])

    assert admin_client.get(page_of(model.objects.latest("pk"))).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nothing_can_be_written(admin_client, account, model):
    populate(account, [1])
    row = model.objects.latest("pk")
    add = reverse(f"admin:cal_bookings_{model._meta.model_name}_add")
    delete = reverse(
        f"admin:cal_bookings_{model._meta.model_name}_delete", args=[row.pk]
    )

    urls = [delete, page_of(row)] + ([] if model is Account else [add])

    assert {admin_client.post(url).status_code for url in urls} == {403}
    assert b'name="_save"' not in admin_client.get(page_of(row)).content


@pytest.mark.parametrize("model", MODELS)
def test_staff_see_what_they_may_view(client, account, model):
    populate(account, [1])
    staff = User.objects.create_user("sam", is_staff=True)
    client.force_login(staff)
    assert client.get(list_of(model)).status_code == 403

    codename = f"view_{model._meta.model_name}"
    staff.user_permissions.add(Permission.objects.get(codename=codename))

    assert client.get(list_of(model)).status_code == 200
    assert client.get(page_of(model.objects.latest("pk"))).status_code == 200


def test_a_page_shows_attendees_only_to_those_who_may_view_attendees(client, account):
    booking = make_booking(account)
    booking.attendees.create(position=0, name="Ben", email="ben@example.com")
    staff = User.objects.create_user("sam", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_booking"))
    client.force_login(staff)

    assert "ben@example.com" not in client.get(page_of(booking)).content.decode()


def test_no_page_shows_or_reads_a_credential(admin_client, settings):
    settings.CAL_BOOKINGS = {
        "ACCOUNTS": {"configured": {"API_KEY": "cal_sesame"}},
        "ENCRYPTION_KEYS": [Fernet.generate_key()],
    }
    Account.objects.create(alias="configured")
    Account.objects.create(alias="nowhere")
    credentials: Any = {"API_KEY": "cal_sesame"}
    stored = Account.objects.create(alias="stored", credentials=credentials)
    populate(stored, [1])
    settings.CAL_BOOKINGS["ENCRYPTION_KEYS"] = []  # reading one would now be an error

    newest = Account.objects.without_credentials().latest("pk")
    rows = [newest, *(model.objects.latest("pk") for model in MODELS[1:])]
    urls = [list_of(model) for model in MODELS] + [page_of(row) for row in rows]
    pages = [admin_client.get(url).content.decode() for url in [*urls, page_of(stored)]]

    assert "sesame" not in "".join(pages)
    sources = [
        f'credential_from">{source}<' for source in ["settings", "none", "database"]
    ]
    assert [source in pages[0] for source in sources] == [True] * 3


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"status": "levitating"}, id="unknown status"),
        pytest.param({"title": ""}, id="no title"),
        pytest.param({"title": "Zażółć 🫖 <script>alert(1)</script>"}, id="unicode"),
        pytest.param({"missing_since": timezone.now()}, id="missing"),
        pytest.param({"location": "javascript:alert(1)"}, id="location is text"),
        pytest.param({"guests": None, "metadata": [], "payload": 7}, id="odd JSON"),
        pytest.param({"recurring_booking_uid": "a/b?c&d"}, id="odd series"),
    ],
)
def test_odd_bookings_are_shown(admin_client, account, fields):
    fields = {"guests": [], "metadata": {}, **fields}
    fields["guests"] = fields["guests"] or []
    booking = make_booking(account, **fields)
    booking.attendees.create(position=0)
    booking.changes.create(source="??", changes=["odd"], changed_at=timezone.now())
    booking.changes.create(
        source="walk",
        changes={"title": "odd", "x": [None, {}]},
        changed_at=timezone.now(),
    )

    for url in [list_of(Booking), page_of(booking)]:
        html = admin_client.get(url).content.decode()
        assert "<script>alert" not in html
        assert 'href="javascript:' not in html


def test_a_booking_shows_its_place_in_the_chain_of_reschedules(admin_client, account):
    now = timezone.now()
    made = [now - dt.timedelta(days=days) for days in (3, 2, 1)]
    chain = [
        make_booking(account, f"{n}", status=status, remote_created_at=at)
        for n, (status, at) in enumerate(
            zip(["cancelled", "cancelled", "accepted"], made, strict=True)
        )
    ]
    appointment = chain[0].appointment
    Booking.objects.filter(pk__in=[booking.pk for booking in chain]).update(
        appointment=appointment
    )

    html = admin_client.get(page_of(chain[1])).content.decode()

    first, this, last = (
        html.find(mark)
        for mark in (page_of(chain[0]), 'aria-current="true"', page_of(chain[2]))
    )
    assert 0 < first < this < last


def test_a_booking_that_was_never_rescheduled_shows_no_chain(admin_client, account):
    html = admin_client.get(page_of(make_booking(account))).content.decode()

    assert "booked at" not in html


def test_a_change_reads_as_old_and_new(admin_client, account):
    booking = make_booking(account)
    booking.changes.create(
        source="walk",
        changes={"status": ["pending", "accepted"]},
        changed_at=timezone.now(),
    )

    html = admin_client.get(page_of(booking)).content.decode()

    assert "<td>status</td><td>pending</td><td>accepted</td>" in html


def test_failures_of_a_run_are_a_table(admin_client, account):
    failures = [{"place": 3, "uid": "abc", "why": "no start"}]
    run = SyncRun.objects.create(
        account=account, mode="full", started_at=timezone.now(), failures=failures
    )

    html = admin_client.get(page_of(run)).content.decode()

    assert "<td>3</td><td>abc</td><td>no start</td>" in html


def test_no_page_has_inline_script_or_style_of_ours(admin_client, account):
    populate(account, [1])
    pages = [page_of(model.objects.latest("pk")) for model in MODELS]

    for url in [*pages, *map(list_of, MODELS)]:
        html = admin_client.get(url).content.decode()
        assert "<style" not in html
        assert "onclick=" not in html
        assert "<script>" not in html
