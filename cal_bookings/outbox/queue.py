"""The queue: actions are proposed, decided on and enqueued together, and taken out when they are due.

One action and many actions take the same statements, apart from the rows of the single insert.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, prefetch_related_objects
from django.utils import timezone

from cal_bookings import db, signals
from cal_bookings.client import parse_booking
from cal_bookings.models import Account, Booking, BookingAction
from cal_bookings.outbox import held_slots, refusals
from cal_bookings.outbox.kinds import Kind, Refused
from cal_bookings.outbox.parameters import check_parameters
from cal_bookings.outbox.refusals import OpenAction
from cal_bookings.outbox.snapshots import facts


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed action, which ``outbox.cancel.propose(…)`` and its like make, and this module decides on."""

    kind: Kind
    #: The booking as the person saw it; not saved if the action is to create it.
    booking: Booking
    requested_by: Any = None
    #: The deadline, aware; by default the time from which the action is pointless.
    deadline: datetime | None = None
    #: The reason why the intent refuses the action, whatever the state of the booking.
    refusal: Refused | None = None
    #: The reservation of the slot that is to be booked, which the action takes over.
    reservation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on one proposal: the `action`, which `examine` does not save, or else the `refusal`."""

    booking: Booking
    action: BookingAction | None = None
    refusal: Refused | None = None


def enqueue(
    kind: Kind,
    booking: Booking,
    *,
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """Put an action into the outbox, in the caller's transaction: it is there if and only if that commits.

    `booking` is the version that the person saw; an unsaved booking is to be created. After `deadline` (aware; by
    default when the action becomes pointless) the action is no longer sent. Raises Refused with the cure, and makes no
    request.
    """
    return enqueue_proposal(Proposal(kind, booking, requested_by, deadline))


def enqueue_proposal(proposal: Proposal) -> BookingAction:
    """Put one proposal into the outbox, as `enqueue` does.

    The booking may have changed since the person saw it: the worker compares the facts that matter for the action.
    """
    with db.atomic():
        action = _Situation([proposal], lock=True).accept(proposal)
        _save([(proposal, action)])
    return action


def enqueue_many(
    proposals: Iterable[Proposal | tuple[Kind, Booking]], *, requested_by: Any = None
) -> list[Decision]:
    """Put all acceptable proposals into the outbox, in the caller's transaction, and return a decision on each.

    The bookings are the versions that the person saw, read with their `payload_hash`: a booking of which the mirror has
    another version by now is refused. Makes no request. Locks the bookings and their series in the order of primary
    keys, as `enqueue` does.
    """
    complete = _complete(proposals, requested_by)
    with db.atomic():
        decisions = _decide(complete, lock=True)
        _save(
            [
                (proposal, decision.action)
                for proposal, decision in zip(complete, decisions, strict=True)
                if decision.action
            ]
        )
    return decisions


def examine(
    proposals: Iterable[Proposal | tuple[Kind, Booking]], *, requested_by: Any = None
) -> list[Decision]:
    """Return what `enqueue_many` would decide, in the order of the proposals. Writes and locks nothing."""
    return _decide(_complete(proposals, requested_by), lock=False)


def due(limit: int, *, account: Account | None = None) -> list[int]:
    """Return the primary keys of the actions that are due, one action of each lane, the longest due first.

    The actions of accounts that are not active, or paused by hand, wait until somebody activates or resumes the
    account.
    """
    ready = BookingAction.objects.due().first_in_lane()
    ready = ready.filter(account__paused_at=None, account__is_active=True)
    if account:
        ready = ready.filter(account=account)
    ordered = ready.order_by("next_attempt_at", "pk")
    return list(ordered.values_list("pk", flat=True)[:limit])


def following(action: BookingAction) -> int | None:
    """Return the primary key of the action that waited for this action to end, if it is due now."""
    waiting = BookingAction.objects.due().filter(
        account=action.account_id, lane=action.lane
    )
    return waiting.order_by("pk").values_list("pk", flat=True).first()


def lateness() -> timedelta:
    """Return how long the longest due action has waited; zero if none is due. Monitor it and set an alarm on it."""
    now = timezone.now()
    due = BookingAction.objects.due().filter(account__is_active=True)
    first = due.order_by("next_attempt_at").first()
    return now - first.next_attempt_at if first else timedelta(0)


def lane_of(booking: Booking) -> str:
    """Return the lane, whose actions go one after another: the actions on a booking, or on all of its series."""
    return booking.recurring_booking_uid or booking.uid


def new_action(
    kind: Kind,
    booking: Booking,
    now: datetime,
    *,
    requested_by: Any,
    seen: Booking | None = None,
) -> BookingAction:
    """Return the row of a new action, not saved.

    It keeps the facts of the booking as the person saw it, who may have `seen` an earlier version.
    """
    is_saved = booking.pk is not None
    return BookingAction(
        account_id=booking.account_id,
        booking=booking if is_saved else None,
        kind=kind.name,
        parameters=kind.parameters,
        requested_by=requested_by,
        seen=facts(parse_booking((seen or booking).payload)) if is_saved else {},
        lane=lane_of(booking),
        enqueued_at=now,
        next_attempt_at=now,
        deadline=kind.deadline(booking, now),
    )


class _Situation:
    """The current state of the bookings of some proposals, and the open actions on them or their series."""

    def __init__(self, proposals: Sequence[Proposal], *, lock: bool) -> None:
        self._now = timezone.now()
        seen = [proposal.booking for proposal in proposals]
        self._bookings = _current(seen, lock=lock)
        self._open = _open_actions(self._bookings.values())
        wanted = [each.reservation_id for each in proposals if each.reservation_id]
        self._free_reservations = held_slots.free(wanted, lock=lock)

    def accept(self, proposal: Proposal) -> BookingAction:
        """Return the requested action, not saved, and count it as open; raise Refused if it cannot be done."""
        kind, booking, now = proposal.kind, self.current(proposal), self._now
        if proposal.refusal:
            raise proposal.refusal
        if not _account_is_active(booking):
            refusals.refuse_inactive(booking.account)
        # The account is the instance that the person has: a page that shows the booking has read it already.
        refusals.refuse_anonymous(kind, proposal.booking)
        check_parameters(kind)
        kind.check(booking, now)
        reservation_id = proposal.reservation_id
        if reservation_id and reservation_id not in self._free_reservations:
            held_slots.refuse()
        open_actions = self._open[booking.account_id, lane_of(booking)]
        for open_action in open_actions:
            refusals.refuse_contradiction(kind, booking, open_action)
        who, seen = proposal.requested_by, proposal.booking
        action = new_action(kind, booking, now, requested_by=who, seen=seen)
        if proposal.deadline:
            refusals.refuse_deadline(proposal.deadline, now)
            action.deadline = proposal.deadline
        open_actions.append(OpenAction(action, kind, booking))
        if reservation_id:
            self._free_reservations.discard(reservation_id)
        return action

    def current(self, proposal: Proposal) -> Booking:
        """Return the current booking, or the draft of a booking to create; raise Refused if the booking was deleted."""
        booking = proposal.booking
        if not booking.pk and proposal.kind.name == BookingAction.Kind.CREATE:
            return booking
        return self._bookings.get(booking.pk) or refusals.refuse_deleted()


def _decide(proposals: Sequence[Proposal], *, lock: bool) -> list[Decision]:
    situation = _Situation(proposals, lock=lock)
    return [_decision(situation, proposal) for proposal in proposals]


def _complete(
    proposals: Iterable[Proposal | tuple[Kind, Booking]], requested_by: Any
) -> list[Proposal]:
    """Return the proposals, with `requested_by` as the person of each proposal that names no person."""
    made = [
        proposal if isinstance(proposal, Proposal) else Proposal(*proposal)
        for proposal in proposals
    ]
    return [
        replace(proposal, requested_by=proposal.requested_by or requested_by)
        for proposal in made
    ]


def _decision(situation: _Situation, proposal: Proposal) -> Decision:
    booking = proposal.booking
    try:
        booking = situation.current(proposal)
        refusals.refuse_changed(proposal.booking, booking)
        action = situation.accept(replace(proposal, booking=booking))
    except Refused as refusal:
        return Decision(booking, refusal=refusal)
    return Decision(booking, action)


def _save(accepted: Sequence[tuple[Proposal, BookingAction]]) -> None:
    BookingAction.objects.bulk_create([action for _proposal, action in accepted])
    for proposal, action in accepted:
        if proposal.reservation_id:
            held_slots.take_over(proposal.reservation_id, action)
        signals.send_after_commit(signals.action_enqueued, BookingAction, action=action)


def _current(bookings: Sequence[Booking], *, lock: bool) -> dict[int, Booking]:
    """Return the current bookings by primary key, with `account_is_active`.

    With `lock` nobody else enqueues on them, or on their series, until the transaction ends. Rows are locked in the
    order of primary keys, so that two concurrent calls wait for each other and do not deadlock.
    """
    wanted = Q(pk__in=[booking.pk for booking in bookings if booking.pk])
    series = {booking.recurring_booking_uid for booking in bookings} - {""}
    rows = Booking.objects.order_by("pk")
    if lock:
        rows = rows.select_for_update()
        if series:
            accounts = {booking.account_id for booking in bookings}
            others = Q(account__in=accounts, recurring_booking_uid__in=series)
            list(rows.filter(wanted | others).values_list("pk"))
    # The account is not joined, because its row would be locked with the bookings' rows.
    active = Account.objects.active().filter(pk=OuterRef("account"))
    current = list(rows.filter(wanted).annotate(account_is_active=Exists(active)))
    if len(current) > 1:  # a single booking reads what its check needs
        prefetch_related_objects(current, "account", "event_type")
    return {booking.pk: booking for booking in current}


def _account_is_active(booking: Booking) -> bool:
    """Return whether the account is active, which `_current` reads with the booking; a draft has its account."""
    annotated: bool | None = getattr(booking, "account_is_active", None)
    return booking.account.is_active if annotated is None else annotated


def _open_actions(
    bookings: Iterable[Booking],
) -> defaultdict[tuple[int, str], list[OpenAction]]:
    """Return the open actions on the bookings or their series, by account and lane."""
    lanes = {(booking.account_id, lane_of(booking)) for booking in bookings}
    rows = BookingAction.objects.open().filter(
        account__in={account for account, _lane in lanes},
        lane__in={lane for _account, lane in lanes},
    )
    by_lane = defaultdict(list)
    for row in rows.select_related("booking"):
        by_lane[row.account_id, row.lane].append(OpenAction.read(row))
    return by_lane
