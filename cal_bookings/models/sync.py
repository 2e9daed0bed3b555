"""The state of the sync: a row per account and loop, and a record per run."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cal_bookings import conf
from cal_bookings.models.account import Account
from cal_bookings.models.leases import Leased


class Mode(models.TextChoices):
    """The three loops, which differ in the filter on their walk."""

    CHANGES = "changes", _("changes")
    WINDOW = "window", _("window")
    FULL = "full", _("full")


#: The time without a complete walk after which a loop with its default interval is an alarm, for any reason.
SILENT_AFTER = {
    Mode.CHANGES: timedelta(minutes=15),
    Mode.WINDOW: timedelta(hours=4),
    Mode.FULL: timedelta(hours=36),
}


def silent_after(mode: Mode) -> timedelta:
    """Return the time without a complete walk after which a loop is an alarm; it follows INTERVALS.

    If the settings make an interval longer than its default, 1.1 times the difference is added. For the changes loop
    the longer of its interval and CHANGES_INTERVAL_WITH_WEBHOOKS counts.
    """
    interval = conf.interval(mode)
    if mode == Mode.CHANGES:
        interval = max(interval, conf.get("CHANGES_INTERVAL_WITH_WEBHOOKS") or 0)
    longer = interval - conf.DEFAULTS["INTERVALS"][mode]
    return SILENT_AFTER[mode] + timedelta(seconds=1.1 * longer)


class SyncStateQuerySet(models.QuerySet["SyncState"]):
    def begin_anew(self) -> None:
        """Begin the mirror of an account again, after a change of what it mirrors.

        The full loop is due at once, without a checkpoint. Other loops are deleted; the first full walk reads all rows
        and makes them again when it is complete. The lease of a walk under way becomes void, so that it writes no more
        rows of the former mirror. Runs three statements, no transaction.
        """
        Account.objects.filter(pk__in=self.values("account")).update(
            mirror_began_at=None, fully_mirrored_at=None
        )
        self.exclude(mode=Mode.FULL).delete()
        self.update(
            checkpoint={},
            watermark=None,
            lease_token=F("lease_token") + 1,
            lease_owner="",
            lease_until=None,
            due_at=timezone.now(),
        )


class SyncState(Leased):
    """The state of a loop of an account.

    `checkpoint` is the walk under way (its filters, the position of the next page, its counts), saved in the same
    transaction as each page; empty between walks.
    """

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="sync_states",
        db_index=False,
        verbose_name=_("account"),
    )
    mode = models.CharField(_("loop"), max_length=20, choices=Mode)
    watermark = models.DateTimeField(
        _("watermark"),
        null=True,
        blank=True,
        help_text=_(
            "Up to here a complete walk has seen all changes (Cal.com's clock)."
        ),
    )
    checkpoint = models.JSONField(_("checkpoint"), default=dict, blank=True)
    lease_owner = models.CharField(_("lease owner"), max_length=255, blank=True)
    due_at = models.DateTimeField(_("due at"), default=timezone.now, db_index=True)
    last_completed_at = models.DateTimeField(
        _("last complete walk"), null=True, blank=True
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    #: The codes and parameters of `last_error`: see `cal_bookings.sentences`.
    last_error_sentences = models.JSONField(null=True, editable=False)

    objects = SyncStateQuerySet.as_manager()

    class Meta:
        verbose_name = _("sync state")
        verbose_name_plural = _("sync states")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "mode"], name="cal_sync_state_account_mode"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} / {self.mode}"

    def is_silent(self, now: datetime) -> bool:
        """Return whether the time without a complete walk is too long.

        For a loop that never completed, the time counts from the creation of its account.
        """
        last = self.last_completed_at or self.account.created_at
        return now - last > silent_after(Mode(self.mode))


class SyncRun(models.Model):
    """A worker's part of a walk, from taking the lease to the last page that the worker stored."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        COMPLETE = "complete", _("complete")
        PAUSED = "paused", _("paused")
        FAILED = "failed", _("failed")

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="sync_runs",
        db_index=False,
        verbose_name=_("account"),
    )
    mode = models.CharField(_("loop"), max_length=20, choices=Mode)
    outcome = models.CharField(
        _("outcome"), max_length=20, choices=Outcome, default=Outcome.RUNNING
    )
    started_at = models.DateTimeField(_("started at"), db_index=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    requests = models.PositiveIntegerField(_("requests"), default=0)
    seen = models.PositiveIntegerField(_("seen"), default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    stale = models.PositiveIntegerField(
        _("stale"),
        default=0,
        db_default=0,
        help_text=_(
            "Bookings whose answer was older than what the mirror had, and was dropped."
        ),
    )
    missing = models.PositiveIntegerField(_("missing"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    before = models.JSONField(
        _("before it"),
        null=True,
        editable=False,
        help_text=_("What earlier runs of the same walk did. Empty if it began here."),
    )
    drift = models.JSONField(
        _("drift"),
        default=dict,
        blank=True,
        help_text=_(
            "Bookings that differed although the changes loop should have seen it, by field."
        ),
    )
    failures = models.JSONField(
        _("failures"),
        default=list,
        blank=True,
        help_text=_("Bookings that could not be mirrored: place, uid, why."),
    )
    error = models.TextField(_("error"), blank=True)
    #: The codes and parameters of `error`: see `cal_bookings.sentences`.
    error_sentences = models.JSONField(null=True, editable=False)

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        ordering = ["-started_at", "-pk"]
        indexes = [
            # Each run first looks among all kept runs for those that never ended.
            models.Index(
                fields=["account", "mode", "outcome"],
                name="cal_run_account_mode_outcome",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} / {self.mode} / {self.started_at:%Y-%m-%d %H:%M}"


class WalkPage(models.Model):
    """The bookings that a page of a full walk under way showed. The row is deleted when the walk is complete.

    A full walk requests each mirrored booking that no page showed. A small row per page costs a
    tenth of a row per booking.
    """

    state = models.ForeignKey(
        SyncState,
        models.CASCADE,
        related_name="pages",
        db_index=False,
        verbose_name=_("sync state"),
    )
    number = models.PositiveIntegerField(_("number"))
    booking_ids = models.JSONField(_("bookings"), default=list)

    class Meta:
        verbose_name = _("page of a walk")
        verbose_name_plural = _("pages of a walk")
        constraints = [
            models.UniqueConstraint(
                fields=["state", "number"], name="cal_walk_page_state_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} / {self.number}"
