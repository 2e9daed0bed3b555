"""Mistakes in CAL_BOOKINGS are found by ``manage.py check``, with a cure and without showing a value."""

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks

from cal_bookings import conf

KEY = "cal_live_sesame"

# From Django 6.1 on, a check of its own asks the database whether it knows JSON.
pytestmark = pytest.mark.django_db


def messages_of(settings, setting, *, deploy=False):
    settings.CAL_BOOKINGS = setting
    messages = run_checks(include_deployment_checks=deploy)
    return [each for each in messages if str(each.id).startswith("cal_bookings.")]


def account(**entry):
    return {"ACCOUNTS": {"default": {"API_KEY": KEY, **entry}}}


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param({}, id="empty"),
        pytest.param(account(), id="key only"),
        pytest.param(account(BASE_URL=""), id="default URL"),
        pytest.param(account(BASE_URL="https://cal.example.com/api/v2/"), id="own"),
        pytest.param(account(SCOPE={"organization": 12, "team": 34}), id="scope"),
        pytest.param(account(WEBHOOK_SECRET="hush"), id="webhook"),
        pytest.param({"WORKER": None}, id="no worker"),
        pytest.param(
            {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}, id="encryption"
        ),
        pytest.param(
            {"ACCOUNTS": {"a": {"CLIENT_ID": "i", "CLIENT_SECRET": "s"}}}, id="platform"
        ),
    ],
)
def test_a_right_setting_is_silent(settings, setting):
    assert messages_of(settings, setting, deploy=True) == []


def test_no_setting_at_all_is_silent(settings):
    del settings.CAL_BOOKINGS

    assert not [m for m in run_checks() if str(m.id).startswith("cal_bookings.")]


@pytest.mark.parametrize(
    ("setting", "check_id", "says"),
    [
        pytest.param({"ACOUNTS": {}}, "E001", '"ACCOUNTS"?', id="key of CAL_BOOKINGS"),
        pytest.param(account(API_KEYS=KEY), "E001", '"API_KEY"?', id="key of account"),
        pytest.param(
            account(SCOPE={"organisation": 1}), "E001", '"organization"?', id="of scope"
        ),
        pytest.param(account(xyzzy=1), "E001", "Known keys: ", id="nothing is near"),
        pytest.param(
            {"ACCOUNTS": {"default": {}}}, "E002", "API keys", id="no credential"
        ),
        pytest.param(
            account(API_KEY=""), "E002", "API keys", id="environment is not set"
        ),
        pytest.param(account(ACCESS_TOKEN="t"), "E002", "Remove other", id="two"),
        pytest.param(account(BASE_URL="api.cal.com/v2"), "E003", "https", id="scheme"),
        pytest.param(account(BASE_URL="https:///v2"), "E003", "https", id="no host"),
        pytest.param(account(BASE_URL="https://[::1/v2"), "E003", "https", id="broken"),
        pytest.param(account(BASE_URL=5), "E003", "https", id="no text"),
        pytest.param(account(BASE_URL="https://api.cal.com"), "E003", "/v2", id="v2"),
        pytest.param(
            account(BASE_URL="https://u:sesame@cal.example.com/v2"),
            "E003",
            "https",
            id="credential in the URL",
        ),
        pytest.param(
            account(BASE_URL="https://api.cal.com/v2?apiKey=sesame"),
            "E003",
            "https",
            id="credential in the query",
        ),
        pytest.param(
            {"ENCRYPTION_KEYS": ["sesame"]}, "E004", "generate_key", id="not Fernet"
        ),
        pytest.param({"ENCRYPTION_KEYS": [7]}, "E004", "generate_key", id="not text"),
        pytest.param({"ENCRYPTION_KEYS": "sesame"}, "E005", "settings.md", id="str"),
        pytest.param({"WORKER": "celary"}, "E005", "settings.md", id="worker"),
        pytest.param([], "E005", "settings.md", id="not a dict"),
        pytest.param({"ACCOUNTS": [KEY]}, "E005", "settings.md", id="accounts"),
        pytest.param({"ACCOUNTS": {"a": KEY}}, "E005", "settings.md", id="account"),
        pytest.param(account(SCOPE={"user": 56}), "E008", "organization", id="user"),
        pytest.param(
            account(SCOPE={"organization": 12, "team": 34, "user": 56}),
            "E008",
            "organization",
            id="user and team",
        ),
        pytest.param(account(SCOPE=[34]), "E005", "settings.md", id="scope"),
        pytest.param(account(SCOPE={"team": "x"}), "E005", "settings.md", id="id"),
        pytest.param(
            {"ACCOUNTS": {"my site": {"API_KEY": KEY}}}, "E006", "letters", id="alias"
        ),
        pytest.param(
            {"ACCOUNTS": {7: {"API_KEY": KEY}}}, "E006", "letters", id="number"
        ),
    ],
)
def test_a_mistake_is_named_with_its_cure(settings, setting, check_id, says):
    [message] = messages_of(settings, setting)

    assert message.id == f"cal_bookings.{check_id}"
    assert says in message.hint
    assert "sesame" not in f"{message.msg}{message.hint}"


@pytest.mark.parametrize("limit", [0, -1, 1.5, "120", True])
def test_a_rate_limit_is_a_number_of_requests(settings, limit):
    [message] = messages_of(settings, {"RATE_LIMIT": limit})

    assert message.id == "cal_bookings.E005"


@pytest.mark.parametrize(
    ("broker", "backend", "warned"),
    [
        ("amqp://rabbit", "locmem.LocMemCache", True),
        ("redis://redis", "dummy.DummyCache", True),
        ("redis://redis", "filebased.FileBasedCache", True),
        ("redis://redis", "db.DatabaseCache", True),
        ("redis://redis", "redis.RedisCache", False),
        ("memory://", "locmem.LocMemCache", False),
        (None, "locmem.LocMemCache", False),
    ],
)
def test_workers_without_a_shared_cache_are_a_warning(
    settings, broker, backend, warned
):
    settings.CELERY_BROKER_URL = broker
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "budget": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": "x"},
    }

    messages = messages_of(settings, {"CACHE": "budget"})

    assert [m.id for m in messages] == ["cal_bookings.W002"] * warned


def test_a_cache_that_does_not_exist_is_an_error(settings):
    [message] = messages_of(settings, {"CACHE": "budgets"})

    assert message.id == "cal_bookings.E007"
    assert "default" in message.hint


def test_every_account_is_checked(settings):
    messages = messages_of(settings, {"ACCOUNTS": {"one": {}, "two": {}}})

    assert ['["one"]' in m.msg for m in messages] == [True, False]


@pytest.mark.parametrize(
    ("base_url", "warned"),
    [
        ("http://cal.example.com/v2", True),
        ("http://localhost:5555/v2", False),
        ("http://127.0.0.1:5555/v2", False),
        ("http://[::1]:5555/v2", False),
        ("https://cal.example.com/v2", False),
    ],
)
def test_plain_http_is_a_warning_where_it_is_deployed(settings, base_url, warned):
    setting = account(BASE_URL=base_url)

    assert [m.id for m in messages_of(settings, setting, deploy=True)] == [
        "cal_bookings.W001"
    ] * warned
    assert messages_of(settings, setting, deploy=False) == []


def test_a_broken_setting_does_not_break_the_deployment_check(settings):
    for setting in [[], {"ACCOUNTS": [KEY]}, account(BASE_URL="http://[::1/v2")]:
        assert len(messages_of(settings, setting, deploy=True)) == 1


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("TIMEOUT", 5, "two numbers"),
        ("TIMEOUT", ("5", 30), "two numbers"),
        ("TIMEOUT", (0, 30), "above 0"),
        ("LEASE_SECONDS", "300", "a number of seconds"),
        ("LEASE_SECONDS", 0, "above 0"),
        ("ACTION_SETTLE_SECONDS", "ten minutes", "a number of seconds"),
        ("ACTION_SETTLE_SECONDS", None, "a number of seconds"),
        ("ACTION_SETTLE_SECONDS", -5, "a number of seconds"),
        ("CACHE", ["x"], "the alias of a cache"),
        ("PAGE_SIZE", 0, "from 2 on"),
        ("INTERVALS", {"hourly": 3600}, '"changes", "window", "full"'),
        ("INTERVALS", {"changes": "1 min"}, '"changes", "window", "full"'),
        ("PAGES_PER_TASK", 0, "from 1 on"),
        ("QUEUE", "", "the name of a Celery queue"),
        ("WINDOW_DAYS", 60, "back and ahead"),
        ("OVERLAP_SECONDS", -1, "a number of seconds"),
        ("KEEP_DAYS", {"bookings": 30}, '"runs", "history", "actions"'),
        ("KEEP_DAYS", {"runs": "a month"}, '"runs", "history", "actions"'),
        ("KEEP_DAYS", 30, '"runs", "history", "actions"'),
        ("ALLOWED_SERVERS", ["cal.example.com", 7], "a list of host names"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(settings, key, value, wanted):
    (error,) = messages_of(settings, {key: value})

    assert (error.id, wanted in error.msg) == ("cal_bookings.E005", True)


@pytest.mark.parametrize("key", conf.DEFAULTS)
def test_no_key_accepts_any_value(settings, key):
    errors = messages_of(settings, {key: object()})

    assert [error.id for error in errors] == ["cal_bookings.E005"]
    assert f'["{key}"]' in errors[0].msg


@pytest.mark.parametrize(
    ("setting", "warned"),
    [
        ({"LEASE_SECONDS": 270}, True),
        ({"LEASE_SECONDS": 271}, False),
        ({"LEASE_SECONDS": 300, "TIMEOUT": (5, 75)}, True),
        ({"LEASE_SECONDS": 301, "TIMEOUT": (5, 75)}, False),
    ],
)
def test_a_lease_shorter_than_the_work_it_covers_is_a_warning(
    settings, setting, warned
):
    assert [m.id for m in messages_of(settings, setting)] == [
        "cal_bookings.W003"
    ] * warned


def test_some_intervals_may_be_given_and_the_others_keep_their_default(settings):
    assert messages_of(settings, {"INTERVALS": {"changes": 30}}) == []
    assert (conf.interval("changes"), conf.interval("window")) == (30, 3600)


def test_some_ages_may_be_given_and_the_others_keep_their_default(settings):
    assert messages_of(settings, {"KEEP_DAYS": {"runs": 7, "history": None}}) == []
    assert conf.keep_days() == {
        "runs": 7,
        "history": None,
        "actions": 365,
        "deliveries": 30,
    }
