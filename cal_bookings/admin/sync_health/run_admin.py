"""The admins of the sync's loops and runs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from cal_bookings import sentences
from cal_bookings.admin import (
    formatting,
    visibility,
)
from cal_bookings.admin.base import OfAccountAdmin
from cal_bookings.admin.filters import AccountFilter
from cal_bookings.admin.sync_health.overview_page import OverviewMixin
from cal_bookings.models import SyncRun, SyncState
from cal_bookings.privacy import FAILURE, impersonal_failures
from cal_bookings.sync import runs

ERROR_LENGTH = 100  # characters in a list


@admin.register(SyncState)
class SyncStateAdmin(OverviewMixin, OfAccountAdmin):
    list_display = [
        "account",
        "mode",
        "last_completed_at",
        "watermark",
        "due_at",
        "paused_until",
        "failures",
        "short_error",
    ]
    list_filter = ["mode", AccountFilter]
    ordering = ["account", "mode"]
    fields = [
        "account",
        "mode",
        "last_completed_at",
        "watermark",
        "due_at",
        "paused_until",
        "paused_because",
        "failures",
        "error_text",
        "lease_until",
        "lease_token",
        "pretty_checkpoint",
    ]
    readonly_fields = [
        "paused_until",
        "paused_because",
        "error_text",
        "pretty_checkpoint",
    ]

    @admin.display(description=_("paused until"))
    def paused_until(self, state: SyncState) -> Any:
        return formatting.paused_until(state.account)

    @admin.display(description=_("paused because"))
    def paused_because(self, state: SyncState) -> str:
        return state.account.why_paused or "-"

    @admin.display(description=_("last error"))
    def short_error(self, state: SyncState) -> str:
        return Truncator(self.error_text(state)).chars(ERROR_LENGTH)

    @admin.display(description=_("last error"))
    def error_text(self, state: SyncState) -> str:
        return sentences.shown(state, "last_error") or "-"

    @admin.display(description=_("checkpoint"))
    def pretty_checkpoint(self, state: SyncState) -> SafeString:
        return formatting.pretty(state.checkpoint)


@admin.register(SyncRun)
class SyncRunAdmin(OfAccountAdmin):
    list_display = [
        "started_at",
        "account",
        "mode",
        "outcome",
        "took",
        "pages",
        *runs.OF_BOOKINGS,
        "failed",
    ]
    list_filter = ["outcome", "mode", AccountFilter]
    date_hierarchy = "started_at"
    fields = [
        "account",
        "mode",
        "outcome",
        "started_at",
        "finished_at",
        "took",
        ("pages", "requests"),
        ("seen", "created", "updated", "unchanged", "missing", "failed"),
        "error_text",
    ]
    readonly_fields = ["took", "error_text", "what_failed", "impersonal_failures"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        people = visibility.may_see_people(request)
        return [*self.fields, "what_failed" if people else "impersonal_failures"]

    @admin.display(description=_("took"))
    def took(self, run: SyncRun) -> Any:
        if run.finished_at is None:
            return "-"
        return _("%(seconds).1f s") % {
            "seconds": (run.finished_at - run.started_at).total_seconds()
        }

    @admin.display(description=_("error"))
    def error_text(self, run: SyncRun) -> str:
        return sentences.shown(run, "error") or "-"

    @admin.display(description=_("failures"))
    def what_failed(self, run: SyncRun) -> SafeString | str:
        return formatting.records_table(run.failures, ["place", "uid", "error"])

    @admin.display(description=_("failures"))
    def impersonal_failures(self, run: SyncRun) -> SafeString | str:
        return formatting.records_table(impersonal_failures(run.failures), FAILURE)
