"""The catalog of the fake: users, event types, and the people who book."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any


@dataclass(eq=False)
class User:
    """A host on Cal.com, with the credentials that act for them."""

    id: int
    name: str
    email: str
    username: str
    time_zone: str = "UTC"
    organization_id: int | None = None
    api_key: str = ""

    def as_host(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "email": self.email,
            "displayEmail": self.email,
            "username": self.username,
            "timeZone": self.time_zone,
        }

    def as_me(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "email": self.email,
            "name": self.name,
            "avatarUrl": None,
            "bio": None,
            "timeFormat": 12,
            "defaultScheduleId": self.id,
            "weekStart": "Monday",
            "timeZone": self.time_zone,
            "username": self.username,
            "organizationId": self.organization_id,
        }


LOCATIONS: tuple[dict[str, Any], ...] = (
    {"type": "link", "link": "https://meet.example.com/room", "public": True},
    {"type": "address", "address": "1 Main St", "public": True},
    {"type": "phone", "phone": "+14155550100", "public": True},
    {"type": "integration", "integration": "cal-video"},
    {"type": "attendeeAddress"},
    {"type": "attendeePhone"},
    {"type": "attendeeDefined"},
)


@dataclass(frozen=True)
class EventType:
    """An event type, whose `kind` decides the shape of its bookings."""

    id: int
    slug: str
    title: str
    minutes: int = 30
    #: The kind: normal, confirm (starts as pending), recurring, seated, round-robin.
    kind: str = "normal"
    owner_id: int | None = None
    team_id: int | None = None

    #: The lengths that bookers may choose from; none where there is only one.
    lengths: tuple[int, ...] = ()
    #: The locations that bookers may choose from; the first one is the default.
    locations: tuple[dict[str, Any], ...] = LOCATIONS
    #: The number of seats of a seated event type.
    seats: int = 10
    #: The number of bookings in a recurring event type.
    occurrences: int = 4
    #: True if bookers must prove their e-mail address with a code.
    wants_email_code: bool = False

    @property
    def is_instant(self) -> bool:
        """Return whether the team of this event type offers to meet at once."""
        return self.team_id is not None

    @property
    def team_slug(self) -> str:
        return f"team-{self.team_id}" if self.team_id else ""


#: The slug, the title, the minutes and the kind of each event type.
EVENT_TYPES = (
    ("intro-call", "Intro call", 15, "normal"),
    ("consultation", "Consultation", 30, "normal"),
    ("deep-dive", "Deep dive", 60, "normal"),
    ("on-request", "Meeting on request", 30, "confirm"),
    ("weekly", "Weekly check-in", 30, "recurring"),
    ("workshop", "Workshop", 90, "seated"),
    ("support", "Support", 30, "round-robin"),
)

#: The lengths that bookers of an event type may choose from, by its slug.
LENGTHS = {"deep-dive": (30, 60, 90)}

HOSTS = (
    ("Alice Host", "Europe/Berlin"),
    ("Bob Martin", "America/New_York"),
    ("Chloé Lefèvre", "Europe/Paris"),
    ("Dmitri Ivanov", "Asia/Tbilisi"),
    ("Emeka Okafor", "Africa/Lagos"),
)
_GIVEN = (
    *("Ana", "Ben", "Çağla", "Dorothée", "Łukasz", "Mei", "Nadia", "Óscar", "Priya"),
    *("Quentin", "Rosa", "Søren", "Tomoko", "Uli", "Valentina", "Wanjiru", "Zoë"),
)
_FAMILY = (
    *("Alvarez", "Brown", "Chen", "D'Angelo", "Fernández", "Großmann", "Haddad"),
    *("Jansen", "Kowalska", "Müller", "Ngũgĩ", "O'Neill", "Patel", "Quispe", "Sato"),
)
_WHOLE = ("王小明", "Νίκος Παππάς", "محمد علي", "👩‍🔬 Ada", "Jo")
_ZONES = (
    *("America/New_York", "Europe/London", "Asia/Tokyo", "Australia/Lord_Howe"),
    *("Asia/Kolkata", "America/Sao_Paulo", "Europe/Berlin"),
)
_LANGUAGES = ("en", "de", "fr", "es", "pt-BR", "ja")


@dataclass
class Person:
    """A person who books."""

    name: str
    email: str
    time_zone: str = "UTC"
    language: str = "en"
    phone_number: str = ""
    responses: dict[str, Any] = field(default_factory=dict)

    def as_attendee(self) -> dict[str, Any]:
        phone = {"phoneNumber": self.phone_number} if self.phone_number else {}
        return {
            "name": self.name,
            "email": self.email,
            "displayEmail": self.email,
            "timeZone": self.time_zone,
            "language": self.language,
            "absent": False,
            **phone,
        }


def somebody(rng: Random) -> Person:
    """Return one of many people; now and then a person without a common name, or with a phone alone."""
    whole = rng.random() < 0.05
    name = (
        rng.choice(_WHOLE) if whole else f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)}"
    )
    number = rng.randrange(10**6)
    person = Person(
        name,
        f"guest{number}@example.net",
        rng.choice(_ZONES),
        rng.choice(_LANGUAGES),
    )
    if rng.random() < 0.03:
        person.phone_number = f"+49170{number:07}"
        # Cal.com makes up an address for those who gave a phone number only.
        person.email = f"49170{number:07}@sms.cal.com"
    return person


def short_uid(rng: Random) -> str:
    """Return a text like the uids of bookings: 22 characters of a base 57 alphabet."""
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    return "".join(rng.choices(alphabet, k=22))


def long_uid(rng: Random) -> str:
    """Return a text like the uids of series and seats: a UUID."""
    text = f"{rng.getrandbits(128):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def half_hour(moment: datetime) -> datetime:
    """Return the last full or half hour, at which meetings start."""
    return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)
