"""The version of the parser that derived the typed columns of an account's bookings."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from cal_bookings.models.account import Account


class Derivation(models.Model):
    """The parser version of an account's typed columns, and the progress of a pass to a newer version.

    The account's first full walk makes the row.
    """

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="+"
    )
    parser_version = models.PositiveIntegerField(
        _("parser version"),
        help_text=_("All bookings are derived by this version or a newer one."),
    )
    pass_version = models.PositiveIntegerField(
        _("version of the pass under way"), null=True
    )
    passed = models.BigIntegerField(
        _("passed"),
        default=0,
        help_text=_("The greatest primary key that the pass under way has derived."),
    )

    class Meta:
        verbose_name = _("derivation")
        verbose_name_plural = _("derivations")

    def __str__(self) -> str:
        return f"{self.account}: {self.parser_version}"
