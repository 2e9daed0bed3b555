"""The mirror: rows that are copies of what Cal.com shows. `cal_bookings.mirror` is their only writer.

Typed columns hold what people filter, sort, join or show; everything else stays in `payload`, as sent. Text that
Cal.com sends as "", null or not at all is "" here; the payload keeps the difference.
"""

import uuid
from typing import Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cal_bookings.models.account import Account


class Status(models.TextChoices):
    """The statuses that Cal.com documents. The column stores any other status as sent."""

    ACCEPTED = "accepted", _("accepted")
    PENDING = "pending", _("pending")
    CANCELLED = "cancelled", _("cancelled")
    REJECTED = "rejected", _("rejected")
    AWAITING_HOST = "awaiting_host", _("awaiting host")


class EventType(models.Model):
    """An event type, which can be booked. Bookings name its id and slug; the list of event types supplies the rest."""

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="event_types",
        db_index=False,
        verbose_name=_("account"),
    )
    remote_id = models.BigIntegerField(_("Cal.com id"))
    slug = models.CharField(_("slug"), max_length=255, blank=True)
    title = models.CharField(_("title"), max_length=500, blank=True)
    length_minutes = models.PositiveIntegerField(
        _("length in minutes"), null=True, blank=True
    )
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    mirrored_at = models.DateTimeField(_("mirrored at"), editable=False)

    class Meta:
        verbose_name = _("event type")
        verbose_name_plural = _("event types")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "remote_id"], name="cal_event_type_account_remote_id"
            )
        ]

    def __str__(self) -> str:
        return self.title or self.slug or f"#{self.remote_id}"


class Host(models.Model):
    """A Cal.com user who hosts bookings."""

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="hosts",
        db_index=False,
        verbose_name=_("account"),
    )
    remote_id = models.BigIntegerField(_("Cal.com user id"))
    name = models.CharField(_("name"), max_length=500, blank=True)
    email = models.CharField(_("e-mail"), max_length=320, blank=True, db_index=True)
    username = models.CharField(_("username"), max_length=255, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=100, blank=True)
    mirrored_at = models.DateTimeField(_("mirrored at"), editable=False)

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "remote_id"], name="cal_host_account_remote_id"
            )
        ]

    def __str__(self) -> str:
        """Return the name, else the address if it was read from the database, else the Cal.com id."""
        return self.name or self.__dict__.get("email") or f"#{self.remote_id}"


class BookingQuerySet(models.QuerySet["Booking"]):
    def upcoming(self) -> Self:
        """Return the bookings that are not over, cancelled or rejected: Cal.com's own meaning of "upcoming"."""
        return self.taking_place().filter(end__gte=timezone.now())

    def past(self) -> Self:
        """Return the bookings that are over, and neither cancelled nor rejected."""
        now = timezone.now()
        # The condition on the start is redundant, and lets the database use the index that lists are ordered by.
        return self.taking_place().filter(end__lt=now, start__lt=now)

    def taking_place(self) -> Self:
        """Return the bookings that are neither cancelled nor rejected."""
        return self.exclude(status__in=Booking.NOT_TAKING_PLACE)

    def missing(self) -> Self:
        """Return the bookings that are no longer on Cal.com."""
        return self.filter(missing_since__isnull=False)


class Booking(models.Model):
    """A booking as Cal.com shows it. A reschedule makes another booking with the same `appointment`."""

    #: Columns that may be large, which lists leave in the database.
    BULKY = ("payload", "description", "metadata", "booking_fields_responses", "guests")
    #: The statuses of a booking that does not take place.
    NOT_TAKING_PLACE = (Status.CANCELLED, Status.REJECTED)

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="bookings",
        db_index=False,
        verbose_name=_("account"),
    )
    uid = models.CharField(_("uid"), max_length=255)
    remote_id = models.BigIntegerField(_("Cal.com id"), null=True, blank=True)
    title = models.TextField(_("title"), blank=True)
    description = models.TextField(_("description"), blank=True)
    status = models.CharField(
        _("status"),
        max_length=255,
        help_text=_("As Cal.com spells it; unknown ones are kept."),
    )
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    duration = models.PositiveIntegerField(_("duration"), help_text=_("Minutes."))
    event_type = models.ForeignKey(
        EventType,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="bookings",
        verbose_name=_("event type"),
    )
    event_type_remote_id = models.BigIntegerField(
        _("event type's Cal.com id"), null=True, blank=True
    )
    event_type_gone_at = models.DateTimeField(
        _("event type gone since"),
        null=True,
        blank=True,
        help_text=_(
            "When Cal.com was first seen without the event type, which was deleted there. What was known of the "
            "booking is kept: Cal.com shows placeholders in its place."
        ),
    )
    hosts = models.ManyToManyField(
        Host, related_name="bookings", blank=True, verbose_name=_("hosts")
    )
    location = models.TextField(_("location"), blank=True)
    absent_host = models.BooleanField(_("host was absent"), default=False)
    cancellation_reason = models.TextField(_("cancellation reason"), blank=True)
    cancelled_by_email = models.CharField(_("cancelled by"), max_length=320, blank=True)
    rescheduling_reason = models.TextField(_("rescheduling reason"), blank=True)
    rescheduled_by_email = models.CharField(
        _("rescheduled by"), max_length=320, blank=True
    )
    rescheduled_from_uid = models.CharField(
        _("rescheduled from"), max_length=255, blank=True
    )
    rescheduled_to_uid = models.CharField(
        _("rescheduled to"), max_length=255, blank=True
    )
    recurring_booking_uid = models.CharField(_("series"), max_length=255, blank=True)
    appointment = models.UUIDField(
        _("appointment"),
        default=uuid.uuid4,
        db_index=True,
        editable=False,
        help_text=_("The same for all bookings that are reschedules of one another."),
    )
    rating = models.IntegerField(_("rating"), null=True, blank=True)
    ics_uid = models.CharField(_("iCalendar uid"), max_length=500, blank=True)
    guests = models.JSONField(_("guests"), default=list, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    booking_fields_responses = models.JSONField(
        _("booking form"), default=dict, blank=True
    )
    remote_created_at = models.DateTimeField(
        _("created on Cal.com"), null=True, blank=True
    )
    remote_updated_at = models.DateTimeField(
        _("updated on Cal.com"), null=True, blank=True
    )
    first_seen_at = models.DateTimeField(_("first seen"))
    mirrored_at = models.DateTimeField(
        _("mirrored at"),
        help_text=_(
            "When the request was sent whose answer this row holds; an older one never replaces it."
        ),
    )
    missing_since = models.DateTimeField(_("missing since"), null=True, blank=True)
    #: Set while the booking lives and is no longer in the account's list. From then on a full walk asks for it again.
    unlisted_check_at = models.DateTimeField(null=True, editable=False)
    payload = models.JSONField(_("payload"), default=dict)
    payload_hash = models.CharField(_("payload hash"), max_length=32)
    api_version = models.CharField(_("API version"), max_length=20)

    objects = BookingQuerySet.as_manager()

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        constraints = [
            # The uid comes first, so that the planner looks many bookings up by it, whatever it knows of the accounts.
            models.UniqueConstraint(
                fields=["uid", "account"], name="cal_booking_uid_account"
            )
        ]
        permissions = [
            ("reassign_booking", "Can reassign booking"),
            ("confirm_booking", "Can confirm booking"),
            ("decline_booking", "Can decline booking"),
            ("cancel_booking", "Can cancel booking"),
            ("reschedule_booking", "Can reschedule booking"),
            ("request_reschedule_booking", "Can request a reschedule of booking"),
            ("mark_absent_booking", "Can mark people absent from booking"),
            ("refresh_booking", "Can refresh booking from Cal.com"),
        ]
        indexes = [
            models.Index(fields=["start"], name="cal_booking_start"),
            # Bookings not over, absent hosts, missing bookings: few rows among many, and queried every day.
            models.Index(fields=["end"], name="cal_booking_end"),
            models.Index(fields=["absent_host"], name="cal_booking_absent_host"),
            models.Index(fields=["missing_since"], name="cal_booking_missing_since"),
            models.Index(fields=["account", "start"], name="cal_booking_account_start"),
            models.Index(fields=["status", "start"], name="cal_booking_status_start"),
            # `db_index` would make a second index for LIKE on PostgreSQL.
            models.Index(fields=["rescheduled_from_uid"], name="cal_booking_from"),
            models.Index(fields=["rescheduled_to_uid"], name="cal_booking_to"),
            models.Index(fields=["recurring_booking_uid"], name="cal_booking_series"),
        ]

    def __str__(self) -> str:
        """Return the title; the primary key if there is no title, or if it was not read from the database.

        People without `view_attendee` are shown rows whose title was never read (`cal_bookings.privacy`).
        """
        return self.__dict__.get("title") or _("Booking %s") % self.pk

    @property
    def takes_place(self) -> bool:
        """Return whether the booking is neither cancelled nor rejected."""
        return self.status not in self.NOT_TAKING_PLACE

    @property
    def is_known_status(self) -> bool:
        return self.status in Status.values


class AppointmentLock(models.Model):
    """A row per account that is locked while a page joins bookings to appointments.

    Two pages that bring the halves of a reschedule at the same moment do not see each other's rows. The second page
    has no other row to wait for.
    """

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="+"
    )

    class Meta:
        verbose_name = _("lock of appointments")
        verbose_name_plural = _("locks of appointments")

    def __str__(self) -> str:
        return str(self.account)


class Attendee(models.Model):
    """A person who attends a booking or holds a seat of it. The primary key stays as long as the person does."""

    booking = models.ForeignKey(
        Booking, models.CASCADE, related_name="attendees", verbose_name=_("booking")
    )
    position = models.PositiveIntegerField(_("position"))
    name = models.CharField(_("name"), max_length=500, blank=True)
    email = models.CharField(_("e-mail"), max_length=320, blank=True, db_index=True)
    display_email = models.CharField(_("displayed e-mail"), max_length=320, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=50, blank=True)
    phone_number = models.CharField(_("phone number"), max_length=100, blank=True)
    absent = models.BooleanField(_("absent"), default=False, db_index=True)
    seat_uid = models.CharField(_("seat uid"), max_length=255, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    booking_fields_responses = models.JSONField(
        _("booking form"), default=dict, blank=True
    )

    class Meta:
        verbose_name = _("attendee")
        verbose_name_plural = _("attendees")
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name or self.display_email or self.email or self.phone_number


class BookingChange(models.Model):
    """A change of a booking by one write: ``{field: [old, new]}`` for typed fields, "attendees" and "hosts" (lists)."""

    class Source(models.TextChoices):
        WALK = "walk", _("walk")
        REFRESH = "refresh", _("refresh")
        WEBHOOK = "webhook", _("webhook")
        ACTION = "action", _("action")
        REDERIVE = "rederive", _("rederive")

    booking = models.ForeignKey(
        Booking, models.CASCADE, related_name="changes", verbose_name=_("booking")
    )
    source = models.CharField(_("source"), max_length=20, choices=Source)
    changes = models.JSONField(_("changes"), encoder=DjangoJSONEncoder)
    changed_at = models.DateTimeField(_("changed at"), db_index=True)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return ", ".join(self.changes) if isinstance(self.changes, dict) else "-"
