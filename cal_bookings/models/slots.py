"""The slots that this site holds on Cal.com, with the holder, the end and the outcome of each reservation."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cal_bookings.models.account import Account
from cal_bookings.models.outbox import BookingAction, set_null_where_stored


class SlotReservationQuerySet(models.QuerySet["SlotReservation"]):
    def open(self) -> Self:
        """Return the reservations that may still hold their slot."""
        return self.filter(state__in=SlotReservation.OPEN)

    def due(self) -> Self:
        """Return the reservations that are to be released now. A reservation that has run out needs no release."""
        now = timezone.now()
        return self.filter(
            state=SlotReservation.State.RELEASING, next_attempt_at__lte=now
        ).filter(until__gt=now)

    def ask_for_release(self) -> int:
        """Mark the held reservations for release by the next sweep, and return their number.

        Runs one UPDATE in the caller's transaction.
        """
        held = self.filter(state=SlotReservation.State.HELD)
        return held.update(
            state=SlotReservation.State.RELEASING, next_attempt_at=timezone.now()
        )

    def expire(self) -> int:
        """Record in one UPDATE the reservations that have run out, whose slots Cal.com offers again."""
        over = self.open().filter(until__lte=timezone.now())
        return over.update(state=SlotReservation.State.EXPIRED, ended_at=F("until"))


class SlotReservation(models.Model):
    """A reservation of a slot, which Cal.com offers to nobody else for some minutes.

    The row is written before the request, so that a reservation is known after a crash; it ends by itself at `until`.
    """

    class State(models.TextChoices):
        RESERVING = "reserving", _("asked for")
        HELD = "held", _("held")
        RELEASING = "releasing", _("to be released")
        RELEASED = "released", _("released")
        EXPIRED = "expired", _("run out")

    OPEN = (State.RESERVING, State.HELD, State.RELEASING)

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="reservations",
        verbose_name=_("account"),
    )
    event_type_remote_id = models.BigIntegerField(_("event type on Cal.com"))
    start = models.DateTimeField(_("start"))
    duration = models.PositiveIntegerField(
        _("minutes"), null=True, blank=True, help_text=_("The length of the slot.")
    )
    uid = models.CharField(
        _("uid"),
        max_length=255,
        blank=True,
        help_text=_("Empty while no answer has shown it."),
    )
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.RESERVING
    )
    until = models.DateTimeField(
        _("until"), help_text=_("Cal.com offers the slot again from then on.")
    )
    reserved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        set_null_where_stored,
        null=True,
        blank=True,
        related_name="+",
        # A router may keep the users in another database than the reservations.
        db_constraint=False,
        verbose_name=_("reserved by"),
    )
    action = models.ForeignKey(
        BookingAction,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="reservations",
        verbose_name=_("action"),
        help_text=_("What books the slot, and releases it when its outcome is final."),
    )
    reserved_at = models.DateTimeField(_("reserved at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts to release"), default=0)
    last_error = models.TextField(_("last error"), blank=True)

    objects = SlotReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("slot reservation")
        verbose_name_plural = _("slot reservations")
        ordering = ["-pk"]
        indexes = [
            # Reservations to be released or run out: few among all reservations ever made.
            models.Index(fields=["state", "until"], name="cal_reservation_state_until"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}: {self.get_state_display()}"

    @property
    def is_held(self) -> bool:
        """Return whether the slot is held at this moment, according to this row."""
        return self.state == self.State.HELD and self.until > timezone.now()
