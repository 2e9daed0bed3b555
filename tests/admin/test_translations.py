"""What is stored about failures is shown to staff in their language."""

import pytest
from django.urls import reverse

from cal_bookings import outbox, sync
from cal_bookings.admin.booking_actions.pages import format_selection
from cal_bookings.models import Account, Booking, BookingAction, SyncRun, SyncState
from tests.admin.rows import page_of

pytestmark = pytest.mark.django_db

GERMAN = {
    'Account "%(account)s" at %(base_url)s: %(what)s.': "Konto „%(account)s“: %(what)s.",
    "Cal.com does not let %(credential)s do this: check its permissions and the account's SCOPE.": (
        "Cal.com lässt %(credential)s das nicht tun."
    ),
    'the credential in CAL_BOOKINGS["ACCOUNTS"]["%(alias)s"]': "den Schlüssel von %(alias)s",
    "Paused by hand by %(person)s.": "Von %(person)s angehalten.",
}
REFUSED = "GET /bookings: 403. Cal.com lässt den Schlüssel von default das nicht tun."


@pytest.fixture
def speaks_german(catalogue, settings, admin_client):
    catalogue("de", GERMAN)
    settings.LANGUAGE_CODE = "de"
    return admin_client


@pytest.fixture
def failed(cal):
    """The account of a walk that was refused, and recorded by a worker whose language is English."""
    cal.fault("403", path="/bookings", times=100)
    account = Account.objects.configured().get()
    sync.walk(account)
    return account


def pages(account):
    run, state = SyncRun.objects.latest("pk"), SyncState.objects.first()
    overview = reverse("admin:cal_bookings_overview")
    return [overview, page_of(run), page_of(state), page_of(account)]


def test_a_failed_walk_is_explained_in_the_readers_language(failed, speaks_german):
    assert "Cal.com does not let" in SyncRun.objects.get().error

    for url in pages(failed):
        html = speaks_german.get(url).content.decode()
        assert REFUSED in html
        assert "Cal.com does not let" not in html


def test_rows_of_an_earlier_release_show_their_english_text(failed, speaks_german):
    Account.objects.update(circuit_reason_sentences=None)
    SyncRun.objects.update(error_sentences=None)
    SyncState.objects.update(last_error_sentences=None)

    for url in pages(failed):
        assert "Cal.com does not let" in speaks_german.get(url).content.decode()


def test_who_paused_an_account_is_said_in_the_readers_language(cal, speaks_german):
    account = Account.objects.configured().get()
    speaks_german.post(reverse("admin:cal_bookings_account_pause", args=[account.pk]))

    html = speaks_german.get(page_of(account)).content.decode()

    assert "Von admin angehalten." in html
    assert Account.objects.get().paused_by == "admin"


class TestActions:
    GERMAN = {
        "This booking is %(status)s: only accepted or pending bookings can be changed.": (
            "Diese Buchung ist %(status)s: Nur bestehende Buchungen lassen sich ändern."
        ),
        "cancelled": "abgesagt",
        "The booking changed on Cal.com in the meantime. %(changes)s": (
            "Die Buchung hat sich auf Cal.com inzwischen geändert. %(changes)s"
        ),
        "Its location was %(before)s and is %(after)s.": "Ihr Ort war %(before)s und ist %(after)s.",
        "Cal.com reported success, but %(unchanged)s.": "Cal.com meldete Erfolg, aber %(unchanged)s.",
        "the location did not change": "der Ort blieb derselbe",
    }

    @pytest.fixture
    def booking(self, cal):
        uid = cal.book()
        sync.walk(Account.objects.configured().get())
        return Booking.objects.get(uid=uid)

    @pytest.fixture
    def german(self, catalogue, settings, admin_client):
        def switch():
            catalogue("de", self.GERMAN)
            settings.LANGUAGE_CODE = "de"
            return admin_client

        return switch

    def move(self, booking):
        link = {"type": "link", "link": "https://meet.example.com/a"}
        return outbox.update_location(booking, location=link)

    def test_why_one_failed(self, cal, booking, german):
        action = self.move(booking)
        cal.edit(booking.uid, location="https://meet.example.com/b")
        outbox.deliver(action.pk)
        action.refresh_from_db()
        assert action.error_code == "conflict"
        assert "The booking changed on Cal.com in the meantime. Its" in (
            action.error_message
        )

        html = german().get(page_of(action)).content.decode()

        assert "Die Buchung hat sich auf Cal.com inzwischen geändert. Ihr Ort war" in (
            html
        )
        assert "in the meantime" not in html

    def test_one_of_an_earlier_release(self, cal, booking, german):
        action = self.move(booking)
        BookingAction.objects.update(
            status="failed", error_message="It was English.", error_code="conflict"
        )

        html = german().get(page_of(action)).content.decode()

        assert "It was English." in html

    def test_what_did_not_change_is_part_of_the_sentence(self, cal, booking, german):
        action = self.move(booking)
        cal.fault("unapplied", method="PATCH")
        outbox.deliver(action.pk)

        html = german().get(page_of(action)).content.decode()

        assert "Cal.com meldete Erfolg, aber der Ort blieb derselbe." in html

    def test_why_one_cannot_be_queued(self, cal, booking, german):
        Booking.objects.update(status="cancelled")
        url = reverse("admin:cal_bookings_booking_act", args=["cancel"])

        page = german().post(url, {"bookings": format_selection([booking])})

        text = "Diese Buchung ist abgesagt: Nur bestehende Buchungen lassen sich"
        assert text in page.content.decode()
