"""Rows of every model with the word "canary" in everything that is personal, and who may look at them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import models
from django.utils import timezone

from cal_bookings import mirror, outbox, privacy, sentences
from cal_bookings.models import (
    Account,
    ActionAttempt,
    Attendee,
    Booking,
    BookingAction,
    BookingChange,
    EventType,
    SlotReservation,
    SyncRun,
    SyncState,
    WalkPage,
    WebhookDelivery,
    WebhookReceiver,
)
from cal_bookings.outbox import kinds
from cal_bookings.outbox.messages import ActionText
from tests.builders import attendee_payload, booking_payload, host_payload

CANARY = "canary"
ADDRESS = "canary@example.net"
ADDED = ActionText.WORDS(words=f"Added: {ADDRESS}")
#: Nothing listens there: what asks Cal.com is refused at once.
NOWHERE = "http://127.0.0.1:9/v2"


def personal_payload(uid: str, start: datetime, **fields: Any) -> dict[str, Any]:
    """A booking of Cal.com on which everything that is personal holds a canary."""
    person = attendee_payload(
        "Canary Attendee",
        email=ADDRESS,
        displayEmail=ADDRESS,
        timeZone="Canary/Islands",
        language="canary",
        phoneNumber="+34 canary",
        seatUid=f"canary-seat-{uid}",
        metadata={"who": "canary"},
        bookingFieldsResponses={"name": "Canary Attendee"},
    )
    return booking_payload(
        f"canary-uid-{uid}",
        start=start,
        title="Tea with Canary Attendee",
        description="canary description",
        location="https://meet.example.com/canary",
        hosts=[host_payload("Ada", email="canary-host@example.com")],
        attendees=[person],
        guests=["canary-guest@example.net"],
        metadata={"videoCallUrl": "https://meet.example.com/canary"},
        bookingFieldsResponses={"name": "Canary Attendee", "email": ADDRESS},
        cancellationReason="canary is ill",
        cancelledByEmail=ADDRESS,
        reschedulingReason="canary is late",
        rescheduledByEmail=ADDRESS,
        rescheduledFromUid=f"canary-from-{uid}",
        recurringBookingUid="canary-series",
        icsUid=f"canary-{uid}@Cal.com",
        **fields,
    )


@dataclass
class Rows:
    """The rows, and those among the bookings that tests name."""

    account: Account
    waiting: Booking
    over: Booking
    gone: Booking
    actions: list[BookingAction]

    @property
    def bookings(self) -> list[Booking]:
        return [self.waiting, self.over, self.gone]


def make_rows() -> Rows:
    """Needs an encryption key in the settings."""
    credentials: Any = {"API_KEY": "cal_canary"}
    webhook_secrets: Any = {"SECRETS": ["whsec_canary"]}
    account = Account.objects.create(
        alias="desk",
        base_url=NOWHERE,
        dialect="cursor",
        credentials=credentials,
        webhook_secrets=webhook_secrets,
        circuit_key="canary",
        owner_key="canary",
        source_key="canary",
    )
    now = timezone.now().replace(microsecond=0)
    payloads = [
        personal_payload("waiting", now + timedelta(days=1), status="pending"),
        personal_payload("over", now - timedelta(days=1)),
        personal_payload(
            "gone", now, status="cancelled", rescheduledToUid="canary-to-gone"
        ),
    ]
    mirror.upsert(
        account,
        payloads,
        asked_at=timezone.now(),
        api_version="2024-08-13",
        source=BookingChange.Source.WALK,
    )
    EventType.objects.update(payload={"users": [{"id": 7, "email": ADDRESS}]})
    by_uid = {booking.uid: booking for booking in Booking.objects.all()}
    waiting, over, gone = (
        by_uid[f"canary-uid-{name}"] for name in ("waiting", "over", "gone")
    )
    _make_history(waiting)
    _make_runs(account)
    _make_deliveries(account)
    _make_reservations(account)
    return Rows(account, waiting, over, gone, _make_actions(waiting, over))


def _make_history(booking: Booking) -> None:
    new: Any = {
        field.name: ["canary before", "canary after"]
        for field in Booking._meta.concrete_fields
        if not privacy.is_impersonal(Booking, field.name)
    }
    host = {"remote_id": 1, "name": "Ada", "email": "canary-host@example.com"}
    new |= {"status": ["pending", "accepted"], "hosts": [[host], [host, host]]}
    new["attendees"] = [[], [{"name": "Canary", "email": ADDRESS}]]
    booking.changes.create(source="walk", changes=new, changed_at=timezone.now())


def _make_runs(account: Account) -> None:
    failure = {"place": "page 1, booking 2", "uid": "canary-uid", "error": "no start"}
    SyncRun.objects.create(
        account=account, mode="full", started_at=timezone.now(), failures=[failure]
    )
    state = SyncState.objects.create(
        account=account, mode="full", checkpoint={"position": "canary"}
    )
    WalkPage.objects.create(state=state, number=0)


def _make_deliveries(account: Account) -> None:
    WebhookReceiver.objects.create(
        account=account, path_id="canary-address", former_path_id="canary-former"
    )
    WebhookDelivery.objects.create(
        account=account,
        body_hash="0" * 64,
        trigger="BOOKING_REJECTED",
        uid="canary-uid-waiting",
        old_uid="canary-from-waiting",
        seat_uid="canary-seat-waiting",
        mark="canary-mark",
        rejection_reason="canary is unknown here",
    )


def _make_reservations(account: Account) -> None:
    now = timezone.now()
    SlotReservation.objects.create(
        account=account,
        event_type_remote_id=1,
        start=now,
        until=now,
        uid="canary-reservation",
    )


def _make_actions(waiting: Booking, over: Booking) -> list[BookingAction]:
    """One that waits, and failed ones whose repetition is refused for reasons that name people."""
    failed = [
        (over, kinds.MarkAbsent(attendees={"canary-gone@example.net": True})),
        (waiting, kinds.RemoveAttendee(email="canary-gone@example.net")),
        (waiting, kinds.AddGuests(guests=[{"email": ADDRESS}])),
        (waiting, kinds.AddAttendee(attendee={"email": "canary", "name": "Canary"})),
        (waiting, kinds.UpdateLocation(location={"type": "canary"})),
    ]
    open_one = outbox.confirm(waiting)
    _fill(open_one)
    actions = [_failed(booking, kind) for booking, kind in failed]
    return [open_one, *actions]


def _failed(booking: Booking, kind: kinds.Kind) -> BookingAction:
    now = timezone.now()
    action = BookingAction.objects.create(
        account=booking.account,
        booking=booking,
        kind=kind.name,
        parameters=kind.parameters,
        status="failed",
        lane=booking.uid,
        deadline=now,
        ended_at=now,
        error_code="conflict",
    )
    _fill(action)
    return action


def _fill(action: BookingAction) -> None:
    seen = {"uid": "canary-uid", "attendees": [{"email": ADDRESS}]}
    columns: Any = {
        "result_uid": "canary-result",
        "seen": seen,
        "found": seen,
        **sentences.columns("note", ActionText.WORDS(words="canary note")),
        **sentences.columns("error_message", ADDED),
    }
    BookingAction.objects.filter(pk=action.pk).update(**columns)
    if not action.parameters:
        BookingAction.objects.filter(pk=action.pk).update(parameters={})
    ActionAttempt.objects.create(
        action=action,
        worker="worker",
        error_code="canary",
        **sentences.columns("error_message", ADDED),
    )


def holds_canary(value: Any) -> bool:
    return CANARY in str(value).lower()


def rows_of(model: type[models.Model]) -> Any:
    return model._default_manager.all()


#: Personal columns that hold no text, or no text of their own.
WITHOUT_TEXT = {(Attendee, "booking"), (Attendee, "position"), (Attendee, "absent")}


def person(*codenames: str, name: str = "sam") -> User:
    """Somebody who may enter the admin and has just these permissions."""
    user = User.objects.create_user(f"{name}-{User.objects.count()}", is_staff=True)
    ours = Permission.objects.filter(content_type__app_label="cal_bookings")
    user.user_permissions.set(ours.filter(codename__in=codenames))
    return user


def all_but_people() -> list[str]:
    """The codenames of all permissions of the app but the one to view attendees."""
    ours = Permission.objects.filter(content_type__app_label="cal_bookings")
    names = ours.exclude(codename="view_attendee")
    return list(names.values_list("codename", flat=True))
