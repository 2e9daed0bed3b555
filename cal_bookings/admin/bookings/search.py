"""The search of bookings: by number, uid or e-mail through an index, else by words of the title or of a name."""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from cal_bookings.admin.lookups import read_key
from cal_bookings.models import Attendee, Booking

MATCHES = 1_000  # the newest bookings read by words, for titles and for names


def help_text(*, people: bool) -> str:
    """Return a description of the search, for the page."""
    if not people:
        return _("The number of a booking, for example #17.")
    return _(
        "The number of a booking (#17), its uid, the beginning of an attendee's e-mail address, or words that all occur "
        "in the title or in one attendee's name (the newest thousand are found)."
    )


def bookings(
    queryset: QuerySet[Booking], text: str, *, people: bool
) -> QuerySet[Booking]:
    """Return the bookings that `text` names, as `help_text` describes.

    Without `people` only a number finds a booking, so that nobody learns from a search who attends.
    """
    if not text:
        return queryset
    number = read_key(text.removeprefix("#"))
    if number is not None and (text.startswith("#") or not people):
        return queryset.filter(pk=number)
    if not people:
        return queryset.none()
    if "@" in text:
        return queryset.filter(_attended_by(_by_email(text)))
    by_uid = queryset.filter(uid=text)
    return by_uid if by_uid.exists() else _by_words(queryset, text)


def _by_words(queryset: QuerySet[Booking], text: str) -> QuerySet[Booking]:
    words = text.split()
    people = Attendee.objects
    conditions = [
        _contains_all("title", words),
        _attended_by(people.filter(_contains_all("name", words))),
    ]
    if len(words) == 1:
        conditions.append(_attended_by(_by_email(text)))
    # Each search is a query of its own, to use an index of trigrams (docs/admin.md), which OR prevents. The keys
    # are fetched as numbers, because MariaDB allows no LIMIT in a subquery.
    newest = [list(_newest(queryset.filter(condition))) for condition in conditions]
    return queryset.filter(pk__in={pk for keys in newest for pk in keys})


def attendees(queryset: QuerySet[Attendee], text: str) -> QuerySet[Attendee]:
    """Return the attendees whose e-mail address begins with `text`, or whose name has all its words."""
    words = text.split()
    by_name = _contains_all("name", words)
    if len(words) > 1:
        return queryset.filter(by_name)
    by_email = Q(pk__in=_by_email(text).values("pk"))
    return queryset.filter(by_email if "@" in text else by_name | by_email)


def _contains_all(field: str, words: list[str]) -> Q:
    return Q(*(Q((f"{field}__icontains", word)) for word in words))


def _newest(bookings: QuerySet[Booking]) -> QuerySet[Booking, int]:
    return bookings.order_by("-start", "-pk").values_list("pk", flat=True)[:MATCHES]


def _by_email(text: str) -> QuerySet[Attendee]:
    # A case-sensitive search uses the index; Cal.com stores addresses in lower case.
    return Attendee.objects.filter(
        Q(email__startswith=text) | Q(email__startswith=text.lower())
    )


def _attended_by(matching: QuerySet[Attendee]) -> Q:
    return Q(pk__in=matching.order_by().values("booking"))
