"""Bookings as an iCalendar file. The one module that needs the icalendar library (extra `ical`)."""

from collections.abc import Iterable

from icalendar import Calendar, Event

from cal_bookings.models import Booking, Status

STATUSES: dict[str, str] = {
    Status.ACCEPTED: "CONFIRMED",
    Status.PENDING: "TENTATIVE",
    Status.AWAITING_HOST: "TENTATIVE",
    Status.CANCELLED: "CANCELLED",
    Status.REJECTED: "CANCELLED",
}


def calendar(bookings: Iterable[Booking], *, people: bool) -> bytes:
    """The file; without `people` no event names anybody."""
    file = Calendar()
    file.add("prodid", "-//django-cal-bookings//EN")
    file.add("version", "2.0")
    for booking in bookings:
        file.add_component(_event(booking, people=people))
    content: bytes = file.to_ical()
    return content


def _event(booking: Booking, *, people: bool) -> Event:
    event = Event()
    # Cal.com's own iCalendar uid: a calendar that has the invitation already sees the same event.
    event.add("uid", booking.ics_uid or booking.uid)
    event.add("dtstamp", booking.mirrored_at)
    event.add("dtstart", booking.start)
    event.add("dtend", booking.end)
    event.add("summary", str(booking if people else booking.event_type or booking.uid))
    if booking.status in STATUSES:
        event.add("status", STATUSES[booking.status])
    if people:
        for host in booking.hosts.all():
            event.add("organizer", f"mailto:{host.email}", {"cn": host.name})
            break  # iCalendar knows one organizer
        for attendee in booking.attendees.all():
            if attendee.email:
                event.add("attendee", f"mailto:{attendee.email}", {"cn": attendee.name})
        if booking.location:
            event.add("location", booking.location)
    return event
