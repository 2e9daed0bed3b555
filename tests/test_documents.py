"""The documents say what is so: every setting has its row, and the README's Python runs."""

import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from cal_bookings import conf, signals
from cal_bookings.models import Booking
from cal_bookings.setting_table import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text()
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README + SETTINGS_PAGE, re.DOTALL)


def documented(title):
    """The first column of the table below a heading of docs/settings.md."""
    section = SETTINGS_PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_every_key_of_the_setting_is_documented():
    assert documented("Keys of `CAL_BOOKINGS`") == set(conf.DEFAULTS)


def test_every_key_of_an_account_is_documented():
    assert documented("Keys of one account") == set(conf.ACCOUNT_DEFAULTS)


def test_every_variable_of_the_example_project_is_documented():
    source = (ROOT / "example_project" / "settings.py").read_text()

    read = set(re.findall(r"env\.\w+\(\s*\"(\w+)\"", source))

    assert documented("Environment of the example project") == read


def test_every_check_has_an_id_of_its_own_and_a_row_in_the_documents():
    modules = ("checks.py", "database_checks.py")
    source = "".join((ROOT / "cal_bookings" / each).read_text() for each in modules)

    ids = re.findall(r'id="cal_bookings\.(\w+)"', source)

    assert len(ids) == len(set(ids))
    assert documented("Checks") == set(ids)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_documented_defaults_are_the_defaults(setting):
    default = repr(setting.default).replace("'", '"')

    assert f"| `{setting.name}` | `{default}` |" in SETTINGS_PAGE


@pytest.mark.parametrize("number", range(len(PYTHON_BLOCKS)))
def test_python_in_the_documents_compiles(number):
    compile(PYTHON_BLOCKS[number], f"block {number}", "exec")


def example(name: str) -> dict[str, Any]:
    """The names that an example of the README defines."""
    text = README.split(f"<!-- example: {name} -->\n```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(compile(text, "README.md", "exec"), names)  # noqa: S102 - our own text
    return names


# From Django 6.1 on, a check of its own asks the database whether it knows JSON.
@pytest.mark.django_db
def test_the_settings_of_the_readme_load_without_a_key(monkeypatch):
    """As in an image build, where `collectstatic` runs and no secret is at hand."""
    monkeypatch.delenv("CAL_BOOKINGS_API_KEY", raising=False)
    step = README.split("<!-- install: 2, settings -->\n```python\n")[1].split("```")[0]
    names: dict[str, Any] = {"INSTALLED_APPS": []}

    exec(compile(step, "README.md", "exec"), names)  # noqa: S102 - our own text

    with override_settings(CAL_BOOKINGS=names["CAL_BOOKINGS"]):
        assert [each.id for each in run_checks()] == ["cal_bookings.E002"]


@pytest.mark.django_db
@pytest.mark.cal(bookings=20)
def test_the_example_of_a_test_passes(cal):
    example("test")["test_a_booking_cancelled_on_cal_com_is_cancelled_here"](cal)

    assert Booking.objects.count() == 21


@pytest.mark.django_db(transaction=True)
@pytest.mark.cal(bookings=20)
def test_the_example_of_a_receiver_welcomes_only_a_new_booking(
    cal, mailoutbox, settings
):
    # Django 6.1 wants a mailer to be named.
    backend = "django.core.mail.backends.locmem.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend}}
    welcome = example("mail")["welcome"]

    example("mail test")["test_only_a_new_booking_is_welcomed"](cal, mailoutbox)

    assert mailoutbox[0].subject.startswith("See you at ")
    signals.booking_created.disconnect(welcome)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_between_the_documents_lead_somewhere(name):
    text = (ROOT / name).read_text()

    missing = [
        path
        for path in re.findall(r"\]\((?!https?:)([^)#]+)", text)
        if not (ROOT / path).exists()
    ]

    assert missing == []


TRAVEL = (ROOT / "docs" / "how-an-action-travels.md").read_text()
NAMES = sorted(set(re.findall(r"`(\w+(?:\.\w+)+)`", TRAVEL)) - {"pyproject.toml"})


@pytest.mark.parametrize("name", NAMES)
def test_names_on_the_way_of_an_action_exist(name):
    assert pkgutil.resolve_name(f"cal_bookings.{name}")


def test_the_way_of_an_action_names_what_it_follows():
    assert {"outbox.cancel", "outbox.reassign", "outbox.deliver"} <= set(NAMES)
