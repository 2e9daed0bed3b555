"""The export of bookings as an iCalendar file. Only this module needs the icalendar library (extra `ical`)."""

from collections.abc import Iterable

from icalendar import Calendar, Event

from cal_bookings.models import Attendee, Booking, Host, Status

STATUSES: dict[str, str] = {
    Status.ACCEPTED: "CONFIRMED",
    Status.PENDING: "TENTATIVE",
    Status.AWAITING_HOST: "TENTATIVE",
    Status.CANCELLED: "CANCELLED",
    Status.REJECTED: "CANCELLED",
}


def calendar(bookings: Iterable[Booking], *, people: bool) -> bytes:
    """Return the content of the file; without `people` no event names a person."""
    file = Calendar()
    file.add("prodid", "-//django-cal-bookings//EN")
    file.add("version", "2.0")
    for booking in bookings:
        file.add_component(_event(booking, people=people))
    content: bytes = file.to_ical()
    return content


def _event(booking: Booking, *, people: bool) -> Event:
    event = Event()
    # With Cal.com's own iCalendar uid, a calendar that has the invitation recognises the event.
    own = f"booking-{booking.pk}@django-cal-bookings"
    event.add("uid", _line(booking.ics_uid or booking.uid) if people else own)
    event.add("dtstamp", booking.mirrored_at)
    event.add("dtstart", booking.start)
    event.add("dtend", booking.end)
    summary = str(booking) if people else str(booking.event_type or booking)
    event.add("summary", summary)
    if booking.status in STATUSES:
        event.add("status", STATUSES[booking.status])
    if people:
        _add_people(event, booking)
    return event


def _add_people(event: Event, booking: Booking) -> None:
    for host in booking.hosts.all()[:1]:  # iCalendar knows one organizer
        event.add("organizer", *_person(host))
    for attendee in booking.attendees.all():
        if attendee.email:
            event.add("attendee", *_person(attendee))
    if booking.location:
        event.add("location", booking.location)


def _person(person: Host | Attendee) -> tuple[str, dict[str, str]]:
    return f"mailto:{_line(person.email)}", {"cn": _line(person.name)}


def _line(text: str) -> str:
    """Return the text as a single line: the library refuses a file with a line break in an address."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())
