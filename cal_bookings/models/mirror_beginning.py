"""The time at which the mirror of an account began, which separates news from history."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class MirrorBeginning(models.Model):
    """The beginning of an account's mirror. Earlier bookings of Cal.com are history, which no signal announces."""

    mirror_began_at = models.DateTimeField(
        _("mirror began at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_(
            "Cal.com's clock at its first answer. Bookings created before are history, and not announced."
        ),
    )
    fully_mirrored_at = models.DateTimeField(
        _("fully mirrored at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the first full walk of this mirror was complete."),
    )

    class Meta:
        abstract = True

    def begin_mirror(self, moment: datetime) -> None:
        """Store `moment`, the time of Cal.com's first response by its own clock, unless a beginning is known already.

        Runs at most two statements, no transaction.
        """
        if self.mirror_began_at is None:
            rows = type(self)._default_manager.filter(pk=self.pk, mirror_began_at=None)
            rows.update(mirror_began_at=moment)
            self.refresh_from_db(fields=["mirror_began_at"])

    def has_as_history(self, created_at: datetime | None) -> bool:
        """Return whether a booking that Cal.com created at `created_at` is older than the account's mirror.

        A booking without a time of creation is history until the first full walk is complete.
        """
        if self.mirror_began_at is None:
            return True
        if created_at is None:
            return self.fully_mirrored_at is None
        return created_at < self.mirror_began_at
