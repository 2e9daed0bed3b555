"""Searching bookings as staff do: by uid or e-mail through an index, else by words of the title or of a name."""

from django.db.models import Q, QuerySet

from cal_bookings.models import Attendee, Booking

MATCHES = 1_000  # by words: the newest so many, in titles and in names each


def bookings(
    queryset: QuerySet[Booking], text: str, *, people: bool
) -> QuerySet[Booking]:
    """Those that `text` names: a uid, an address or its beginning, or words that all occur in a title or a name.

    Without `people` only a uid finds something, so that nobody learns from a search who attends.
    """
    if not text:
        return queryset
    if people and "@" in text:
        return queryset.filter(_attended_by(_by_email(text)))
    by_uid = queryset.filter(uid=text)
    if not people or by_uid.exists():
        return by_uid
    words = text.split()
    titled = queryset.filter(_contains_all("title", words))
    named = queryset.filter(
        _attended_by(Attendee.objects.filter(_contains_all("name", words)))
    )
    # Each on its own, so that each can use an index of trigrams (docs/admin.md): joined by OR neither can. And
    # as numbers, because MariaDB takes no LIMIT in a subquery.
    newest = [list(_newest(found)) for found in (titled, named)]
    return queryset.filter(pk__in={pk for found in newest for pk in found})


def attendees(queryset: QuerySet[Attendee], text: str) -> QuerySet[Attendee]:
    if "@" in text:
        return queryset.filter(pk__in=_by_email(text).values("pk"))
    return queryset.filter(_contains_all("name", text.split()))


def _contains_all(field: str, words: list[str]) -> Q:
    return Q(*(Q((f"{field}__icontains", word)) for word in words))


def _newest(found: QuerySet[Booking]) -> QuerySet[Booking, int]:
    return found.order_by("-start", "-pk").values_list("pk", flat=True)[:MATCHES]


def _by_email(text: str) -> QuerySet[Attendee]:
    # Case-sensitive, because only that uses the index; Cal.com stores addresses in lower case.
    return Attendee.objects.filter(
        Q(email__startswith=text) | Q(email__startswith=text.lower())
    )


def _attended_by(found: QuerySet[Attendee]) -> Q:
    return Q(pk__in=found.order_by().values("booking"))
