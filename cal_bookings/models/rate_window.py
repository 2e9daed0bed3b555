"""The request budget of a credential, for sites whose processes share no cache."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RateWindow(models.Model):
    """One credential's window of Cal.com's rate limit. Times are seconds since the epoch."""

    #: A keyed hash of the credential, never the credential.
    key = models.CharField(_("key"), max_length=64, primary_key=True)
    number = models.BigIntegerField(_("number"), default=0)
    began = models.FloatField(_("began"), default=0)
    ends = models.FloatField(_("ends"), default=0)
    slots = models.IntegerField(_("slots"), default=0)
    used = models.IntegerField(_("used"), default=0)
    opening_until = models.FloatField(_("opening until"), default=0)
    blocked_until = models.FloatField(_("blocked until"), default=0)

    class Meta:
        verbose_name = _("rate window")
        verbose_name_plural = _("rate windows")

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.used}/{self.slots}"
