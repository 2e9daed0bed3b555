"""What the receiver accepts, what it refuses, and what it leaves behind."""

from io import BytesIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone

from cal_bookings.client import sign
from cal_bookings.models import Account, WebhookDelivery, WebhookReceiver
from cal_bookings.models.webhooks import FORMER_ACCEPTED
from cal_bookings.webhooks import account_secrets, refusals, views
from tests.webhooks.conftest import Sender, body
from tests.webhooks.recorded import DELIVERIES, SECRET, SIGNED

CREATED = body("BOOKING_CREATED", uid="one")


@pytest.fixture(autouse=True)
def an_empty_cache():
    cache.clear()


def request_of(account, stream):
    """A delivery whose body is read from `stream`."""
    request: Any = RequestFactory().post(account.webhook_path())
    request._stream, request._read_started = stream, False
    return request


def refused(account):
    return refusals.counts([account.pk])[account.pk]


class TestSignatures:
    def test_of_all_recorded_deliveries_the_signed_ones_are_accepted(self, sender):
        answers = {
            one.number: sender.post(one.body, one.headers).status_code
            for one in DELIVERIES
        }

        accepted = {number for number, status in answers.items() if status == 200}
        assert accepted == {one.number for one in SIGNED}
        assert len(accepted) == 104
        assert {*answers.values()} == {200, 401}
        assert WebhookDelivery.objects.count() == len({one.body for one in SIGNED})

    def test_no_recorded_delivery_is_accepted_with_one_byte_changed(
        self, sender, account
    ):
        for one in SIGNED:
            place = len(one.body) // 2
            changed = bytes([one.body[place] ^ 1])
            other = one.body[:place] + changed + one.body[place + 1 :]
            assert sender.post(other, one.headers).status_code == 401

        assert not WebhookDelivery.objects.exists()
        assert refused(account) == 104

    @pytest.mark.parametrize(
        "signature",
        [
            "",
            "no-secret-provided",
            sign(CREATED, "another"),
            sign(CREATED, SECRET).upper(),
            "sha256=" + sign(CREATED, SECRET),
            sign(CREATED, SECRET) + "," + sign(CREATED, SECRET),
            sign(CREATED, SECRET) + " ",
            "é",
        ],
    )
    def test_other_signatures_are_refused(self, sender, account, signature):
        headers = {"X-Cal-Signature-256": signature}

        assert sender.post(CREATED, headers).status_code == 401
        assert not WebhookDelivery.objects.exists()
        assert refused(account) == 1

    @pytest.mark.parametrize("name", ["X-Cal-Webhook-Secret", "X-Other-Signature-256"])
    def test_other_headers_are_no_signature(self, sender, name):
        assert sender.post(CREATED, {name: SECRET}).status_code == 401
        assert sender.post(CREATED, {name: sign(CREATED, SECRET)}).status_code == 401

    def test_a_re_branded_server_has_a_header_of_its_own(self, sender, settings):
        settings.CAL_BOOKINGS |= {"WEBHOOK_SIGNATURE_HEADER": "X-Acme-Signature-256"}
        signature = sign(CREATED, SECRET)

        of_acme = sender.post(CREATED, {"X-Acme-Signature-256": signature})
        of_cal = sender.post(CREATED, {"X-Cal-Signature-256": signature})

        assert (of_acme.status_code, of_cal.status_code) == (200, 401)

    def test_each_secret_of_the_settings_is_accepted(self, sender, settings):
        entry = settings.CAL_BOOKINGS["ACCOUNTS"]["default"]
        entry["WEBHOOK_SECRETS"] = ["new", "old"]

        statuses = [
            sender.deliver(body("BOOKING_PAID", uid=each), secret=each).status_code
            for each in ("new", "old", SECRET, "other")
        ]

        assert statuses == [200, 200, 200, 401]

    def test_an_account_without_a_secret_accepts_nothing(self, sender, settings):
        del settings.CAL_BOOKINGS["ACCOUNTS"]["default"]["WEBHOOK_SECRET"]

        assert sender.deliver(CREATED, secret="").status_code == 401

    def test_a_cache_that_is_down_keeps_nobody_waiting(self, sender, settings):
        settings.CACHES = settings.CACHES | {
            "down": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "redis://127.0.0.1:9",
            }
        }
        settings.CAL_BOOKINGS |= {"CACHE": "down"}

        assert sender.post(CREATED).status_code == 401
        assert sender.deliver(CREATED).status_code == 200


class TestAccountsOfTheDatabase:
    @pytest.fixture
    def account(self, db, settings):
        settings.CAL_BOOKINGS = {"ENCRYPTION_KEYS": [Fernet.generate_key()]}
        stored = {"API_KEY": "k", "WEBHOOK_SECRETS": ["mine"]}
        return Account.objects.create(alias="desk", credentials=stored)

    def deliver(self, sender, *secrets):
        return [
            sender.deliver(body("BOOKING_PAID", uid=each), secret=each).status_code
            for each in secrets
        ]

    def test_the_secrets_among_their_credentials_are_accepted(self, sender):
        assert self.deliver(sender, "mine", "k") == [200, 401]

    def test_a_new_secret_and_the_one_before_are_accepted(self, sender, account):
        receiver = WebhookReceiver.objects.of(account)
        account_secrets.add(receiver, "first")
        account_secrets.add(receiver, "second")
        assert self.deliver(sender, "second", "first", "mine") == [200, 200, 200]

        account_secrets.retire_former(receiver)
        assert self.deliver(sender, "second", "first") == [200, 200]

        receiver.secrets_rotated_at = timezone.now() - FORMER_ACCEPTED * 1.01
        receiver.save()
        assert self.deliver(sender, "second", "first") == [200, 401]

    def test_two_who_add_a_secret_at_once_lose_none(self, sender, account):
        one, other = (
            WebhookReceiver.objects.of(Account.objects.get(pk=account.pk))
            for _ in range(2)
        )
        account_secrets.add(one, "first")
        account_secrets.add(other, "second")

        assert self.deliver(sender, "second", "first") == [200, 200]

    def test_a_secret_is_stored_encrypted_and_follows_the_alias(self, account):
        account_secrets.add(WebhookReceiver.objects.of(account), "whsec_plain")
        column: Any = Account.objects.values_list("webhook_secrets", flat=True).get()

        assert "whsec_plain" not in column.text
        Account.objects.rename("desk", "front")
        assert account_secrets.made_here(Account.objects.get())[0] == "whsec_plain"

    def test_a_lost_encryption_key_is_our_fault(self, sender, account, settings):
        account_secrets.add(WebhookReceiver.objects.of(account), "first")
        settings.CAL_BOOKINGS = {"ENCRYPTION_KEYS": [Fernet.generate_key()]}

        assert self.deliver(sender, "first") == [503]


class TestAddresses:
    def test_an_address_does_not_name_the_account_and_stays(self, account):
        path = account.webhook_path()

        assert account.webhook_path() == path
        assert account.alias not in path
        assert len(path.split("/")[-2]) >= 40

    def test_an_unknown_address_is_not_found_and_not_counted(self, account):
        path = reverse("cal_bookings:webhook", args=["x" * 43])

        assert Client().post(path, b"{}", "application/json").status_code == 404
        assert refused(account) == 0

    def test_the_address_before_is_accepted_for_a_day(self, sender, account):
        receiver = WebhookReceiver.objects.of(account)
        receiver.move()
        assert sender.deliver(CREATED).status_code == 200
        assert Sender(account).deliver(CREATED).status_code == 200

        receiver.former_accepted_until = timezone.now()
        receiver.save()
        assert sender.deliver(CREATED).status_code == 404


class TestRequests:
    def test_head_says_that_the_address_exists(self, sender):
        answer = sender.client.head(sender.path)

        assert (answer.status_code, answer.content) == (200, b"")

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
    def test_other_methods_are_refused(self, sender, method):
        answer = getattr(sender.client, method)(sender.path)

        assert answer.status_code == 405
        assert answer["Allow"] == "POST, HEAD"

    def test_neither_a_csrf_token_nor_a_login_is_asked_for(self, account):
        middleware = [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.auth.middleware.LoginRequiredMiddleware",
        ]
        with override_settings(MIDDLEWARE=middleware):
            sender = Sender(account)
            sender.client = Client(enforce_csrf_checks=True)

            assert sender.deliver(CREATED).status_code == 200

    def test_a_body_above_the_limit_is_refused(self, sender):
        most = b" " * views.MAX_BYTES

        assert sender.deliver(most).status_code == 200
        assert sender.deliver(most + b" ").status_code == 413

    def test_no_more_than_the_limit_is_read_of_a_body_without_an_end(self, account):
        class Endless(BytesIO):
            taken = 0

            def read(self, size=-1):
                assert 0 <= size <= 1 << 16
                self.taken += size
                return b"x" * size

        stream = Endless()
        request = request_of(account, stream)

        answer = views.receive(request, account.webhook_path().split("/")[-2])

        assert answer.status_code == 413
        assert stream.taken <= views.MAX_BYTES + (1 << 16)

    def test_an_announced_length_above_the_limit_is_enough(self, sender):
        answer = sender.client.generic(
            "POST", sender.path, b"{}", CONTENT_LENGTH=str(views.MAX_BYTES + 1)
        )
        assert answer.status_code == 413

    def test_a_body_that_breaks_off_may_come_again(self, account):
        class Broken(BytesIO):
            def read(self, size=-1):
                raise OSError("reset by peer")

        request = request_of(account, Broken())

        answer = views.receive(request, account.webhook_path().split("/")[-2])

        assert answer.status_code == 503


class TestStoring:
    def test_a_delivery_costs_two_statements(self, sender, django_assert_num_queries):
        with django_assert_num_queries(4):  # and the savepoint of the test
            assert sender.deliver(CREATED).status_code == 200

    def test_what_is_needed_is_kept_and_nothing_else(self, sender, account):
        delivered = body(
            "BOOKING_REJECTED",
            uid="new",
            rescheduleUid="old",
            seatUid="seat",
            rejectionReason="We are closed",
            metadata={"djangoCalBookings": "mark", "videoCallUrl": "https://secret"},
            oneTimePassword="hush",
            attendees=[{"name": "Ben"}],
            title="Tea",
        )
        sender.deliver(delivered, version="2021-10-20")

        row = WebhookDelivery.objects.get()
        assert row.account == account
        assert (row.trigger, row.version) == ("BOOKING_REJECTED", "2021-10-20")
        assert (row.uid, row.old_uid, row.seat_uid) == ("new", "old", "seat")
        assert (row.mark, row.rejection_reason) == ("mark", "We are closed")
        assert str(row.happened_at) == "2026-11-20 19:51:20.097000+00:00"
        assert (row.state, row.outcome, row.receipts) == ("waiting", "", 1)
        stored = str(WebhookDelivery.objects.values().get())
        assert not [
            each for each in ("hush", "Ben", "Tea", "https://secret") if each in stored
        ]

    def test_the_same_body_is_counted(self, sender):
        for _ in range(3):
            assert sender.deliver(CREATED).status_code == 200

        row = WebhookDelivery.objects.get()
        assert row.receipts == 3
        assert row.last_received_at > row.received_at

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.skipif(
        connection.vendor == "sqlite", reason="has no connection that can break"
    )
    def test_a_connection_that_broke_is_our_fault(self, sender):
        connection.ensure_connection()
        connection.connection.close()

        assert sender.deliver(CREATED).status_code == 503
        connection.connection = None

    def test_two_accounts_may_get_the_same_body(self, sender, settings, account):
        entry = {"API_KEY": "other", "WEBHOOK_SECRET": SECRET}
        settings.CAL_BOOKINGS["ACCOUNTS"]["other"] = entry
        other = Account.objects.configured().get(alias="other")

        for each in (sender, Sender(other)):
            assert each.deliver(CREATED).status_code == 200

        owners = WebhookDelivery.objects.values_list("account__alias", flat=True)
        assert {*owners} == {"default", "other"}

    @pytest.mark.parametrize("when", ["WebhookReceiver", "WebhookDelivery"])
    def test_a_store_that_fails_asks_for_another_try(self, sender, when, caplog):
        table = when.lower()

        def fail(execute, sql, params, many, context):
            if table in sql.split(" WHERE ")[0] and not sql.startswith("SAVEPOINT"):
                raise DatabaseError("the disk is full of canaries")
            return execute(sql, params, many, context)

        with connection.execute_wrapper(fail):
            answer = sender.deliver(CREATED)

        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        assert "canaries" not in caplog.text


@pytest.mark.parametrize(
    ("delivered", "outcome"),
    [
        (b"", "unreadable"),
        (b"\xff\xfe", "unreadable"),
        (b"[]", "unreadable"),
        (b'{"t": "BOOKING_CREATED", "uid": "one"}', "unreadable"),
        (b"t=BOOKING_CREATED&u=one", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (b'{"triggerEvent": "A", "n": ' + b"9" * 5000 + b"}", "unreadable"),
        (b'{"triggerEvent": 7, "payload": {"uid": "one"}}', "unreadable"),
        (body("OOO_CREATED"), "no_booking"),
        (body("FORM_SUBMITTED"), "no_booking"),
        (b'{"triggerEvent": "FORM_SUBMITTED", "uid": "the visitor"}', "no_booking"),
        (body("BOOKING_CREATED", uid=7), "no_booking"),
        (body("BOOKING_CREATED", uid="u" * 256), "no_booking"),
        (body("BOOKING_CREATED", uid="a\0b"), "no_booking"),
        (body("BOOKING_CREATED", uid="\ud800"), "no_booking"),
        (b'{"triggerEvent": "BOOKING_CREATED", "payload": "one"}', "no_booking"),
        (body("PING"), "test"),
        (body("SOMETHING_NEW", uid="one"), ""),
        (body("A" * 300 + "\0\ud800", uid="one"), ""),
        (body("BOOKING_CREATED", "yesterday", uid="one"), ""),
        (body("BOOKING_CREATED", "9999-12-31T23:59:59-23:59", uid="one"), ""),
        (body("BOOKING_NO_SHOW_UPDATED", bookingUid="one"), ""),
        (body("WRONG_ASSIGNMENT_REPORT", booking={"uid": "one"}), ""),
        (b'{"triggerEvent": "MEETING_STARTED", "uid": "one"}', ""),
    ],
)
def test_whatever_is_signed_is_kept(sender, delivered, outcome):
    assert sender.deliver(delivered).status_code == 200

    row = WebhookDelivery.objects.get()
    assert row.outcome == outcome
    assert row.uid == ("" if outcome else "one")
    assert (row.processed_at is None) == (outcome == "")


def test_a_secret_never_stands_in_the_log(sender, caplog):
    caplog.set_level("DEBUG")
    sender.post(CREATED, {"X-Cal-Signature-256": "forged"})
    sender.deliver(CREATED)

    assert SECRET not in caplog.text
