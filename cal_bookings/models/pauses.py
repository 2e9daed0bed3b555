"""The pauses of an account, during which no request is made: by hand, or after failures (`budget.circuit`)."""

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from cal_bookings import sentences
from cal_bookings.sentences import Message, Sentence

#: The columns of the pause after failures (`budget.circuit`), with their values while there is no such pause.
CLOSED_CIRCUIT: dict[str, Any] = {
    "circuit_open_until": None,
    "circuit_reason": "",
    "circuit_reason_sentences": None,
    "circuit_failures": 0,
    "circuit_key": "",
}
#: The columns of the pause by hand, with their values while there is no such pause.
NOT_PAUSED: dict[str, Any] = {"paused_at": None, "paused_by": "", "pause_reason": ""}


class PauseText(Sentence):
    """The sentences about a pause by hand: the person who paused the account, and the reason that this person typed."""

    BY = "pause.by", _("Paused by hand by %(person)s.")
    REASON = "pause.reason", "%(reason)s"


class Pausable(models.Model):
    """A row with two independent pauses: a pause by hand, and a pause that failures began."""

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
    #: The codes and parameters of `circuit_reason`: see `cal_bookings.sentences`.
    circuit_reason_sentences = models.JSONField(null=True, editable=False)
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
    def pause_message(self) -> Message | str:
        """Return who paused the account and why; else why its requests failed; else an empty message."""
        if not self.is_paused_by_hand:
            return sentences.read(self, "circuit_reason")
        person = PauseText.BY(person=self.paused_by) if self.paused_by else Message()
        reason = self.pause_reason
        return person + (PauseText.REASON(reason=reason) if reason else Message())

    @property
    def why_paused(self) -> str:
        """Return the text of `pause_message` in the active language."""
        if not self.is_paused_by_hand:
            return sentences.shown(self, "circuit_reason")
        return str(self.pause_message)
