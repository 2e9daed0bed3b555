"""The example project with a real account, by the README's own lines: a fake Cal.com stands in for the account."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.testing.test_server import free_port

ROOT = Path(__file__).resolve().parent.parent
LINES = (
    (ROOT / "README.md").read_text().split("<!-- example: real account -->\n```sh\n")[1]
)
LINES = LINES.split("```")[0]
USER = {"username": "ada", "password": "a-word-that-nobody-guesses"}
SECONDS = 30  # that the server may take to start


def script(cal, port):
    """The lines, with this machine's Python, the fake's key, and no questions asked."""
    assert "cal_live_…" in LINES
    return (
        LINES.replace(".venv/bin/python", sys.executable)
        .replace("cal_live_…", cal.api_key)
        .replace("createsuperuser", "createsuperuser --noinput")
        .replace("runserver", f"runserver --noreload {port}")
        .replace(
            f"{sys.executable} manage.py runserver",
            f"exec {sys.executable} manage.py runserver",
        )
    )


@pytest.fixture
def site(cal, tmp_path):
    """The address of the site that the lines lead to."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "CAL_BOOKINGS_BASE_URL": cal.url,
        "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
        "DJANGO_SUPERUSER_USERNAME": USER["username"],
        "DJANGO_SUPERUSER_PASSWORD": USER["password"],
        "DJANGO_SUPERUSER_EMAIL": "ada@example.com",
    }
    with (tmp_path / "output").open("w+") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-e", "-c", script(cal, port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/admin/", process, output)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_until_it_answers(address, process, output):
    ends = time.monotonic() + SECONDS
    while True:
        try:
            return requests.get(address, timeout=5)
        except requests.ConnectionError:
            output.seek(0)
            assert process.poll() is None, output.read()
            assert time.monotonic() < ends, output.read()
            time.sleep(0.2)


@pytest.mark.cal(bookings=12)
def test_the_lines_lead_to_an_admin_with_styles_and_a_user_who_can_log_in(site):
    with requests.Session() as browser:
        login = browser.get(f"{site}/admin/", timeout=20)
        for address in re.findall(r'href="(/static/[^"]+css)"', login.text):
            assert browser.get(site + address, timeout=20).status_code == 200
        form = {**USER, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        browser.post(login.url, form, timeout=20)

        page = browser.get(f"{site}/admin/cal_bookings/booking/", timeout=20)

    assert page.status_code == 200
    assert "12 bookings" in page.text
    styles = requests.get(f"{site}/static/cal_bookings/admin.css", timeout=20)
    assert styles.status_code == 200
