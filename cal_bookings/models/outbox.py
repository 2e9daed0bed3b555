"""The outbox: the actions that people request on Cal.com, and every attempt at them."""

from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cal_bookings import db
from cal_bookings.models.account import Account
from cal_bookings.models.booking import Booking
from cal_bookings.models.leases import Leased, is_free


def set_null_where_stored(
    collector: Any, field: Any, sub_objs: Any, using: str
) -> None:
    """Set the references to a deleted user to NULL, like SET_NULL, if the actions are in the user's database.

    If a router keeps the actions in another database, `using` has no table of them, and an action keeps the number of
    a user that no longer exists.
    """
    if using == db.alias():
        models.SET_NULL(collector, field, sub_objs, using)


# SET_NULL has this attribute too: without it, Django queries the actions before it calls the function.
set_null_where_stored.lazy_sub_objs = True  # type: ignore[attr-defined]

FAILED_LATELY = timedelta(days=7)


class BookingActionQuerySet(models.QuerySet["BookingAction"]):
    def open(self) -> Self:
        """Return the actions that have not ended."""
        return self.filter(status__in=BookingAction.OPEN)

    def due(self) -> Self:
        """Return the open actions whose time has come and that no worker holds.

        The actions of a lane wait for one another all the same: see `first_in_lane`.
        """
        return self.open().filter(is_free(), next_attempt_at__lte=timezone.now())

    def first_in_lane(self) -> Self:
        """Return the actions without an earlier open action in their lane.

        No earlier action can appear later, because a lane is locked while an action is enqueued.
        """
        same_lane = {"account": OuterRef("account"), "lane": OuterRef("lane")}
        earlier = BookingAction.objects.open().filter(
            **same_lane, pk__lt=OuterRef("pk")
        )
        return self.filter(~Exists(earlier))


class BookingAction(Leased):
    """An action on a booking on Cal.com. It is written in the transaction of the caller.

    A worker writes `sent_at` before it sends. While `sent_at` is set, Cal.com may have carried the action out, and the
    next step is to read the booking.
    """

    class Kind(models.TextChoices):
        CREATE = "create", _("create")
        RESCHEDULE = "reschedule", _("reschedule")
        REQUEST_RESCHEDULE = "request_reschedule", _("request a reschedule")
        CANCEL = "cancel", _("cancel")
        CONFIRM = "confirm", _("confirm")
        DECLINE = "decline", _("decline")
        REASSIGN = "reassign", _("reassign")
        MARK_ABSENT = "mark_absent", _("mark absent")
        UPDATE_LOCATION = "update_location", _("update location")
        ADD_ATTENDEE = "add_attendee", _("add attendee")
        REMOVE_ATTENDEE = "remove_attendee", _("remove attendee")
        ADD_GUESTS = "add_guests", _("add guests")

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")
        UNKNOWN = "unknown", _("unknown")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    OPEN = (Status.QUEUED, Status.SENDING, Status.UNKNOWN)

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="actions",
        verbose_name=_("account"),
    )
    booking = models.ForeignKey(
        Booking,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="actions",
        verbose_name=_("booking"),
        help_text=_("Empty until Cal.com has created the booking."),
    )
    kind = models.CharField(_("kind"), max_length=30, choices=Kind)
    parameters = models.JSONField(_("parameters"), default=dict)
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.QUEUED
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        set_null_where_stored,
        null=True,
        blank=True,
        related_name="+",
        # A router may keep the users in another database than the actions.
        db_constraint=False,
        verbose_name=_("requested by"),
    )
    seen = models.JSONField(
        _("seen"),
        default=dict,
        encoder=DjangoJSONEncoder,
        help_text=_("What the booking looked like to the person."),
    )
    found = models.JSONField(
        _("found"),
        default=dict,
        blank=True,
        encoder=DjangoJSONEncoder,
        help_text=_("What it looked like on Cal.com when it was sent, or ended."),
    )
    lane = models.CharField(
        _("lane"),
        max_length=255,
        help_text=_(
            "Actions of one lane go one after another: a booking, or a series."
        ),
    )
    enqueued_at = models.DateTimeField(_("enqueued at"), default=timezone.now)
    next_attempt_at = models.DateTimeField(_("next attempt at"), default=timezone.now)
    deadline = models.DateTimeField(
        _("deadline"), help_text=_("The action is not sent after this time.")
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(
        _("sent at"),
        null=True,
        blank=True,
        help_text=_("Set while Cal.com may have carried it out."),
    )
    settles_at = models.DateTimeField(
        _("settles at"),
        null=True,
        blank=True,
        help_text=_("Until then an effect may still appear."),
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    result_uid = models.CharField(_("resulting booking"), max_length=255, blank=True)
    note = models.TextField(
        _("note"),
        blank=True,
        help_text=_("Additional information about a completed action."),
    )
    #: The codes and parameters of `note`: see `cal_bookings.sentences`.
    note_sentences = models.JSONField(null=True, editable=False)
    error_code = models.CharField(_("error code"), max_length=100, blank=True)
    error_message = models.TextField(_("error message"), blank=True)
    #: The codes and parameters of `error_message`: see `cal_bookings.sentences`.
    error_message_sentences = models.JSONField(null=True, editable=False)

    objects = BookingActionQuerySet.as_manager()

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ["-pk"]
        indexes = [
            # Due actions, and open actions of a lane: few among all actions ever made.
            models.Index(
                fields=["status", "next_attempt_at"], name="cal_action_status_due"
            ),
            models.Index(
                fields=["account", "lane", "status"], name="cal_action_lane_status"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    @classmethod
    def failed_lately(cls) -> Q:
        """Return the condition for actions that failed in the last week."""
        since = timezone.now() - FAILED_LATELY
        return Q(status=cls.Status.FAILED, ended_at__gte=since)

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class ActionAttempt(models.Model):
    """A worker's turn at an action. The row is written before the first request, so that interrupted turns show."""

    class Outcome(models.TextChoices):
        UNDER_WAY = "under way", _("in progress or interrupted")
        ALREADY = "already so", _("already in effect")
        ANSWERED = "answered", _("Cal.com's response shows it")
        VERIFIED = "verified", _("verified by reading")
        CONFLICT = "conflict", _("conflict")
        REFUSED = "refused", _("refused")
        DEFERRED = "deferred", _("deferred")
        LOST = "lost", _("no usable response")
        NO_EFFECT = "no effect", _("response without effect")
        NOT_YET = "not yet", _("effect not visible yet")
        EXPIRED = "expired", _("too late")
        GIVEN_UP = "given up", _("given up")
        SUPERSEDED = "superseded", _("another worker took over")

    action = models.ForeignKey(
        BookingAction,
        models.CASCADE,
        related_name="history",
        verbose_name=_("action"),
    )
    began_at = models.DateTimeField(_("began at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=255)
    sent = models.BooleanField(_("sent"), default=False)
    requests = models.PositiveIntegerField(_("requests"), default=0)
    outcome = models.CharField(
        _("outcome"), max_length=20, choices=Outcome, default=Outcome.UNDER_WAY
    )
    http_status = models.PositiveIntegerField(_("HTTP status"), null=True, blank=True)
    request_id = models.CharField(_("Cal.com's request id"), max_length=100, blank=True)
    error_code = models.CharField(_("error code"), max_length=100, blank=True)
    error_message = models.TextField(_("error message"), blank=True)
    #: The codes and parameters of `error_message`: see `cal_bookings.sentences`.
    error_message_sentences = models.JSONField(null=True, editable=False)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M:%S} {self.get_outcome_display()}"
