"""The overview: where each loop stands, red when it is silent, charts with their numbers, and a button."""

import datetime as dt

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cal_bookings.models import Account, BookingAction, Mode, SyncRun, SyncState
from tests.admin.rows import make_booking, make_bookings, staff

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def account():
    account = Account.objects.create(alias="default")
    account.created_at = NOW - 100 * HOUR
    account.save()
    return account


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def overview(client):
    response = client.get(reverse("admin:cal_bookings_overview"))
    assert response.status_code == 200
    return response


def html_of(client):
    return overview(client).content.decode()


def numbers(client, title):
    """The table of a chart: its rows that are not all zero."""
    charts = {
        str(chart.title): chart for chart in overview(client).context["overview"].charts
    }
    return {day: counts for day, counts in charts[title].rows if any(counts)}


@pytest.mark.parametrize(
    ("mode", "ago", "verdict"),
    [
        ("changes", 0.1, "fine"),
        ("changes", 0.3, "silent for too long"),
        ("window", 3, "fine"),
        ("window", 5, "silent for too long"),
        ("full", 35, "fine"),
        ("full", 37, "silent for too long"),
        ("full", None, "silent for too long"),
    ],
)
def test_a_loop_is_red_when_it_has_not_completed_in_time(
    admin_client, account, mode, ago, verdict
):
    completed = None if ago is None else NOW - ago * HOUR
    SyncState.objects.create(account=account, mode=mode, last_completed_at=completed)

    html = html_of(admin_client)

    assert f">{verdict}</span>" in html
    assert ('class="cal-silent"' in html) == (verdict != "fine")
    assert ("may be out of date" in html) == (verdict != "fine")


@pytest.mark.parametrize(
    ("mode", "interval", "ago", "silent"),
    [
        ("full", 7 * 24, 7.7 * 24, False),
        ("full", 7 * 24, 9 * 24, True),
        ("window", 24, 27, False),
        ("window", 24, 31, True),
        ("changes", 1, 1.2, False),
        ("changes", 1, 1.5, True),
    ],
)
def test_a_longer_interval_is_not_an_alarm(
    admin_client, account, settings, mode, interval, ago, silent
):
    settings.CAL_BOOKINGS = {"INTERVALS": {mode: interval * 3600}}
    completed = NOW - ago * HOUR
    SyncState.objects.create(account=account, mode=mode, last_completed_at=completed)

    assert ('class="cal-silent"' in html_of(admin_client)) == silent


def test_a_new_account_is_given_time_for_its_first_walk(admin_client, account):
    account.created_at = NOW - HOUR
    account.save()
    SyncState.objects.create(account=account, mode="full")

    assert "silent" not in html_of(admin_client)


def test_a_loop_tells_how_far_it_is_and_what_went_wrong(admin_client, account):
    SyncState.objects.create(
        account=account,
        mode=Mode.CHANGES,
        last_completed_at=NOW,
        watermark=NOW - 3 * HOUR,
        failures=4,
        last_error="Cal.com does not accept <the key>.",
        due_at=NOW - 2 * HOUR,
    )

    html = html_of(admin_client)

    assert "3\N{NO-BREAK SPACE}hours ago" in html
    assert "due for 2\N{NO-BREAK SPACE}hours" in html
    assert "<td>4</td>" in html
    assert ">failing</span>" in html
    assert "Cal.com does not accept &lt;the key&gt;." in html


def test_a_walk_under_way_is_said_to_be(admin_client, account):
    SyncState.objects.create(account=account, mode="full", lease_until=NOW + HOUR)

    assert "under way" in html_of(admin_client)


def test_accounts_that_nobody_walks_are_named(admin_client, account, settings):
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"of-settings": {"API_KEY": "cal_sesame"}}}
    Account.objects.create(alias="off", is_active=False)

    html = html_of(admin_client)

    assert "Not walked yet: default, of-settings." in html
    assert "sesame" not in html


def test_charts_count_by_day_and_by_what_came_of_it(admin_client, account):
    for hours, status in [(0, "accepted"), (1, "pending"), (24, "accepted")]:
        make_booking(account, f"{hours}", status=status, start=NOW + hours * HOUR)
    cancelled = NOW - 24 * HOUR
    make_booking(account, "off", status="cancelled", start=cancelled)
    make_booking(account, "no host", absent_host=True, start=NOW)
    alone = make_booking(account, "alone", start=NOW)
    for position in range(2):
        alone.attendees.create(position=position, absent=True)

    assert numbers(admin_client, "Bookings per day") == {
        "Nov. 18, 2026": [3, 1],
        "Nov. 19, 2026": [1, 0],
    }
    assert numbers(admin_client, "Cancellations and no-shows per day") == {
        "Nov. 17, 2026": [1, 0],
        "Nov. 18, 2026": [0, 2],
    }


def test_charts_count_requests_and_failed_runs(admin_client, account):
    for requests, outcome in [(7, "complete"), (2, "failed")]:
        run = {"mode": "full", "requests": requests, "outcome": outcome}
        SyncRun.objects.create(account=account, started_at=NOW, **run)

    assert numbers(admin_client, "Requests per day") == {"Nov. 18, 2026": [9]}
    assert numbers(admin_client, "Failed runs per day") == {"Nov. 18, 2026": [1]}


def test_bars_fill_the_chart_up_to_its_highest_day(admin_client, account):
    for n in range(4):
        make_booking(account, f"{n}", start=NOW - (24 * HOUR if n else 0 * HOUR))

    chart = next(iter(overview(admin_client).context["overview"].charts))

    assert [(bar.y, bar.height) for bar in chart.bars] == [(0, 120), (80, 40)]
    assert "<title>Nov. 17, 2026: 3 taking place</title>" in html_of(admin_client)


def test_it_costs_the_same_at_any_size(admin_client, account):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            overview(admin_client)
        return len(captured)

    def add(numbers):
        for n in numbers:
            other = Account.objects.create(alias=f"a-{n}")
            for mode in Mode.values:
                SyncState.objects.create(account=other, mode=mode)

    add(range(2))
    cost()  # the session and the content types
    few = cost()
    add(range(2, 20))
    make_bookings(account, 10_000)

    assert cost() == few


def sync_now(client, account):
    return client.post(reverse("admin:cal_bookings_sync_now", args=[account.pk]))


def test_sync_now_makes_all_loops_of_the_account_due(client, account):
    other = Account.objects.create(alias="other")
    later = NOW + HOUR
    for asked in (account, other):
        for mode in Mode.values:
            SyncState.objects.create(account=asked, mode=mode, due_at=later)
    client.force_login(staff("view_syncstate", "sync_account"))

    assert "Sync default now" in html_of(client)
    response = sync_now(client, account)

    assert response["Location"] == reverse("admin:cal_bookings_overview")
    [message] = get_messages(response.wsgi_request)
    assert str(message).startswith("All loops of default are due now")
    due = SyncState.objects.values_list("account__alias", "due_at").order_by("pk")
    assert list(due) == [("default", NOW)] * 3 + [("other", later)] * 3


def test_on_a_site_without_workers_sync_now_names_the_command(
    admin_client, account, settings
):
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"WORKER": None}

    response = sync_now(admin_client, account)
    page = admin_client.get(response.url).content.decode()

    assert f"run manage.py cal_sync --account {account}" in page
    assert "Sync default now" not in page
    assert "beat" not in page


def test_sync_now_is_for_those_who_may(client, account):
    state = SyncState.objects.create(account=account, mode="full", due_at=NOW + HOUR)
    client.force_login(staff("view_syncstate", "view_account", "change_account"))

    assert "Sync default now" not in html_of(client)
    assert sync_now(client, account).status_code == 403
    state.refresh_from_db()
    assert state.due_at == NOW + HOUR


def test_sync_now_is_no_link(admin_client, account):
    url = reverse("admin:cal_bookings_sync_now", args=[account.pk])

    assert admin_client.get(url).status_code == 405


def test_it_is_for_those_who_may_view_sync_states(client):
    client.force_login(staff("view_booking"))

    assert client.get(reverse("admin:cal_bookings_overview")).status_code == 403


def test_the_app_leads_to_it_those_who_may(client):
    app = reverse("admin:app_list", args=["cal_bookings"])
    client.force_login(staff("view_syncstate"))
    assert reverse("admin:cal_bookings_overview") in client.get(app).content.decode()

    client.force_login(staff("view_booking"))
    assert (
        reverse("admin:cal_bookings_overview") not in client.get(app).content.decode()
    )


def test_a_paused_account_is_said_to_be_where_its_loops_are(admin_client, account):
    account.circuit_open_until = NOW + HOUR
    account.circuit_reason = "Cal.com does not accept the credential."
    account.save()
    state = SyncState.objects.create(
        account=account, mode=Mode.CHANGES, last_completed_at=NOW
    )
    page = reverse("admin:cal_bookings_syncstate_change", args=[state.pk])

    assert "account paused" in html_of(admin_client)
    assert account.circuit_reason in admin_client.get(page).content.decode()


def test_a_pause_that_is_over_is_none(admin_client, account):
    account.circuit_open_until = NOW - HOUR
    account.save()
    SyncState.objects.create(account=account, mode=Mode.CHANGES, last_completed_at=NOW)

    assert "account paused" not in html_of(admin_client)


def make_action(account, **fields):
    return BookingAction.objects.create(
        account=account,
        **{"kind": "confirm", "deadline": NOW + HOUR, "next_attempt_at": NOW} | fields,
    )


def test_actions_that_wait_for_too_long_are_red(admin_client, account):
    make_action(account, next_attempt_at=NOW - HOUR)
    make_action(account, next_attempt_at=NOW + HOUR)

    html = html_of(admin_client)

    assert "the oldest for 1\N{NO-BREAK SPACE}hour" in html
    assert '<tr class="cal-silent">' in html


def test_failed_actions_are_counted_for_a_week(admin_client, account):
    make_action(account, status="failed", ended_at=NOW - HOUR)
    make_action(account, status="failed", ended_at=NOW - 200 * HOUR)
    make_action(account, status="done", ended_at=NOW)

    html = html_of(admin_client)

    assert f"status__exact=failed&amp;account__id__exact={account.pk}" in html
    assert ">1</a>" in html


def test_an_account_that_is_left_alone_is_red_with_the_reason(admin_client, account):
    account.circuit_open_until = NOW + HOUR
    account.circuit_reason = "Cal.com does not accept the key."
    account.save()

    html = html_of(admin_client)

    assert "paused for 1\N{NO-BREAK SPACE}hour" in html
    assert "Cal.com does not accept the key." in html


def test_drift_is_that_of_the_last_full_walk(admin_client, account):
    assert "no full walk yet" in html_of(admin_client)

    run = {"account": account, "mode": "full", "outcome": "complete"}
    SyncRun.objects.create(started_at=NOW - HOUR, drift={"title": 9}, **run)
    SyncRun.objects.create(started_at=NOW, drift={"status": 2, "hosts": 1}, **run)

    assert "<td>hosts: 1, status: 2</td>" in html_of(admin_client)
