"""The receiver of an account's webhooks, and the deliveries that arrived there."""

import secrets
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cal_bookings.models.account import Account
from cal_bookings.models.booking import Booking
from cal_bookings.models.leases import Leased

#: The time for which a replaced address or secret is still accepted, because Cal.com may still deliver with it.
FORMER_ACCEPTED = timedelta(days=1)


def new_path_id() -> str:
    """Return 256 random bits, as a part of a URL."""
    return secrets.token_urlsafe(32)


class WebhookReceiverManager(models.Manager["WebhookReceiver"]):
    def of(self, account: Account) -> "WebhookReceiver":
        """Return the account's receiver, and make it if there is none. Runs at most three statements."""
        receiver, _made = self.select_related("account").get_or_create(account=account)
        return receiver

    def at(self, path_id: str) -> "WebhookReceiver | None":
        """Return the receiver whose address, or still accepted former address, is `path_id`. Runs one statement."""
        former = Q(former_path_id=path_id, former_accepted_until__gt=timezone.now())
        receivers = self.filter(Q(path_id=path_id) | former)
        return receivers.select_related("account").first()


class WebhookReceiver(Leased):
    """The receiver of an account's webhooks. Its address cannot be guessed, and can be replaced.

    The worker that processes the account's deliveries holds its lease.
    """

    account = models.OneToOneField(
        Account,
        models.CASCADE,
        related_name="webhook_receiver",
        verbose_name=_("account"),
    )
    path_id = models.CharField(
        _("address"), max_length=64, unique=True, default=new_path_id, editable=False
    )
    former_path_id = models.CharField(  # noqa: DJ001 - most have none, and it is unique
        _("former address"), max_length=64, null=True, unique=True, editable=False
    )
    former_accepted_until = models.DateTimeField(
        _("former address accepted until"), null=True, editable=False
    )
    secrets_rotated_at = models.DateTimeField(
        _("secret replaced at"), null=True, editable=False
    )
    expected_since = models.DateTimeField(
        _("deliveries expected since"),
        null=True,
        editable=False,
        help_text=_("A subscription is known to exist since then."),
    )
    healthy_since = models.DateTimeField(
        _("healthy since"),
        null=True,
        editable=False,
        help_text=_("Empty while nothing proves that deliveries arrive."),
    )
    objects = WebhookReceiverManager()

    class Meta:
        verbose_name = _("webhook receiver")
        verbose_name_plural = _("webhook receivers")

    def __str__(self) -> str:
        return str(self.account)

    def move(self) -> None:
        """Replace the address; the former address is accepted for a day. Runs one statement."""
        self.former_path_id, self.path_id = self.path_id, new_path_id()
        self.former_accepted_until = timezone.now() + FORMER_ACCEPTED
        self.save(update_fields=["path_id", "former_path_id", "former_accepted_until"])


class WebhookDeliveryManager(models.Manager["WebhookDelivery"]):
    def rejection_reason(self, booking: Booking) -> str:
        """Return why a booking, or its series, was declined on Cal.com; empty if no delivery says so. One query."""
        rejected = self.filter(account=booking.account_id, trigger="BOOKING_REJECTED")
        of_booking = Q(uid=booking.uid)
        if series := booking.recurring_booking_uid:
            others = Booking.objects.filter(
                account=booking.account_id, recurring_booking_uid=series
            )
            of_booking = Q(uid__in=others.values("uid"))
        reasons = rejected.filter(of_booking).exclude(rejection_reason="")
        latest = reasons.order_by("-pk").values_list("rejection_reason", flat=True)
        return latest.first() or ""


class WebhookDelivery(models.Model):
    """A delivery of a webhook, which is a hint that a booking may have changed.

    The row holds the booking's keys, and of people's words only the reason of a rejection, which no list of Cal.com
    shows. A body that arrives again is counted in `receipts`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SETTLING = "settling", _("to be read again")
        DONE = "done", _("done")

    class Outcome(models.TextChoices):
        MIRRORED = "mirrored", _("the booking was read")
        ECHO = "echo", _("the effect of our own action, known already")
        MISSING = "missing", _("the booking is gone from Cal.com")
        NOT_SHOWN = "not_shown", _("read, but what it announces was not there")
        NO_BOOKING = "no_booking", _("names no booking")
        UNREADABLE = "unreadable", _("no delivery in Cal.com's format")
        TEST = "test", _("a test")
        FAILED = "failed", _("the booking could not be read")

    OPEN = (State.WAITING, State.SETTLING)

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("account"),
    )
    body_hash = models.CharField(_("hash of the body"), max_length=64)
    trigger = models.CharField(_("trigger"), max_length=100, blank=True)
    version = models.CharField(_("version"), max_length=20, blank=True)
    uid = models.CharField(_("uid"), max_length=255, blank=True)
    old_uid = models.CharField(
        _("uid before the reschedule"), max_length=255, blank=True
    )
    seat_uid = models.CharField(_("seat"), max_length=255, blank=True)
    mark = models.CharField(
        _("mark"),
        max_length=64,
        blank=True,
        help_text=_("The mark of our own action that created the booking."),
    )
    rejection_reason = models.TextField(_("rejection reason"), blank=True)
    happened_at = models.DateTimeField(
        _("happened at"), null=True, blank=True, help_text=_("By Cal.com's clock.")
    )
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    receipts = models.PositiveIntegerField(
        _("receipts"), default=1, help_text=_("How often the same body arrived.")
    )
    last_received_at = models.DateTimeField(_("last received at"), default=timezone.now)
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.WAITING
    )
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(
        _("next attempt at"), default=timezone.now, null=True, blank=True
    )
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)

    objects = WebhookDeliveryManager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "body_hash"], name="cal_delivery_account_body"
            )
        ]
        indexes = [
            models.Index(
                fields=["account", "next_attempt_at"], name="cal_delivery_account_due"
            ),
            models.Index(fields=["account", "uid"], name="cal_delivery_account_uid"),
            models.Index(fields=["received_at"], name="cal_delivery_received"),
        ]

    def __str__(self) -> str:
        return f"{self.trigger or '-'} #{self.pk}"
