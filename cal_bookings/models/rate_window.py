"""The request budget of a credential, for sites whose processes share no cache."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RateWindow(models.Model):
    """The current window of Cal.com's rate limit for a credential.

    The table is a cache: a lost row costs a wait of a minute at most.
    """

    #: A keyed hash of the credential, never the credential.
    key = models.CharField(_("key"), max_length=64, primary_key=True)
    began_at = models.DateTimeField(_("began at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    slots = models.IntegerField(_("slots"), default=0)
    used = models.IntegerField(_("used"), default=0)
    opening_until = models.DateTimeField(_("opening until"), null=True, blank=True)
    blocked_until = models.DateTimeField(_("blocked until"), null=True, blank=True)

    class Meta:
        verbose_name = _("rate window")
        verbose_name_plural = _("rate windows")

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.used}/{self.slots}"
