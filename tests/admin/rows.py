"""Rows for the admin to show, and the addresses of its pages."""

import datetime as dt

from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from cal_bookings.models import (
    Account,
    Booking,
    EventType,
    Host,
    SyncRun,
    SyncState,
    WebhookDelivery,
)


def make_booking(account, uid="uid-1", **fields):
    booking = new_booking(account, uid, **fields)
    booking.save()
    return booking


def make_bookings(account, count):
    """So many at once."""
    rows = [new_booking(account, f"many-{n}") for n in range(count)]
    Booking.objects.bulk_create(rows)


def new_booking(account, uid, **fields):
    start = fields.pop("start", None) or timezone.now()
    fields = {"title": "Tea", "status": "accepted", "duration": 30, **fields}
    return Booking(
        account=account,
        uid=uid,
        start=start,
        end=start + dt.timedelta(minutes=30),
        first_seen_at=start,
        mirrored_at=start,
        **fields,
    )


def populate(account, numbers):
    """One row of each model for each number."""
    now = timezone.now()
    for n in numbers:
        own = Account.objects.create(alias=f"account-{n}")
        kind = EventType.objects.create(account=own, remote_id=n, mirrored_at=now)
        host = Host.objects.create(
            account=account, remote_id=n, name=f"Ada {n}", mirrored_at=now
        )
        booking = make_booking(account, f"uid-{n}", event_type=kind)
        booking.hosts.add(host)
        booking.attendees.create(position=0, name=f"Ben {n}")
        booking.changes.create(
            source="walk", changes={"title": ["", "Tea"]}, changed_at=now
        )
        booking.actions.create(account=own, kind="confirm", deadline=now)
        SyncRun.objects.create(account=own, mode="full", started_at=now)
        SyncState.objects.create(account=own, mode="full")
        WebhookDelivery.objects.create(account=own, body_hash=str(n), uid=f"uid-{n}")


def page_of(row):
    name = f"admin:cal_bookings_{row._meta.model_name}_change"
    return reverse(name, args=[row.pk])


def list_of(model):
    return reverse(f"admin:cal_bookings_{model._meta.model_name}_changelist")


def staff(*codenames):
    """Somebody who may enter the admin and has these permissions."""
    user = User.objects.create_user(f"sam-{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def messages_of(response):
    """The texts that staff see above the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]
