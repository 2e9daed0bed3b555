"""The content of the overview: the state of each account's loops, and charts of the last days. Makes few queries."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Aggregate, Count, Min, OuterRef, Q, Subquery, Sum
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from cal_bookings import budget, conf, sentences
from cal_bookings.admin import dates
from cal_bookings.admin.sync_health import meter
from cal_bookings.admin.sync_health.charts import (
    Chart,
    Series,
)
from cal_bookings.models import (
    Account,
    Attendee,
    Booking,
    BookingAction,
    Mode,
    Status,
    SyncRun,
    SyncState,
)
from cal_bookings.webhooks import refusals, silence

#: The age of a due action from which on no worker seems to deliver.
LATE = dt.timedelta(minutes=10)
DAYS = 14  # days back, and for bookings the same number ahead


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of an account."""

    state: SyncState
    now: dt.datetime

    @property
    def account(self) -> Account:
        return self.state.account

    @property
    def is_silent(self) -> bool:
        return self.state.is_silent(self.now)

    @property
    def is_under_way(self) -> bool:
        until = self.state.lease_until
        return until is not None and until > self.now

    @property
    def is_late(self) -> bool:
        return self.state.due_at < self.now and not self.is_under_way

    @property
    def is_paused(self) -> bool:
        return self.account.is_paused(self.now)

    @property
    def last_error(self) -> str:
        return sentences.shown(self.state, "last_error")

    @property
    def css_class(self) -> str:
        if self.is_silent:
            return "rejected"
        return "pending" if self.state.failures or self.is_paused else "accepted"

    @property
    def verdict(self) -> Any:
        if self.is_silent:
            return _("silent for too long")
        if self.is_paused:
            return _("account paused")
        return _("failing") if self.state.failures else _("fine")


@dataclass(frozen=True, slots=True)
class Outbox:
    """The waiting and the failed actions of an account."""

    due: int = 0
    oldest_due_at: dt.datetime | None = None
    failed: int = 0


@dataclass(frozen=True, slots=True)
class AccountRow:
    account: Account
    outbox: Outbox
    #: The number of bookings that the last complete full walk found different, by field; None before such a walk.
    drift: dict[str, int] | None
    usage: budget.Usage
    now: dt.datetime

    @property
    def is_paused(self) -> bool:
        return self.account.is_paused(self.now)

    @property
    def budget(self) -> SafeString:
        return meter.show(self.usage, of=self.account.alias)

    @property
    def is_late(self) -> bool:
        oldest = self.outbox.oldest_due_at
        return oldest is not None and self.now - oldest > LATE


class Overview:
    """The content of one view of the overview. Each part is queried when the template uses it."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.today = timezone.localdate()

    @cached_property
    def loops(self) -> list[Loop]:
        states = SyncState.objects.filter(account__is_active=True)
        ordered = states.select_related("account").order_by("account", "pk")
        return [Loop(state, self.now) for state in ordered]

    @property
    def is_silent(self) -> bool:
        return any(loop.is_silent for loop in self.loops)

    @cached_property
    def accounts(self) -> list[AccountRow]:
        """The active accounts, by alias."""
        full = SyncRun.objects.filter(
            account=OuterRef("pk"), mode=Mode.FULL, outcome=SyncRun.Outcome.COMPLETE
        )
        last = full.order_by("-started_at").values("drift")[:1]
        active: Any = Account.objects.active()
        accounts = list(active.annotate(drift=Subquery(last)))
        outboxes = self._outboxes()
        usage = budget.usage(accounts, self.now.timestamp())
        return [
            AccountRow(
                account=account,
                outbox=outboxes.get(account.pk, Outbox()),
                drift=account.drift,
                usage=usage[account.pk],
                now=self.now,
            )
            for account in accounts
        ]

    def _outboxes(self) -> dict[int, Outbox]:
        due = Q(status__in=BookingAction.OPEN, next_attempt_at__lte=self.now)
        failed = BookingAction.failed_lately()
        counted = (
            BookingAction.objects.filter(due | failed)
            .order_by()
            .values("account")
            .annotate(
                due=Count("pk", filter=due),
                oldest=Min("next_attempt_at", filter=due),
                failed=Count("pk", filter=failed),
            )
        )
        return {
            row["account"]: Outbox(row["due"], row["oldest"], row["failed"])
            for row in counted
        }

    @cached_property
    def unannounced(self) -> list[tuple[Account, silence.Unannounced]]:
        """Return the shown accounts with the changes that walks of the last day found and no webhook announced."""
        accounts = {row.account.pk: row.account for row in self.accounts}
        found = silence.unannounced(accounts.values())
        return [(accounts[changes.account_id], changes) for changes in found]

    @cached_property
    def refused_deliveries(self) -> list[tuple[Account, int]]:
        """Return the accounts with many deliveries refused for their signature, and the number of these deliveries."""
        accounts = {row.account.pk: row.account for row in self.accounts}
        counts = refusals.counts(accounts)
        return [
            (accounts[pk], count)
            for pk, count in counts.items()
            if count >= refusals.MANY
        ]

    @property
    def never_walked(self) -> list[str]:
        """Return the accounts that no loop has walked yet."""
        begun = {loop.account.alias for loop in self.loops}
        known = {row.account.alias for row in self.accounts} | set(conf.aliases())
        return sorted(known - begun)

    @property
    def charts(self) -> Iterator[Chart]:
        around = dates.following(self.today - DAYS * dates.DAY, 2 * DAYS + 1)
        past = dates.following(self.today - (DAYS - 1) * dates.DAY, DAYS)
        yield self._bookings(around)
        yield self._cancelled_and_absent(past)
        yield from self._runs(past)

    def _bookings(self, days: list[dt.date]) -> Chart:
        off = Q(status__in=Booking.NOT_TAKING_PLACE)
        pending = Q(status=Status.PENDING)
        counts = _per_day(
            Booking.objects.all(),
            "start",
            days,
            on=Count("pk", filter=~off & ~pending),
            pending=Count("pk", filter=pending),
        )
        series = [
            Series(_("taking place"), "accepted", counts["on"]),
            Series(_("pending"), "pending", counts["pending"]),
        ]
        return Chart(_("Bookings per day"), days, series, self.today)

    def _cancelled_and_absent(self, days: list[dt.date]) -> Chart:
        someone = Attendee.objects.filter(absent=True).order_by().values("booking")
        absent = Q(absent_host=True) | Q(pk__in=someone)
        counts = _per_day(
            Booking.objects.all(),
            "start",
            days,
            cancelled=Count("pk", filter=Q(status=Status.CANCELLED)),
            absent=Count("pk", filter=absent),
        )
        series = [
            Series(_("cancelled"), "cancelled", counts["cancelled"]),
            Series(_("somebody absent"), "rejected", counts["absent"]),
        ]
        return Chart(_("Cancellations and no-shows per day"), days, series, self.today)

    def _runs(self, days: list[dt.date]) -> Iterator[Chart]:
        counts = _per_day(
            SyncRun.objects.all(),
            "started_at",
            days,
            asked=Sum("requests"),
            errors=Count("pk", filter=Q(outcome=SyncRun.Outcome.FAILED)),
        )
        # Each chart has a scale of its own: an error among a thousand requests would be invisible otherwise.
        requests = Series(_("requests"), "awaiting_host", counts["asked"])
        yield Chart(_("Requests per day"), days, [requests], self.today)
        errors = Series(_("failed runs"), "rejected", counts["errors"])
        yield Chart(_("Failed runs per day"), days, [errors], self.today)


def _per_day(
    rows: Any, field: str, days: list[dt.date], **aggregates: Aggregate
) -> dict[str, dict[int, int]]:
    """Return the values of each aggregate by the number of the day."""
    counted = list(
        rows.filter(dates.within(field, days))
        .order_by()
        .values(day=dates.number_of_day(field, days))
        .annotate(**aggregates)
    )
    return {name: {row["day"]: row[name] for row in counted} for name in aggregates}
