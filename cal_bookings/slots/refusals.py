"""The reasons why a slot cannot be reserved."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class SlotRefused(ValidationError):
    """The refusal of a reservation: one message for a person, one `code` for a program.

    The codes: ``taken``, ``naive``, ``anonymous``, ``gone``.
    """


def taken() -> SlotRefused:
    return SlotRefused(
        _("This time is no longer free: choose another one."), code="taken"
    )


def naive(name: str) -> SlotRefused:
    return SlotRefused(
        _(
            "%(name)s has no time zone: make it aware, for instance with django.utils.timezone.make_aware."
        ),
        code="naive",
        params={"name": name},
    )


def anonymous() -> SlotRefused:
    return SlotRefused(
        _(
            "Cal.com holds a slot for five minutes for those without a credential: leave `minutes` out, or use an "
            "account with an API key of the event type's owner or team."
        ),
        code="anonymous",
    )


def gone() -> SlotRefused:
    return SlotRefused(
        _("This reservation is no longer held: reserve the slot again."), code="gone"
    )
