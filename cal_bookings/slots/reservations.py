"""Reserve a slot, and keep a row of it from before Cal.com is asked until it has ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from cal_bookings import budget, conf
from cal_bookings.client import (
    Anonymous,
    CalError,
    CalRefused,
    CalUnavailable,
    CalUnexpected,
    RemoteReservation,
)
from cal_bookings.models import Account, EventType, SlotReservation
from cal_bookings.models.slots import SlotReservationQuerySet
from cal_bookings.slots import refusals, releases
from cal_bookings.slots.availability import PATIENCE, remote_id

State = SlotReservation.State

#: The minutes for which Cal.com holds a slot by default.
MINUTES = 5


def reserve(
    account: Account,
    *,
    event_type: EventType | int,
    start: datetime,
    duration: int | None = None,
    minutes: int | None = None,
    reserved_by: Any = None,
    max_wait: float | None = PATIENCE,
) -> SlotReservation:
    """Hold a slot, and return its row. One request, outside any transaction.

    `event_type` is a row or Cal.com's number, `duration` the length in minutes of an event type that has several.
    `minutes`, for how long the slot is held, needs a credential of the event type's owner or team (401, 403
    otherwise); Cal.com's default is five. `reserved_by` is a user of the site. Cal.com checks neither the host's hours
    nor that the slot is to come [rec 029, 455]: take it from `slots.free`.

    Raises SlotRefused: ``taken``, if the slot is booked or reserved (422); ``naive``; ``anonymous``. Raises
    `client.CalError`s and `budget.NotNow`. After a lost answer (`error.may_have_applied`) the slot may be held; the row
    stays, and runs out.
    """
    if start.utcoffset() is None:
        raise refusals.naive("start")
    if minutes is not None and isinstance(account.credential, Anonymous):
        raise refusals.anonymous()
    reservation = SlotReservation.objects.create(
        account=account,
        event_type_remote_id=remote_id(event_type),
        start=start,
        duration=duration,
        until=_at_the_latest(minutes),
        reserved_by=reserved_by,
    )
    try:
        _ask(reservation, minutes, max_wait)
    except _Nothing as nothing:
        reservation.delete()
        raise nothing.error from None
    return reservation


def renew(
    reservation: SlotReservation,
    *,
    minutes: int | None = None,
    max_wait: float | None = PATIENCE,
) -> SlotReservation:
    """Release a slot and reserve it again, since Cal.com extends no reservation. Two requests, outside any transaction.

    Between the two requests somebody else may reserve or book the slot: then SlotRefused (``taken``) is raised, and the
    reservation is released. Raises SlotRefused (``gone``) for a reservation that is not held, and what
    `reserve` raises.
    """
    if minutes is not None and isinstance(reservation.account.credential, Anonymous):
        raise refusals.anonymous()
    if not reservation.is_held:
        raise refusals.gone()
    with budget.connect(
        reservation.account, priority=budget.Priority.ACTION, max_wait=max_wait
    ) as connection:
        connection.slots().release(reservation.uid)
    renewed = _as_asked(reservation).update(
        state=State.RESERVING, uid="", until=_at_the_latest(minutes)
    )
    reservation.refresh_from_db()
    if not renewed:
        raise refusals.gone()
    try:
        _ask(reservation, minutes, max_wait)
    except _Nothing as nothing:
        _write(reservation, state=State.RELEASED, ended_at=timezone.now())
        raise nothing.error from None
    return reservation


def check(
    reservation: SlotReservation, *, max_wait: float | None = PATIENCE
) -> SlotReservation:
    """Ask Cal.com whether a slot is still held, and until when. One request, outside any transaction.

    A reservation that Cal.com no longer shows has run out, or somebody released it before its time. Raises
    `client.CalError`s and `budget.NotNow`. Makes no request for a reservation that is not held.
    """
    if reservation.state != State.HELD:
        return reservation
    with budget.connect(
        reservation.account, priority=budget.Priority.ACTION, max_wait=max_wait
    ) as connection:
        remote = connection.slots().reservation(reservation.uid)
    if remote:
        learned: dict[str, Any] = {"until": remote.until}
    elif reservation.until <= timezone.now():
        learned = {"state": State.EXPIRED, "ended_at": reservation.until}
    else:
        learned = {"state": State.RELEASED, "ended_at": timezone.now()}
    # Not if it was released or renewed meanwhile: then Cal.com spoke of what was held before.
    _as_asked(reservation).update(**learned)
    reservation.refresh_from_db()
    return reservation


@contextmanager
def hold(account: Account, **wanted: Any) -> Iterator[SlotReservation]:
    """Hold a slot within a ``with`` block, and release it at the end, however the block ends.

    `wanted` are the arguments of `reserve`.
    A reservation that was given to ``outbox.create(reservation=…)`` is released by that action, when its outcome is
    final. Two requests, outside any transaction.
    """
    reservation = reserve(account, **wanted)
    try:
        yield reservation
    finally:
        reservation.refresh_from_db()
        if reservation.action_id is None:
            releases.release(reservation)


class _Nothing(Exception):
    """The reason why nothing was reserved."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def _ask(
    reservation: SlotReservation, minutes: int | None, max_wait: float | None
) -> None:
    """Ask Cal.com for the slot, and write what it returns. Raises _Nothing, or what left it unknown."""
    try:
        with budget.connect(
            reservation.account, priority=budget.Priority.ACTION, max_wait=max_wait
        ) as connection:
            remote = connection.slots().reserve(
                reservation.event_type_remote_id,
                reservation.start,
                duration=reservation.duration,
                minutes=minutes,
            )
    except (budget.NotNow, ImproperlyConfigured) as error:
        raise _Nothing(error) from error
    except CalError as error:
        if error.may_have_applied and isinstance(error, CalUnavailable | CalUnexpected):
            _write(reservation, last_error=error.unquoted)
            raise
        is_taken = isinstance(error, CalRefused) and error.status == 422
        raise _Nothing(refusals.taken() if is_taken else error) from error
    _keep(reservation, remote)


def _keep(reservation: SlotReservation, remote: RemoteReservation) -> None:
    minutes = (remote.end - remote.start) // timedelta(minutes=1)
    _write(
        reservation,
        state=State.HELD,
        uid=remote.uid,
        start=remote.start,
        duration=minutes,
        until=remote.until,
        last_error="",
    )


def _as_asked(reservation: SlotReservation) -> SlotReservationQuerySet:
    """Return the row while it still holds the slot under the uid that Cal.com was asked about."""
    return SlotReservation.objects.filter(
        pk=reservation.pk, state=State.HELD, uid=reservation.uid
    )


def _write(reservation: SlotReservation, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(reservation, name, value)
    reservation.save(update_fields=columns)


def _at_the_latest(minutes: int | None) -> datetime:
    """Return the latest end of a reservation whose request is sent now, whenever the request gets through."""
    connect, read = conf.get("TIMEOUT")
    under_way = timedelta(seconds=connect + conf.WHOLE_RESPONSE * read)
    return timezone.now() + timedelta(minutes=minutes or MINUTES) + under_way
