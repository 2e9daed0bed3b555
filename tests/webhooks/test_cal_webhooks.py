"""The command: one subscription, mended where it differs, tested through the public address, rotated without a refusal."""

import json
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cal_bookings.client import WebhookOwner, sign
from cal_bookings.models import Account, WebhookDelivery, WebhookReceiver
from cal_bookings.webhooks import account_secrets, subscriptions
from tests.webhooks.conftest import Sender, body

SITE = "https://example.com"


def cal_webhooks(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what is printed with --json."""
    out, code = StringIO(), 0
    try:
        call_command("cal_webhooks", *arguments, "--json", stdout=out, stderr=out)
    except SystemExit as end:
        code = int(end.code or 0)
    lines = [line for line in out.getvalue().splitlines() if line.startswith("{")]
    return code, [json.loads(line) for line in lines]


def one(*arguments: str) -> dict[str, Any]:
    code, (told,) = cal_webhooks(*arguments)
    assert code == 0, told
    return told


@pytest.fixture
def desk(db, cal, settings):
    """An account of the database, on a Cal.com that delivers to private addresses."""
    cache.clear()
    cal.webhooks.allows_private = True
    settings.CAL_BOOKINGS = {
        "ENCRYPTION_KEYS": [Fernet.generate_key()],
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "SITE_URL": SITE,
        "WORKER": None,
    }
    stored: Any = {"API_KEY": cal.api_key}
    return Account.objects.create(alias="desk", base_url=cal.url, credentials=stored)


def subscribed(cal):
    return list(cal.webhooks.subscriptions.of("userId", 1))


class TestEnsure:
    def test_twice_makes_one_subscription(self, desk, cal):
        first, second = one("ensure"), one("ensure")

        assert (first["result"], second["result"]) == ("created", "unchanged")
        (made,) = subscribed(cal)
        desk.refresh_from_db()
        assert made.subscriber_url == SITE + desk.webhook_path()
        assert made.secret == account_secrets.made_here(desk)[0]
        assert made.active
        assert not made.payload_template
        assert {*subscriptions.TRIGGERS} <= {*made.triggers}
        assert WebhookReceiver.objects.get().expected_since

    def test_what_differs_is_mended_and_other_triggers_stay(self, desk, cal):
        one("ensure")
        (made,) = subscribed(cal)
        made.active, made.secret = False, "another"
        made.payload_template = '{"t": "{{type}}"}'
        made.triggers = ["BOOKING_CREATED", "MEETING_ENDED"]

        told = one("ensure")

        assert told["result"] == "mended"
        assert "switched off" in told["note"]
        (mended,) = subscribed(cal)
        desk.refresh_from_db()
        assert mended.active
        assert mended.secret == account_secrets.made_here(desk)[0]
        assert not mended.payload_template
        assert {*subscriptions.TRIGGERS, "MEETING_ENDED"} <= {*mended.triggers}
        assert one("ensure")["result"] == "unchanged"

    @pytest.mark.cal(dialect="offset")
    def test_a_self_hosted_server_is_asked_for_the_triggers_that_it_knows(
        self, desk, cal
    ):
        one("ensure")

        (made,) = subscribed(cal)
        assert {*made.triggers} == {*subscriptions.TRIGGERS}

    def test_another_site_of_the_same_user_keeps_its_subscription(self, desk, cal):
        cal.webhooks.subscribe("https://other.example.com/hook", secret="theirs")

        assert one("ensure")["result"] == "created"
        assert len(subscribed(cal)) == 2
        assert one("remove")["webhooks_removed"] == 1
        assert [each.secret for each in subscribed(cal)] == ["theirs"]

    def test_an_event_type_has_subscriptions_of_its_own(self, desk, cal):
        number = cal.event_type(cal.users[1], "normal").id

        one("ensure", "--event-type", str(number))

        assert subscribed(cal) == []
        assert len([*cal.webhooks.subscriptions.of("eventTypeId", number)]) == 1

    @pytest.mark.parametrize(
        ("scope", "cure"),
        [
            ({"team": 3}, "--event-type"),
            ({"organization": 1, "user": 2}, "key of their"),
        ],
    )
    def test_a_scope_that_no_subscription_covers(self, desk, scope, cure):
        Account.objects.update(scope=scope)

        code, (told,) = cal_webhooks("ensure")

        assert code == 3
        assert cure in told["error"]


class TestAddresses:
    @pytest.fixture
    def hosted(self, desk):
        """Taken for an account on hosted Cal.com, as far as its address says."""
        desk.server, desk.base_url = "hosted", "https://api.cal.com/v2"
        return desk

    @pytest.mark.parametrize(
        ("site", "cure"),
        [
            ("http://example.com", "https://"),
            ("https://127.0.0.1:8000", "public address"),
            ("http://localhost:8000", "public address"),
            ("https://192.168.1.7", "public address"),
            ("", "SITE_URL"),
        ],
    )
    def test_one_that_cal_com_cannot_reach_is_refused_before_a_request(
        self, hosted, cal, settings, site, cure
    ):
        settings.CAL_BOOKINGS |= {"SITE_URL": site, "ALLOWED_SERVERS": None}

        with pytest.raises(Exception, match=cure):
            subscriptions.ensure(hosted, WebhookOwner.user())
        assert not cal.requests

    def test_cal_coms_own_refusal_is_shown(self, desk, cal, settings):
        cal.webhooks.allows_private = False
        settings.CAL_BOOKINGS |= {"SITE_URL": "http://127.0.0.1:8000"}

        code, (told,) = cal_webhooks("ensure")

        assert code == 1
        assert "Webhook URL is not allowed" in told["error"]


class TestSecretsOfTheSettings:
    @pytest.fixture
    def entry(self, desk, cal, settings):
        Account.objects.all().delete()
        entry = {"API_KEY": cal.api_key, "BASE_URL": cal.url}
        settings.CAL_BOOKINGS |= {"ACCOUNTS": {"default": entry}}
        return entry

    def test_without_one_ensure_offers_one(self, entry, cal):
        code, (told,) = cal_webhooks("ensure")

        assert code == 3
        assert '"WEBHOOK_SECRETS": ["whsec_' in told["error"]
        assert subscribed(cal) == []

    def test_rotate_prints_one_and_goes_on_when_the_site_has_it(
        self, transactional_db, entry, cal, settings, live_server
    ):
        settings.CAL_BOOKINGS |= {"SITE_URL": live_server.url}
        entry["WEBHOOK_SECRETS"] = ["old"]
        one("ensure")

        code, (told,) = cal_webhooks("rotate")
        assert code == 2
        assert subscribed(cal)[0].secret == "old"

        entry["WEBHOOK_SECRETS"] = [told["secret"], "old"]
        assert one("rotate")["result"] == "mended"
        assert subscribed(cal)[0].secret == told["secret"]


@pytest.mark.django_db(transaction=True)
class TestThroughTheSite:
    @pytest.fixture
    def site(self, desk, settings, live_server):
        settings.CAL_BOOKINGS |= {"SITE_URL": live_server.url}
        return live_server

    def test_a_test_delivery_arrives(self, desk, site):
        one("ensure")

        assert one("test")["result"] == "a test delivery arrived"
        assert WebhookDelivery.objects.get().outcome == "test"

    def test_a_delivery_of_cal_com_arrives(self, desk, site, cal):
        one("ensure")
        uid = cal.book()
        cal.webhooks.flush()

        assert one("process")["result"] == "1 processed"
        assert desk.bookings.get().uid == uid

    @pytest.mark.parametrize(
        ("url", "cure"),
        [
            ("{site}/elsewhere", "URLs include cal_bookings.urls"),
            ("http://127.0.0.1:9", "Nothing accepts connections"),
        ],
    )
    def test_what_is_in_the_way_is_named(self, desk, site, settings, url, cure):
        one("ensure")
        settings.CAL_BOOKINGS |= {"SITE_URL": url.format(site=site.url)}

        code, (told,) = cal_webhooks("test")

        assert code == 1
        assert cure in told["error"]

    def test_no_delivery_is_refused_while_the_secret_is_replaced(self, desk, site, cal):
        one("ensure")
        sender = Sender(desk)
        statuses: list[int] = []

        def deliver_meanwhile(request):
            """Cal.com signs with the secret that it has, before and after each request of ours."""
            (subscription,) = subscribed(cal)
            delivered = body("BOOKING_PAID", uid=str(len(statuses)))
            headers = {"X-Cal-Signature-256": sign(delivered, subscription.secret)}
            statuses.append(sender.post(delivered, headers).status_code)

        def on_request(request):
            deliver_meanwhile(request)
            # That of the fake's thread; close() would spare a database in memory.
            connection.connection.close()
            connection.connection = None

        cal.on_request = on_request
        before = subscribed(cal)[0].secret
        for _ in range(3):
            one("rotate")
            deliver_meanwhile(None)

        assert {*statuses} == {200}
        assert subscribed(cal)[0].secret != before

    def test_a_rotation_that_fails_on_cal_com_refuses_nothing(self, desk, site, cal):
        one("ensure")
        sender, before = Sender(desk), subscribed(cal)[0].secret
        cal.fault("500", method="PATCH", times=2)
        for _ in range(2):
            assert cal_webhooks("rotate")[0] == 1

        assert sender.deliver(body("BOOKING_PAID"), secret=before).status_code == 200
        one("ensure")
        after = subscribed(cal)[0].secret
        assert after != before
        assert (
            sender.deliver(body("BOOKING_PAID", x=1), secret=after).status_code == 200
        )

    def test_the_address_is_replaced(self, desk, site, cal):
        one("ensure")
        former = Sender(desk)
        secret = subscribed(cal)[0].secret

        assert one("rotate", "--address")["result"] == "mended"

        (moved,) = subscribed(cal)
        assert moved.subscriber_url == site.url + desk.webhook_path()
        assert former.path != desk.webhook_path()
        assert former.deliver(body("BOOKING_PAID"), secret=secret).status_code == 200


def test_list_shows_no_secret_and_no_address(desk, cal):
    one("ensure")

    code, (told,) = cal_webhooks("list")

    assert code == 0
    assert [each["is_ours"] for each in told["webhooks"]] == [True]
    printed = json.dumps(told)
    assert subscribed(cal)[0].secret not in printed
    assert desk.webhook_path().split("/")[-2] not in printed


def test_a_longer_list_costs_no_more_statements(desk, cal):
    one("ensure")
    owner = WebhookOwner.user()
    with CaptureQueriesContext(connection) as for_one:
        subscriptions.listed(desk, owner)
    for number in range(3):
        cal.webhooks.subscribe(f"https://other.example.com/{number}", secret="theirs")

    with CaptureQueriesContext(connection) as for_many:
        assert len(subscriptions.listed(desk, owner)) == 4

    assert len(for_many) == len(for_one)


def test_an_unknown_account_is_named(desk):
    with pytest.raises(CommandError, match="Known: desk"):
        call_command("cal_webhooks", "list", "--account", "nobody")


def test_lines_for_people(desk):
    out = StringIO()
    call_command("cal_webhooks", "ensure", stdout=out)
    call_command("cal_webhooks", "list", stdout=out)

    assert "desk: created" in out.getvalue()
    assert "ours, active" in out.getvalue()
