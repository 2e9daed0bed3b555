"""SQLite with the options of docs/operations.md: a walk in one process while another one writes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sync.conftest import ROOT, Worker

#: Reads and then writes in one transaction, as a web page does, until it is stopped.
WRITER = """
import os, time
os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
import django
django.setup()
from django.contrib.auth.models import Group
from django.db import transaction
print("ready", flush=True)
number = 0
while True:
    with transaction.atomic():
        group, _ = Group.objects.get_or_create(name="written")
        Group.objects.filter(pk=group.pk).update(name="written")
    number += 1
    if number % 10 == 0:
        print(number, flush=True)
    time.sleep(0.01)
"""


@pytest.fixture
def writing(empty_database, settings, tmp_path):
    """A worker on a database in which another process writes all the time; its writes go to a log."""
    url = f"sqlite:///{empty_database()}"
    log = tmp_path / "writer.log"
    with log.open("w") as out:
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    yield Worker(url, settings.CAL_BOOKINGS), writer, log
    writer.kill()
    writer.wait()


def assert_complete_beside_a_writer(cal, writing, gone):
    worker, writer, log = writing
    first = worker.walk(seconds=300)
    for uid in cal.bookings[:: len(cal.bookings) // gone][:gone]:
        cal.delete(uid)

    second = worker.walk(expected=cal.payloads(cal.users[1]), seconds=300)

    assert (first["outcome"], first["failed"]) == ("complete", 0)
    assert (second["outcome"], second["failed"]) == ("complete", 0)
    assert writer.poll() is None, Path(log).read_text()[-2000:]
    assert int(Path(log).read_text().split()[-1]) > 10


@pytest.mark.cal(bookings=1_200, dialect="offset")
def test_a_walk_beside_a_writing_process_completes(cal, writing):
    """More bookings than the vanish phase reads at once."""
    assert_complete_beside_a_writer(cal, writing, gone=12)


@pytest.mark.slow
@pytest.mark.cal(bookings=20_000, dialect="offset")
def test_a_walk_of_20_000_bookings_beside_a_writing_process_completes(cal, writing):
    assert_complete_beside_a_writer(cal, writing, gone=30)
