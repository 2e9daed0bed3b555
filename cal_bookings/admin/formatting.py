"""The formatting of values as readable HTML. Everything from Cal.com is escaped; odd shapes are shown, not refused."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.serializers.json import DjangoJSONEncoder
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _

from cal_bookings.models import Account, Booking, BookingAction, Status

CELL_LENGTH = 300  # characters of one old or new value; the payload has the rest


def status_badge(status: str) -> SafeString:
    """Return the status in words, with a colour that only repeats them."""
    text, kind = status_text(status), status_class(status)
    return format_html('<span class="cal-status cal-{}">{}</span>', kind, text)


#: The CSS class of each status of an action: the class of a booking's status with a similar meaning.
ACTION_CLASSES: dict[str, str] = {
    BookingAction.Status.QUEUED: "pending",
    BookingAction.Status.SENDING: "awaiting_host",
    BookingAction.Status.UNKNOWN: "unknown",
    BookingAction.Status.DONE: "accepted",
    BookingAction.Status.FAILED: "rejected",
    BookingAction.Status.WITHDRAWN: "cancelled",
}


def action_badge(action: BookingAction) -> SafeString:
    kind = ACTION_CLASSES.get(action.status, "unknown")
    text = action.get_status_display()
    return format_html('<span class="cal-status cal-{}">{}</span>', kind, text)


def action_link(action: BookingAction) -> SafeString:
    """Return a link to the action's page, with the action's kind and status."""
    url = reverse("admin:cal_bookings_bookingaction_change", args=[action.pk])
    kind = ACTION_CLASSES.get(action.status, "unknown")
    text = f"{action.get_kind_display()}: {action.get_status_display()}"
    return format_html('<a class="cal-status cal-{}" href="{}">{}</a>', kind, url, text)


def paused_until(account: Account) -> str:
    """Return when the account's pause ends, in words."""
    if account.is_paused_by_hand:
        return _("until resumed")
    until = account.circuit_open_until
    return date_format(timezone.localtime(until), "DATETIME_FORMAT") if until else "-"


def status_text(status: str) -> Any:
    return dict(Status.choices).get(status, status)


def status_class(status: str) -> str:
    """Return the CSS class of a status. A class never holds text from Cal.com."""
    return status if status in Status.values else "unknown"


def when(booking: Booking) -> SafeString:
    """Return start and end in the current time zone, and the distance from now."""
    start = timezone.localtime(booking.start)
    return format_html(
        '<time datetime="{}">{}</time><br><span class="quiet">{}</span>',
        start.isoformat(),
        start_and_end(booking),
        from_now(booking.start),
    )


def start_and_end(booking: Booking) -> str:
    """Return start and end in the current time zone. The end has a day only if the booking ends on another day."""
    start, end = timezone.localtime(booking.start), timezone.localtime(booking.end)
    same_day = start.date() == end.date()
    closing = date_format(end, "TIME_FORMAT" if same_day else "DATETIME_FORMAT")
    return f"{day_and_time(start)} \N{EN DASH} {closing}"


def day_and_time(moment: dt.datetime) -> str:
    """Return the day and the time of `moment` in its own time zone."""
    return f"{date_format(moment, 'D')} {date_format(moment, 'DATETIME_FORMAT')}"


def from_now(moment: dt.datetime) -> str:
    now = timezone.now()
    if moment >= now:
        return _("in %(time)s") % {"time": timeuntil(moment, now, depth=1)}
    return _("%(time)s ago") % {"time": timesince(moment, now, depth=1)}


def start_in(start: dt.datetime, zone: str) -> str:
    """Return the moment in the time zone `zone`, named as on Cal.com; "-" for a time zone unknown here."""
    try:
        return day_and_time(start.astimezone(ZoneInfo(zone)))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return "-"


def pretty(value: Any) -> SafeString:
    """Return a value as indented JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
    return format_html("<pre>{}</pre>", text)


def changes_table(changes: Any) -> SafeString:
    """Return ``{field: [old, new]}`` as a table."""
    if not isinstance(changes, Mapping):
        return pretty(changes)
    rows = [(_field_label(name), *_old_and_new(pair)) for name, pair in changes.items()]
    return table([_("field"), _("old"), _("new")], rows)


def side_by_side(seen: Any, found: Any) -> SafeString | str:
    """Return two versions of the same facts as a table that marks the rows that differ."""
    if not isinstance(seen, Mapping) or not isinstance(found, Mapping) or not found:
        return pretty(seen) if seen else "-"
    rows = [
        (
            "cal-differs" if seen.get(name) != found.get(name) else "",
            _field_label(name),
            cell(seen.get(name)),
            cell(found.get(name)),
        )
        for name in dict.fromkeys([*seen, *found])
    ]
    return format_html(
        "<table><thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>{}</tbody></table>",
        _("field"),
        _("when it was asked for"),
        _("on Cal.com"),
        format_html_join(
            "", '<tr class="{}"><td>{}</td><td>{}</td><td>{}</td></tr>', rows
        ),
    )


def booking_link(booking: Booking) -> SafeString:
    """Return a link to the booking's page, named by event type and start, because title and uid are personal."""
    url = reverse("admin:cal_bookings_booking_change", args=[booking.pk])
    start = date_format(timezone.localtime(booking.start), "DATETIME_FORMAT")
    kind = booking.event_type or str(Booking(pk=booking.pk))
    return format_html('<a href="{}">{}, {}</a>', url, kind, start)


def records_table(records: Any, first: Sequence[str] = ()) -> SafeString | str:
    """Return a list of objects as a table with a column for each key.

    `first` names the first columns, because PostgreSQL does not keep the order of keys.
    """
    if not records:
        return "-"
    if not isinstance(records, list) or not all(
        isinstance(record, Mapping) for record in records
    ):
        return pretty(records)
    names = {key for record in records for key in record}
    keys = [key for key in first if key in names] + sorted(names - set(first))
    return table(keys, [[cell(record.get(key)) for key in keys] for record in records])


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> SafeString:
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th>{}</th>", ((name,) for name in header)),
        format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows)),
    )


def cell(value: Any) -> str:
    """Return a value in a single line."""
    if value is None or value == "" or value == []:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Truncator(text).chars(CELL_LENGTH)


def page_on_cal_com(booking: Booking) -> str | None:
    """Return the address of the booking's page on Cal.com; None for a server whose pages are not known."""
    api = urlsplit(booking.account.base_url)
    if api.scheme not in {"https", "http"}:
        return None
    if api.netloc.startswith("api."):  # api.cal.com, api.cal.eu
        site = api.netloc.replace("api.", "app.", 1)
    elif api.path.startswith("/api/"):  # self-hosted behind one name
        site = api.netloc
    else:
        return None
    return f"{api.scheme}://{site}/booking/{quote(booking.uid, safe='')}"


def bookings_link(text: Any, **lookups: Any) -> SafeString:
    """Return a link to the list of the bookings that match `lookups`."""
    url = reverse("admin:cal_bookings_booking_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(lookups), text)


def _cells(row: Iterable[str]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((value,) for value in row))


def _old_and_new(pair: Any) -> tuple[str, str]:
    match pair:
        case [old, new]:
            return cell(old), cell(new)
        case _:
            return "-", cell(pair)


def _field_label(name: str) -> str:
    field = next((f for f in Booking._meta.get_fields() if f.name == name), None)
    return str(getattr(field, "verbose_name", name))
