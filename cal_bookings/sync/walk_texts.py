"""The sentences that a walk stores in its runs, and in the states of the loops."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from cal_bookings.sentences import Sentence


class SyncText(Sentence):
    """The outcomes of a walk, for the people who look after it."""

    SOME_FAILED = (
        "sync.some_failed",
        ngettext_lazy(
            "The last walk is complete, except for %(count)d failure, which its runs list.",
            "The last walk is complete, except for %(count)d failures, which its runs list.",
            "count",
        ),
    )
    WORKER_DIED = "sync.worker_died", _("The worker died, or lost its lease.")
    UNEXPECTED = (
        "sync.unexpected",
        _(
            "An unexpected %(error)s at %(file)s, line %(line)d. The loop is tried again after a pause. If that does not "
            "help, report it with the stack in the log."
        ),
    )
    INTERRUPTED = (
        "sync.interrupted",
        _(
            "The walk was interrupted (%(error)s). The next run goes on from its checkpoint."
        ),
    )
    MIRRORED_TWICE = (
        "sync.mirrored_twice",
        _(
            'The accounts "%(account)s" and "%(twin)s" have the same bookings at %(base_url)s: everything would be mirrored '
            "twice. Remove or deactivate one of them. If you renamed it in the settings, rename it here as well: "
            'Account.objects.rename("%(twin)s", "%(account)s").'
        ),
    )
    ANOTHER_USER = (
        "sync.another_user",
        _(
            "Nothing was mirrored: %(credential)s belongs to the Cal.com user %(owner)d, but the account "
            '"%(account)s" mirrors the user %(mirrored)d. Put a key of user %(mirrored)d back, or add another account for '
            "user %(owner)d. To mirror user %(owner)d in this account from now on, run `manage.py cal_sync --account "
            "%(account)s --begin-anew`; the bookings mirrored so far stay."
        ),
    )
