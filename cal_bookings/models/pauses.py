"""When no request is made for an account: a person paused it, or its requests failed (`budget.circuit`)."""

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

#: The pause of an account whose requests failed, while there is none (`budget.circuit`).
CLOSED_CIRCUIT: dict[str, Any] = {
    "circuit_open_until": None,
    "circuit_reason": "",
    "circuit_failures": 0,
    "circuit_key": "",
}
#: The pause by hand, while there is none.
NOT_PAUSED: dict[str, Any] = {"paused_at": None, "paused_by": "", "pause_reason": ""}


class Pausable(models.Model):
    """A row with the two pauses, which know nothing of each other: one by hand, and one that failures began."""

    paused_at = models.DateTimeField(
        _("paused by hand at"),
        null=True,
        blank=True,
        help_text=_("No requests are made until a person resumes the account."),
    )
    paused_by = models.CharField(
        _("paused by"), max_length=255, blank=True, default="", db_default=""
    )
    pause_reason = models.TextField(
        _("reason of the person"), blank=True, default="", db_default=""
    )

    circuit_open_until = models.DateTimeField(
        _("paused until"),
        null=True,
        blank=True,
        help_text=_("No requests are made until then."),
    )
    circuit_reason = models.TextField(_("paused because"), blank=True)
    circuit_failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    circuit_key = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_paused_by_hand(self) -> bool:
        return self.paused_at is not None

    def is_paused(self, now: datetime) -> bool:
        """Return whether no request is made at `now`: a person paused the account, or its requests failed."""
        until = self.circuit_open_until
        return self.is_paused_by_hand or (until is not None and until > now)

    @property
    def why_paused(self) -> str:
        """Who paused the account and why, in the language of the reader; else why its requests failed; else empty."""
        if not self.is_paused_by_hand:
            return self.circuit_reason
        person = gettext("Paused by hand by %s.") % self.paused_by
        return f"{person if self.paused_by else ''} {self.pause_reason}".strip()
