"""Everything that the admin could show is judged, and what nobody has judged is hidden."""

from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from cal_bookings import privacy
from cal_bookings.admin.bookings import export
from cal_bookings.admin.bookings.booking_admin import BookingAdmin
from cal_bookings.models import Booking
from tests.admin.rows import list_of, page_of
from tests.privacy.canaries import WITHOUT_TEXT, holds_canary, person, rows_of
from tests.privacy.judged import PERSONAL, judged_twice, unjudged


def test_every_column_display_export_and_address_is_judged():
    assert unjudged() == []
    assert judged_twice() == []


#: Encrypted, so that no canary shows.
SEALED = {"credentials", "webhook_secrets"}


@pytest.mark.parametrize("model", [*PERSONAL])
def test_every_personal_column_is_tried_with_a_canary(rows, model):
    columns = {name for name in PERSONAL[model] if (model, name) not in WITHOUT_TEXT}
    values = {
        name: [getattr(row, name) for row in rows_of(model)]
        for name in columns - {"id"}
    }

    silent = [name for name, each in values.items() if not any(map(holds_canary, each))]

    assert [name for name in silent if name not in SEALED] == []


@contextmanager
def planted_column():
    """A new personal column of Booking. It shares the database's column of the title, so that no table changes."""
    field = models.TextField(db_column="title", blank=True, default="")
    field.contribute_to_class(Booking, "voice_note")
    try:
        yield
    finally:
        Booking._meta.local_fields.remove(field)
        meta: Any = Booking._meta
        meta._expire_cache()
        delattr(Booking, "voice_note")


@contextmanager
def planted_page(**attributes: Any):
    """The pages of bookings by an admin class with other attributes, which the addresses of the site lead to."""
    admin.site.unregister(Booking)
    admin.site.register(Booking, type("PlantedAdmin", (BookingAdmin,), attributes))
    try:
        with override_settings(ROOT_URLCONF=(path("admin/", admin.site.urls),)):
            yield
    finally:
        admin.site.unregister(Booking)
        admin.site.register(Booking, BookingAdmin)


def test_a_planted_column_is_caught_and_is_hidden_on_all_pages(client, rows):
    shown = [*BookingAdmin.list_display, "voice_note"]
    fieldsets = [*BookingAdmin.fieldsets, ("New", {"fields": ["voice_note"]})]
    page = planted_page(list_display=shown, fieldsets=fieldsets)

    with planted_column(), page:
        assert unjudged() == ["column Booking.voice_note", "display Booking.voice_note"]
        assert "voice_note" in privacy.hidden_columns(Booking)
        everybody = person("view_booking", "view_attendee"), person("view_booking")
        for user, sees in zip(everybody, [True, False], strict=True):
            client.force_login(user)
            for url in (list_of(Booking), page_of(rows.waiting)):
                html = client.get(url).content.decode()
                assert ("voice_note" in html, "Canary" in html) == (sees, sees)


def test_a_planted_display_export_or_address_is_caught(monkeypatch):
    shown = [*BookingAdmin.list_display, "shoe_size"]
    columns = export.COLUMNS | {"shoe_size": ("shoe size", lambda booking, _: 44)}
    monkeypatch.setattr("tests.privacy.judged.COLUMNS", columns)
    urls = admin.site.get_urls()
    new = path("cal_bookings/shoes/", HttpResponse, name="cal_bookings_shoes")
    monkeypatch.setattr(admin.site, "get_urls", lambda: [new, *urls])

    with planted_page(list_display=shown):
        caught = unjudged()

    assert caught == [
        "address cal_bookings_shoes",
        "display Booking.shoe_size",
        "export shoe_size",
    ]
